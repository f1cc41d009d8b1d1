//! Tree: entries find their place in records by their level numbers, and inherit what their groups say.

use super::Refusal;
use super::entry::Entry;
use super::item::{Condition, FILLER, Item, Sign, Usage};
use super::picture::PictureKind;
use crate::limits;

/// Builds records out of entries.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// Records that are complete.
    pub(super) records: Vec<Item>,
    /// From the record at hand down to the item read last.
    open: Vec<Entry>,
    section: String,
    items: usize,
}

impl Tree {
    /// Closes the record at hand; what follows belongs to `section`.
    pub(super) fn enter(&mut self, section: &str) -> Result<(), Refusal> {
        section.clone_into(&mut self.section);
        self.close()
    }

    /// Closes the record at hand.
    pub(super) fn close(&mut self) -> Result<(), Refusal> {
        self.close_until(0)
    }

    /// Forgets the record at hand.
    pub(super) fn forget(&mut self) {
        self.open.clear();
    }

    /// Whether what is copied in here could belong to the record at hand.
    pub(super) fn takes_more(&self) -> bool {
        self.open.last().is_some_and(|entry| entry.item.picture.is_none() || entry.item.level > 1)
    }

    /// Puts an item in its place.
    pub(super) fn item(&mut self, mut entry: Entry) -> Result<(), Refusal> {
        self.items += 1;
        if self.items > limits::ITEMS {
            return Err(Refusal::at(entry.offset, format!("more than {} data items in one source", limits::ITEMS)));
        }
        let unsigned =
            matches!(&entry.item.picture, Some(picture) if !matches!(picture.kind, PictureKind::Number { signed: true, .. }));
        if entry.sign.is_some() && unsigned {
            return Err(Refusal::at(entry.offset, format!("{}: SIGN needs a picture with S", entry.item.name)));
        }
        let level = if entry.item.level == 77 { 1 } else { entry.item.level };
        self.close_until(level)?;
        if self.open.len() >= limits::NESTING {
            return Err(Refusal::at(entry.offset, format!("groups nested more than {} deep", limits::NESTING)));
        }
        match self.open.last() {
            Some(group) => {
                entry.usage = entry.usage.or(group.usage);
                entry.sign = entry.sign.or(group.sign);
                entry.item.synchronized |= group.item.synchronized;
            }
            None => entry.item.section.clone_from(&self.section),
        }
        self.open.push(entry);
        Ok(())
    }

    /// Gives a level 88 to the item read last.
    pub(super) fn condition(&mut self, condition: Condition, offset: usize) -> Result<(), Refusal> {
        let entry = self.open.last_mut().ok_or_else(|| Refusal::at(offset, "level 88 needs an item before it"))?;
        entry.item.conditions.push(condition);
        Ok(())
    }

    /// Closes all open items of this level and deeper.
    fn close_until(&mut self, level: u8) -> Result<(), Refusal> {
        while self.open.last().is_some_and(|entry| entry.item.level >= level) {
            let Some(entry) = self.open.pop() else { break };
            let item = complete(entry)?;
            match self.open.last_mut() {
                Some(group) => group.item.children.push(item),
                None => self.records.push(item),
            }
        }
        Ok(())
    }
}

/// Checks an item whose subordinate items are all there.
fn complete(entry: Entry) -> Result<Item, Refusal> {
    let Entry { mut item, usage, sign, offset } = entry;
    item.usage = usage.unwrap_or_default();
    item.sign = sign.unwrap_or_default();
    let wrong = |message: &str| Err(Refusal::at(offset, format!("{}: {message}", item.name)));
    if matches!(item.level, 1 | 77) && item.occurs.is_some() {
        return wrong("OCCURS cannot stand at level 01 or 77: put the table into a group");
    }
    if !item.is_elementary() {
        if item.picture.is_some() {
            return wrong("an item with subordinate items cannot have a PICTURE: check the level numbers");
        }
        if item.justified_right || item.blank_when_zero {
            return wrong("JUSTIFIED and BLANK WHEN ZERO are for elementary items");
        }
        redefinitions(&item.children).map_err(|message| Refusal::at(offset, message))?;
        return Ok(item);
    }
    let Some(picture) = &item.picture else {
        return wrong("neither PICTURE nor subordinate items");
    };
    match picture.kind {
        PictureKind::Text { .. } if item.usage != Usage::Display => return wrong("this USAGE needs a numeric picture"),
        PictureKind::Text { .. } if item.blank_when_zero => return wrong("BLANK WHEN ZERO needs a numeric picture"),
        PictureKind::Number { digits, .. } if matches!(item.usage, Usage::Binary | Usage::Native) && digits > 18 => {
            return wrong("binary items of more than 18 digits are not read");
        }
        PictureKind::Number { .. } if item.justified_right => return wrong("JUSTIFIED is for text"),
        PictureKind::Number { .. } if item.blank_when_zero && item.usage != Usage::Display => {
            return wrong("BLANK WHEN ZERO needs USAGE DISPLAY");
        }
        PictureKind::Number { signed: false, .. } => item.sign = Sign::default(),
        _ => {}
    }
    Ok(item)
}

/// Each REDEFINES must directly follow what it redefines, or other items that redefine the same.
pub(super) fn redefinitions(items: &[Item]) -> Result<(), String> {
    for (index, item) in items.iter().enumerate() {
        let Some(target) = &item.redefines else { continue };
        let base = items[..index].iter().rev().find(|before| before.name == *target || before.redefines.is_none());
        if base.is_none_or(|base| base.name != *target) {
            let Item { name, position, .. } = item;
            return Err(format!(
                "{name} (line {}) redefines {target}, which must stand right before it at the same level",
                position.line
            ));
        }
    }
    Ok(())
}

/// The record of a fragment that begins with several items of one deeper level: a group around them.
pub(super) fn wrap(name: &str, items: Vec<Item>) -> Item {
    let name = if name.is_empty() { FILLER } else { name };
    let position = items.first().map(|item| item.position).unwrap_or_default();
    Item { level: 1, name: name.to_owned(), position, children: items, ..Item::default() }
}

/// COPY and its like are refused: the text they stand for is not at hand.
pub(super) fn not_copied(word: &str, offset: usize) -> Refusal {
    Refusal::at(offset, format!("{word} is not read yet: put the text in its place, or give the copybook itself"))
}
