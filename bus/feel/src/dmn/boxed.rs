//! Boxed expressions, lowered to the tree of the FEEL that they stand for.

use std::sync::Arc;

use crate::node::{Body, Iterator, Node};
use crate::parse::Surroundings;
use crate::types::Type;
use crate::value::Value;

use super::cover::Budget;
use super::definitions::Library;
use super::item::Types;
use super::table::DecisionTable;
use super::trace::{Element, Named};
use super::xml::{DEPTH, ReadError, Xml, child, children, elements, needed, normal, text_of};

/// The elements that are expressions.
const EXPRESSIONS: [&str; 12] = [
    "literalExpression",
    "decisionTable",
    "context",
    "invocation",
    "functionDefinition",
    "list",
    "relation",
    "conditional",
    "filter",
    "for",
    "some",
    "every",
];

/// The lowering of one load: what all its expressions share.
pub(super) struct Lowering<'l, 'x> {
    pub(super) library: &'l Library<'x>,
    /// The types of each model.
    pub(super) types: &'l [Types],
    /// The model whose expressions are being lowered.
    pub(super) home: usize,
    /// What they belong to.
    pub(super) owner: Arc<str>,
    pub(super) around: Surroundings,
    /// Expressions that cannot be read are null, and listed here.
    pub(super) tolerant: bool,
    pub(super) faults: Vec<ReadError>,
    /// The decision tables so far.
    pub(super) tables: Vec<Arc<DecisionTable>>,
    /// What the examinations of tables that must be total may still take.
    pub(super) examinations: Budget,
}

/// The expressions among the children of an element.
fn expressions<'x>(of: Xml<'x>) -> impl std::iter::Iterator<Item = Xml<'x>> {
    elements(of).filter(|element| EXPRESSIONS.contains(&element.tag_name().name()))
}

/// The expression among the children of an element.
pub(super) fn expression_in<'x>(of: Xml<'x>) -> Option<Xml<'x>> {
    expressions(of).next()
}

type Lowered = Result<Node, ReadError>;

fn null() -> Node {
    Node::Constant(Value::Null)
}

/// Refuses what is not written in FEEL.
pub(super) fn only_feel(of: Xml<'_>) -> Result<(), ReadError> {
    match of.attribute("expressionLanguage") {
        Some(language) if !language.is_empty() && !language.to_ascii_lowercase().contains("feel") => {
            Err(ReadError::at(of, format!("expressions are written in FEEL, not in '{language}'")))
        }
        _ => Ok(()),
    }
}

impl<'x> Lowering<'_, 'x> {
    pub(super) fn types(&self) -> &Types {
        &self.types[self.home]
    }

    /// A fault of one expression: the end of the load, or null where that is tolerated.
    pub(super) fn fault(&mut self, error: ReadError) -> Lowered {
        if !self.tolerant {
            return Err(error);
        }
        self.faults.push(self.library.placed(self.home, error));
        Ok(null())
    }

    /// The expression that an element holds.
    pub(super) fn held(&mut self, holder: Xml<'x>, depth: u32) -> Lowered {
        match expression_in(holder) {
            Some(expression) => self.expression(expression, None, depth),
            None => self.fault(ReadError::at(holder, format!("'{}' holds no expression", holder.tag_name().name()))),
        }
    }

    fn held_by(&mut self, of: Xml<'x>, name: &'static str, depth: u32) -> Lowered {
        match child(of, name) {
            Some(holder) => self.held(holder, depth),
            None => self.fault(ReadError::at(of, format!("'{}' has no '{name}'", of.tag_name().name()))),
        }
    }

    /// An expression; a function may call itself by the name it gets.
    fn expression(&mut self, xml: Xml<'x>, name: Option<&str>, depth: u32) -> Lowered {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(ReadError::at(xml, format!("boxed expressions are nested more than {DEPTH} levels deep")));
        };
        match xml.tag_name().name() {
            "literalExpression" => self.literal(xml),
            "decisionTable" => self.table(xml),
            "context" => self.context(xml, depth),
            "invocation" => self.invocation(xml, depth),
            "functionDefinition" => self.function(xml, name, None, depth),
            "list" => expressions(xml).map(|item| self.expression(item, None, depth)).collect::<Result<_, _>>().map(Node::List),
            "relation" => self.relation(xml, depth),
            "conditional" => {
                let condition = self.held_by(xml, "if", depth)?;
                let then = self.held_by(xml, "then", depth)?;
                let otherwise = self.held_by(xml, "else", depth)?;
                Ok(Node::If(Box::new([condition, then, otherwise])))
            }
            "filter" => self.filter(xml, depth),
            "for" => self.iteration(xml, depth),
            every_or_some => self.quantified(xml, every_or_some == "every", depth),
        }
    }

    fn literal(&mut self, xml: Xml<'x>) -> Lowered {
        only_feel(xml)?;
        if let Some(imported) = child(xml, "importedValues") {
            return Err(ReadError::at(imported, "values of other files cannot be imported"));
        }
        self.text(xml, false)
    }

    /// The text of an element, as an expression or as the tests of a cell.
    pub(super) fn text(&mut self, holder: Xml<'x>, tests: bool) -> Lowered {
        let written = text_of(holder);
        let written = match written.trim() {
            "" if tests => "-",
            "" => return Ok(null()),
            _ => &*written,
        };
        let types = &self.types[self.home].named;
        match self.around.read(written, types, tests) {
            Ok(node) => Ok(node),
            Err(error) => self.fault(ReadError::within(child(holder, "text").unwrap_or(holder), &error)),
        }
    }

    fn context(&mut self, xml: Xml<'x>, depth: u32) -> Lowered {
        let mark = self.around.frame().mark();
        let mut entries: Vec<(Arc<str>, usize, Node)> = Vec::new();
        let mut result = false;
        for entry in children(xml, "contextEntry") {
            // The entry without a name is the result. No other has none, so that it can be told by that.
            let variable = child(entry, "variable");
            let name: Arc<str> = variable.map_or(Ok(""), |variable| needed(variable, "name")).map(normal)?.into();
            if entries.iter().any(|(other, ..)| *other == name) {
                return Err(ReadError::at(entry, format!("a second entry '{name}'")));
            }
            result |= variable.is_none();
            let of = variable.map_or(Ok(Type::Any), |variable| self.types().referred(variable))?;
            let slot = self.around.frame().slot();
            let node = match expression_in(entry) {
                Some(expression) => self.expression(expression, Some(&name), depth)?,
                None => self.held(entry, depth)?,
            };
            if variable.is_some() {
                self.around.frame().bind_to(&name, slot);
            }
            entries.push((name.clone(), slot, typed(name, of, node)));
        }
        self.around.frame().back_to(mark);
        let context = Node::Context(entries);
        Ok(if result { Node::Path(Box::new(context), Arc::from("")) } else { context })
    }

    fn invocation(&mut self, xml: Xml<'x>, depth: u32) -> Lowered {
        let function = self.held(xml, depth)?;
        let mut arguments = Vec::new();
        for binding in children(xml, "binding") {
            let parameter = child(binding, "parameter").ok_or_else(|| ReadError::at(binding, "'binding' has no 'parameter'"))?;
            let name = normal(needed(parameter, "name")?).into();
            let node = if expression_in(binding).is_some() { self.held(binding, depth)? } else { null() };
            arguments.push((name, node));
        }
        Ok(Node::CallNamed(Box::new(function), arguments))
    }

    /// A function definition; what a business knowledge model calls leaves a trace, and is held to a type.
    pub(super) fn function(&mut self, xml: Xml<'x>, name: Option<&str>, of: Option<(Arc<str>, Type)>, depth: u32) -> Lowered {
        if let Some(kind) = xml.attribute("kind").filter(|kind| *kind != "FEEL") {
            return Err(ReadError::at(xml, format!("a function outside ({kind}) is never called; write it in FEEL")));
        }
        let mut parameters: Vec<(Arc<str>, Type)> = Vec::new();
        for parameter in children(xml, "formalParameter") {
            parameters.push((normal(needed(parameter, "name")?).into(), self.types().referred(parameter)?));
        }
        self.around.enter();
        let itself = name.map(|name| self.around.frame().bind(name));
        for (name, _) in &parameters {
            self.around.frame().bind(name);
        }
        let code = self.held(xml, depth);
        let (captures, slots) = self.around.leave();
        let mut code = code?;
        let mut result = Type::Any;
        if let Some((id, of)) = of {
            result = of.clone();
            let names = parameters.iter().map(|(name, _)| name.clone()).collect();
            let name = Arc::from(name.unwrap_or_default());
            code = Node::Named(Box::new(Named { element: Element::Knowledge, name, id, of, node: code, parameters: names }));
        }
        Ok(Node::Function(Arc::new(Body { parameters, captures, itself, slots, code, result })))
    }

    fn relation(&mut self, xml: Xml<'x>, depth: u32) -> Lowered {
        let mut columns: Vec<Arc<str>> = Vec::new();
        for column in children(xml, "column") {
            let name: Arc<str> = normal(needed(column, "name")?).into();
            if columns.contains(&name) {
                return Err(ReadError::at(column, format!("a second column '{name}'")));
            }
            columns.push(name);
        }
        let mut rows = Vec::new();
        for row in children(xml, "row") {
            let mut entries = Vec::new();
            for (cell, name) in expressions(row).zip(&columns) {
                let node = self.expression(cell, None, depth)?;
                entries.push((name.clone(), self.around.frame().slot(), node));
            }
            if entries.len() < columns.len() {
                return Err(ReadError::at(row, format!("the row has not {} cells, one for each column", columns.len())));
            }
            rows.push(Node::Context(entries));
        }
        Ok(Node::List(rows))
    }

    fn filter(&mut self, xml: Xml<'x>, depth: u32) -> Lowered {
        let list = Box::new(self.held_by(xml, "in", depth)?);
        let mark = self.around.frame().mark();
        let item = self.around.frame().bind("item");
        self.around.frame().bind_item(item);
        let condition = Box::new(self.held_by(xml, "match", depth)?);
        self.around.frame().back_to(mark);
        Ok(Node::Filter { list, item, condition, boxed: true })
    }

    fn iterator(&mut self, xml: Xml<'x>, depth: u32) -> Result<Vec<Iterator>, ReadError> {
        let name = normal(needed(xml, "iteratorVariable")?);
        let domain = self.held_by(xml, "in", depth)?;
        let slot = self.around.frame().bind(&name);
        Ok(vec![Iterator { slot, domain, to: None }])
    }

    fn iteration(&mut self, xml: Xml<'x>, depth: u32) -> Lowered {
        let mark = self.around.frame().mark();
        let iterators = self.iterator(xml, depth)?;
        let named = xml.document().input_text().get(xml.range()).is_some_and(|text| text.contains("partial"));
        let partial = named.then(|| self.around.frame().bind("partial"));
        let body = Box::new(self.held_by(xml, "return", depth)?);
        self.around.frame().back_to(mark);
        Ok(Node::For { iterators, partial, body })
    }

    fn quantified(&mut self, xml: Xml<'x>, every: bool, depth: u32) -> Lowered {
        let mark = self.around.frame().mark();
        let iterators = self.iterator(xml, depth)?;
        let body = Box::new(self.held_by(xml, "satisfies", depth)?);
        self.around.frame().back_to(mark);
        Ok(Node::Quantified { every, iterators, body })
    }
}

fn typed(name: Arc<str>, of: Type, node: Node) -> Node {
    if matches!(of, Type::Any) {
        return node;
    }
    let id = Arc::from("");
    Node::Named(Box::new(Named { element: Element::Entry, name, id, of, node, parameters: Vec::new() }))
}
