//! Literals: VALUE clauses and constants as the bytes of an item, and values to compare an item with.

use super::decimal;
use super::number::Number;
use super::text::Text;
use crate::Encoding;
use crate::message::Constant;
use crate::syntax::{Item, Literal};

/// The bytes of an item of `length` bytes that holds `literal`.
pub(super) fn bytes(item: &Item, length: usize, literal: &Literal, encoding: &Encoding) -> Result<Vec<u8>, String> {
    let page = encoding.code_page;
    let mut out = vec![page.space(); length];
    let number = Number::of(item, encoding);
    match (literal, number) {
        (Literal::Spaces, _) => {}
        (Literal::LowValues, _) => out.fill(0x00),
        (Literal::HighValues, _) => out.fill(0xff),
        (Literal::Quotes, _) => out.fill(page.ascii(b'"')),
        (Literal::Bytes(bytes), _) => {
            out.get_mut(..bytes.len())
                .ok_or_else(|| format!("longer than the {length} bytes of the item"))?
                .copy_from_slice(bytes);
        }
        (Literal::All(text), None) => {
            let repeated: String = text.chars().cycle().take(length).collect();
            Text::new(page, false).write(&repeated, &mut out)?;
        }
        (Literal::Zeros, None) => out.fill(page.zero()),
        (Literal::Text(text), None) => Text::new(page, false).write(text, &mut out)?,
        (Literal::Number { unscaled, scale }, None) => {
            let mut text = Vec::new();
            decimal::format(*unscaled, *scale, &mut text);
            Text::new(page, false).write(&String::from_utf8_lossy(&text), &mut out)?;
        }
        (literal, Some(number)) => {
            let value = value(literal, &number).ok_or("not a number that fits the picture")?;
            number.write(value, &mut out)?;
        }
    }
    Ok(out)
}

/// The unscaled value of a literal for a numeric item; none for one that is no number.
pub(super) fn value(literal: &Literal, number: &Number) -> Option<i128> {
    match literal {
        Literal::Zeros => Some(0),
        Literal::Number { unscaled, scale } => decimal::rescale(*unscaled, *scale, number.scale),
        Literal::Text(text) => decimal::parse(text, number.scale).ok(),
        _ => None,
    }
}

/// A constant of the rules as a literal.
pub(super) fn of(constant: &Constant) -> Literal {
    match constant {
        Constant::Integer(number) => Literal::Number { unscaled: (*number).into(), scale: 0 },
        Constant::Text(text) => Literal::Text(text.clone()),
    }
}

/// Values of an item, to compare its bytes with: of a level 88 entry or a `when:`.
#[derive(Debug, Clone)]
pub(super) struct Matcher {
    number: Option<Number>,
    values: Vec<Range>,
    space: u8,
}

/// One value is a range with two equal ends.
#[derive(Debug, Clone)]
enum Range {
    Bytes(Vec<u8>, Vec<u8>),
    Numbers(i128, i128),
}

impl Matcher {
    pub(super) fn new<'l>(
        item: &Item,
        length: usize,
        literals: impl Iterator<Item = (&'l Literal, Option<&'l Literal>)>,
        encoding: &Encoding,
    ) -> Result<Self, String> {
        let number = Number::of(item, encoding);
        let range = |(from, to): (&Literal, Option<&Literal>)| {
            let to = to.unwrap_or(from);
            let values = number.as_ref().and_then(|number| Some(Range::Numbers(value(from, number)?, value(to, number)?)));
            values.map_or_else(|| Ok(Range::Bytes(bytes(item, length, from, encoding)?, bytes(item, length, to, encoding)?)), Ok)
        };
        let values = literals.map(range).collect::<Result<Vec<_>, String>>()?;
        Ok(Self { number, values, space: encoding.code_page.space() })
    }

    /// Whether the bytes of the item hold one of the values. Ranges of text are compared by its bytes, as the host does.
    pub(super) fn holds(&self, bytes: &[u8]) -> bool {
        let value = self.number.as_ref().and_then(|number| number.read(bytes).ok());
        self.values.iter().any(|range| match range {
            Range::Bytes(from, to) if from == to => from == bytes || self.is_same_text(from, bytes),
            Range::Bytes(from, to) => from[..] <= *bytes && *bytes <= to[..],
            Range::Numbers(from, to) => value.is_some_and(|value| (*from..=*to).contains(&value)),
        })
    }

    /// Text padded with low-values is shown like text padded with spaces, and so it is the same here.
    fn is_same_text(&self, one: &[u8], other: &[u8]) -> bool {
        let is_text = |byte: &u8| *byte != self.space && *byte != 0;
        let trimmed = |bytes: &[u8]| bytes.iter().rposition(is_text).map_or(0, |last| last + 1);
        let (one, other) = (&one[..trimmed(one)], &other[..trimmed(other)]);
        !one.is_empty() && one == other
    }

    /// Writes the first of the values.
    pub(super) fn write(&self, out: &mut [u8]) -> Result<(), super::error::Rule> {
        match (self.values.first(), &self.number) {
            (Some(Range::Bytes(from, _)), _) if from.len() == out.len() => {
                out.copy_from_slice(from);
                Ok(())
            }
            (Some(Range::Numbers(from, _)), Some(number)) => number.write(*from, out),
            _ => Err("no value stands for it".into()),
        }
    }
}
