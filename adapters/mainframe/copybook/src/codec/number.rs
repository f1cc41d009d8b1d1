//! Numbers in a record: zoned, packed and binary digits to an exact value and back.

use super::error::Rule;
use super::{packed, zoned};
use crate::syntax::{Item, PictureKind, Usage};
use crate::{BinaryRange, ByteOrder, CodePage, Encoding};

/// How the bytes of a numeric item are read and written.
#[derive(Debug, Clone)]
pub(super) struct Number {
    pub(super) shape: Shape,
    pub(super) digits: u32,
    pub(super) scale: i32,
    pub(super) signed: bool,
    blank_when_zero: bool,
    space: u8,
    /// Greatest value that fits, without the sign.
    limit: u128,
}

/// Where digits and sign are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Zoned(zoned::Zoned),
    Packed,
    Binary { little: bool, full: bool },
}

/// Why a numeric item cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotANumber {
    /// All spaces or all low-values: it was never filled.
    Blank,
    /// Something else.
    Wrong(Rule),
}

impl Number {
    /// None for an item that is no number.
    pub(super) fn of(item: &Item, encoding: &Encoding) -> Option<Self> {
        let PictureKind::Number { digits, scale, signed } = item.picture.as_ref()?.kind else { return None };
        let page = encoding.code_page;
        let little = encoding.binary == ByteOrder::Little;
        let shape = match item.usage {
            Usage::Display => Shape::Zoned(zoned::Zoned::new(page, signed, item.sign)),
            Usage::Packed => Shape::Packed,
            Usage::Binary => Shape::Binary { little, full: encoding.binary_range == BinaryRange::Full },
            Usage::Native => Shape::Binary { little, full: true },
        };
        let limit = 10u128.pow(digits) - 1;
        Some(Self { shape, digits, scale, signed, blank_when_zero: item.blank_when_zero, space: CodePage::space(page), limit })
    }

    /// The unscaled value.
    pub(super) fn read(&self, bytes: &[u8]) -> Result<i128, NotANumber> {
        let value = match self.shape {
            Shape::Zoned(zoned) => zoned.read(bytes),
            Shape::Packed => packed::read(bytes, self.digits, self.signed),
            Shape::Binary { little, .. } => return Ok(self.read_binary(bytes, little)),
        };
        value.map_err(|rule| {
            let blank = |byte: u8| bytes.iter().all(|b| *b == byte);
            if blank(self.space) || blank(0) { NotANumber::Blank } else { NotANumber::Wrong(rule) }
        })
    }

    /// Whether spaces are how it writes zero.
    pub(super) fn blank_is_zero(&self, bytes: &[u8]) -> bool {
        self.blank_when_zero && bytes.iter().all(|byte| *byte == self.space)
    }

    /// Writes an unscaled value over all of `out`.
    pub(super) fn write(&self, value: i128, out: &mut [u8]) -> Result<(), Rule> {
        if value < 0 && !self.signed {
            return Err("negative, and the picture has no S".into());
        }
        if let Shape::Binary { little, full } = self.shape {
            return self.write_binary(value, out, little, full);
        }
        if value.unsigned_abs() > self.limit {
            return Err(self.too_large());
        }
        if value == 0 && self.blank_when_zero {
            out.fill(self.space);
            return Ok(());
        }
        match self.shape {
            Shape::Zoned(zoned) => zoned.write(value, out),
            _ => packed::write(value, self.signed, out),
        }
        Ok(())
    }

    fn too_large(&self) -> Rule {
        format!("too large for the {} digits of its picture", self.digits).into()
    }

    fn read_binary(&self, bytes: &[u8], little: bool) -> i128 {
        let mut wide = [0u8; 8];
        let start = 8 - bytes.len().min(8);
        wide[start..].copy_from_slice(&bytes[..8 - start]);
        if little {
            wide[start..].reverse();
        }
        let value = u64::from_be_bytes(wide);
        let unused = start as u32 * 8;
        if self.signed { i128::from((value << unused).cast_signed() >> unused) } else { i128::from(value) }
    }

    fn write_binary(&self, value: i128, out: &mut [u8], little: bool, full: bool) -> Result<(), Rule> {
        let bits = out.len() as u32 * 8;
        let fits =
            if self.signed { (-(1i128 << (bits - 1))..1i128 << (bits - 1)).contains(&value) } else { value < 1i128 << bits };
        if !fits || (!full && value.unsigned_abs() > self.limit) {
            return Err(if full { format!("too large for {bits} bits").into() } else { self.too_large() });
        }
        let wide = value.to_be_bytes();
        out.copy_from_slice(&wide[wide.len() - out.len()..]);
        if little {
            out.reverse();
        }
        Ok(())
    }
}
