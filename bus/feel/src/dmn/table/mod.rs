//! Decision tables, as they are read and as they are evaluated.

mod cell;
mod decide;
mod index;
mod policy;
mod read;
mod total;

use std::sync::Arc;

use crate::node::Node;
use crate::value::Value;

use cell::Cell;
use index::Index;

/// Which rules make the result where several hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HitPolicy {
    /// One rule hits at most; several are an error.
    Unique,
    /// Those that hit say the same, or that is an error.
    Any,
    /// The one with the highest output.
    Priority,
    /// The first that hits.
    First,
    /// All, in the order of the rules.
    RuleOrder,
    /// All, the highest output first.
    OutputOrder,
    /// All, as a list or as one number.
    Collect(Option<Aggregation>),
}

/// What is made of all outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregation {
    /// Their sum.
    Sum,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// How many there are.
    Count,
}

/// A decision table. The texts are as in the model; rules keep the order of its rows.
#[derive(Debug)]
pub struct DecisionTable {
    /// Its id; may be empty.
    pub id: Arc<str>,
    /// The name of the decision or knowledge model whose logic it is.
    pub name: Arc<str>,
    /// Which rules make the result.
    pub hit_policy: HitPolicy,
    /// The columns of inputs.
    pub inputs: Vec<InputClause>,
    /// The columns of outputs.
    pub outputs: Vec<OutputClause>,
    /// The columns of annotations.
    pub annotations: Vec<Arc<str>>,
    /// The rows.
    pub rules: Vec<Rule>,
    /// The labels of the input columns over which the model declares the table total; nothing where it does not.
    pub total: Option<Vec<Arc<str>>>,
    index: Option<Index>,
}

/// A column of inputs.
#[derive(Debug)]
pub struct InputClause {
    /// Its id; may be empty.
    pub id: Arc<str>,
    /// What stands above it; the expression where that is nothing.
    pub label: Arc<str>,
    /// The expression of its value.
    pub expression: Arc<str>,
    /// The FEEL name of its type, where it is known and one without parts.
    pub type_name: Option<Arc<str>>,
    /// Unary tests that its values pass.
    pub allowed: Option<Arc<str>>,
    /// Evaluated into the slot; nothing where the value stands in it already.
    node: Option<Node>,
    slot: usize,
    check: Option<Node>,
    /// The input of the model (its slot) and the entries of it that the expression is, where it is no more than that.
    pub(in crate::dmn) source: Option<(usize, Vec<Arc<str>>)>,
}

/// A column of outputs.
#[derive(Debug)]
pub struct OutputClause {
    /// Its id; may be empty.
    pub id: Arc<str>,
    /// Its name; may be empty where it is the only one.
    pub name: Arc<str>,
    /// The FEEL name of its type, where it is known and one without parts.
    pub type_name: Option<Arc<str>>,
    /// The values it may have, as unary tests; their order is that of their priority.
    pub allowed: Option<Arc<str>>,
    /// The expression of its value where no rule hits.
    pub default: Option<Arc<str>>,
    /// The values in order of their priority.
    pub(in crate::dmn) priorities: Vec<Value>,
    default_node: Option<Node>,
}

/// A row.
#[derive(Debug)]
pub struct Rule {
    /// Its id; may be empty.
    pub id: Arc<str>,
    /// Unary tests, one for each column of inputs.
    pub tests: Vec<Arc<str>>,
    /// Expressions, one for each column of outputs.
    pub outputs: Vec<Arc<str>>,
    /// Annotations, one for each column of these.
    pub annotations: Vec<Arc<str>>,
    cells: Vec<Cell>,
    /// Steps that looking at the cells costs at most, apart from those that are expressions.
    weight: usize,
    results: Vec<Node>,
}

impl DecisionTable {
    /// The values that the cells of each input column compare with: constants, and the ends of ranges.
    pub(in crate::dmn) fn constants(&self, column: usize) -> Vec<Value> {
        let mut found = Vec::new();
        for rule in &self.rules {
            if let Some(cell) = rule.cells.get(column) {
                cell.constants(&mut found);
            }
        }
        if let Some(check) = self.inputs.get(column).and_then(|input| input.check.as_ref()) {
            cell::constants_of(check, &mut found);
        }
        found
    }
}
