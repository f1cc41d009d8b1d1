//! Zoned decimal: one digit a byte; the sign in a half byte of the first or last digit, or a character of its own.

use super::error::Rule;
use super::packed::{Digits, last_digit};
use crate::CodePage;
use crate::syntax::Sign;

/// How a DISPLAY number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Zoned {
    ebcdic: bool,
    signed: bool,
    sign: Sign,
    plus: u8,
    minus: u8,
}

/// High half byte of a digit without a sign.
const EBCDIC_ZONE: u8 = 0xf0;
const ASCII_ZONE: u8 = 0x30;

impl Zoned {
    pub(super) fn new(page: CodePage, signed: bool, sign: Sign) -> Self {
        Self { ebcdic: page.is_ebcdic(), signed, sign, plus: page.ascii(b'+'), minus: page.ascii(b'-') }
    }

    pub(super) fn read(self, bytes: &[u8]) -> Result<i128, Rule> {
        let (digits, mut negative) = if self.sign.separate { self.separate(bytes)? } else { (bytes, false) };
        let with_sign = match (self.sign.separate, self.sign.leading) {
            (true, _) => usize::MAX,
            (false, true) => 0,
            (false, false) => digits.len().wrapping_sub(1),
        };
        let zone = if self.ebcdic { EBCDIC_ZONE } else { ASCII_ZONE };
        let mut value = Digits::new(digits.len() as u32);
        for (index, byte) in digits.iter().enumerate() {
            if byte & 0xf0 == zone {
                value.push(byte & 0x0f)?;
            } else if index == with_sign {
                let (digit, minus) = if self.ebcdic { ebcdic_sign(*byte)? } else { ascii_sign(*byte)? };
                negative = minus;
                value.push(digit)?;
            } else {
                return Err("a byte that is no digit".into());
            }
        }
        if negative && !self.signed {
            return Err("a minus sign, and the picture has no S".into());
        }
        Ok(value.finish(negative))
    }

    /// The digits, and whether the sign beside them is a minus.
    fn separate(self, bytes: &[u8]) -> Result<(&[u8], bool), Rule> {
        let parts = if self.sign.leading { bytes.split_first() } else { bytes.split_last() };
        match parts {
            Some((sign, digits)) if *sign == self.plus => Ok((digits, false)),
            Some((sign, digits)) if *sign == self.minus => Ok((digits, true)),
            _ => Err("a sign character that is neither + nor -".into()),
        }
    }

    /// Writes a value that fits.
    pub(super) fn write(self, value: i128, out: &mut [u8]) {
        let zone = if self.ebcdic { EBCDIC_ZONE } else { ASCII_ZONE };
        let (mut first, mut end) = (0, out.len());
        if self.sign.separate {
            let place = if self.sign.leading { 0 } else { end - 1 };
            out[place] = if value < 0 { self.minus } else { self.plus };
            (first, end) = if self.sign.leading { (1, end) } else { (0, end - 1) };
        }
        let mut rest = value.unsigned_abs();
        for byte in out[first..end].iter_mut().rev() {
            *byte = zone | last_digit(&mut rest);
        }
        if self.signed && !self.sign.separate {
            let place = if self.sign.leading { first } else { end - 1 };
            let digit = out[place] & 0x0f;
            out[place] = if self.ebcdic { ebcdic_overpunch(digit, value < 0) } else { ascii_overpunch(digit, value < 0) };
        }
    }
}

/// Digit and sign of a half byte pair. A and E are plus, B is minus, as the machine's decimal instructions take them.
fn ebcdic_sign(byte: u8) -> Result<(u8, bool), Rule> {
    match byte >> 4 {
        0xa | 0xc | 0xe => Ok((byte & 0x0f, false)),
        0xb | 0xd => Ok((byte & 0x0f, true)),
        zone => Err(format!("zoned sign X'{zone:X}' is none of A to F").into()),
    }
}

fn ebcdic_overpunch(digit: u8, negative: bool) -> u8 {
    if negative { 0xd0 | digit } else { 0xc0 | digit }
}

/// The EBCDIC signs translated to ASCII (`{ABCDEFGHI` and `}JKLMNOPQR`), or `p` to `y` for minus, as compilers on ASCII hosts write.
fn ascii_sign(byte: u8) -> Result<(u8, bool), Rule> {
    match byte {
        b'{' => Ok((0, false)),
        b'A'..=b'I' => Ok((byte - b'A' + 1, false)),
        b'}' => Ok((0, true)),
        b'J'..=b'R' => Ok((byte - b'J' + 1, true)),
        b'p'..=b'y' => Ok((byte - b'p', true)),
        _ => Err("a last digit that carries no sign".into()),
    }
}

fn ascii_overpunch(digit: u8, negative: bool) -> u8 {
    match (digit, negative) {
        (0, false) => b'{',
        (0, true) => b'}',
        (_, false) => b'A' + digit - 1,
        (_, true) => b'J' + digit - 1,
    }
}
