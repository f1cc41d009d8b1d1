//! Layout: where each item of a record lies and how long it is.

mod counter;
mod placement;
#[cfg(test)]
mod tests;

use std::fmt;

pub(crate) use counter::list;
pub(crate) use placement::{Node, Placement};

use crate::syntax::{Item, Usage};

/// Why a record has no layout, or a message or a codec cannot be made from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{item}: {message}")]
pub struct LayoutError {
    /// Path of the item, with its line in the copybook when known.
    pub item: String,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl LayoutError {
    pub(crate) fn new(item: impl Into<String>, message: impl Into<String>) -> Self {
        Self { item: item.into(), message: message.into() }
    }
}

/// Where the items of a record lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    rows: Vec<Row>,
    minimum: usize,
    maximum: usize,
}

/// One item of a layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Level number.
    pub level: u8,
    /// Depth below the record, which has 0.
    pub depth: usize,
    /// Names from below the record to the item, with dots: `CA-ACC.CA-ACC-NO`; the record's name for the record itself.
    pub path: String,
    /// Picture and usage as one writes them; empty for a group.
    pub picture: String,
    /// Offset from the start of the record, counted from 0, of the first element with every table before it at its maximum.
    pub offset: usize,
    /// Length in bytes of one element, with every table in it at its maximum.
    pub length: usize,
    /// Greatest number of elements; 1 without OCCURS.
    pub elements: u32,
    /// Whether the offset depends on a counter (OCCURS DEPENDING ON before it).
    pub slides: bool,
    /// What else there is to say: OCCURS … DEPENDING ON, REDEFINES.
    pub note: String,
}

impl Layout {
    /// Lays a record out.
    ///
    /// # Errors
    /// Items that cannot be laid out: an unknown counter, a record beyond [`crate::limits::RECORD_BYTES`]…
    pub fn of(record: &Item) -> Result<Layout, LayoutError> {
        let placement = Placement::of(record)?;
        let root = &placement.nodes[0];
        let (minimum, maximum) = (root.minimum, root.length);
        Ok(Layout { rows: (0..placement.nodes.len()).map(|id| row(&placement, id)).collect(), minimum, maximum })
    }

    /// One row an item, in the order of the copybook; the first is the record itself.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Length in bytes with every variable table empty.
    pub fn minimum_length(&self) -> usize {
        self.minimum
    }

    /// Length in bytes with every table full.
    pub fn maximum_length(&self) -> usize {
        self.maximum
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "offset length  item")?;
        for row in &self.rows {
            let Row { level, offset, length, elements, picture, note, .. } = row;
            let slides = if row.slides { '+' } else { ' ' };
            let elements = if *elements > 1 { format!("x{elements}") } else { String::new() };
            let name = row.path.rsplit('.').next().unwrap_or_default();
            let words: Vec<&str> = [name, &elements, picture, note].into_iter().filter(|word| !word.is_empty()).collect();
            let indent = row.depth * 2;
            writeln!(f, "{offset:>6}{slides}{length:>6}  {:indent$}{level:02} {}", "", words.join(" "))?;
        }
        let Layout { minimum, maximum, .. } = self;
        let length = if minimum == maximum { maximum.to_string() } else { format!("{minimum} to {maximum}") };
        let unit = if *maximum == 1 { "byte" } else { "bytes" };
        let slides = if self.rows.iter().any(|row| row.slides) {
            "; + lies further in front when the table before it is not full"
        } else {
            ""
        };
        writeln!(f, "{length} {unit}{slides}")
    }
}

fn row(placement: &Placement<'_>, id: usize) -> Row {
    let node = &placement.nodes[id];
    Row {
        level: node.item.level,
        depth: if id == 0 { 0 } else { placement.groups(id).count() + 1 },
        path: node.path.clone(),
        picture: picture(node.item),
        offset: node.offset,
        length: node.length,
        elements: node.elements() as u32,
        slides: node.slides,
        note: note(placement, node),
    }
}

/// Picture and usage as one writes them.
pub(crate) fn picture(item: &Item) -> String {
    let Some(picture) = &item.picture else { return String::new() };
    let usage = match item.usage {
        Usage::Display => "",
        Usage::Binary => " COMP",
        Usage::Native => " COMP-5",
        Usage::Packed => " COMP-3",
    };
    let sign = match (item.sign.leading, item.sign.separate) {
        (false, false) => "",
        (true, false) => " SIGN LEADING",
        (false, true) => " SIGN TRAILING SEPARATE",
        (true, true) => " SIGN LEADING SEPARATE",
    };
    format!("{}{usage}{}", picture.text, if item.usage == Usage::Display { sign } else { "" })
}

fn note(placement: &Placement<'_>, node: &Node<'_>) -> String {
    let mut notes = Vec::new();
    if let Some(base) = node.base {
        notes.push(format!("redefines {}", placement.nodes[base].item.name));
    }
    if let (Some(counter), Some(occurs)) = (node.counter, &node.item.occurs) {
        notes
            .push(format!("occurs {} to {} depending on {}", occurs.minimum, occurs.maximum, placement.nodes[counter].item.name));
    }
    notes.join(", ")
}
