//! All translations together: mappings by their types, and methods that are served by others.

use std::collections::HashMap;
use std::sync::Arc;

use prost_reflect::MessageDescriptor;
use serde_saphyr::Spanned;

use super::compile::Bench;
use super::mapping::Mapping;
use super::source::{Problem, Sources, problem};
use super::written::MethodPair;
use crate::contract::{Method, Snapshot};

/// Translations that fit the contracts of one moment.
#[derive(Debug, Default)]
pub struct Set {
    mappings: HashMap<(String, String), Arc<Mapping>>,
    /// In the order they are written.
    pub ordered: Vec<Arc<Mapping>>,
    /// Methods that are served by others.
    pub exposed: Vec<Arc<Exposed>>,
    /// What does not fit; what it is about is not in the set.
    pub problems: Vec<Problem>,
}

/// A method that callers see, served by another one.
#[derive(Debug)]
pub struct Exposed {
    /// As callers call it.
    pub method: Arc<Method>,
    /// What is called in its place.
    pub calls: Arc<Method>,
    /// The request's way; nothing where both take the same type.
    pub request: Option<Arc<Mapping>>,
    /// The answer's way back.
    pub answer: Option<Arc<Mapping>>,
}

impl Set {
    /// Compiles all translations against the contracts of a moment.
    #[must_use]
    pub fn compile(sources: &Sources, snapshot: &Snapshot) -> Self {
        let mut set = Self::default();
        for (file, read) in &sources.files {
            for message in &read.messages {
                let types = find(snapshot, &message.value.from).and_then(|from| Ok((from, find(snapshot, &message.value.to)?)));
                let compiled = match types {
                    Ok((from, to)) => Bench::new(file, message, from, to).compile(),
                    Err(why) => Err(vec![Problem { waits: true, ..problem(file, message, why) }]),
                };
                match compiled {
                    Ok(mapping) => set.add(Arc::new(mapping)),
                    Err(problems) => set.problems.extend(problems),
                }
            }
        }
        for (file, read) in &sources.files {
            for pair in &read.methods {
                match set.expose(file, pair, snapshot) {
                    Ok(exposed) => set.exposed.push(Arc::new(exposed)),
                    Err(problem) => set.problems.push(problem),
                }
            }
        }
        set
    }

    /// The mapping of one type to another.
    #[must_use]
    pub fn mapping(&self, from: &str, to: &str) -> Option<&Arc<Mapping>> {
        self.mappings.get(&(from.to_owned(), to.to_owned()))
    }

    fn add(&mut self, mapping: Arc<Mapping>) {
        let types = (mapping.from.full_name().to_owned(), mapping.to.full_name().to_owned());
        if let Some(other) = self.mappings.get(&types) {
            let message = format!("{} to {} is translated already, at {}", types.0, types.1, other.place);
            self.problems.push(Problem { place: mapping.place.clone(), message, waits: false });
            return;
        }
        self.ordered.push(mapping.clone());
        self.mappings.insert(types, mapping);
    }

    fn expose(&self, file: &str, pair: &Spanned<MethodPair>, snapshot: &Snapshot) -> Result<Exposed, Problem> {
        let method = |name: &str| {
            let why = || format!("no contract has the method `{name}`");
            let found = snapshot.method(&format!("/{name}")).cloned();
            found.ok_or_else(|| Problem { waits: true, ..problem(file, pair, why()) })
        };
        let (called, serving) = (method(&pair.value.method)?, method(&pair.value.calls)?);
        if let Some(streams) = [&called, &serving].into_iter().find(|method| method.client_streaming || method.server_streaming) {
            let why = format!("`{}` is {}: methods with one message each way are translated", pair_name(streams), streams.kind());
            return Err(problem(file, pair, why));
        }
        let spoken = snapshot.contract(&called.contract, None).is_some_and(|contract| contract.binding.is_some());
        if spoken {
            let why = format!("`{}` is served by the endpoint of its own contract", pair.value.method);
            return Err(problem(file, pair, why));
        }
        let way = |from: &MessageDescriptor, to: &MessageDescriptor| {
            let found = self.mapping(from.full_name(), to.full_name()).cloned();
            if found.is_none() && from.full_name() != to.full_name() {
                let why = format!(
                    "no translation makes a {} of a {}, which `{}` needs",
                    to.full_name(),
                    from.full_name(),
                    pair.value.method
                );
                return Err(Problem { waits: self.problems.iter().any(|problem| problem.waits), ..problem(file, pair, why) });
            }
            Ok(found)
        };
        let (request, answer) = (way(&called.input, &serving.input)?, way(&serving.output, &called.output)?);
        Ok(Exposed { method: called, calls: serving, request, answer })
    }
}

fn pair_name(method: &Method) -> &str {
    method.path.trim_start_matches('/')
}

/// A type of the newest contracts.
fn find(snapshot: &Snapshot, name: &str) -> Result<MessageDescriptor, String> {
    let found = snapshot.newest().find_map(|contract| contract.image.pool().get_message_by_name(name));
    found.ok_or_else(|| format!("no contract has the message `{name}`"))
}
