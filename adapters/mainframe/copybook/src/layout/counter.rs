//! Names: finding an item by name or path, and the counter of each OCCURS DEPENDING ON.

use std::collections::BTreeSet;

use super::LayoutError;
use super::placement::Placement;
use crate::syntax::{PictureKind, Qualified};

/// How many names an error message lists.
const LISTED: usize = 12;

impl Placement<'_> {
    /// The one item that a rule means: by its whole path, or by its name with any of the groups around it (`CA-ACC.CA-NO`).
    pub(crate) fn find(&self, name: &str) -> Result<usize, LayoutError> {
        let found = self.find_all(name);
        match found[..] {
            [id] => Ok(id),
            [] => {
                let names = list(self.nodes.iter().map(|node| node.item.name.as_str()));
                Err(LayoutError::new(name, format!("no such item in {} (there are: {names})", self.nodes[0].item.name)))
            }
            _ => {
                let paths = list(found.iter().map(|id| self.nodes[*id].path.as_str()));
                Err(LayoutError::new(name, format!("several items have this name, say which: {paths}")))
            }
        }
    }

    /// All items that a rule may mean.
    pub(crate) fn find_all(&self, name: &str) -> Vec<usize> {
        let wanted = name.trim().to_ascii_uppercase();
        if let Some(id) = self.nodes.iter().position(|node| node.path == wanted) {
            return vec![id];
        }
        let mut names: Vec<&str> = wanted.split('.').collect();
        let last = names.pop().unwrap_or_default();
        names.reverse();
        self.named(last, &names)
    }

    /// Items of that name that lie in these groups, given innermost first; others may lie between.
    fn named(&self, name: &str, groups: &[&str]) -> Vec<usize> {
        let around = |id: usize| {
            let mut wanted = groups.iter().peekable();
            for group in self.groups(id).chain([0]) {
                wanted.next_if(|name| **name == self.nodes[group].item.name);
            }
            wanted.next().is_none()
        };
        (0..self.nodes.len()).filter(|id| self.nodes[*id].item.name == name && around(*id)).collect()
    }

    /// Whether `inner` has a subscript that `outer` does not share: it lies in a table that `outer` is no part of.
    pub(crate) fn in_another_table(&self, inner: usize, outer: usize) -> bool {
        let around = |id: usize| id == outer || self.groups(outer).any(|group| group == id);
        std::iter::once(inner).chain(self.groups(inner)).any(|id| self.nodes[id].item.occurs.is_some() && !around(id))
    }
}

/// Gives each variable table its counter.
pub(super) fn resolve(placement: &mut Placement<'_>) -> Result<(), LayoutError> {
    for id in 0..placement.nodes.len() {
        let node = &placement.nodes[id];
        let Some(Qualified { name, of }) = node.item.occurs.as_ref().and_then(|occurs| occurs.depending_on.as_ref()) else {
            continue;
        };
        let groups: Vec<&str> = of.iter().map(String::as_str).collect();
        let found = placement.named(name, &groups);
        let wrong = |message: String| Err(LayoutError::new(node.label(), format!("DEPENDING ON {name}: {message}")));
        let counter = match found[..] {
            [counter] => counter,
            [] => return wrong("no such item in this record: the counter must lie in the record it counts for".to_owned()),
            _ => return wrong("several items have this name: qualify it with OF".to_owned()),
        };
        let kind = placement.nodes[counter].item.picture.as_ref().map(|picture| picture.kind);
        if !matches!(kind, Some(PictureKind::Number { scale: 0, .. })) {
            return wrong("a counter must be a number without decimals".to_owned());
        }
        if counter > id {
            return wrong("the counter must lie before the table".to_owned());
        }
        if placement.in_another_table(counter, id) {
            return wrong("the counter lies in another table, which would take a subscript".to_owned());
        }
        placement.nodes[id].counter = Some(counter);
        placement.counters.insert(counter);
    }
    Ok(())
}

/// Names for an error message, cut when there are many.
pub(crate) fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut seen = BTreeSet::new();
    let names: Vec<&str> = names.filter(|name| *name != crate::syntax::FILLER && seen.insert(*name)).take(LISTED + 1).collect();
    match names.split_at_checked(LISTED) {
        Some((listed, [_, ..])) => format!("{}, …", listed.join(", ")),
        _ => names.join(", "),
    }
}
