//! Code pages: one byte, one character, both ways.

mod tables;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A single-byte code page of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CodePage {
    /// EBCDIC of the USA, Canada, Brazil, Portugal, Netherlands.
    Ibm037,
    /// EBCDIC of France.
    Ibm297,
    /// EBCDIC International.
    Ibm500,
    /// EBCDIC Latin 1 of open systems (z/OS UNIX, C programs).
    #[default]
    Ibm1047,
    /// 037 with the euro sign.
    Ibm1140,
    /// 297 with the euro sign.
    Ibm1147,
    /// ISO 8859-1, for hosts without EBCDIC.
    Latin1,
    /// ASCII, for hosts without EBCDIC: bytes from 128 on are errors.
    Ascii,
}

/// A name that is no code page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown code page `{0}` (available: ibm037, ibm297, ibm500, ibm1047, ibm1140, ibm1147, latin1, ascii)")]
pub struct UnknownCodePage(String);

impl CodePage {
    /// All of them.
    pub const ALL: [CodePage; 8] = [
        CodePage::Ibm037,
        CodePage::Ibm297,
        CodePage::Ibm500,
        CodePage::Ibm1047,
        CodePage::Ibm1140,
        CodePage::Ibm1147,
        CodePage::Latin1,
        CodePage::Ascii,
    ];

    /// Name in settings.
    pub fn name(self) -> &'static str {
        match self {
            CodePage::Ibm037 => "ibm037",
            CodePage::Ibm297 => "ibm297",
            CodePage::Ibm500 => "ibm500",
            CodePage::Ibm1047 => "ibm1047",
            CodePage::Ibm1140 => "ibm1140",
            CodePage::Ibm1147 => "ibm1147",
            CodePage::Latin1 => "latin1",
            CodePage::Ascii => "ascii",
        }
    }

    /// Whether letters and digits have EBCDIC codes, and zoned signs EBCDIC half bytes.
    pub fn is_ebcdic(self) -> bool {
        !matches!(self, CodePage::Latin1 | CodePage::Ascii)
    }

    /// The character of a byte, if it has one. X'15' is U+0085 (next line) and X'25' U+000A (line feed) in all EBCDIC pages.
    pub fn decode(self, byte: u8) -> Option<char> {
        match self {
            CodePage::Ibm1140 | CodePage::Ibm1147 if byte == EURO => Some('€'),
            CodePage::Ascii if !byte.is_ascii() => None,
            _ => Some(char::from(self.pair().decode[usize::from(byte)])),
        }
    }

    /// The byte of a character, if it has one.
    pub fn encode(self, character: char) -> Option<u8> {
        let with_euro = matches!(self, CodePage::Ibm1140 | CodePage::Ibm1147);
        if with_euro && matches!(character, '€' | '¤') {
            return (character == '€').then_some(EURO);
        }
        let code = u8::try_from(u32::from(character)).ok()?;
        if self == CodePage::Ascii && !code.is_ascii() {
            return None;
        }
        Some(self.pair().encode[usize::from(code)])
    }

    /// The byte of an ASCII character, which every page has.
    pub(crate) fn ascii(self, character: u8) -> u8 {
        self.pair().encode[usize::from(character & 0x7f)]
    }

    /// Byte of a space, which pads text.
    pub(crate) fn space(self) -> u8 {
        self.ascii(b' ')
    }

    /// Byte of the digit zero.
    pub(crate) fn zero(self) -> u8 {
        self.ascii(b'0')
    }

    fn pair(self) -> &'static Pair {
        match self {
            CodePage::Ibm037 | CodePage::Ibm1140 => &IBM037,
            CodePage::Ibm297 | CodePage::Ibm1147 => &IBM297,
            CodePage::Ibm500 => &IBM500,
            CodePage::Ibm1047 => &IBM1047,
            CodePage::Latin1 | CodePage::Ascii => &LATIN1,
        }
    }
}

impl FromStr for CodePage {
    type Err = UnknownCodePage;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let lower = name.to_ascii_lowercase();
        Self::ALL.into_iter().find(|page| page.name() == lower).ok_or_else(|| UnknownCodePage(name.to_owned()))
    }
}

impl fmt::Display for CodePage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where 1140 and 1147 have the euro and 037 and 297 the currency sign.
const EURO: u8 = 0x9f;

/// A table and its inverse. Each page is a permutation of ISO 8859-1, so both are total.
struct Pair {
    decode: [u8; 256],
    encode: [u8; 256],
}

static IBM037: Pair = Pair::of(tables::IBM037);
static IBM297: Pair = Pair::of(tables::IBM297);
static IBM500: Pair = Pair::of(tables::IBM500);
static IBM1047: Pair = Pair::of(tables::IBM1047);
static LATIN1: Pair = Pair::of(identity());

impl Pair {
    const fn of(decode: [u8; 256]) -> Self {
        let mut encode = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            encode[decode[byte] as usize] = byte as u8;
            byte += 1;
        }
        Self { decode, encode }
    }
}

const fn identity() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = byte as u8;
        byte += 1;
    }
    table
}
