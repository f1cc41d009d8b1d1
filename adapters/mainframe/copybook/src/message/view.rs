//! Views: which items of a record a message shows.

use std::collections::BTreeMap;

use super::{Constant, FieldRules, Fields, MessageRules};
use crate::LayoutError;
use crate::layout::Placement;

/// A record as a message's rules see it.
pub(super) struct View<'a> {
    pub(super) placement: &'a Placement<'a>,
    pub(super) strip_prefix: Option<&'a str>,
    pub(super) constants: BTreeMap<usize, Constant>,
    rules: BTreeMap<usize, &'a FieldRules>,
    shown: Vec<bool>,
}

impl<'a> View<'a> {
    pub(super) fn new(placement: &'a Placement<'a>, rules: &'a MessageRules, fields: &'a Fields) -> Result<Self, LayoutError> {
        let mut view = Self {
            placement,
            strip_prefix: rules.strip_prefix.as_deref(),
            constants: BTreeMap::new(),
            rules: BTreeMap::new(),
            shown: vec![rules.include.is_empty(); placement.nodes.len()],
        };
        for name in &rules.include {
            let id = placement.find(name)?;
            if view.is_counter(id) {
                return Err(LayoutError::new(name, "this counter is set and read with its table: include the table"));
            }
            view.show(id, true);
        }
        for name in &rules.exclude {
            view.show(placement.find(name)?, false);
        }
        for (name, constant) in &rules.set {
            view.set(placement.find(name)?, constant)?;
        }
        for (name, rules) in fields {
            if placement.find_all(name).is_empty() {
                continue;
            }
            view.rules.insert(placement.find(name)?, rules);
        }
        Ok(view)
    }

    /// Rules for an item.
    pub(super) fn rules(&self, id: usize) -> Option<&'a FieldRules> {
        self.rules.get(&id).copied()
    }

    /// Whether a message shows an item: a group when it shows something of it.
    pub(super) fn shows(&self, id: usize) -> bool {
        let node = &self.placement.nodes[id];
        if node.item.is_elementary() {
            return self.shown[id] && !self.is_counter(id) && !node.item.is_filler();
        }
        if self.is_whole(id) { self.shown[id] } else { node.children.iter().any(|child| self.shows(*child)) }
    }

    /// Whether a group is shown as one field, by `as: string` or `as: bytes`.
    pub(super) fn is_whole(&self, id: usize) -> bool {
        self.rules(id).is_some_and(|rules| rules.as_type.is_some())
    }

    fn set(&mut self, id: usize, constant: &Constant) -> Result<(), LayoutError> {
        let node = &self.placement.nodes[id];
        if !node.item.is_elementary() {
            return Err(LayoutError::new(node.label(), "a constant needs an elementary item, not a group"));
        }
        if self.is_counter(id) {
            return Err(LayoutError::new(node.label(), "this counter is set with its table and takes no constant"));
        }
        self.shown[id] = false;
        self.constants.insert(id, constant.clone());
        Ok(())
    }

    fn show(&mut self, id: usize, shown: bool) {
        self.shown[id] = shown;
        let placement = self.placement;
        for child in &placement.nodes[id].children {
            self.show(*child, shown);
        }
    }

    fn is_counter(&self, id: usize) -> bool {
        self.placement.counters.contains(&id)
    }
}
