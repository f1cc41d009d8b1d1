//! One translation from what is written to what is run: every field held against both descriptors.

use std::sync::Arc;

use passerelle_feel::{Expression, Inferred, Scope, Shape, infer};
use prost_reflect::{Cardinality, FieldDescriptor, Kind, MessageDescriptor};
use serde_saphyr::Spanned;

use super::fit::{Fit, unknown};
use super::loss::{self, Loss};
use super::mapping::{Field, Mapping, Table};
use super::source::{Problem, problem};
use super::written::{Detailed, Message, Written};
use crate::payload::{shape_of, single};

/// Messages within messages that the report of what is never set looks into.
const REPORT_DEPTH: usize = 4;

/// What is at hand while one translation is compiled.
pub(super) struct Bench<'a> {
    pub(super) file: &'a str,
    pub(super) written: &'a Spanned<Message>,
    pub(super) from: MessageDescriptor,
    pub(super) to: MessageDescriptor,
    pub(super) problems: Vec<Problem>,
    reads: Vec<Vec<Arc<str>>>,
    /// What is set, as nested contexts.
    set: Shape,
    /// The same as paths.
    paths: Vec<Vec<Arc<str>>>,
}

impl<'a> Bench<'a> {
    pub(super) fn new(file: &'a str, written: &'a Spanned<Message>, from: MessageDescriptor, to: MessageDescriptor) -> Self {
        let set = Shape::Context(Arc::default());
        Self { file, written, from, to, problems: Vec::new(), reads: Vec::new(), set, paths: Vec::new() }
    }

    /// Compiles it; nothing where something is wrong.
    pub(super) fn compile(mut self) -> Result<Mapping, Vec<Problem>> {
        let message = &self.written.value;
        let mut fields = Vec::new();
        for (path, written) in &message.fields {
            let names: Vec<Arc<str>> = path.split('.').map(Arc::from).collect();
            if let Some(field) = self.field(names, written) {
                fields.push(field);
            }
        }
        let required = self.required(message);
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        let mut loss = Loss { dropped: loss::unread(&self.from, &self.reads), unset: Vec::new() };
        loss::unset(&self.to, &self.set, "", &mut loss.unset, REPORT_DEPTH);
        let place = problem(self.file, self.written, "").place;
        Ok(Mapping { from: self.from, to: self.to, place, fields, required, loss })
    }

    fn field(&mut self, path: Vec<Arc<str>>, written: &Spanned<Written>) -> Option<Field> {
        let Written(detailed) = &written.value;
        let name = path.join(".");
        let target = match resolve(&self.to, &path) {
            Ok(target) => target,
            Err(why) => return self.wrong(written, why),
        };
        // A shorter path stands before a longer one, as the map is sorted.
        if self.paths.iter().any(|set| path.starts_with(set)) {
            return self.wrong(written, format!("{name}: the message around this field is set as a whole already"));
        }
        let scope = Scope { names: vec!["source".into()], ..Scope::default() };
        let expression = match Expression::compile(&detailed.value, &scope) {
            Ok(expression) => expression,
            Err(error) => return self.wrong(written, format!("{name}: the expression is no FEEL: {error}")),
        };
        if let Some(unknown) = expression.unknown.first() {
            let why =
                format!("{name}: there is no name `{unknown}` here: fields of {} are `source.FIELD`", self.from.full_name());
            return self.wrong(written, why);
        }
        let Inferred { shape, reads, problems } = infer(&expression, &[shape_of(&self.from)]);
        self.reads.extend(reads.into_iter().map(|(_, path)| path));
        if let Some(why) = problems.first() {
            return self.wrong(written, format!("{name}: {why}"));
        }
        let (shape, table) = match self.table(detailed, shape) {
            Ok(both) => both,
            Err(why) => return self.wrong(written, format!("{name}: {why}")),
        };
        if let Err(why) = Fit::new(detailed.narrow.is_some()).field(&shape, &target) {
            return self.wrong(written, format!("{name}: {why}"));
        }
        self.set = put(&self.set, &path, shape);
        self.paths.push(path.clone());
        Some(Field { path, value: expression, table })
    }

    /// The table of a field, and what its value is behind it.
    fn table(&self, detailed: &Detailed, shape: Shape) -> Result<(Shape, Option<Table>), String> {
        let Some(table) = &detailed.table else {
            return match detailed.otherwise {
                Some(_) => Err("`otherwise` is for a `table`".to_owned()),
                None => Ok((shape, None)),
            };
        };
        match &shape {
            Shape::Text(Some(words)) => {
                if let Some(strange) = table.keys().find(|key| words.iter().all(|word| **word != ***key)) {
                    return Err(format!(
                        "the table has an entry for {strange}, which never comes (there are: {})",
                        words.join(", ")
                    ));
                }
                let missing: Vec<&str> = words.iter().map(|word| &**word).filter(|word| !table.contains_key(*word)).collect();
                if detailed.otherwise.is_none() && !missing.is_empty() {
                    return Err(format!("the table has no entry for {}, and there is no `otherwise`", missing.join(", ")));
                }
            }
            Shape::Text(None) | Shape::Unknown => {}
            other => return Err(format!("a table is for texts, and the expression gives a {}", other.type_name())),
        }
        let becomes = table.iter().map(|(key, value)| (key.clone(), Arc::from(value.as_str()))).collect();
        let otherwise = detailed.otherwise.as_deref().map(Arc::from);
        let words = table.values().chain(&detailed.otherwise).map(|word| Arc::from(word.as_str())).collect();
        Ok((Shape::Text(Some(words)), Some(Table { becomes, otherwise })))
    }

    /// Required fields: they must be there, and have an expression.
    fn required(&mut self, message: &Message) -> Vec<Vec<Arc<str>>> {
        let mut required = Vec::new();
        for written in &message.required {
            let path: Vec<Arc<str>> = written.value.split('.').map(Arc::from).collect();
            match resolve(&self.to, &path) {
                Err(why) => self.problems.push(problem(self.file, written, why)),
                Ok(_) if !is_set(&self.set, &path) && self.problems.is_empty() => {
                    self.problems.push(problem(
                        self.file,
                        written,
                        format!("{} is required, and no expression sets it", written.value),
                    ));
                }
                Ok(_) => required.push(path),
            }
        }
        for field in self.to.fields().filter(|field| field.cardinality() == Cardinality::Required) {
            let path = vec![Arc::from(field.name())];
            if !is_set(&self.set, &path) && self.problems.is_empty() {
                let why = format!("{} is required by its contract, and no expression sets it", field.name());
                self.problems.push(problem(self.file, self.written, why));
            }
        }
        required
    }

    fn wrong<T>(&mut self, written: &Spanned<T>, why: String) -> Option<Field> {
        self.problems.push(problem(self.file, written, why));
        None
    }
}

/// The field at a path.
fn resolve(message: &MessageDescriptor, path: &[Arc<str>]) -> Result<FieldDescriptor, String> {
    let mut message = message.clone();
    let mut names = path.iter().peekable();
    while let Some(name) = names.next() {
        let field = message.get_field_by_name(name).ok_or_else(|| unknown(&message, name))?;
        if names.peek().is_none() {
            return Ok(field);
        }
        message = match field.kind() {
            Kind::Message(inner) if !field.is_map() && !field.is_list() && single(&inner).is_none() => inner,
            _ => return Err(format!("`{name}` has no fields of its own here: give it a value as a whole")),
        };
    }
    Err("a field has a name".to_owned())
}

fn is_set(set: &Shape, path: &[Arc<str>]) -> bool {
    match (set, path) {
        (_, []) => true,
        (Shape::Context(entries), [first, rest @ ..]) => {
            entries.iter().find(|(entry, _)| entry == first).is_some_and(|(_, inner)| is_set(inner, rest))
        }
        (Shape::Record(schema), [first, rest @ ..]) => schema.entry(first).is_some_and(|inner| is_set(&inner, rest)),
        (Shape::Null, _) => false,
        _ => true,
    }
}

/// The same with a value at a path.
fn put(set: &Shape, path: &[Arc<str>], value: Shape) -> Shape {
    let Some((first, rest)) = path.split_first() else { return value };
    let mut entries = if let Shape::Context(entries) = set { entries.to_vec() } else { Vec::new() };
    match entries.iter_mut().find(|(entry, _)| entry == first) {
        Some((_, inner)) => *inner = put(inner, rest, value),
        None => entries.push((first.clone(), put(&Shape::Context(Arc::default()), rest, value))),
    }
    Shape::Context(Arc::new(entries))
}
