//! PICTURE: what a picture string says of an item.

use crate::limits;

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// As written, in upper case.
    pub text: String,
    /// What it describes.
    pub kind: PictureKind,
}

/// What a picture describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureKind {
    /// `X` and `A`: so many characters.
    Text {
        /// Number of characters.
        characters: u32,
    },
    /// `9`, `S`, `V`, `P`: a number of `digits` stored digits; its value is digits × 10^-scale.
    Number {
        /// Stored digits.
        digits: u32,
        /// Decimals; negative when `P` stands for zeros behind the last stored digit.
        scale: i32,
        /// Whether it has an `S`.
        signed: bool,
    },
}

/// Why a picture is refused, and at which character of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PictureError {
    pub(super) at: usize,
    pub(super) message: String,
}

impl Picture {
    pub(super) fn parse(text: &str) -> Result<Self, PictureError> {
        let text = text.to_ascii_uppercase();
        let symbols = symbols(&text)?;
        if symbols.is_empty() {
            return Err(error(0, "no symbols"));
        }
        let alphanumeric = symbols.iter().any(|s| matches!(s.symbol, 'X' | 'A'));
        let kind = if alphanumeric { characters(&symbols)? } else { number(&symbols)? };
        Ok(Self { text, kind })
    }
}

/// A symbol with how often it stands in a row, and where.
struct Symbol {
    symbol: char,
    count: u32,
    at: usize,
}

fn symbols(text: &str) -> Result<Vec<Symbol>, PictureError> {
    let mut symbols = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some((at, symbol)) = rest.next() {
        refuse(symbol, at)?;
        let mut count = 1;
        if rest.peek().is_some_and(|(_, c)| *c == '(') {
            let length = text[at..].find(')').ok_or_else(|| error(at, "a parenthesis is not closed"))?;
            let inside = text.get(at + symbol.len_utf8() + 1..at + length).unwrap_or_default();
            count =
                inside.parse().ok().filter(|n| *n > 0).ok_or_else(|| error(at, "a repetition must be a whole number from 1"))?;
            while rest.next_if(|(index, _)| *index <= at + length).is_some() {}
        }
        symbols.push(Symbol { symbol, count, at });
    }
    Ok(symbols)
}

fn refuse(symbol: char, at: usize) -> Result<(), PictureError> {
    let what = match symbol {
        'X' | 'A' | '9' | 'S' | 'V' | 'P' => return Ok(()),
        'Z' | '*' | '+' | '-' | ',' | '.' | '/' | 'B' | '0' | 'C' | 'R' | 'D' | '$' | '€' | '£' => {
            "edited pictures are not read yet: describe the item as X characters"
        }
        'N' | 'G' | 'U' => {
            "national, DBCS and UTF-8 pictures are not read yet: describe the item as X characters, two a character for N and G"
        }
        'E' => "floating-point pictures are not read yet: describe the item as X characters",
        _ => return Err(error(at, format!("`{symbol}` is no picture symbol (known: X A 9 S V P)"))),
    };
    Err(error(at, what))
}

fn characters(symbols: &[Symbol]) -> Result<PictureKind, PictureError> {
    let mut characters = 0u32;
    for symbol in symbols {
        if matches!(symbol.symbol, 'S' | 'V' | 'P') {
            return Err(error(symbol.at, format!("`{}` cannot stand with X or A", symbol.symbol)));
        }
        characters = characters.saturating_add(symbol.count);
    }
    if characters as usize > limits::RECORD_BYTES {
        return Err(error(0, format!("more than {} characters", limits::RECORD_BYTES)));
    }
    Ok(PictureKind::Text { characters })
}

fn number(symbols: &[Symbol]) -> Result<PictureKind, PictureError> {
    let (mut digits, mut decimals, mut signed) = (0u32, 0u32, false);
    let (mut point, mut zeros_before, mut zeros_behind) = (false, 0u32, 0u32);
    for (index, symbol) in symbols.iter().enumerate() {
        match symbol.symbol {
            'S' if index == 0 && symbol.count == 1 => signed = true,
            'S' => return Err(error(symbol.at, "S must stand once and first")),
            'V' if point || symbol.count > 1 || (zeros_before > 0 && digits == 0) => {
                return Err(error(symbol.at, "V must stand once, and not between P and the digits"));
            }
            'V' => point = true,
            'P' if digits == 0 && zeros_behind == 0 => zeros_before = zeros_before.saturating_add(symbol.count),
            'P' if !point && zeros_before == 0 => zeros_behind = zeros_behind.saturating_add(symbol.count),
            'P' => return Err(error(symbol.at, "P must stand at one end of the digits, outside of the decimals")),
            _ if zeros_behind > 0 => return Err(error(symbol.at, "digits cannot stand behind P")),
            _ => {
                digits = digits.saturating_add(symbol.count);
                decimals = decimals.saturating_add(if point { symbol.count } else { 0 });
            }
        }
    }
    if digits == 0 {
        return Err(error(0, "no digit"));
    }
    if digits.saturating_add(zeros_before).saturating_add(zeros_behind) > limits::DIGITS {
        return Err(error(0, format!("more than {} digits", limits::DIGITS)));
    }
    let scale = match (zeros_before, zeros_behind) {
        (0, 0) => decimals as i32,
        (0, behind) => -(behind as i32),
        // P before the digits puts the decimal point before P: all digits are decimals.
        (before, _) => (before + digits) as i32,
    };
    Ok(PictureKind::Number { digits, scale, signed })
}

fn error(at: usize, message: impl Into<String>) -> PictureError {
    PictureError { at, message: message.into() }
}
