//! The text of an expression, compiled in one pass: names may hold spaces, so they are told by what the scope knows.

mod atom;
mod form;
mod frame;
mod index;
mod name;
mod operator;
mod surroundings;
mod test;
mod typing;

use std::collections::HashSet;
use std::sync::Arc;

use crate::error::SyntaxError;
use crate::node::Node;
use crate::types::Type;

use frame::Frame;
use index::Names;
pub(crate) use surroundings::Surroundings;

pub(crate) type Parsed<T> = Result<T, Wrong>;

/// What is wrong, and at which byte. Where that lies is counted only for the error that is given back: many are made in attempts.
#[derive(Debug)]
pub(crate) struct Wrong {
    at: usize,
    message: String,
}

/// How deeply an expression may be nested. Each level takes a few frames of the thread's stack.
const DEPTH: usize = 64;

/// How high the tree of an expression may be: operators, calls and paths in a row make it higher, too.
const HEIGHT: usize = 512;

/// Sub-expressions read, those read twice included: some forms are told apart only by trying. Names cost more than one.
const WORK: usize = 60_000;

/// What defining or using a name costs, in sub-expressions.
const NAME_WORK: usize = 4;

/// Parameters, and arguments by name, of one function; names of one loop.
const NAMES: usize = 128;

/// Bytes of the text of an expression.
const TEXT: usize = 1 << 20;

/// Reads one expression.
pub(crate) struct Parser<'a> {
    text: &'a str,
    at: usize,
    frames: Vec<Frame>,
    depth: usize,
    /// The height of the highest sub-expression so far of the one that is being read.
    height: usize,
    work: usize,
    /// Where the text names `partial` for the last time.
    last_partial: Option<usize>,
    types: &'a [(Arc<str>, Type)],
    /// Names of entries that hold spaces or signs.
    entries: Names,
    entry_names: HashSet<Arc<str>>,
    /// A context's entry that is being read and may name itself.
    naming: Option<Arc<str>>,
    input_used: bool,
    unknown: Vec<Arc<str>>,
    unknown_names: HashSet<Arc<str>>,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str, scope: &'a crate::Scope) -> Self {
        Self::among(text, &scope.types, Surroundings::of(scope))
    }

    fn among(text: &'a str, types: &'a [(Arc<str>, Type)], surroundings: Surroundings) -> Self {
        let Surroundings { frames, entries, entry_names } = surroundings;
        Self {
            text,
            at: 0,
            frames,
            depth: 0,
            height: 0,
            work: 0,
            last_partial: text.rfind("partial"),
            types,
            entries,
            entry_names,
            naming: None,
            input_used: false,
            unknown: Vec::new(),
            unknown_names: HashSet::new(),
        }
    }

    /// The whole text as one expression, and the names in it that are unknown.
    pub(crate) fn whole(mut self, tests: bool) -> Result<(Node, Vec<Arc<str>>), SyntaxError> {
        let node = self.read(tests).map_err(|wrong| SyntaxError::at(self.text, wrong.at, wrong.message))?;
        Ok((node, self.unknown))
    }

    fn read(&mut self, tests: bool) -> Parsed<Node> {
        if self.text.len() > TEXT {
            return Err(self.wrong(format!("the expression has more than {TEXT} bytes")));
        }
        let node = if tests { self.unary_tests()? } else { self.textual()? };
        self.space();
        if self.at < self.text.len() {
            return Err(self.wrong("expected an operator or the end"));
        }
        Ok(node)
    }

    fn textual(&mut self) -> Parsed<Node> {
        self.expression(0)
    }

    fn frame(&mut self) -> &mut Frame {
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    fn wrong(&self, message: impl Into<String>) -> Wrong {
        Wrong { at: self.at, message: message.into() }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Skips white space and comments.
    fn space(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
            self.at += rest.len() - trimmed.len();
            let end = if trimmed.starts_with("//") {
                trimmed.find('\n')
            } else if trimmed.starts_with("/*") {
                trimmed.find("*/").map(|end| end + 2)
            } else {
                return;
            };
            self.at += end.unwrap_or(trimmed.len());
        }
    }

    /// Takes a sign, if it is next.
    fn sign(&mut self, sign: &str) -> bool {
        self.space();
        let taken = self.rest().starts_with(sign);
        if taken {
            self.at += sign.len();
        }
        taken
    }

    fn expect(&mut self, sign: &str) -> Parsed<()> {
        if self.sign(sign) { Ok(()) } else { Err(self.wrong(format!("expected '{sign}'"))) }
    }

    /// Takes a word, if it is next.
    fn word(&mut self, word: &str) -> bool {
        self.space();
        let rest = self.rest();
        let taken = rest.starts_with(word) && !rest[word.len()..].starts_with(name::continues);
        if taken {
            self.at += word.len();
        }
        taken
    }

    fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.word(word) { Ok(()) } else { Err(self.wrong(format!("expected '{word}'"))) }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == DEPTH {
            return Err(self.wrong(format!("nested more than {DEPTH} levels deep")));
        }
        self.worked(1)?;
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn worked(&mut self, work: usize) -> Parsed<()> {
        self.work += work;
        if self.work <= WORK { Ok(()) } else { Err(self.wrong("the expression is too long, or takes too many attempts to read")) }
    }

    /// Reads an expression, which gives it and how much higher than its parts it is.
    fn higher<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<(T, usize)>) -> Parsed<T> {
        let around = std::mem::take(&mut self.height);
        let read = read(self);
        let parts = std::mem::replace(&mut self.height, around);
        let (node, more) = read?;
        if parts + more > HEIGHT {
            return Err(
                self.wrong(format!("operators, calls and parentheses make the expression more than {HEIGHT} levels high"))
            );
        }
        self.height = around.max(parts + more);
        Ok(node)
    }
}
