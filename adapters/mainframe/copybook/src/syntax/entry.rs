//! Entries: one data description entry, from its level number to its period, before it finds its place in a record.

use super::item::{Condition, FILLER, Item, Sign, Usage};
use super::scan::{Scanner, Token, TokenKind};
use super::{Refusal, value};

/// One entry. USAGE and SIGN are kept apart: a group hands down only what was said.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) item: Item,
    pub(super) usage: Option<Usage>,
    pub(super) sign: Option<Sign>,
    pub(super) offset: usize,
}

/// What an entry is: an item, or a level 88 for the item before it.
pub(super) enum Description {
    Item(Box<Entry>),
    Condition(Condition),
}

/// Reads entries out of tokens, with one token of look-ahead.
pub(super) struct Entries<'a> {
    scanner: Scanner<'a>,
    ahead: Option<Token>,
    /// Where the last token taken stands, for messages at the end of the text.
    offset: usize,
    /// Whether tokens were taken since [`Entries::begin`], and whether the last of them was the period.
    begun: bool,
    ended: bool,
    /// Name of the record whose level 01 or 77 was read last.
    pub(super) record: String,
}

impl<'a> Entries<'a> {
    pub(super) fn new(scanner: Scanner<'a>) -> Self {
        Self { scanner, ahead: None, offset: 0, begun: false, ended: false, record: String::new() }
    }

    pub(super) fn position(&self, offset: usize) -> super::Position {
        self.scanner.position(offset)
    }

    pub(super) fn peek(&mut self) -> Result<Option<&Token>, Refusal> {
        if self.ahead.is_none() {
            self.ahead = self.scanner.next()?;
        }
        Ok(self.ahead.as_ref())
    }

    pub(super) fn next(&mut self) -> Result<Option<Token>, Refusal> {
        self.peek()?;
        let token = self.ahead.take();
        self.begun = true;
        self.ended = matches!(token, Some(Token { kind: TokenKind::Period, .. }));
        self.offset = token.as_ref().map_or(self.offset, |t| t.offset);
        Ok(token)
    }

    /// Marks the start of an entry or statement.
    pub(super) fn begin(&mut self) {
        (self.begun, self.ended) = (false, false);
    }

    /// After a refusal: goes to where the next entry begins.
    pub(super) fn recover(&mut self) {
        if self.begun || self.ahead.is_none() {
            self.skip_entry();
        }
    }

    /// Forgets the rest of this entry.
    pub(super) fn skip_entry(&mut self) {
        if self.ended {
            return;
        }
        self.ended = true;
        if !matches!(self.ahead.take(), Some(Token { kind: TokenKind::Period, .. })) {
            self.scanner.skip_entry();
        }
    }

    /// Takes the next token if it is this word.
    pub(super) fn word(&mut self, wanted: &str) -> Result<bool, Refusal> {
        self.word_of(&[wanted])
    }

    /// Takes the next token if it is one of these words.
    pub(super) fn word_of(&mut self, wanted: &[&str]) -> Result<bool, Refusal> {
        let found = matches!(self.peek()?, Some(Token { kind: TokenKind::Word(word), .. }) if wanted.contains(&word.as_str()));
        if found {
            self.next()?;
        }
        Ok(found)
    }

    /// Takes a data name.
    pub(super) fn name(&mut self, of_what: &str) -> Result<String, Refusal> {
        match self.next()? {
            Some(Token { kind: TokenKind::Word(word), .. }) => Ok(word),
            _ => Err(Refusal::at(self.offset, format!("{of_what} needs a name"))),
        }
    }

    /// Takes a whole number.
    pub(super) fn whole(&mut self, of_what: &str) -> Result<u32, Refusal> {
        let wrong = format!("{of_what} needs a whole number");
        match self.next()? {
            Some(Token { kind: TokenKind::Number(digits), offset }) => digits.parse().map_err(|_| Refusal::at(offset, wrong)),
            _ => Err(Refusal::at(self.offset, wrong)),
        }
    }

    /// Where to point when the token at hand is wrong.
    pub(super) fn offset(&self) -> usize {
        self.ahead.as_ref().map_or(self.offset, |t| t.offset)
    }

    /// Reads an entry; its level number is the next token.
    pub(super) fn entry(&mut self) -> Result<Description, Refusal> {
        let level = self.whole("an entry")?;
        let offset = self.offset;
        match level {
            1..=49 | 77 => self.item(level as u8, offset).map(|entry| Description::Item(Box::new(entry))),
            88 => self.condition().map(Description::Condition),
            66 => {
                Err(Refusal::at(offset, "RENAMES (level 66) is not read yet: leave the entry out, or describe it with REDEFINES"))
            }
            78 => Err(Refusal::at(offset, "constants (level 78) are not read yet: write the number where it is used")),
            _ => Err(Refusal::at(offset, format!("level {level} does not exist: levels are 01 to 49, 77 and 88"))),
        }
    }

    fn item(&mut self, level: u8, offset: usize) -> Result<Entry, Refusal> {
        let named = matches!(self.peek()?, Some(Token { kind: TokenKind::Word(word), .. }) if !super::clause::is_clause(word));
        let name = if named { self.name("an entry")? } else { FILLER.to_owned() };
        if matches!(level, 1 | 77) {
            self.record.clone_from(&name);
        }
        let item = Item { level, name, position: self.position(offset), ..Item::default() };
        let mut entry = Entry { item, usage: None, sign: None, offset };
        while let Some(token) = self.next()? {
            match token.kind {
                TokenKind::Period => return Ok(entry),
                TokenKind::Word(word) => self.clause(&mut entry, &word, token.offset)?,
                TokenKind::Number(_) => {
                    return Err(Refusal::at(
                        token.offset,
                        "a number where a clause may begin: is the period missing before it, or cut off behind column 72?",
                    ));
                }
                TokenKind::Other(':') => return Err(placeholder(token.offset)),
                _ => return Err(Refusal::at(token.offset, "not a clause of a data description entry")),
            }
        }
        Ok(entry)
    }

    fn condition(&mut self) -> Result<Condition, Refusal> {
        let name = self.name("level 88")?;
        if !self.word_of(&["VALUE", "VALUES"])? {
            return Err(Refusal::at(self.offset(), "level 88 needs VALUE"));
        }
        self.word_of(&["IS", "ARE"])?;
        let mut values = Vec::new();
        while let Some(token) = self.peek()? {
            match &token.kind {
                TokenKind::Period => {
                    self.next()?;
                    break;
                }
                // WHEN SET TO FALSE says what a program writes, not what the name means.
                TokenKind::Word(word) if word == "WHEN" => {
                    self.skip_entry();
                    break;
                }
                _ => values.push(value::condition(self)?),
            }
        }
        if values.is_empty() { Err(Refusal::at(self.offset, "level 88 needs a value")) } else { Ok(Condition { name, values }) }
    }
}

/// `:TAG:` waits for COPY REPLACING.
pub(super) fn placeholder(offset: usize) -> Refusal {
    Refusal::at(offset, "a COPY REPLACING placeholder: put the replaced text in its place, this crate does not copy yet")
}
