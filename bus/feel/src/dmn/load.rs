//! Loading: the parts of a model in the order of their requirements, each compiled once.

use std::sync::Arc;

use crate::environment::Environment;
use crate::evaluate::Evaluation;
use crate::node::Node;
use crate::parse::Surroundings;
use crate::types::Type;
use crate::value::Value;

use super::boxed::{Lowering, expression_in};
use super::cover::Budget;
use super::definitions::{Library, Sort};
use super::item::Types;
use super::model::{Model, Unit};
use super::trace::{Element, Named};
use super::xml::{self, DEPTH, ReadError, Xml, child, children, elements, normal};

/// Models of one load: the model and its imports.
const MODELS: usize = 100;

/// Requirements of all decisions together, those of requirements included.
const REQUIREMENTS: usize = 2_000_000;

/// What each part requires.
pub(super) struct Graph {
    pub(super) needs: Vec<Vec<usize>>,
    /// All parts, none before what it requires.
    pub(super) order: Vec<usize>,
    sorts: Vec<Sort>,
}

impl Model {
    /// Reads a model and compiles it. `imports` are the texts of the models that it imports, and of those that they import.
    ///
    /// # Errors
    /// What is wrong, with its place: no model of DMN 1.3 to 1.5; an expression that cannot be read; a reference to nothing;
    /// requirements in a circle; a function outside (Java, PMML); a table that is declared total and is not; more than 100 models, 16 MiB each, 10,000 parts, 100,000 rules a table, 48 boxed
    /// expressions within each other.
    pub fn read(xml: &str, imports: &[&str]) -> Result<Self, ReadError> {
        load(xml, imports, false)
    }

    /// As [`read`](Self::read), but expressions that cannot be read are null, and listed in [`faults`](Self::faults), as are tables
    /// that are declared total and are not.
    ///
    /// # Errors
    /// As there, apart from those.
    pub fn tolerant(xml: &str, imports: &[&str]) -> Result<Self, ReadError> {
        load(xml, imports, true)
    }
}

fn load(xml: &str, imports: &[&str], tolerant: bool) -> Result<Model, ReadError> {
    let mut documents = vec![xml::document(xml)?];
    if imports.len() >= MODELS {
        let message = format!("more than {MODELS} models in one load, those that it imports included");
        return Err(ReadError { message, line: 1, column: 1, model: None });
    }
    for import in imports {
        documents.push(xml::document(import)?);
    }
    let roots: Vec<Xml<'_>> = documents.iter().map(|document| document.root_element()).collect();
    let library = Library::gather(&roots)?;
    let types = types(&library)?;
    let graph = Graph::of(&library)?;
    let mut lowering = Lowering {
        library: &library,
        types: &types,
        home: 0,
        owner: Arc::from(""),
        around: Surroundings::default(),
        tolerant,
        faults: Vec::new(),
        tables: Vec::new(),
        examinations: Budget::default(),
    };
    roots.iter().for_each(|root| lowering.remember_entries(*root));
    let (units, initial) = lowering.units(&graph)?;
    let (faults, tables) = (lowering.faults, lowering.tables);
    Ok(Model::of(&library, units, initial, tables, faults))
}

/// The types of all models, those of imports first.
fn types(library: &Library<'_>) -> Result<Vec<Types>, ReadError> {
    let mut read = vec![false; library.all.len()];
    let mut types: Vec<Types> = library.all.iter().map(|_| Types::default()).collect();
    for _ in 0..library.all.len() {
        let ready = (0..library.all.len())
            .find(|home| !read[*home] && library.all[*home].imports.iter().all(|(_, at)| at == home || read[*at]));
        // Models that import each other see the types of those read before.
        let Some(home) = ready.or_else(|| read.iter().position(|read| !read)) else { break };
        let own = Types::read(library, home, &types).map_err(|error| library.placed(home, error))?;
        types[home] = own;
        read[home] = true;
    }
    Ok(types)
}

impl Graph {
    fn of(library: &Library<'_>) -> Result<Self, ReadError> {
        let sorts = library.parts.iter().map(|part| part.sort).collect();
        let mut graph = Self { needs: Vec::new(), order: Vec::new(), sorts };
        for part in 0..library.parts.len() {
            let home = library.parts[part].home;
            graph.needs.push(needs(library, part).map_err(|error| library.placed(home, error))?);
        }
        graph.sort(library)?;
        Ok(graph)
    }

    pub(super) fn is_decision(&self, part: usize) -> bool {
        self.sorts[part] == Sort::Decision
    }

    /// Puts the parts in order, without recursion: requirements may be a long way down.
    fn sort(&mut self, library: &Library<'_>) -> Result<(), ReadError> {
        let mut done = vec![false; self.needs.len()];
        let mut under_way = vec![false; self.needs.len()];
        for first in 0..self.needs.len() {
            let mut path: Vec<(usize, usize)> = if done[first] { Vec::new() } else { vec![(first, 0)] };
            while let Some((part, next)) = path.last_mut() {
                let part = *part;
                under_way[part] = true;
                if let Some(need) = self.needs[part].get(*next).copied() {
                    *next += 1;
                    if under_way[need] {
                        return Err(circle(library, &path, need));
                    }
                    if !done[need] {
                        path.push((need, 0));
                    }
                } else {
                    (done[part], under_way[part]) = (true, false);
                    self.order.push(part);
                    path.pop();
                }
            }
        }
        Ok(())
    }

    /// The decisions that are evaluated for a decision, itself last.
    fn decisions(&self, decision: usize, so_far: &[Option<Unit>]) -> Vec<usize> {
        let mut found: Vec<usize> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for need in self.needs[decision].iter().filter(|need| self.is_decision(**need)) {
            let theirs = so_far[*need].as_ref().map_or(&[][..], |unit| &unit.order);
            found.extend(theirs.iter().copied().filter(|part| seen.insert(*part)));
        }
        found.push(decision);
        found
    }

    /// The inputs that these decisions need.
    fn inputs(&self, decisions: &[usize]) -> Vec<usize> {
        let mut seen = std::collections::HashSet::new();
        let needs = decisions.iter().flat_map(|decision| &self.needs[*decision]).copied();
        needs.filter(|need| self.sorts[*need] == Sort::Input && seen.insert(*need)).collect()
    }
}

fn circle(library: &Library<'_>, path: &[(usize, usize)], closing: usize) -> ReadError {
    let begin = path.iter().position(|(part, _)| *part == closing).unwrap_or(0);
    let names = path[begin..].iter().map(|(part, _)| *part).chain([closing]).take(12);
    let names: Vec<&str> = names.map(|part| &*library.parts[part].name).collect();
    let part = &library.parts[closing];
    let message = format!("requirements go in a circle: {}", names.join(" needs "));
    library.placed(part.home, ReadError::at(part.xml, message))
}

/// What a part requires, each once. A knowledge model may call itself.
fn needs(library: &Library<'_>, part: usize) -> Result<Vec<usize>, ReadError> {
    let (xml, home) = (library.parts[part].xml, library.parts[part].home);
    let wanted: &[(&str, &[Sort])] = &[
        ("requiredInput", &[Sort::Input]),
        ("requiredDecision", &[Sort::Decision]),
        ("requiredKnowledge", &[Sort::Knowledge, Sort::Service]),
        ("outputDecision", &[Sort::Decision]),
        ("encapsulatedDecision", &[Sort::Decision]),
    ];
    let requirements = elements(xml).flat_map(|element| match element.tag_name().name() {
        "informationRequirement" | "knowledgeRequirement" => elements(element).collect(),
        "outputDecision" | "encapsulatedDecision" => vec![element],
        _ => Vec::new(),
    });
    let mut found = Vec::new();
    for requirement in requirements {
        let Some((name, sorts)) = wanted.iter().find(|(name, _)| *name == requirement.tag_name().name()) else { continue };
        let need = library.referred(home, requirement)?;
        if !sorts.contains(&library.parts[need].sort) {
            return Err(ReadError::at(requirement, format!("'{}' cannot be a '{name}'", library.parts[need].name)));
        }
        let itself = need == part && library.parts[part].sort == Sort::Knowledge;
        if !itself && !found.contains(&need) {
            found.push(need);
        }
    }
    Ok(found)
}

/// The type of an element's variable.
fn variable_type(types: &Types, xml: Xml<'_>) -> Result<Type, ReadError> {
    child(xml, "variable").map_or(Ok(Type::Any), |variable| types.referred(variable))
}

/// The type of what a function gives whose variable says its own type, or only that of the result.
pub(super) fn result_type(types: &Types, xml: Xml<'_>) -> Result<Type, ReadError> {
    Ok(match variable_type(types, xml)? {
        Type::Function(_, result) => (*result).clone(),
        Type::Simple("function") => Type::Any,
        other => other,
    })
}

impl<'x> Lowering<'_, 'x> {
    /// Names with spaces or signs that contexts of the model may have.
    fn remember_entries(&mut self, root: Xml<'x>) {
        for element in root.descendants().filter(|element| element.is_element()) {
            let named = match element.tag_name().name() {
                "itemComponent" | "output" | "column" | "inputData" | "decision" => Some(element),
                "contextEntry" => child(element, "variable"),
                _ => None,
            };
            let Some(name) = named.and_then(|named| named.attribute("name")).map(normal) else { continue };
            if name.contains(|c: char| !c.is_alphanumeric() && c != '_') {
                self.around.remember(&name.into());
            }
        }
    }

    /// All parts, compiled, and the values that are the same at every evaluation: functions.
    fn units(&mut self, graph: &Graph) -> Result<(Vec<Unit>, Vec<Value>), ReadError> {
        let count = self.library.parts.len();
        let mut units: Vec<Option<Unit>> = (0..count).map(|_| None).collect();
        let mut initial = vec![Value::Null; count];
        let (mut requirements, mut held) = (0, 0);
        for part in graph.order.iter().copied() {
            let home = self.library.parts[part].home;
            let unit = self.unit(part, graph, &units, &mut initial, &mut held);
            let unit = unit.map_err(|error| self.library.placed(home, error))?;
            requirements += unit.order.len() + unit.inputs.len();
            if requirements > REQUIREMENTS {
                return Err(ReadError::at(self.library.parts[part].xml, "decisions require too many others"));
            }
            units[part] = Some(unit);
        }
        Ok((units.into_iter().flatten().collect(), initial))
    }

    fn unit(
        &mut self,
        part: usize,
        graph: &Graph,
        so_far: &[Option<Unit>],
        initial: &mut [Value],
        held: &mut usize,
    ) -> Result<Unit, ReadError> {
        let library = self.library;
        let found = &library.parts[part];
        self.home = found.home;
        self.owner = found.name.clone();
        self.around.begin(library.parts.len());
        let mut unit = Unit {
            sort: found.sort,
            name: library.called(0, part),
            of: Type::Any,
            node: None,
            order: Vec::new(),
            inputs: Vec::new(),
        };
        if found.sort == Sort::Service {
            let node = self.service(part, graph, held)?;
            initial[part] = function(&node, initial);
            return Ok(unit);
        }
        for need in &graph.needs[part] {
            let name = library.called(found.home, *need);
            self.around.frame().bind_to(&name, *need);
        }
        match found.sort {
            Sort::Input => unit.of = self.type_of(part)?,
            Sort::Decision => {
                unit.of = self.type_of(part)?;
                unit.node = Some(self.decision(part)?);
                unit.order = graph.decisions(part, so_far);
                unit.inputs = graph.inputs(&unit.order);
            }
            Sort::Knowledge | Sort::Service => {
                let node = self.knowledge(part)?;
                initial[part] = function(&node, initial);
            }
        }
        Ok(unit)
    }

    /// The type of a part's variable.
    pub(super) fn type_of(&self, part: usize) -> Result<Type, ReadError> {
        let found = &self.library.parts[part];
        variable_type(&self.types[found.home], found.xml)
    }

    /// A decision's logic, among the names that it requires.
    pub(super) fn decision(&mut self, part: usize) -> Result<Node, ReadError> {
        let found = &self.library.parts[part];
        let outer = (self.home, self.owner.clone());
        (self.home, self.owner) = (found.home, found.name.clone());
        let (name, id, of) = (found.name.clone(), found.id.clone(), self.type_of(part)?);
        let node = if expression_in(found.xml).is_some() {
            self.held(found.xml, DEPTH)?
        } else {
            // A model may be drawn before its logic is written; whoever deploys it sees that among the faults.
            self.faults
                .push(self.library.placed(found.home, ReadError::at(found.xml, format!("the decision '{name}' has no logic"))));
            Node::Constant(Value::Null)
        };
        (self.home, self.owner) = outer;
        Ok(Node::Named(Box::new(Named { element: Element::Decision, name, id, of, node, parameters: Vec::new() })))
    }

    fn knowledge(&mut self, part: usize) -> Result<Node, ReadError> {
        let found = &self.library.parts[part];
        let of = result_type(self.types(), found.xml)?;
        match children(found.xml, "encapsulatedLogic").next() {
            Some(logic) => self.function(logic, Some(&found.name), Some((found.id.clone(), of)), DEPTH),
            None => self.fault(ReadError::at(found.xml, format!("the knowledge model '{}' has no logic", found.name))),
        }
    }
}

/// The value of a function definition, which takes what it needs from the functions before it.
fn function(node: &Node, initial: &[Value]) -> Value {
    Evaluation::new(&Environment::timeless()).begin(node, initial).unwrap_or(Value::Null)
}
