//! Packed decimal: two digits a byte, the sign in the last half byte.

use super::error::Rule;

pub(super) fn read(bytes: &[u8], digits: u32, signed: bool) -> Result<i128, Rule> {
    let Some((last, rest)) = bytes.split_last() else { return Err("no bytes".into()) };
    let mut value = Digits::new(digits);
    for (index, byte) in rest.iter().enumerate() {
        // An even number of digits leaves the first half byte over.
        if index == 0 && digits.is_multiple_of(2) && byte >> 4 != 0 {
            return Err("packed digits beyond its picture".into());
        }
        value.push(byte >> 4)?;
        value.push(byte & 0x0f)?;
    }
    if rest.is_empty() && digits.is_multiple_of(2) && last >> 4 != 0 {
        return Err("packed digits beyond its picture".into());
    }
    value.push(last >> 4)?;
    let negative = match last & 0x0f {
        0x0a | 0x0c | 0x0e | 0x0f => false,
        0x0b | 0x0d if signed => true,
        0x0b | 0x0d => return Err("a minus sign, and the picture has no S".into()),
        sign => return Err(format!("packed sign X'{sign:X}' is none of A to F").into()),
    };
    Ok(value.finish(negative))
}

pub(super) fn write(value: i128, signed: bool, out: &mut [u8]) {
    let sign = match (signed, value < 0) {
        (false, _) => 0x0f,
        (true, false) => 0x0c,
        (true, true) => 0x0d,
    };
    let mut rest = value.unsigned_abs();
    let mut low = sign;
    for byte in out.iter_mut().rev() {
        *byte = last_digit(&mut rest) << 4 | low;
        low = last_digit(&mut rest);
    }
}

/// Takes the last digit off. Most numbers fit 64 bits, which divide much faster than 128.
pub(super) fn last_digit(rest: &mut u128) -> u8 {
    let digit;
    (*rest, digit) = match u64::try_from(*rest) {
        Ok(narrow) => (u128::from(narrow / 10), (narrow % 10) as u8),
        Err(_) => (*rest / 10, (*rest % 10) as u8),
    };
    digit
}

/// Puts digits together, in 64 bits as long as they fit.
pub(super) struct Digits {
    narrow: u64,
    wide: u128,
    is_wide: bool,
}

impl Digits {
    pub(super) fn new(digits: u32) -> Self {
        Self { narrow: 0, wide: 0, is_wide: digits > 18 }
    }

    pub(super) fn push(&mut self, digit: u8) -> Result<(), Rule> {
        if digit > 9 {
            return Err(format!("X'{digit:X}' is no digit").into());
        }
        if self.is_wide {
            self.wide = self.wide * 10 + u128::from(digit);
        } else {
            self.narrow = self.narrow * 10 + u64::from(digit);
        }
        Ok(())
    }

    pub(super) fn finish(self, negative: bool) -> i128 {
        let value = if self.is_wide { self.wide.cast_signed() } else { i128::from(self.narrow) };
        if negative { -value } else { value }
    }
}
