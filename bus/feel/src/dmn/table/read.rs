//! The reader of decision tables.

use std::sync::Arc;

use crate::dmn::boxed::{Lowering, only_feel};
use crate::dmn::constant::fold;
use crate::dmn::definitions::Sort;
use crate::dmn::xml::{ReadError, Xml, child, children, normal, text_of};
use crate::node::{Node, Test};
use crate::types::Type;
use crate::value::Value;

use super::cell::{Cell, folded};
use super::index::Index;
use super::{Aggregation, DecisionTable, HitPolicy, InputClause, OutputClause, Rule, total};

/// Rules of one table.
const RULES: usize = 100_000;

/// Columns of one table, of each sort.
const COLUMNS: usize = 256;

impl<'x> Lowering<'_, 'x> {
    /// A decision table.
    pub(in crate::dmn) fn table(&mut self, xml: Xml<'x>) -> Result<Node, ReadError> {
        let hit_policy = hit_policy(xml)?;
        let mark = self.around.frame().mark();
        let mut inputs = Vec::new();
        for input in children(xml, "input") {
            inputs.push(self.input(input)?);
        }
        let mut outputs = Vec::new();
        for output in children(xml, "output") {
            outputs.push(self.output(output)?);
        }
        if inputs.len().max(outputs.len()) > COLUMNS {
            return Err(ReadError::at(xml, format!("the table has more than {COLUMNS} columns of one sort")));
        }
        named_apart(xml, &outputs)?;
        let mut rules = Vec::new();
        for rule in children(xml, "rule") {
            if rules.len() == RULES {
                return Err(ReadError::at(rule, format!("the table has more than {RULES} rules")));
            }
            rules.push(self.rule(rule, &inputs, outputs.len())?);
        }
        self.around.frame().back_to(mark);
        let annotations = children(xml, "annotation").map(|column| normal(column.attribute("name").unwrap_or_default()).into());
        let table = Arc::new(DecisionTable {
            total: total::columns(xml, &inputs),
            id: id(xml),
            name: self.owner.clone(),
            hit_policy,
            index: Index::of(&rules, inputs.len()),
            inputs,
            outputs,
            annotations: annotations.collect(),
            rules,
        });
        self.held_total(xml, &table)?;
        self.tables.push(table.clone());
        Ok(Node::Table(table))
    }

    fn input(&mut self, xml: Xml<'x>) -> Result<InputClause, ReadError> {
        let holder = child(xml, "inputExpression").ok_or_else(|| ReadError::at(xml, "'input' has no 'inputExpression'"))?;
        only_feel(holder)?;
        let expression = text_of(holder).trim().to_owned();
        let of = self.types().referred(holder)?;
        let node = self.text(holder, false)?;
        let of_input = |slot: usize| self.library.parts.get(slot).is_some_and(|part| part.sort == Sort::Input);
        let source = source(&node).filter(|(slot, _)| self.around.is_outermost() && of_input(*slot));
        // A value that stands in a slot already is not copied.
        let (slot, node) = match node {
            Node::Slot(slot) => (slot, None),
            node => (self.around.frame().slot(), Some(node)),
        };
        let allowed =
            child(xml, "inputValues").map(|values| (values, text_of(values))).filter(|(_, text)| !text.trim().is_empty());
        let check = match &allowed {
            Some((values, _)) => Some(self.tests(*values, slot)?),
            None => None,
        };
        Ok(InputClause {
            id: id(xml),
            label: xml.attribute("label").map_or_else(|| normal(&expression), normal).into(),
            expression: expression.into(),
            type_name: type_name(&of),
            allowed: allowed.map(|(_, text)| text.trim().into()),
            node,
            slot,
            check,
            source,
        })
    }

    /// Unary tests of the value in a slot.
    fn tests(&mut self, holder: Xml<'x>, slot: usize) -> Result<Node, ReadError> {
        let mark = self.around.frame().mark();
        self.around.frame().bind_to("?", slot);
        let node = self.text(holder, true)?;
        self.around.frame().back_to(mark);
        Ok(match node {
            Node::Tests { slot, tests, negated } => Node::Tests { slot, tests: tests.into_iter().map(folded).collect(), negated },
            other => other,
        })
    }

    fn output(&mut self, xml: Xml<'x>) -> Result<OutputClause, ReadError> {
        let of = self.types().referred(xml)?;
        let own = child(xml, "outputValues").map(text_of).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        // Where the column does not say its values, its type may.
        let of_type =
            || xml.attribute("typeRef").and_then(|of| self.types().allowed.get(&*normal(of)).map(|text| text.trim().to_owned()));
        let allowed = own.or_else(of_type);
        let default = child(xml, "defaultOutputEntry").filter(|entry| !text_of(*entry).trim().is_empty());
        let default_node = default.map(|entry| self.text(entry, false)).transpose()?.map(fold);
        let priorities = match &allowed {
            Some(allowed) => self.priorities(allowed),
            None => Vec::new(),
        };
        Ok(OutputClause {
            id: id(xml),
            name: normal(xml.attribute("name").unwrap_or_default()).into(),
            type_name: type_name(&of),
            allowed: allowed.map(Into::into),
            default: default.map(|entry| text_of(entry).trim().into()),
            priorities,
            default_node,
        })
    }

    /// The constants of a list of values, in their order; none where it is another sort of tests.
    fn priorities(&mut self, allowed: &str) -> Vec<Value> {
        let types = &self.types[self.home].named;
        let Ok(Node::Tests { tests, negated: false, .. }) = self.around.read(allowed, types, true) else {
            return Vec::new();
        };
        let constants = tests.into_iter().map(|test| match folded(test) {
            Test::Expression(Node::Constant(value)) => Some(value),
            _ => None,
        });
        constants.collect::<Option<Vec<_>>>().unwrap_or_default()
    }

    fn rule(&mut self, xml: Xml<'x>, inputs: &[InputClause], outputs: usize) -> Result<Rule, ReadError> {
        let (tests, results): (Vec<_>, Vec<_>) = (children(xml, "inputEntry").collect(), children(xml, "outputEntry").collect());
        if tests.len() != inputs.len() || results.len() != outputs {
            let message = format!(
                "the rule has {} input and {} output entries; the table has {} and {outputs} columns",
                tests.len(),
                results.len(),
                inputs.len()
            );
            return Err(ReadError::at(xml, message));
        }
        let texts = |entries: &[Xml<'x>]| entries.iter().map(|entry| text_of(*entry).trim().into()).collect();
        let mut cells = Vec::with_capacity(tests.len());
        for (entry, input) in tests.iter().zip(inputs) {
            only_feel(*entry)?;
            cells.push(Cell::of(self.tests(*entry, input.slot)?));
        }
        let mut nodes = Vec::with_capacity(results.len());
        for entry in &results {
            only_feel(*entry)?;
            nodes.push(fold(self.text(*entry, false)?));
        }
        Ok(Rule {
            id: id(xml),
            tests: texts(&tests),
            outputs: texts(&results),
            annotations: children(xml, "annotationEntry").map(|entry| text_of(entry).trim().into()).collect(),
            weight: 1 + cells.iter().map(Cell::weight).sum::<usize>(),
            cells,
            results: nodes,
        })
    }
}

fn id(xml: Xml<'_>) -> Arc<str> {
    xml.attribute("id").unwrap_or_default().into()
}

fn hit_policy(xml: Xml<'_>) -> Result<HitPolicy, ReadError> {
    let aggregation = match xml.attribute("aggregation") {
        None => None,
        Some("SUM") => Some(Aggregation::Sum),
        Some("MIN") => Some(Aggregation::Min),
        Some("MAX") => Some(Aggregation::Max),
        Some("COUNT") => Some(Aggregation::Count),
        Some(other) => {
            return Err(ReadError::at(xml, format!("there is no aggregation '{other}'; there are SUM, MIN, MAX, COUNT")));
        }
    };
    Ok(match xml.attribute("hitPolicy").unwrap_or("UNIQUE") {
        "UNIQUE" => HitPolicy::Unique,
        "ANY" => HitPolicy::Any,
        "PRIORITY" => HitPolicy::Priority,
        "FIRST" => HitPolicy::First,
        "RULE ORDER" => HitPolicy::RuleOrder,
        "OUTPUT ORDER" => HitPolicy::OutputOrder,
        "COLLECT" => HitPolicy::Collect(aggregation),
        other => {
            let message = format!(
                "there is no hit policy '{other}'; there are UNIQUE, ANY, PRIORITY, FIRST, RULE ORDER, OUTPUT ORDER, COLLECT"
            );
            return Err(ReadError::at(xml, message));
        }
    })
}

fn named_apart(xml: Xml<'_>, outputs: &[OutputClause]) -> Result<(), ReadError> {
    if outputs.is_empty() {
        return Err(ReadError::at(xml, "the table has no output"));
    }
    for (at, output) in outputs.iter().enumerate().filter(|_| outputs.len() > 1) {
        if output.name.is_empty() {
            return Err(ReadError::at(xml, "each of several outputs needs a name"));
        }
        if outputs[..at].iter().any(|other| other.name == output.name) {
            return Err(ReadError::at(xml, format!("two outputs have the name '{}'", output.name)));
        }
    }
    Ok(())
}

/// The slot and the entries of it that an expression is.
fn source(node: &Node) -> Option<(usize, Vec<Arc<str>>)> {
    match node {
        Node::Slot(slot) => Some((*slot, Vec::new())),
        Node::Path(of, name) => {
            let (slot, mut entries) = source(of)?;
            entries.push(name.clone());
            Some((slot, entries))
        }
        _ => None,
    }
}

fn type_name(of: &Type) -> Option<Arc<str>> {
    match of {
        Type::Simple(name) => Some((*name).into()),
        Type::Constrained(of, _) => type_name(of),
        _ => None,
    }
}
