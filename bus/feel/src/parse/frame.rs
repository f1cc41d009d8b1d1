//! The names that an expression sees, and the slots that hold them: one frame a function, with what it captures of those around it.

use std::sync::Arc;

/// The slots of one function, or of the expression itself.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    bindings: Vec<Binding>,
    pub(crate) slots: usize,
    /// Slots of the frame around this one; the n-th stands in slot n here.
    pub(crate) captures: Vec<(usize, usize)>,
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
        self.bindings.push(Binding::Name(name.into(), slot));
    }

    pub(crate) fn bind_item(&mut self, slot: usize) {
        self.bindings.push(Binding::Item(slot));
    }

    pub(crate) fn mark(&self) -> usize {
        self.bindings.len()
    }

    pub(crate) fn back_to(&mut self, mark: usize) {
        self.bindings.truncate(mark);
    }

    pub(crate) fn names(&self) -> impl std::iter::Iterator<Item = &Arc<str>> {
        self.bindings.iter().filter_map(|binding| match binding {
            Binding::Name(name, _) => Some(name),
            Binding::Item(_) => None,
        })
    }
}

/// Looks a name up from the innermost frame outwards.
pub(crate) fn resolve(frames: &mut [Frame], name: &str) -> Resolved {
    let mut found = Resolved { items: Vec::new(), slot: None };
    let Some((frame, outer)) = frames.split_last_mut() else { return found };
    for binding in frame.bindings.iter().rev() {
        match binding {
            Binding::Name(bound, slot) if &**bound == name => {
                found.slot = Some(*slot);
                return found;
            }
            Binding::Item(slot) => found.items.push(*slot),
            Binding::Name(..) => {}
        }
    }
    let around = resolve(outer, name);
    found.items.extend(around.items.into_iter().map(|slot| capture(frame, slot)));
    found.slot = around.slot.map(|slot| capture(frame, slot));
    found
}

fn capture(frame: &mut Frame, outer: usize) -> usize {
    if let Some((_, slot)) = frame.captures.iter().find(|(from, _)| *from == outer) {
        return *slot;
    }
    let slot = frame.slot();
    frame.captures.push((outer, slot));
    slot
}
