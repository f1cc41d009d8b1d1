//! Placement: every item of a record with its offset, length and counter; what layout, messages and codec are computed from.

use std::collections::BTreeSet;

use super::LayoutError;
use crate::limits;
use crate::syntax::{Item, PictureKind, Usage};

/// All items of a record in the order of the text. The record itself is item 0.
#[derive(Debug)]
pub(crate) struct Placement<'a> {
    pub(crate) nodes: Vec<Node<'a>>,
    /// Items that say how many elements of a table are in use.
    pub(crate) counters: BTreeSet<usize>,
}

/// An item and its place.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    pub(crate) item: &'a Item,
    pub(crate) parent: usize,
    pub(crate) children: Vec<usize>,
    /// Names from below the record, with dots.
    pub(crate) path: String,
    /// Offset of the first element with every table before it at its maximum.
    pub(crate) offset: usize,
    /// Length of one element with every table in it at its maximum.
    pub(crate) length: usize,
    /// Length with every variable table empty.
    pub(crate) minimum: usize,
    /// Whether a counter decides how long it is.
    pub(crate) variable: bool,
    /// Whether a counter decides where it lies.
    pub(crate) slides: bool,
    /// The item that says how many elements are in use.
    pub(crate) counter: Option<usize>,
    /// For an item that redefines another: the first that lies there.
    pub(crate) base: Option<usize>,
    /// For the first item of a storage area: all that redefine it.
    pub(crate) overlays: Vec<usize>,
}

impl Node<'_> {
    /// Greatest number of elements.
    pub(crate) fn elements(&self) -> usize {
        self.item.occurs.as_ref().map_or(1, |occurs| occurs.maximum as usize)
    }

    /// Length of all elements at the maximum.
    pub(crate) fn total(&self) -> usize {
        self.length * self.elements()
    }

    /// Name for error messages, with the line in the copybook.
    pub(crate) fn label(&self) -> String {
        format!("{} (line {})", self.path, self.item.position.line)
    }
}

impl<'a> Placement<'a> {
    pub(crate) fn of(record: &'a Item) -> Result<Self, LayoutError> {
        let mut placement = Self { nodes: Vec::new(), counters: BTreeSet::new() };
        let mut walk = Walk { offset: 0, slides: false };
        placement.place(record, 0, &mut walk)?;
        placement.nodes[0].path.clone_from(&record.name);
        super::counter::resolve(&mut placement)?;
        Ok(placement)
    }

    /// Places an item behind what was placed before it, and all that is subordinate to it.
    fn place(&mut self, item: &'a Item, parent: usize, walk: &mut Walk) -> Result<usize, LayoutError> {
        let id = self.nodes.len();
        let path = self.path(item, parent, id);
        let depending = item.occurs.as_ref().is_some_and(|occurs| occurs.depending_on.is_some());
        let label = format!("{path} (line {})", item.position.line);
        walk.align(item).map_err(|message| LayoutError::new(&label, message))?;
        self.nodes.push(Node {
            item,
            parent,
            children: Vec::new(),
            path,
            offset: walk.offset,
            length: 0,
            minimum: 0,
            variable: depending,
            slides: walk.slides,
            counter: None,
            base: None,
            overlays: Vec::new(),
        });
        let start = walk.offset;
        if item.is_elementary() {
            let length =
                elementary_length(item).ok_or_else(|| LayoutError::new(&label, "neither PICTURE nor subordinate items"))?;
            self.nodes[id].length = length;
            self.nodes[id].minimum = length;
        } else {
            self.children(item, id, walk)?;
        }
        let node = &mut self.nodes[id];
        if item.occurs.is_some() {
            let boundary = alignment(item);
            node.length = node.length.next_multiple_of(boundary);
        }
        let elements = node.elements();
        node.minimum =
            if depending { 0 } else { node.minimum.max(if node.variable { 0 } else { node.length }).saturating_mul(elements) };
        walk.offset = start.saturating_add(node.length.saturating_mul(elements));
        walk.slides |= node.variable;
        if walk.offset > limits::RECORD_BYTES {
            return Err(LayoutError::new(label, format!("the record is longer than {} bytes here", limits::RECORD_BYTES)));
        }
        Ok(id)
    }

    fn children(&mut self, item: &'a Item, id: usize, walk: &mut Walk) -> Result<(), LayoutError> {
        let start = walk.offset;
        let mut end = start;
        // First item of the storage area at hand, where it starts, and whether places slid there already.
        let mut area = (id, start, walk.slides);
        let mut minimum = 0;
        for child in &item.children {
            let redefines = child.redefines.is_some();
            walk.offset = if redefines { area.1 } else { end };
            if redefines {
                walk.slides = area.2;
            }
            let slid = walk.slides;
            let child_id = self.place(child, id, walk)?;
            if redefines {
                self.nodes[child_id].base = Some(area.0);
                self.nodes[area.0].overlays.push(child_id);
                if self.nodes[area.0].variable {
                    let label = self.nodes[child_id].label();
                    return Err(LayoutError::new(label, "redefines an item with OCCURS DEPENDING ON, which has no fixed place"));
                }
                // The area takes the room of its longest item whatever the counters say: what follows does not slide.
                walk.slides = area.2;
                minimum += walk.offset.saturating_sub(end.max(area.1));
            } else {
                area = (child_id, self.nodes[child_id].offset, slid);
                minimum += self.nodes[child_id].minimum + self.nodes[child_id].offset - end;
            }
            end = end.max(walk.offset);
            self.nodes[id].children.push(child_id);
            self.nodes[id].variable |= self.nodes[child_id].variable && !redefines;
        }
        walk.offset = end;
        let node = &mut self.nodes[id];
        (node.length, node.minimum) = (end - start, minimum);
        Ok(())
    }

    /// Path of an item; a name that comes again in the same group gets a number.
    fn path(&self, item: &Item, parent: usize, id: usize) -> String {
        if id == 0 {
            return item.name.clone();
        }
        let prefix = if parent == 0 { String::new() } else { format!("{}.", self.nodes[parent].path) };
        let before = self.nodes[parent].children.iter().filter(|child| self.nodes[**child].item.name == item.name).count();
        if before == 0 { format!("{prefix}{}", item.name) } else { format!("{prefix}{}#{}", item.name, before + 1) }
    }

    /// The groups around an item, innermost first, without the record.
    pub(crate) fn groups(&self, id: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(self.nodes[id].parent), |id| Some(self.nodes[*id].parent)).take_while(|id| *id != 0)
    }
}

/// Where the next item goes.
struct Walk {
    offset: usize,
    slides: bool,
}

impl Walk {
    /// Slack bytes before a SYNCHRONIZED binary item.
    fn align(&mut self, item: &Item) -> Result<(), &'static str> {
        if !item.is_elementary() || item.redefines.is_some() {
            return Ok(());
        }
        let boundary = alignment(item);
        if boundary > 1 && self.slides {
            return Err("SYNCHRONIZED behind OCCURS DEPENDING ON has no fixed slack bytes: put the item before the table");
        }
        self.offset = self.offset.next_multiple_of(boundary);
        Ok(())
    }
}

/// Boundary of the strictest SYNCHRONIZED item in it: halfwords for two bytes, fullwords for four and eight
/// (Enterprise COBOL Language Reference, "SYNCHRONIZED clause").
fn alignment(item: &Item) -> usize {
    if !item.is_elementary() {
        return item.children.iter().map(alignment).max().unwrap_or(1);
    }
    match (item.synchronized, item.usage) {
        (true, Usage::Binary | Usage::Native) => elementary_length(item).unwrap_or(1).min(4),
        _ => 1,
    }
}

/// Bytes of an elementary item.
fn elementary_length(item: &Item) -> Option<usize> {
    Some(match item.picture.as_ref()?.kind {
        PictureKind::Text { characters } => characters as usize,
        PictureKind::Number { digits, signed, .. } => {
            let digits = digits as usize;
            match item.usage {
                Usage::Display => digits + usize::from(signed && item.sign.separate),
                Usage::Packed => digits / 2 + 1,
                Usage::Binary | Usage::Native => match digits {
                    0..=4 => 2,
                    5..=9 => 4,
                    _ => 8,
                },
            }
        }
    })
}
