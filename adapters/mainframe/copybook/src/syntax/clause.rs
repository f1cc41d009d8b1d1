//! Clauses of a data description entry.

use super::Refusal;
use super::entry::{Entries, Entry};
use super::item::{Occurs, Qualified, Sign, Usage};
use super::picture::Picture;
use super::scan::{Token, TokenKind};
use super::value;

/// Words that begin a clause and so are no data names.
pub(super) fn is_clause(word: &str) -> bool {
    const CLAUSES: [&str; 25] = [
        "REDEFINES",
        "PIC",
        "PICTURE",
        "USAGE",
        "SIGN",
        "LEADING",
        "TRAILING",
        "OCCURS",
        "SYNC",
        "SYNCHRONIZED",
        "JUST",
        "JUSTIFIED",
        "BLANK",
        "VALUE",
        "VALUES",
        "EXTERNAL",
        "GLOBAL",
        "IS",
        "RENAMES",
        "DISPLAY",
        "BINARY",
        "PACKED-DECIMAL",
        "INDEX",
        "POINTER",
        "NATIONAL",
    ];
    CLAUSES.contains(&word) || word == "COMP" || word == "COMPUTATIONAL" || computational(word).is_some()
}

/// The digit of `COMP-3` or `COMPUTATIONAL-3`.
fn computational(word: &str) -> Option<&str> {
    word.strip_prefix("COMPUTATIONAL-").or_else(|| word.strip_prefix("COMP-")).filter(|rest| rest.len() == 1)
}

impl Entries<'_> {
    /// Reads the clause that begins with `word` into `entry`.
    pub(super) fn clause(&mut self, entry: &mut Entry, word: &str, offset: usize) -> Result<(), Refusal> {
        match word {
            "IS" | "EXTERNAL" | "GLOBAL" => {}
            "REDEFINES" => entry.item.redefines = Some(self.name(word)?),
            "PIC" | "PICTURE" => entry.item.picture = Some(self.picture()?),
            "USAGE" => {
                self.word("IS")?;
                let usage = self.name(word)?;
                entry.usage = Some(self.usage(&usage, offset)?);
            }
            "SIGN" => {
                self.word("IS")?;
                let place = self.name(word)?;
                entry.sign = Some(self.sign(&place, offset)?);
            }
            "LEADING" | "TRAILING" => entry.sign = Some(self.sign(word, offset)?),
            "OCCURS" => entry.item.occurs = Some(self.occurs(offset)?),
            "SYNC" | "SYNCHRONIZED" => {
                self.word_of(&["LEFT", "RIGHT"])?;
                entry.item.synchronized = true;
            }
            "JUST" | "JUSTIFIED" => {
                self.word("RIGHT")?;
                entry.item.justified_right = true;
            }
            "BLANK" => {
                self.word("WHEN")?;
                if !self.word_of(&["ZERO", "ZEROS", "ZEROES"])? {
                    return Err(Refusal::at(self.offset(), "BLANK WHEN needs ZERO"));
                }
                entry.item.blank_when_zero = true;
            }
            "VALUE" | "VALUES" => {
                self.word_of(&["IS", "ARE"])?;
                entry.item.value = Some(value::literal(self)?);
            }
            "RENAMES" => return Err(Refusal::at(offset, "RENAMES is not read yet: describe the item with REDEFINES")),
            "COPY" | "REPLACE" => return Err(super::tree::not_copied(word, offset)),
            _ => entry.usage = Some(self.usage(word, offset)?),
        }
        Ok(())
    }

    fn picture(&mut self) -> Result<Picture, Refusal> {
        self.word("IS")?;
        match self.next()? {
            Some(Token { kind: TokenKind::Picture(text), offset }) => Picture::parse(&text).map_err(|error| {
                Refusal::at(offset + error.at, format!("picture {}: {}", text.to_ascii_uppercase(), error.message))
            }),
            _ => Err(Refusal::at(self.offset(), "PICTURE needs a picture")),
        }
    }

    fn usage(&mut self, word: &str, offset: usize) -> Result<Usage, Refusal> {
        let refused = |what: &str| Err(Refusal::at(offset, format!("{what} is not read yet: describe the item as X characters")));
        match (word, computational(word)) {
            ("DISPLAY", _) => Ok(Usage::Display),
            ("COMP" | "COMPUTATIONAL" | "BINARY", _) | (_, Some("4")) => Ok(Usage::Binary),
            (_, Some("5")) => Ok(Usage::Native),
            ("PACKED-DECIMAL", _) | (_, Some("3")) => Ok(Usage::Packed),
            (_, Some(_)) | ("INDEX" | "POINTER" | "NATIONAL" | "DISPLAY-1" | "PROCEDURE-POINTER" | "FUNCTION-POINTER", _) => {
                refused(word)
            }
            _ => Err(Refusal::at(offset, format!("`{word}` is no clause of a data description entry that is read here"))),
        }
    }

    fn sign(&mut self, place: &str, offset: usize) -> Result<Sign, Refusal> {
        let leading = match place {
            "LEADING" => true,
            "TRAILING" => false,
            _ => return Err(Refusal::at(offset, "SIGN needs LEADING or TRAILING")),
        };
        let separate = self.word("SEPARATE")?;
        self.word("CHARACTER")?;
        Ok(Sign { leading, separate })
    }

    fn occurs(&mut self, offset: usize) -> Result<Occurs, Refusal> {
        let first = self.whole("OCCURS")?;
        let second = if self.word("TO")? { Some(self.whole("OCCURS … TO")?) } else { None };
        self.word("TIMES")?;
        let mut depending_on = None;
        loop {
            if self.word("DEPENDING")? {
                self.word("ON")?;
                depending_on = Some(self.qualified()?);
            } else if self.word_of(&["ASCENDING", "DESCENDING"])? {
                self.word("KEY")?;
                self.names()?;
            } else if self.word("INDEXED")? {
                self.word("BY")?;
                self.names()?;
            } else {
                break;
            }
        }
        let maximum = second.unwrap_or(first);
        // `OCCURS 5 DEPENDING ON` without TO means 1 TO 5; what counts here is that the counter decides.
        let minimum = if depending_on.is_some() && second.is_none() { first.min(1) } else { first };
        if maximum == 0 || minimum > maximum {
            return Err(Refusal::at(offset, "OCCURS needs a number from 1, and TO a number that is not less"));
        }
        if second.is_some() && depending_on.is_none() {
            return Err(Refusal::at(offset, "OCCURS … TO needs DEPENDING ON"));
        }
        Ok(Occurs { minimum, maximum, depending_on })
    }

    /// `A OF B IN C`.
    fn qualified(&mut self) -> Result<Qualified, Refusal> {
        let name = self.name("DEPENDING ON")?;
        let mut of = Vec::new();
        while self.word_of(&["OF", "IN"])? {
            of.push(self.name("OF")?);
        }
        Ok(Qualified { name, of })
    }

    /// Names of keys and indexes, which have no part in the layout.
    fn names(&mut self) -> Result<(), Refusal> {
        self.word("IS")?;
        while matches!(self.peek()?, Some(Token { kind: TokenKind::Word(word), .. })
            if !is_clause(word) && !matches!(word.as_str(), "ASCENDING" | "DESCENDING" | "INDEXED" | "DEPENDING"))
        {
            self.next()?;
        }
        Ok(())
    }
}
