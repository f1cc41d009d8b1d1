//! VALUE: literals and figurative constants.

use super::Refusal;
use super::entry::Entries;
use super::item::{ConditionValue, Literal};
use super::scan::{Token, TokenKind};
use crate::limits;

/// One literal.
pub(super) fn literal(entries: &mut Entries<'_>) -> Result<Literal, Refusal> {
    let Some(token) = entries.next()? else { return Err(Refusal::at(entries.offset(), "VALUE needs a literal")) };
    match token.kind {
        TokenKind::Literal(literal) => Ok(literal),
        TokenKind::Number(digits) => number(&digits).ok_or_else(|| {
            Refusal::at(token.offset, format!("a number needs digits, at most {} of them, and at most one point", limits::DIGITS))
        }),
        TokenKind::Word(word) => match word.as_str() {
            "SPACE" | "SPACES" => Ok(Literal::Spaces),
            "ZERO" | "ZEROS" | "ZEROES" => Ok(Literal::Zeros),
            "LOW-VALUE" | "LOW-VALUES" | "NULL" | "NULLS" => Ok(Literal::LowValues),
            "HIGH-VALUE" | "HIGH-VALUES" => Ok(Literal::HighValues),
            "QUOTE" | "QUOTES" => Ok(Literal::Quotes),
            "ALL" => all(entries),
            _ => Err(Refusal::at(
                token.offset,
                format!("`{word}` is no literal: constants by name are not read yet, write their value"),
            )),
        },
        _ => Err(Refusal::at(token.offset, "VALUE needs a literal")),
    }
}

/// One value or range of level 88.
pub(super) fn condition(entries: &mut Entries<'_>) -> Result<ConditionValue, Refusal> {
    let first = literal(entries)?;
    if entries.word_of(&["THRU", "THROUGH"])? {
        return Ok(ConditionValue::Range(first, literal(entries)?));
    }
    Ok(ConditionValue::One(first))
}

fn all(entries: &mut Entries<'_>) -> Result<Literal, Refusal> {
    match entries.next()? {
        Some(Token { kind: TokenKind::Literal(Literal::Text(text)), .. }) if !text.is_empty() => Ok(Literal::All(text)),
        _ => Err(Refusal::at(entries.offset(), "ALL needs a literal in quotes")),
    }
}

/// Unscaled value and decimals of a number as written.
pub(crate) fn number(text: &str) -> Option<Literal> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let count = whole.len() + decimals.len();
    if count == 0 || count > limits::DIGITS as usize {
        return None;
    }
    let mut unscaled = 0i128;
    for digit in whole.bytes().chain(decimals.bytes()) {
        if !digit.is_ascii_digit() {
            return None;
        }
        unscaled = unscaled * 10 + i128::from(digit - b'0');
    }
    Some(Literal::Number { unscaled: if negative { -unscaled } else { unscaled }, scale: decimals.len() as i32 })
}
