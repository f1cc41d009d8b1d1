//! Scanner: from the text of a source to words, numbers, literals and pictures.

use super::item::Literal;
use super::source::Source;
use super::{Position, Refusal};

/// A word of the text and where it starts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) offset: usize,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// A name or reserved word, in upper case.
    Word(String),
    /// A number as written.
    Number(String),
    /// A literal in quotes.
    Literal(Literal),
    /// What follows PICTURE, as written.
    Picture(String),
    /// The period that ends an entry.
    Period,
    /// Anything else, for example the colon of a COPY REPLACING placeholder.
    Other(char),
}

/// Reads tokens one by one.
pub(super) struct Scanner<'a> {
    source: &'a Source,
    at: usize,
    after_picture: bool,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(source: &'a Source) -> Self {
        Self { source, at: 0, after_picture: false }
    }

    pub(super) fn position(&self, offset: usize) -> Position {
        self.source.position(offset)
    }

    /// The next token; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Token>, Refusal> {
        self.skip();
        let offset = self.at;
        let rest = &self.source.text[offset..];
        let Some(first) = rest.chars().next() else { return Ok(None) };
        if self.after_picture && !begins_with_is(rest) {
            self.after_picture = false;
            return Ok(Some(self.picture(rest, offset)));
        }
        let kind = match first {
            '\'' | '"' => self.text(rest, first, offset).map(|text| TokenKind::Literal(Literal::Text(text)))?,
            '.' if ends_entry(rest) => self.take(1, TokenKind::Period),
            '+' | '-' | '.' | '0'..='9' => self.number(rest, first),
            _ if is_word(first) => self.word(rest, offset)?,
            _ => self.take(first.len_utf8(), TokenKind::Other(first)),
        };
        self.after_picture |= matches!(&kind, TokenKind::Word(word) if word == "PIC" || word == "PICTURE");
        Ok(Some(Token { kind, offset }))
    }

    /// Goes to the end of this entry: behind the next period that ends one.
    pub(super) fn skip_entry(&mut self) {
        self.after_picture = false;
        let rest = &self.source.text[self.at..];
        let end = rest.char_indices().find(|(index, c)| *c == '.' && ends_entry(&rest[*index..])).map(|(index, _)| index + 1);
        self.at += end.unwrap_or(rest.len());
    }

    /// Spaces, separators without meaning, and remarks from `*>` to the end of the line.
    fn skip(&mut self) {
        loop {
            let rest = &self.source.text[self.at..];
            if rest.starts_with("*>") {
                self.at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            match rest.chars().next() {
                Some(c) if c.is_whitespace() || c.is_control() || c == ',' || c == ';' => self.at += c.len_utf8(),
                _ => return,
            }
        }
    }

    fn take(&mut self, length: usize, kind: TokenKind) -> TokenKind {
        self.at += length;
        kind
    }

    fn picture(&mut self, rest: &str, offset: usize) -> Token {
        let end = rest.find(|c: char| c.is_whitespace() || c.is_control()).unwrap_or(rest.len());
        let whole = &rest[..end];
        let picture = whole.strip_suffix(['.', ',', ';']).unwrap_or(whole);
        self.at += picture.len();
        Token { kind: TokenKind::Picture(picture.to_owned()), offset }
    }

    /// A sign, digits and a decimal point; or a word that starts with a digit.
    fn number(&mut self, rest: &str, first: char) -> TokenKind {
        let signed = usize::from(matches!(first, '+' | '-'));
        let mut end = signed;
        for (index, character) in rest.char_indices().skip(signed) {
            let point = character == '.' && !ends_entry(&rest[index..]);
            if !(character.is_ascii_digit() || point) {
                break;
            }
            end = index + 1;
        }
        if rest[end..].starts_with(is_word) && signed == 0 {
            let word = &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())];
            return self.take(word.len().max(1), TokenKind::Word(word.to_ascii_uppercase()));
        }
        if end == signed {
            return self.take(1, TokenKind::Other(first));
        }
        self.take(end, TokenKind::Number(rest[..end].to_owned()))
    }

    fn word(&mut self, rest: &str, offset: usize) -> Result<TokenKind, Refusal> {
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let word = rest[..end].to_ascii_uppercase();
        self.at += end;
        let quote = rest[end..].chars().next().filter(|c| matches!(c, '\'' | '"'));
        let Some(quote) = quote else { return Ok(TokenKind::Word(word)) };
        match word.as_str() {
            "X" => {
                let digits = self.text(&rest[end..], quote, offset)?;
                let bytes = hexadecimal(&digits).ok_or_else(|| Refusal::at(offset, "X'…' needs pairs of hexadecimal digits"))?;
                Ok(TokenKind::Literal(Literal::Bytes(bytes)))
            }
            "N" | "NX" | "G" | "U" | "UX" | "Z" | "B" | "BX" | "H" => {
                Err(Refusal::at(offset, format!("{word}{quote}…{quote} literals are not read yet: write the bytes as X'…'")))
            }
            _ => Ok(TokenKind::Word(word)),
        }
    }

    /// The inside of a literal; a doubled quote stands for one.
    fn text(&mut self, rest: &str, quote: char, offset: usize) -> Result<String, Refusal> {
        let mut text = String::new();
        let mut characters = rest.char_indices().skip(1).peekable();
        while let Some((index, character)) = characters.next() {
            if character == '\n' {
                break;
            }
            if character != quote {
                text.push(character);
                continue;
            }
            if characters.next_if(|(_, next)| *next == quote).is_none() {
                self.at += index + 1;
                return Ok(text);
            }
            text.push(quote);
        }
        Err(Refusal::at(offset, "the literal is not closed on its line: close it, or continue it with `-` in column 7"))
    }
}

fn begins_with_is(rest: &str) -> bool {
    let word = rest.split(|c: char| c.is_whitespace()).next().unwrap_or_default();
    word.eq_ignore_ascii_case("IS")
}

fn ends_entry(rest: &str) -> bool {
    rest[1..].chars().next().is_none_or(|c| c.is_whitespace() || c.is_control())
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '-' | '_' | '#' | '@' | '$')
}

fn hexadecimal(digits: &str) -> Option<Vec<u8>> {
    let nibbles: Option<Vec<u8>> = digits.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
    let nibbles = nibbles.filter(|n| n.len().is_multiple_of(2))?;
    Some(nibbles.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
