//! Templates: what a record holds where no message field is written: constants, VALUE, spaces, zeros.

use std::collections::BTreeMap;

use super::literal;
use super::number::Number;
use crate::layout::{Node, Placement};
use crate::message::{Area, Field, MessageModel};
use crate::{Encoding, LayoutError};

/// Makes templates for parts of one record.
pub(super) struct Templates<'a> {
    pub(super) placement: &'a Placement<'a>,
    pub(super) model: &'a MessageModel,
    pub(super) shown: &'a BTreeMap<usize, (&'a Field, usize)>,
    pub(super) encoding: &'a Encoding,
}

impl Templates<'_> {
    /// One element of an item.
    pub(super) fn element(&self, id: usize) -> Result<Vec<u8>, LayoutError> {
        // Slack bytes, which belong to no item, are low-values.
        let mut out = vec![0; self.placement.nodes[id].length];
        self.fill(id, 0, &mut out)?;
        Ok(out)
    }

    /// All elements of an item.
    pub(super) fn whole(&self, id: usize) -> Result<Vec<u8>, LayoutError> {
        let mut out = vec![0; self.placement.nodes[id].total()];
        self.table(id, 0, &mut out)?;
        Ok(out)
    }

    /// Fills one element of an item that begins at `at`.
    fn fill(&self, id: usize, at: usize, out: &mut [u8]) -> Result<(), LayoutError> {
        let node = &self.placement.nodes[id];
        let own = self.own(id, node).map_err(|message| LayoutError::new(node.label(), format!("VALUE: {message}")))?;
        if let Some(bytes) = own {
            out[at..at + node.length].copy_from_slice(&bytes);
            return Ok(());
        }
        for &child in node.children.iter().filter(|child| self.placement.nodes[**child].base.is_none()) {
            let place = at + self.placement.nodes[child].offset - node.offset;
            self.table(child, place, out)?;
            if let Some(Area::Pick(arm)) = self.model.areas.get(&child)
                && *arm != child
            {
                self.table(*arm, place, out)?;
            }
        }
        Ok(())
    }

    fn table(&self, id: usize, at: usize, out: &mut [u8]) -> Result<(), LayoutError> {
        let node = &self.placement.nodes[id];
        self.fill(id, at, out)?;
        for element in 1..node.elements() {
            out.copy_within(at..at + node.length, at + element * node.length);
        }
        Ok(())
    }

    /// The bytes of an item that says by itself what it holds; none for a group that its items fill.
    fn own(&self, id: usize, node: &Node<'_>) -> Result<Option<Vec<u8>>, String> {
        let item = node.item;
        if let Some(constant) = self.model.constants.get(&id) {
            return literal::bytes(item, node.length, &literal::of(constant), self.encoding).map(Some);
        }
        if let Some(value) = item.value.as_ref().filter(|_| !self.shown.contains_key(&id)) {
            return literal::bytes(item, node.length, value, self.encoding).map(Some);
        }
        if !item.is_elementary() {
            return Ok(None);
        }
        let mut out = vec![self.encoding.code_page.space(); node.length];
        if let Some(number) = Number::of(item, self.encoding) {
            number.write(0, &mut out)?;
        }
        Ok(Some(out))
    }
}
