//! A set of routes: all files together, held against the contracts that are registered. It is replaced whole, or not at all.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use http::HeaderName;
use serde_saphyr::Spanned;

use super::compile::{Compiled, Draft};
use super::decided::Models;
use super::index::Index;
use super::rules::{Rule, Rules};
use super::source::{Problem, Refused, Sources};
use super::written::{Mode, Names, Route};
use crate::contract::{Method, Snapshot};
use crate::keyed::Clock;
use crate::written::place;

/// What routes are held against.
pub struct Surroundings<'a> {
    /// The contracts that are registered.
    pub snapshot: &'a Snapshot,
    /// The endpoints of the settings, by name.
    pub endpoints: &'a [String],
    /// The metadata key under which channels say who they are.
    pub channel_key: &'a HeaderName,
    /// What tells when a call came.
    pub clock: Arc<dyn Clock>,
}

/// All routes, compiled.
#[derive(Debug, Default)]
pub struct Set {
    hash: String,
    methods: BTreeMap<String, Arc<Rules>>,
    waiting: BTreeMap<String, Vec<String>>,
    listed: Vec<Listed>,
}

/// What people see of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Where it is written.
    pub place: String,
    /// A method whose calls it takes.
    pub method: String,
    /// Its condition; empty: every call.
    pub when: String,
    /// Where it sends them; empty: where they would go without it.
    pub to: String,
    /// Whether its method is registered.
    pub active: bool,
}

impl Set {
    /// Compiles everything, and changes nothing.
    ///
    /// # Errors
    /// What is wrong, with file, line and column. Methods that are not registered are no error: their routes wait for them.
    pub fn compile(sources: &Sources, around: &Surroundings<'_>) -> Result<Self, Refused> {
        let mut problems = Vec::new();
        let drafts = drafts(sources, &mut problems);
        let mut set = Self { hash: sources.hash.clone(), ..Self::default() };
        for (path, draft) in &drafts {
            set.listed.extend(draft.routes.iter().map(|(file, route)| listed(path, file, route)));
            match around.snapshot.method(path) {
                None => {
                    let names = draft.routes.iter().map(|(_, route)| route.name.value.clone());
                    set.waiting.insert(path.clone(), names.collect());
                }
                Some(method) => {
                    let rules = rules(method, draft, &sources.models, around, &mut problems);
                    set.methods.insert(path.clone(), Arc::new(rules));
                }
            }
        }
        for listed in &mut set.listed {
            listed.active = set.methods.contains_key(&format!("/{}", listed.method));
        }
        Refused::unless_none(problems)?;
        Ok(set)
    }

    /// The first digits of the SHA-256 of all files; empty without files.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The routes of a method, by its path.
    pub fn rules(&self, path: &str) -> Option<&Arc<Rules>> {
        self.methods.get(path)
    }

    /// Routes, by the paths of the methods that they wait for: nobody has registered them.
    pub fn waiting(&self) -> &BTreeMap<String, Vec<String>> {
        &self.waiting
    }

    /// All routes, once for each of their methods, in the order in which they are looked at.
    pub fn listed(&self) -> &[Listed] {
        &self.listed
    }
}

/// The routes of each method, by its path.
fn drafts<'a>(sources: &'a Sources, problems: &mut Vec<Problem>) -> BTreeMap<String, Draft<'a>> {
    let mut drafts: BTreeMap<String, Draft<'a>> = BTreeMap::new();
    let mut names: HashMap<&str, String> = HashMap::new();
    for (file, written) in &sources.files {
        for route in &written.routes {
            let name = route.name.value.as_str();
            let here = place(file, &route.name);
            let mut wrong = |message: String| problems.push(Problem { place: here.clone(), route: name.to_owned(), message });
            if !is_name(name) {
                wrong("a route's name has 1 to 100 letters, digits, `-`, `_` and `.`".to_owned());
            }
            if let Some(other) = names.insert(name, here.clone()) {
                wrong(format!("{other} has the same name"));
            }
            let Some(from) = route.from.as_ref().or(written.from.as_ref()) else {
                wrong("it needs `from`: the methods whose calls it takes (package.Service/Method)".to_owned());
                continue;
            };
            for path in paths(&from.value, &mut wrong) {
                let draft = drafts.entry(path).or_insert_with(|| Draft { mode: written.mode, file, routes: Vec::new() });
                if draft.mode != written.mode {
                    wrong(format!("{} says another `mode` for the routes of this method", draft.file));
                }
                draft.routes.push((file, route));
            }
        }
    }
    drafts
}

/// The paths of methods that are named, each once.
fn paths(names: &Names, wrong: &mut impl FnMut(String)) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut paths = Vec::new();
    for name in &names.0 {
        match name.split_once('/') {
            Some((service, method)) if !service.is_empty() && !method.is_empty() && !method.contains('/') => {
                if seen.insert(name) {
                    paths.push(format!("/{name}"));
                }
            }
            _ => wrong(format!("`{name}` is no method (package.Service/Method); topics come with delivery")),
        }
    }
    paths
}

fn is_name(name: &str) -> bool {
    (1..=100).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn rules(
    method: &Arc<Method>,
    draft: &Draft<'_>,
    models: &Models,
    around: &Surroundings<'_>,
    problems: &mut Vec<Problem>,
) -> Rules {
    let Compiled { reading, routes, guards, goals } = draft.compile(method, models, around, problems);
    let handles = draft.mode == Mode::All || routes.iter().any(Rule::handles_message);
    Rules {
        needs_message: handles || reading.looks_into(),
        method: method.path.trim_start_matches('/').to_owned(),
        mode: draft.mode,
        reading,
        routes,
        index: Index::new(&guards),
        goals,
        channel_key: around.channel_key.clone(),
        clock: around.clock.clone(),
        undecided: OnceLock::new(),
    }
}

fn listed(path: &str, file: &str, route: &Route) -> Listed {
    let destination = |to: &super::written::Destination| match (&to.endpoint, &to.method) {
        (Some(endpoint), Some(method)) => format!("{method} at {endpoint}"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => String::new(),
    };
    Listed {
        name: route.name.value.clone(),
        place: place(file, &route.name),
        method: path.trim_start_matches('/').to_owned(),
        when: route.when.as_ref().map(|when| when.value.clone()).unwrap_or_default(),
        to: match &route.decide {
            None => route.to.as_ref().map(|to| destination(&to.value)).unwrap_or_default(),
            Some(decide) => {
                let choice = |(choice, to): (&String, &Spanned<_>)| format!("{choice}: {}", destination(&to.value));
                let choices: Vec<String> = route.choices.iter().map(choice).collect();
                format!("{} says {}", decide.value.decision, choices.join(", "))
            }
        },
        active: false,
    }
}
