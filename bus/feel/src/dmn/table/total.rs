//! Tables that their model declares total: `<passerelle:total columns="a, b"/>` among the extensions of a table.

use std::sync::Arc;

use crate::dmn::boxed::Lowering;
use crate::dmn::cover;
use crate::dmn::xml::{ReadError, Xml, child, normal};

use super::{DecisionTable, InputClause};

/// The namespace of what a model says to this bus.
const OWN: &str = "urn:passerelle:decision:1";

fn declaration(xml: Xml<'_>) -> Option<Xml<'_>> {
    let extensions = child(xml, "extensionElements")?;
    extensions.children().find(|element| element.has_tag_name((OWN, "total")))
}

/// The labels of the columns over which a table is declared total. They may be named by their expressions, too.
pub(super) fn columns(xml: Xml<'_>, inputs: &[InputClause]) -> Option<Vec<Arc<str>>> {
    let declared = declaration(xml)?.attribute("columns").unwrap_or_default();
    let labelled = |name: String| {
        let known = inputs.iter().any(|input| *input.label == *name);
        let meant = inputs.iter().find(|input| !known && *input.expression == *name);
        meant.map_or_else(|| name.into(), |input| input.label.clone())
    };
    Some(declared.split(',').map(normal).filter(|name| !name.is_empty()).map(labelled).collect())
}

impl<'x> Lowering<'_, 'x> {
    /// Refuses a table that is declared total and is not; where faults are tolerated it is one of them.
    pub(super) fn held_total(&mut self, xml: Xml<'x>, table: &DecisionTable) -> Result<(), ReadError> {
        let Some(columns) = &table.total else { return Ok(()) };
        let columns: Vec<&str> = columns.iter().map(|column| &**column).collect();
        let Err(error) = cover::require_within(&table.into(), &columns, &mut self.examinations) else { return Ok(()) };
        self.fault(ReadError::at(declaration(xml).unwrap_or(xml), error.to_string())).map(drop)
    }
}
