//! Text in a record: characters of a code page to UTF-8 and back.

use super::error::Rule;
use crate::CodePage;

/// How the bytes of a text item are read and written.
#[derive(Debug, Clone)]
pub(super) struct Text {
    page: CodePage,
    right: bool,
    space: u8,
    /// The character of each byte; what no character has is above Unicode.
    characters: Box<[u32; 256]>,
}

const NO_CHARACTER: u32 = u32::MAX;

impl Text {
    pub(super) fn new(page: CodePage, justified_right: bool) -> Self {
        let mut characters = Box::new([NO_CHARACTER; 256]);
        for byte in 0..=u8::MAX {
            characters[usize::from(byte)] = page.decode(byte).map_or(NO_CHARACTER, u32::from);
        }
        Self { page, right: justified_right, space: page.space(), characters }
    }

    /// The part that is text: without the padding, spaces or low-values.
    pub(super) fn trim<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        let is_text = |byte: &u8| *byte != self.space && *byte != 0;
        if self.right {
            let start = bytes.iter().position(is_text).unwrap_or(bytes.len());
            return &bytes[start..];
        }
        let end = bytes.iter().rposition(is_text).map_or(0, |last| last + 1);
        &bytes[..end]
    }

    /// Appends the characters as UTF-8.
    pub(super) fn read(&self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Rule> {
        let mut utf8 = [0; 4];
        for (index, byte) in bytes.iter().enumerate() {
            let code = self.characters[usize::from(*byte)];
            if code < 0x80 {
                out.push(code as u8);
                continue;
            }
            let Some(character) = char::from_u32(code) else {
                return Err(format!("byte {} of the text is no character of {}", index + 1, self.page).into());
            };
            out.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
        }
        Ok(())
    }

    /// Writes text over all of `out`, padded with spaces.
    pub(super) fn write(&self, text: &str, out: &mut [u8]) -> Result<(), Rule> {
        let length = text.chars().count();
        if length > out.len() {
            return Err(format!("text of {length} characters, and the item has room for {}", out.len()).into());
        }
        out.fill(self.space);
        let start = if self.right { out.len() - length } else { 0 };
        for (index, (byte, character)) in out[start..].iter_mut().zip(text.chars()).enumerate() {
            *byte = self.page.encode(character).ok_or_else(|| {
                format!(
                    "character {} of the text is not in {}: choose another code page or another character",
                    index + 1,
                    self.page
                )
            })?;
        }
        Ok(())
    }
}
