//! The routes of one method, from what is written to what is run: names resolved, types compared, destinations checked.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use passerelle_feel::{Expression, Guard, Scope, Value};
use prost_reflect::Kind;
use serde_saphyr::Spanned;

use super::decided::{Decide, Models};
use super::rules::{Goal, Rule, To};
use super::set::Surroundings;
use super::source::Problem;
use super::strip::Strip;
use super::variables::{Reading, Variables, known};
use super::written::{Destination, Mode, Route};
use crate::contract::Method;
use crate::written::place;

/// The routes of one method, as written, in the order in which they are looked at.
pub(super) struct Draft<'a> {
    pub(super) mode: Mode,
    /// The file that says so.
    pub(super) file: &'a str,
    /// Each with its file.
    pub(super) routes: Vec<(&'a str, &'a Route)>,
}

/// The routes of one method, compiled.
pub(super) struct Compiled {
    pub(super) reading: Reading,
    pub(super) routes: Vec<Rule>,
    /// What must hold for each of the routes.
    pub(super) guards: Vec<Vec<Guard>>,
    pub(super) goals: Vec<Goal>,
}

/// What is at hand while the routes of one method are compiled.
struct Bench<'a, 'p> {
    method: &'a Arc<Method>,
    models: &'a Models,
    around: &'a Surroundings<'a>,
    goals: Vec<Goal>,
    problems: &'p mut Vec<Problem>,
}

impl Draft<'_> {
    /// Compiles them; what is wrong is added to the problems.
    pub(super) fn compile(
        &self,
        method: &Arc<Method>,
        models: &Models,
        around: &Surroundings<'_>,
        problems: &mut Vec<Problem>,
    ) -> Compiled {
        let mut variables = Variables::new(method.path.trim_start_matches('/'), method.input.clone());
        let mut nameless = HashSet::new();
        for (number, (file, route)) in self.routes.iter().enumerate() {
            if let Some(when) = &route.when
                && let Err(error) = variables.add(&when.value)
            {
                problems.push(problem(place(file, when), route, error.to_string()));
                nameless.insert(number);
            }
            for text in route.decide.iter().flat_map(|decide| Decide::expressions(&decide.value)) {
                if let Err(error) = variables.add(text) {
                    problems.push(problem(place(file, &route.name), route, error.to_string()));
                }
            }
        }
        let streams = method.client_streaming || method.server_streaming;
        if let Some((file, route)) = self.routes.first().filter(|_| self.mode == Mode::All && streams) {
            let text = "`mode: all` is for methods with one message each way, which this one is not".to_owned();
            problems.push(problem(place(file, &route.name), route, text));
        }
        let scope = variables.scope();
        let mut bench = Bench { method, models, around, goals: Vec::new(), problems };
        let (mut routes, mut guards) = (Vec::new(), Vec::new());
        for (number, (file, route)) in self.routes.iter().enumerate() {
            let when = route.when.as_ref().filter(|_| !nameless.contains(&number));
            let when = when.and_then(|when| bench.condition(file, route, when, &scope));
            let asked = when.as_ref().map(Expression::guards).unwrap_or_default();
            // A list may hold what its items do not equal: only single values are found by their value.
            let asked: Vec<Guard> = asked.into_iter().filter(|guard| variables.kind(variable(guard)).is_some()).collect();
            if let Some(when) = &route.when {
                for message in asked.iter().filter_map(|guard| mismatch(guard, &variables)) {
                    bench.problems.push(problem(place(file, when), route, message));
                }
            }
            guards.push(asked);
            routes.push(bench.rule(file, route, when, &scope));
        }
        Compiled { reading: variables.reading(), routes, guards, goals: bench.goals }
    }
}

impl Bench<'_, '_> {
    fn condition(&mut self, file: &str, route: &Route, when: &Spanned<String>, scope: &Scope) -> Option<Expression> {
        match Expression::compile(&when.value, scope) {
            Ok(expression) => {
                if !expression.unknown.is_empty() {
                    let unknown: Vec<String> = expression.unknown.iter().map(|name| format!("`{name}`")).collect();
                    let text = format!("{} is not known here (known are {})", unknown.join(", "), known());
                    self.problems.push(problem(place(file, when), route, text));
                }
                Some(expression)
            }
            Err(error) => {
                self.problems.push(problem(place(file, when), route, format!("the condition is no FEEL: {error}")));
                None
            }
        }
    }

    fn rule(&mut self, file: &str, route: &Route, when: Option<Expression>, scope: &Scope) -> Rule {
        let to = match &route.to {
            Some(to) => To::Goal(self.goal(file, route, to)),
            None => {
                self.decided(file, route, scope).map_or_else(|| To::Goal(self.goal_of(None, self.method.clone())), To::Decided)
            }
        };
        self.check_decided(file, route);
        let also: Vec<usize> = route.also.iter().map(|also| self.goal(file, route, also)).collect();
        let streams = self.method.client_streaming || self.method.server_streaming;
        if !also.is_empty() && streams {
            let text = "`also` is for methods with one message each way, which this one is not".to_owned();
            self.problems.push(problem(place(file, &route.name), route, text));
        }
        Rule {
            name: route.name.value.as_str().into(),
            place: place(file, &route.name),
            when,
            to,
            also,
            strip: self.strip(file, route),
            taken: OnceLock::new(),
        }
    }

    fn decided(&mut self, file: &str, route: &Route, scope: &Scope) -> Option<Decide> {
        let decide = route.decide.as_ref()?;
        let choices = route.choices.iter().map(|(choice, to)| (choice.clone(), self.goal(file, route, to))).collect();
        let problems = &mut *self.problems;
        let mut wrong = |text: String| problems.push(problem(place(file, decide), route, text));
        Decide::compile(&decide.value, choices, self.models, scope, &mut wrong)
    }

    fn check_decided(&mut self, file: &str, route: &Route) {
        let text = match (&route.decide, &route.to) {
            (Some(_), Some(_)) => "it has `to` and `decide`: one of them says where the call goes",
            (Some(_), None) if route.choices.is_empty() => "`decide` needs `choices`: the destinations by what the decision says",
            (None, _) if !route.choices.is_empty() => "`choices` are for `decide`, which it does not have",
            _ => return,
        };
        self.problems.push(problem(place(file, &route.name), route, text.to_owned()));
    }

    fn strip(&mut self, file: &str, route: &Route) -> Option<Strip> {
        let first = route.drop.first()?;
        if self.method.client_streaming {
            let text = "`drop` is for methods whose request is one message, which this one's is not".to_owned();
            self.problems.push(problem(place(file, first), route, text));
        }
        let mut strip = Strip::default();
        for path in &route.drop {
            if let Err(error) = strip.add(&self.method.input, &path.value) {
                self.problems.push(problem(place(file, path), route, error.to_string()));
            }
        }
        Some(strip)
    }

    /// The place of a destination among the goals.
    fn goal(&mut self, file: &str, route: &Route, written: &Spanned<Destination>) -> usize {
        let Destination { endpoint, method, topic, translation } = &written.value;
        let mut wrong = |text: String| self.problems.push(problem(place(file, written), route, text));
        if topic.is_some() {
            wrong("a `topic` as destination is not there yet: it comes with delivery".to_owned());
        }
        if translation.is_some() {
            wrong("a `translation` is not there yet: a destination has the types of the method that is called".to_owned());
        }
        if endpoint.is_none() && method.is_none() && topic.is_none() {
            wrong("a destination names an `endpoint`, a `method`, or both".to_owned());
        }
        if let Some(endpoint) = endpoint.as_ref().filter(|endpoint| !self.around.endpoints.contains(endpoint)) {
            let known = self.around.endpoints.join(", ");
            wrong(format!(
                "no endpoint `{endpoint}` in the settings (there is {})",
                if known.is_empty() { "none" } else { &known }
            ));
        }
        let called = match method {
            None => self.method.clone(),
            Some(name) => match self.around.snapshot.method(&format!("/{name}")) {
                None => {
                    wrong(format!("no contract has the method `{name}`"));
                    self.method.clone()
                }
                Some(other) => {
                    if let Some(text) = unlike(self.method, other) {
                        wrong(text);
                    }
                    other.clone()
                }
            },
        };
        self.goal_of(endpoint.clone(), called)
    }

    fn goal_of(&mut self, endpoint: Option<String>, method: Arc<Method>) -> usize {
        let same = |goal: &Goal| goal.endpoint == endpoint && goal.method.path == method.path;
        self.goals.iter().position(same).unwrap_or_else(|| {
            self.goals.push(Goal { endpoint, method });
            self.goals.len() - 1
        })
    }
}

fn problem(place: String, route: &Route, message: String) -> Problem {
    Problem { place, route: route.name.value.clone(), message }
}

/// Why calls of one method cannot go to another.
fn unlike(method: &Method, other: &Method) -> Option<String> {
    let name = other.path.trim_start_matches('/');
    if (method.client_streaming, method.server_streaming) != (other.client_streaming, other.server_streaming) {
        return Some(format!("`{name}` is {}, the method of this route is {}", other.kind(), method.kind()));
    }
    let pairs = [("takes", &method.input, &other.input), ("answers", &method.output, &other.output)];
    let (what, ours, theirs) = pairs.into_iter().find(|(_, ours, theirs)| ours.full_name() != theirs.full_name())?;
    Some(format!("`{name}` {what} {}, the method of this route {what} {}", theirs.full_name(), ours.full_name()))
}

fn variable(guard: &Guard) -> usize {
    match guard {
        Guard::OneOf { variable, .. } | Guard::Begins { variable, .. } => *variable,
    }
}

/// Says where a field is compared with what it can never be.
fn mismatch(guard: &Guard, variables: &Variables) -> Option<String> {
    let kind = variables.kind(variable(guard))?;
    let name = variables.name(variable(guard));
    let wanted = sort(&kind);
    let values = match guard {
        Guard::OneOf { values, .. } => values.as_slice(),
        Guard::Begins { .. } => &[],
    };
    if matches!(guard, Guard::Begins { .. }) && wanted != "string" {
        return Some(format!("`{name}` is a {wanted}, which begins with no text"));
    }
    values.iter().find_map(|value| match (&kind, value) {
        // A number that has no name in the contract stays a number.
        (Kind::Enum(_), Value::Number(_)) => None,
        (Kind::Enum(names), Value::Text(text)) if names.get_value_by_name(text).is_none() => {
            let known: Vec<String> = names.values().map(|value| value.name().to_owned()).collect();
            Some(format!("`{name}` is never \"{text}\" ({} has: {})", names.full_name(), known.join(", ")))
        }
        _ if value.type_name() != wanted => Some(format!("`{name}` is a {wanted}, and is compared with a {}", value.type_name())),
        _ => None,
    })
}

fn sort(kind: &Kind) -> &'static str {
    match kind {
        Kind::Bool => "boolean",
        Kind::String | Kind::Bytes | Kind::Enum(_) => "string",
        _ => "number",
    }
}
