//! The names that an expression sees, and the slots that hold them: one frame a function, with what it captures of those around it.

use std::collections::HashMap;
use std::sync::Arc;

use super::index::Names;

/// The slots of one function, or of the expression itself.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    bindings: Vec<Binding>,
    /// The bindings that are names, by their place.
    names: Names,
    /// The bindings that are items, by their place.
    items: Vec<usize>,
    pub(crate) slots: usize,
    /// Slots of the frame around this one; the n-th stands in slot n here.
    pub(crate) captures: Vec<(usize, usize)>,
    /// The same, to look up.
    captured: HashMap<usize, usize>,
}

#[derive(Debug, Clone)]
enum Binding {
    Name(Arc<str>, usize),
    /// The item of a filter, whose entries are names too.
    Item(usize),
}

/// Where a name leads.
pub(crate) struct Resolved {
    /// Items of filters that are asked first, innermost first.
    pub(crate) items: Vec<usize>,
    pub(crate) slot: Option<usize>,
}

impl Frame {
    /// A new slot without a name.
    pub(crate) fn slot(&mut self) -> usize {
        self.slots += 1;
        self.slots - 1
    }

    pub(crate) fn bind(&mut self, name: &str) -> usize {
        let slot = self.slot();
        self.bind_to(name, slot);
        slot
    }

    pub(crate) fn bind_to(&mut self, name: &str, slot: usize) {
        let name: Arc<str> = name.into();
        self.names.add(&name, self.bindings.len());
        self.bindings.push(Binding::Name(name, slot));
    }

    pub(crate) fn bind_item(&mut self, slot: usize) {
        self.items.push(self.bindings.len());
        self.bindings.push(Binding::Item(slot));
    }

    pub(crate) fn mark(&self) -> usize {
        self.bindings.len()
    }

    pub(crate) fn back_to(&mut self, mark: usize) {
        for binding in self.bindings.drain(mark..).rev() {
            match binding {
                Binding::Name(name, _) => self.names.take_back(&name),
                Binding::Item(_) => {
                    self.items.pop();
                }
            }
        }
    }

    /// The names that a text may begin with.
    pub(super) fn candidates(&self, text: &str) -> &[(Arc<str>, usize)] {
        self.names.candidates(text)
    }

    /// Looks a name up in this frame alone.
    fn find(&self, name: &str) -> Resolved {
        let bound = self.names.latest(name);
        let later = self.items.iter().rev().take_while(|at| bound.is_none_or(|bound| **at > bound));
        let slot = |at: usize| match &self.bindings[at] {
            Binding::Name(_, slot) | Binding::Item(slot) => *slot,
        };
        Resolved { items: later.map(|at| slot(*at)).collect(), slot: bound.map(slot) }
    }
}

/// Looks a name up from the innermost frame outwards.
pub(crate) fn resolve(frames: &mut [Frame], name: &str) -> Resolved {
    let Some((frame, outer)) = frames.split_last_mut() else { return Resolved { items: Vec::new(), slot: None } };
    let mut found = frame.find(name);
    if found.slot.is_none() {
        let around = resolve(outer, name);
        found.items.extend(around.items.into_iter().map(|slot| capture(frame, slot)));
        found.slot = around.slot.map(|slot| capture(frame, slot));
    }
    found
}

fn capture(frame: &mut Frame, outer: usize) -> usize {
    if let Some(slot) = frame.captured.get(&outer) {
        return *slot;
    }
    let slot = frame.slot();
    frame.captured.insert(outer, slot);
    frame.captures.push((outer, slot));
    slot
}
