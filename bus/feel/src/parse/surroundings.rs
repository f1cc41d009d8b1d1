//! What the texts of one decision model share: the names that each of them sees, in frames that are made around them.

use std::collections::HashSet;
use std::sync::Arc;

use crate::error::SyntaxError;
use crate::node::Node;
use crate::types::Type;

use super::Parser;
use super::frame::Frame;
use super::index::Names;

/// Names around a text. Expressions that are written as XML (boxed) bind names in it, and read their texts among these.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    pub(super) frames: Vec<Frame>,
    pub(super) entries: Names,
    pub(super) entry_names: HashSet<Arc<str>>,
}

impl Surroundings {
    pub(super) fn of(scope: &crate::Scope) -> Self {
        let mut frame = Frame::default();
        for name in &scope.names {
            frame.bind(name);
        }
        let mut surroundings = Self { frames: vec![frame], ..Self::default() };
        scope.entries.iter().for_each(|name| surroundings.remember(name));
        surroundings
    }

    /// One frame, whose first slots hold what is handed in.
    pub(crate) fn begin(&mut self, slots: usize) {
        self.frames.clear();
        let mut frame = Frame::default();
        frame.slots = slots;
        self.frames.push(frame);
    }

    /// The name of an entry, which may hold spaces or signs.
    pub(crate) fn remember(&mut self, name: &Arc<str>) {
        if self.entry_names.insert(name.clone()) {
            self.entries.add(name, 0);
        }
    }

    /// The innermost frame.
    pub(crate) fn frame(&mut self) -> &mut Frame {
        if self.frames.is_empty() {
            self.frames.push(Frame::default());
        }
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    /// Whether no function is around.
    pub(crate) fn is_outermost(&self) -> bool {
        self.frames.len() <= 1
    }

    /// The frame of a function within the frame so far.
    pub(crate) fn enter(&mut self) {
        self.frames.push(Frame::default());
    }

    /// Leaves the function; gives its captures and its number of slots.
    pub(crate) fn leave(&mut self) -> (Vec<(usize, usize)>, usize) {
        let frame = self.frames.pop().unwrap_or_default();
        (frame.captures, frame.slots)
    }

    /// Reads a text (an expression, or a cell's tests) among these names.
    pub(crate) fn read(&mut self, text: &str, types: &[(Arc<str>, Type)], tests: bool) -> Result<Node, SyntaxError> {
        let (depth, mark) = (self.frames.len(), self.frame().mark());
        let mut parser = Parser::among(text, types, std::mem::take(self));
        let read = parser.read(tests).map_err(|wrong| SyntaxError::at(text, wrong.at, wrong.message));
        *self = Self { frames: parser.frames, entries: parser.entries, entry_names: parser.entry_names };
        // An attempt that failed may have left names behind.
        self.frames.truncate(depth);
        self.frame().back_to(mark);
        read
    }
}
