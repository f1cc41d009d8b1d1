//! Item definitions: the types that a model defines.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::types::Type;
use crate::{Expression, Scope};

use super::definitions::Library;
use super::xml::{DEPTH, ReadError, Xml, child, children, needed, normal, text, text_of};

/// Types within types that one definition may come to, those used twice counted twice.
const PARTS: usize = 10_000;

/// The types of one model, as its expressions name them.
#[derive(Default)]
pub(super) struct Types {
    pub(super) named: Vec<(Arc<str>, Type)>,
    parts: HashMap<Arc<str>, usize>,
    /// What the allowed values of a type are, where they are said: `"high", "low"`.
    pub(super) allowed: HashMap<Arc<str>, Arc<str>>,
}

/// A type, and how many types it is made of.
type Made = (Type, usize);

impl Types {
    /// Reads the item definitions of one model; those that it imports are read already.
    pub(super) fn read<'x>(library: &Library<'x>, home: usize, read: &[Self]) -> Result<Self, ReadError> {
        let mut types = Self::default();
        for (import, at) in &library.all[home].imports {
            let Some(imported) = read.get(*at).filter(|_| *at != home) else { continue };
            let here =
                |name: &str| -> Arc<str> { if import.is_empty() { name.into() } else { format!("{import}.{name}").into() } };
            for (name, of) in &imported.named {
                types.parts.insert(here(name), imported.parts.get(name).copied().unwrap_or(1));
                types.named.push((here(name), of.clone()));
            }
            types.allowed.extend(imported.allowed.iter().map(|(name, values)| (here(name), values.clone())));
        }
        let root = library.all[home].root;
        let mut definitions = HashMap::new();
        for definition in children(root, "itemDefinition") {
            definitions.insert(normal(needed(definition, "name")?), definition);
        }
        let mut reader = Reader { definitions, under_way: HashSet::new(), types };
        for definition in children(root, "itemDefinition") {
            reader.define(&normal(needed(definition, "name")?), definition, DEPTH)?;
        }
        Ok(reader.types)
    }

    /// The type of a reference such as `string`, `feel:string`, `tCustomer`, `Import.tCustomer`.
    pub(super) fn find(&self, reference: &str) -> Option<Type> {
        self.defined(reference).or_else(|| built_in(reference))
    }

    /// The type that an attribute `typeRef` names; anything where there is none.
    pub(super) fn referred(&self, of: Xml<'_>) -> Result<Type, ReadError> {
        let Some(reference) = of.attribute("typeRef").map(normal).filter(|reference| !reference.is_empty()) else {
            return Ok(Type::Any);
        };
        self.find(&reference).ok_or_else(|| self.unknown(of, &reference))
    }

    fn defined(&self, name: &str) -> Option<Type> {
        self.named.iter().find(|(known, _)| **known == *name).map(|(_, of)| of.clone())
    }

    fn unknown(&self, of: Xml<'_>, reference: &str) -> ReadError {
        let known: Vec<&str> = self.named.iter().take(12).map(|(name, _)| &**name).collect();
        ReadError::at(of, format!("there is no type '{reference}'; besides those of FEEL there are: {}", known.join(", ")))
    }
}

/// A type of FEEL itself; also those that Camunda's modeler writes for version 7.
fn built_in(reference: &str) -> Option<Type> {
    let local = reference.rsplit_once([':', '}']).map_or(reference, |(_, local)| local);
    match local {
        "integer" | "long" | "double" => Type::named("number"),
        local => Type::named(local),
    }
}

struct Reader<'x> {
    definitions: HashMap<String, Xml<'x>>,
    under_way: HashSet<String>,
    types: Types,
}

impl<'x> Reader<'x> {
    fn define(&mut self, name: &str, definition: Xml<'x>, depth: u32) -> Result<Made, ReadError> {
        if let Some(known) = self.types.defined(name) {
            return Ok((known, self.types.parts.get(name).copied().unwrap_or(1)));
        }
        if !self.under_way.insert(name.to_owned()) {
            return Err(ReadError::at(definition, format!("the type '{name}' holds itself")));
        }
        let (of, parts) = self.item(definition, depth)?;
        self.under_way.remove(name);
        let name: Arc<str> = name.into();
        if let Some(values) = child(definition, "allowedValues") {
            self.types.allowed.insert(name.clone(), text_of(values).into());
        }
        self.types.parts.insert(name.clone(), parts);
        self.types.named.push((name, of.clone()));
        Ok((of, parts))
    }

    fn item(&mut self, item: Xml<'x>, depth: u32) -> Result<Made, ReadError> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(ReadError::at(item, format!("types are nested more than {DEPTH} levels deep")));
        };
        let (mut of, mut parts) = self.base(item, depth)?;
        if let Some(values) = child(item, "allowedValues") {
            of = constrained(of, values)?;
        }
        if item.attribute("isCollection") == Some("true") {
            of = Type::List(Arc::new(of));
        }
        if let Some(constraint) = child(item, "typeConstraint") {
            of = constrained(of, constraint)?;
        }
        parts += 1;
        if parts > PARTS {
            return Err(ReadError::at(item, format!("the type is made of more than {PARTS} types")));
        }
        Ok((of, parts))
    }

    fn base(&mut self, item: Xml<'x>, depth: u32) -> Result<Made, ReadError> {
        if let Some(function) = child(item, "functionItem") {
            return self.function(function, depth);
        }
        if let Some(reference) = child(item, "typeRef") {
            return self.reference(&normal(&text(reference)), reference, depth);
        }
        let mut components = Vec::new();
        let mut parts = 0;
        for component in children(item, "itemComponent") {
            let (of, more) = self.item(component, depth)?;
            parts += more;
            components.push((normal(needed(component, "name")?).into(), of));
        }
        Ok(if components.is_empty() { (Type::Any, 0) } else { (Type::Context(Arc::new(components)), parts) })
    }

    fn function(&mut self, function: Xml<'x>, depth: u32) -> Result<Made, ReadError> {
        let mut reference = |of: Xml<'x>, attribute: &'static str| match of.attribute(attribute) {
            Some(reference) => self.reference(&normal(reference), of, depth),
            None => Ok((Type::Any, 0)),
        };
        let (result, mut parts) = reference(function, "outputTypeRef")?;
        let mut parameters = Vec::new();
        for parameter in children(function, "parameters") {
            let (of, more) = reference(parameter, "typeRef")?;
            parts += more;
            parameters.push(of);
        }
        Ok((Type::Function(Arc::new(parameters), Arc::new(result)), parts))
    }

    fn reference(&mut self, name: &str, of: Xml<'x>, depth: u32) -> Result<Made, ReadError> {
        if let Some(known) = self.types.defined(name) {
            return Ok((known, self.types.parts.get(name).copied().unwrap_or(1)));
        }
        match self.definitions.get(name).copied() {
            // A type may bear the name of the one of FEEL that it narrows.
            Some(definition) if !self.under_way.contains(name) || built_in(name).is_none() => {
                let depth = depth.checked_sub(1).ok_or_else(|| ReadError::at(of, "types refer to each other too deeply"))?;
                self.define(name, definition, depth)
            }
            _ => built_in(name).map(|of| (of, 0)).ok_or_else(|| self.types.unknown(of, name)),
        }
    }
}

fn constrained(of: Type, tests: Xml<'_>) -> Result<Type, ReadError> {
    let written = text_of(tests);
    if written.trim().is_empty() {
        return Ok(of);
    }
    let tested = Expression::compile_tests(&written, &Scope::of(&["?"]));
    let tested = tested.map_err(|error| ReadError::within(child(tests, "text").unwrap_or(tests), &error))?;
    Ok(Type::Constrained(Arc::new(of), Arc::new(tested)))
}
