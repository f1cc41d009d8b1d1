//! Words, marks and literals of a condition.

use std::iter::Peekable;
use std::str::CharIndices;

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Literal {
    /// `unscaled` × 10^-`scale`.
    Number { unscaled: i128, scale: i32 },
    /// Quoted text, without the spaces at its end: COBOL pads with them.
    Text(String),
}

impl Literal {
    pub(super) fn integer(integer: i64) -> Self {
        Self::Number { unscaled: integer.into(), scale: 0 }
    }

    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.trim_end_matches(' ').to_owned())
    }
}

/// The smallest parts of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Word(String),
    Comparison(Comparison),
    Literal(Literal),
    Mark(char),
}

/// Tokens with the place of their first character.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, String> {
    let mut tokens = Vec::new();
    let mut characters = text.char_indices().peekable();
    while let Some((start, first)) = characters.next() {
        let place = text[..start].chars().count() + 1;
        let token = match first {
            c if c.is_whitespace() => continue,
            '(' | ')' | '[' | ']' | ',' => Token::Mark(first),
            '=' | '!' | '<' | '>' => {
                let followed = characters.next_if(|(_, c)| *c == '=').is_some();
                Token::Comparison(comparison(first, followed).ok_or_else(|| format!("write `==` or `!=` at character {place}"))?)
            }
            '"' | '\'' => {
                Token::Literal(quoted(first, &mut characters).ok_or(format!("the text at character {place} has no end"))?)
            }
            '-' | '+' => {
                let digits = word(text, start + 1, &mut characters);
                Token::Literal(number(&text[start..start + 1 + digits]).ok_or(format!("no number at character {place}"))?)
            }
            c if c.is_alphanumeric() => {
                let rest = word(text, start + first.len_utf8(), &mut characters);
                let written = &text[start..start + first.len_utf8() + rest];
                number(written).map_or_else(|| Token::Word(written.to_owned()), Token::Literal)
            }
            other => return Err(format!("`{other}` at character {place} means nothing here")),
        };
        tokens.push((place, token));
    }
    Ok(tokens)
}

fn comparison(first: char, followed_by_equals: bool) -> Option<Comparison> {
    Some(match (first, followed_by_equals) {
        ('=', true) => Comparison::Equal,
        ('!', true) => Comparison::NotEqual,
        ('<', false) => Comparison::Less,
        ('<', true) => Comparison::LessOrEqual,
        ('>', false) => Comparison::Greater,
        ('>', true) => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

fn quoted(quote: char, characters: &mut Peekable<CharIndices<'_>>) -> Option<Literal> {
    let mut text = String::new();
    loop {
        match characters.next()?.1 {
            c if c == quote => return Some(Literal::text(&text)),
            c => text.push(c),
        }
    }
}

/// Goes on over letters, digits, `-`, `_` and `.`, and says how many bytes these were.
fn word(text: &str, start: usize, characters: &mut Peekable<CharIndices<'_>>) -> usize {
    let is_inside = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut end = start;
    while let Some((at, c)) = characters.next_if(|(_, c)| is_inside(*c)) {
        end = at + c.len_utf8();
    }
    debug_assert!(text.is_char_boundary(end));
    end - start
}

/// Reads `-8` or `1.50`.
pub(super) fn number(written: &str) -> Option<Literal> {
    let (sign, digits) = match written.as_bytes().first()? {
        b'-' => (-1, &written[1..]),
        b'+' => (1, &written[1..]),
        _ => (1, written),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = !whole.is_empty() && (whole.len() < digits.len()) != decimals.is_empty();
    if !is_number || !whole.bytes().chain(decimals.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let unscaled: i128 = format!("{whole}{decimals}").parse().ok()?;
    Some(Literal::Number { unscaled: sign * unscaled, scale: i32::try_from(decimals.len()).ok()? })
}
