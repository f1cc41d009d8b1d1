//! Copybooks: the records of a text.

use super::Refusal;
use super::entry::{Description, Entries, placeholder};
use super::item::{Item, Position};
use super::scan::{Scanner, TokenKind};
use super::source::Source;
use super::tree::{Tree, not_copied, redefinitions, wrap};
use crate::{LayoutError, limits};

/// Why a text is no copybook that this crate reads. Prints as `file:line:column: what, what next`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{}:{}: {message}", .position.line, .position.column)]
pub struct SyntaxError {
    /// Name of the text, as given to [`Copybook::parse`].
    pub path: String,
    /// Where it stands.
    pub position: Position,
    /// What it is and what to do about it.
    pub message: String,
}

/// The records of a copybook or of a whole program's DATA DIVISION.
#[derive(Debug, Clone, PartialEq)]
pub struct Copybook {
    records: Vec<Item>,
    /// Records of a program that are not read, by name: an error only for who asks for them.
    refused: Vec<(String, SyntaxError)>,
}

impl Copybook {
    /// Reads a copybook, a fragment of one, or a whole program; `path` is for messages, and names a record that has no name.
    ///
    /// Of a program, records with something that is not read (edited pictures in its working storage, say) are left aside until
    /// they are asked for. In a copybook that is an error at once.
    ///
    /// # Errors
    /// What this crate does not read, with its place.
    pub fn parse(path: &str, source: &str) -> Result<Copybook, SyntaxError> {
        let error = |position, message| SyntaxError { path: path.to_owned(), position, message };
        if source.len() > limits::SOURCE_BYTES {
            return Err(error(Position { line: 1, column: 1 }, format!("longer than {} bytes", limits::SOURCE_BYTES)));
        }
        let source = Source::read(source);
        if let Some(position) = source.decimal_comma {
            return Err(error(
                position,
                "DECIMAL-POINT IS COMMA is not read yet: give the copybook without the program".to_owned(),
            ));
        }
        let mut reader = Reader::new(&source);
        while let Some(refusal) = reader.run() {
            let error = error(source.position(refusal.offset), refusal.message);
            if !source.is_program {
                return Err(error);
            }
            reader.refuse(error);
        }
        let Reader { tree, refused, .. } = reader;
        let records = one_record(path, tree.records).map_err(|message| error(Position { line: 1, column: 1 }, message))?;
        match refused.first() {
            Some((_, first)) if records.is_empty() => Err(first.clone()),
            None if records.is_empty() => Err(error(
                Position { line: 1, column: 1 },
                "no data description: a copybook begins with a level number such as 01".to_owned(),
            )),
            _ => Ok(Copybook { records, refused }),
        }
    }

    /// All records, in the order of the text.
    pub fn records(&self) -> &[Item] {
        &self.records
    }

    /// The record of that name; without a name the only one, or the only one of the LINKAGE SECTION.
    ///
    /// # Errors
    /// Names the records there are when none or several fit.
    pub fn record(&self, name: Option<&str>) -> Result<&Item, LayoutError> {
        let mut names: Vec<&str> = self.records.iter().map(|record| record.name.as_str()).collect();
        names.dedup();
        let names = names.join(", ");
        let Some(name) = name else {
            if let [record] = &self.records[..] {
                return Ok(record);
            }
            let mut linkage = self.records.iter().filter(|record| record.section == "LINKAGE" && record.level == 1);
            return match (linkage.next(), linkage.next()) {
                (Some(record), None) => Ok(record),
                _ => Err(LayoutError::new("record", format!("several records, say which (there are: {names})"))),
            };
        };
        let wanted = name.to_ascii_uppercase();
        let mut found = self.records.iter().filter(|record| record.name == wanted);
        match (found.next(), found.next()) {
            (Some(record), None) => Ok(record),
            (Some(_), Some(_)) => Err(LayoutError::new(wanted, "several records have this name: rename one")),
            (None, _) => match self.refused.iter().find(|(refused, _)| *refused == wanted) {
                Some((_, error)) => Err(LayoutError::new(wanted, error.to_string())),
                None => Err(LayoutError::new(wanted, format!("no such record (there are: {names})"))),
            },
        }
    }
}

/// Reads sections and entries.
struct Reader<'a> {
    entries: Entries<'a>,
    tree: Tree,
    refused: Vec<(String, SyntaxError)>,
    is_program: bool,
    /// Whether the record at hand was refused, so that the rest of it is passed over.
    passing: bool,
}

impl<'a> Reader<'a> {
    fn new(source: &'a Source) -> Self {
        let entries = Entries::new(Scanner::new(source));
        Self { entries, tree: Tree::default(), refused: Vec::new(), is_program: source.is_program, passing: false }
    }

    /// Reads on, to the end or to the first thing that is refused.
    fn run(&mut self) -> Option<Refusal> {
        loop {
            match self.step() {
                Ok(true) => {}
                Ok(false) => return self.tree.close().err(),
                Err(refusal) => return Some(refusal),
            }
        }
    }

    fn refuse(&mut self, error: SyntaxError) {
        if !self.passing {
            self.refused.push((self.entries.record.clone(), error));
        }
        self.passing = true;
        self.tree.forget();
        self.entries.recover();
    }

    /// Reads one entry or statement; false at the end.
    fn step(&mut self) -> Result<bool, Refusal> {
        self.entries.begin();
        let Some(token) = self.entries.peek()? else { return Ok(false) };
        let offset = token.offset;
        match &token.kind {
            TokenKind::Number(level) => {
                let first = matches!(level.parse::<u8>(), Ok(1 | 77));
                self.entry(first, offset)?;
            }
            TokenKind::Period => {
                self.entries.next()?;
            }
            TokenKind::Word(word) => {
                let word = word.clone();
                self.entries.next()?;
                self.statement(&word, offset)?;
            }
            other => {
                let refusal = if *other == TokenKind::Other(':') { placeholder(offset) } else { not_an_entry(offset) };
                self.entries.next()?;
                return Err(refusal);
            }
        }
        Ok(true)
    }

    fn entry(&mut self, first: bool, offset: usize) -> Result<(), Refusal> {
        if first {
            // The record before is closed first, so that what is wrong with it is said of it.
            self.tree.close()?;
            self.passing = false;
        }
        if self.passing {
            self.entries.skip_entry();
            return Ok(());
        }
        match self.entries.entry()? {
            Description::Item(entry) => self.tree.item(*entry),
            Description::Condition(condition) => self.tree.condition(condition, offset),
        }
    }

    /// What may stand between entries.
    fn statement(&mut self, word: &str, offset: usize) -> Result<(), Refusal> {
        match word {
            "EJECT" | "SKIP1" | "SKIP2" | "SKIP3" => Ok(()),
            "FD" | "SD" | "CD" | "RD" | "TITLE" => {
                self.entries.skip_entry();
                self.tree.close()
            }
            "COPY" | "REPLACE" => self.copied(word, offset),
            "EXEC" | "EXECUTE" => self.embedded(offset),
            _ if self.entries.word("SECTION")? => {
                self.passing = false;
                self.tree.enter(word)
            }
            _ => Err(not_an_entry(offset)),
        }
    }

    /// COPY between entries: in a program, no matter for a record that is complete without it.
    fn copied(&mut self, word: &str, offset: usize) -> Result<(), Refusal> {
        if !self.is_program || self.tree.takes_more() {
            return Err(not_copied(word, offset));
        }
        self.entries.skip_entry();
        Ok(())
    }

    /// EXEC SQL … END-EXEC: declares nothing, but for INCLUDE, which copies.
    fn embedded(&mut self, offset: usize) -> Result<(), Refusal> {
        let mut included = false;
        while let Some(token) = self.entries.next()? {
            match token.kind {
                TokenKind::Word(word) if word == "END-EXEC" => break,
                TokenKind::Word(word) => included |= word == "INCLUDE",
                _ => {}
            }
        }
        if included && (!self.is_program || self.tree.takes_more()) {
            return Err(not_copied("EXEC SQL INCLUDE", offset));
        }
        Ok(())
    }
}

fn not_an_entry(offset: usize) -> Refusal {
    Refusal::at(offset, "a data description entry was expected: a level number such as 05, a name, and clauses")
}

/// A fragment begins below level 01: its one outermost group is the record, or a record is put around its several outermost items.
fn one_record(path: &str, mut records: Vec<Item>) -> Result<Vec<Item>, String> {
    let is_table = |record: &Item| record.occurs.is_some();
    if (records.len() < 2 && !records.iter().any(is_table)) || records.iter().all(|record| matches!(record.level, 1 | 77)) {
        return Ok(records);
    }
    let second = records.iter().position(|record| matches!(record.level, 1 | 77)).unwrap_or(records.len());
    let rest = records.split_off(second);
    redefinitions(&records)?;
    let file = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = file.split('.').next().unwrap_or_default().to_ascii_uppercase();
    Ok(std::iter::once(wrap(&stem, records)).chain(rest).collect())
}
