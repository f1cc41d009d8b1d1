//! The texts of route files, read with line and column in every error.

use std::fmt;
use std::sync::Arc;

use passerelle_feel::dmn::{Model, ReadError};
use ring::digest::{Context, SHA256};

use super::decided::Models;
use super::written::File;
use crate::pattern::Pattern;
use crate::written::{self, Text, Unread};

/// Routes of all files together.
pub const MOST_ROUTES: usize = 100_000;

/// Problems that are told of one set.
const MOST_PROBLEMS: usize = 100;

/// All files of a set, read; in the order of their names.
#[derive(Debug, Default)]
pub struct Sources {
    pub(super) files: Vec<(String, File)>,
    /// The models that lie beside them.
    pub(super) models: Models,
    pub(super) hash: String,
}

/// One thing that is wrong with route files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `file:line:column`.
    pub place: String,
    /// The route's name; empty where it is not about one.
    pub route: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// A set of routes that cannot be used. The one before goes on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.0))]
pub struct Refused(pub Vec<Problem>);

impl Sources {
    /// Reads all files: models of DMN by the end of their names (`.dmn`), routes in all others.
    ///
    /// # Errors
    /// What is wrong with each file that is no YAML, or has unknown keys or values of the wrong sort.
    pub fn read(mut texts: Vec<Text>) -> Result<Self, Refused> {
        texts.sort_by(|one, other| one.name.cmp(&other.name));
        let hash = digest(&texts);
        let mut problems = Vec::new();
        let (mut files, mut models) = (Vec::new(), Models::new());
        for text in texts {
            if let Some(name) = model_name(&text.name) {
                match Model::read(&text.text, &[]) {
                    Ok(model) => drop(models.insert(name.to_owned(), Arc::new(model))),
                    Err(ReadError { message, line, column, .. }) => {
                        let place = format!("{}:{line}:{column}", text.name);
                        problems.push(Problem { place, route: String::new(), message });
                    }
                }
                continue;
            }
            match written::read::<File>(&text) {
                Ok(file) => files.push((text.name, file)),
                Err(Unread { place, message }) => problems.push(Problem { place, route: String::new(), message }),
            }
        }
        let routes: usize = files.iter().map(|(_, file)| file.routes.len()).sum();
        if routes > MOST_ROUTES {
            problems.push(Problem {
                place: "the route files".to_owned(),
                route: String::new(),
                message: format!("{routes} routes, there may be {MOST_ROUTES}"),
            });
        }
        Refused::unless_none(problems)?;
        Ok(Self { files, models, hash })
    }
}

impl Sources {
    /// The patterns of all files, each with the name of its file.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = (&str, &Pattern)> {
        self.files.iter().flat_map(|(name, file)| file.patterns.iter().map(|pattern| (name.as_str(), pattern)))
    }
}

impl Refused {
    /// Refuses with the first of these, if there are any.
    pub(crate) fn unless_none(mut problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() {
            return Ok(());
        }
        if problems.len() > MOST_PROBLEMS {
            let more = problems.len() - MOST_PROBLEMS;
            problems.truncate(MOST_PROBLEMS);
            let message = format!("{more} more problems are not shown");
            problems.push(Problem { place: "the route files".to_owned(), route: String::new(), message });
        }
        Err(Self(problems))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, route, message } = self;
        match route.as_str() {
            "" => write!(formatter, "{place}: {message}"),
            route => write!(formatter, "{place}: route {route}: {message}"),
        }
    }
}

/// The name of a model's file without its folder; nothing for other files.
fn model_name(name: &str) -> Option<&str> {
    name.ends_with(".dmn").then(|| name.rsplit_once('/').map_or(name, |(_, name)| name))
}

/// Names and texts together: the same files are the same set.
fn digest(texts: &[Text]) -> String {
    let mut context = Context::new(&SHA256);
    for part in texts.iter().flat_map(|text| [&text.name, &text.text]) {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    context.finish().as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}
