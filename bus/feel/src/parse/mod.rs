//! The text of an expression, compiled in one pass: names may hold spaces, so they are told by what the scope knows.

mod atom;
mod form;
mod frame;
mod name;
mod operator;
mod test;
mod typing;

use std::sync::Arc;

use crate::error::SyntaxError;
use crate::node::Node;
use crate::types::Type;

use frame::Frame;

pub(crate) type Parsed<T> = Result<T, SyntaxError>;

/// How deeply an expression may be nested. Each level takes a few frames of the thread's stack.
const DEPTH: usize = 64;

/// Sub-expressions read, those read twice included: some forms are told apart only by trying.
const WORK: usize = 100_000;

/// Bytes of the text of an expression.
const TEXT: usize = 1 << 20;

/// Reads one expression.
pub(crate) struct Parser<'a> {
    text: &'a str,
    at: usize,
    frames: Vec<Frame>,
    depth: usize,
    work: usize,
    types: &'a [(Arc<str>, Type)],
    /// Names of entries that hold spaces or signs.
    entries: Vec<Arc<str>>,
    /// A context's entry that is being read and may name itself.
    naming: Option<Arc<str>>,
    input_used: bool,
    pub(crate) unknown: Vec<Arc<str>>,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str, scope: &'a crate::Scope) -> Self {
        let mut frame = Frame::default();
        for name in &scope.names {
            frame.bind(name);
        }
        Self {
            text,
            at: 0,
            frames: vec![frame],
            depth: 0,
            work: 0,
            types: &scope.types,
            entries: scope.entries.clone(),
            naming: None,
            input_used: false,
            unknown: Vec::new(),
        }
    }

    /// The whole text as one expression, and how many slots it needs.
    pub(crate) fn whole(mut self, tests: bool) -> Parsed<(Node, usize, Vec<Arc<str>>)> {
        if self.text.len() > TEXT {
            return Err(SyntaxError::at(self.text, 0, format!("the expression has more than {TEXT} bytes")));
        }
        let node = if tests { self.unary_tests()? } else { self.textual()? };
        self.space();
        if self.at < self.text.len() {
            return Err(self.wrong("expected an operator or the end"));
        }
        Ok((node, self.frames[0].slots, self.unknown))
    }

    fn textual(&mut self) -> Parsed<Node> {
        self.expression(0)
    }

    fn frame(&mut self) -> &mut Frame {
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    fn wrong(&self, message: impl Into<String>) -> SyntaxError {
        SyntaxError::at(self.text, self.at, message)
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
        self.work += 1;
        if self.work > WORK {
            return Err(self.wrong("the expression is too long, or takes too many attempts to read"));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }
}
