//! A decision that chooses where a call goes: a model of DMN, whose inputs are taken from the call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use passerelle_feel::dmn::{Certificate, Hit, Model, Step};
use passerelle_feel::{Context, Environment, Expression, Scope, Value};

use super::rules::CONDITION_LIMITS;
use super::written;

/// The models that lie beside the route files, by the names of their files.
pub(super) type Models = BTreeMap<String, Arc<Model>>;

/// One of them, as a route asks it.
#[derive(Debug)]
pub(super) struct Decide {
    model: Arc<Model>,
    decision: String,
    output: Option<String>,
    inputs: Vec<(Arc<str>, Expression)>,
    /// Destinations among the goals, by what comes out.
    choices: BTreeMap<String, usize>,
}

impl Decide {
    /// Holds what is written against the model; what is wrong is told, and nothing comes of it.
    pub(super) fn compile(
        written: &written::Decide,
        choices: BTreeMap<String, usize>,
        models: &Models,
        scope: &Scope,
        wrong: &mut impl FnMut(String),
    ) -> Option<Self> {
        let written::Decide { model: file, decision, output, inputs } = written;
        let Some(model) = models.get(file) else {
            wrong(format!("no model `{file}` beside the route files (there is {})", listed(models.keys())));
            return None;
        };
        if !model.decisions().any(|name| name == decision) {
            wrong(format!("the model has no decision `{decision}` (it has {})", listed(model.decisions())));
            return None;
        }
        let known: BTreeSet<&str> = model.inputs().map(|(name, _)| name).collect();
        for name in inputs.keys().filter(|name| !known.contains(name.as_str())) {
            wrong(format!("the model has no input `{name}` (it has {})", listed(&known)));
        }
        let missing: Vec<&str> = known.iter().copied().filter(|name| !inputs.contains_key(*name)).collect();
        if !missing.is_empty() {
            wrong(format!("inputs of the model are not given: {} (write null where one is not known)", listed(missing)));
        }
        let compiled = inputs.iter().filter_map(|(name, text)| match Expression::compile(text, scope) {
            Ok(expression) if expression.unknown.is_empty() => Some((Arc::from(name.as_str()), expression)),
            Ok(expression) => {
                let known = super::variables::known();
                wrong(format!("input `{name}`: {} is not known here (known are {known})", listed(&expression.unknown)));
                None
            }
            Err(error) => {
                wrong(format!("input `{name}` is no FEEL: {error}"));
                None
            }
        });
        let inputs = compiled.collect();
        let decide = Self { model: model.clone(), decision: decision.clone(), output: output.clone(), inputs, choices };
        decide.check_outputs(wrong);
        Some(decide)
    }

    /// What the rules of the decision's table say as plain text is a choice, and each choice is said by one.
    fn check_outputs(&self, wrong: &mut impl FnMut(String)) {
        let Some(table) = self.model.tables().iter().find(|table| *table.name == *self.decision) else { return };
        let column = match &self.output {
            None if table.outputs.len() == 1 => 0,
            None => {
                let names = listed(table.outputs.iter().map(|output| &output.name));
                return wrong(format!("the decision has several outputs: say which with `output` (it has {names})"));
            }
            Some(name) => match table.outputs.iter().position(|output| *output.name == **name) {
                Some(column) => column,
                None => {
                    let named = table.outputs.iter().map(|output| &output.name).filter(|name| !name.is_empty());
                    return wrong(format!("the decision has no output `{name}` (named are: {})", listed(named)));
                }
            },
        };
        let said: Option<BTreeSet<String>> = table.rules.iter().map(|rule| plain(rule.outputs.get(column)?)).collect();
        // What is worked out is known only when the call is there.
        let Some(said) = said else { return };
        for (row, rule) in table.rules.iter().enumerate() {
            if let Some(text) =
                rule.outputs.get(column).and_then(|text| plain(text)).filter(|text| !self.choices.contains_key(text))
            {
                wrong(format!("rule {} of the table says \"{text}\", for which `choices` has no destination", row + 1));
            }
        }
        for choice in self.choices.keys().filter(|choice| !said.contains(*choice)) {
            wrong(format!("no rule of the table says \"{choice}\" (they say {})", listed(&said)));
        }
    }

    /// The expressions that its inputs are.
    pub(super) fn expressions(written: &written::Decide) -> impl Iterator<Item = &str> {
        written.inputs.values().map(String::as_str)
    }

    /// The destination among the goals, or why there is none.
    pub(super) fn goal(&self, values: &[Value], now: SystemTime) -> Result<usize, String> {
        let environment = Environment::at(now).within(CONDITION_LIMITS);
        let inputs = self.inputs(values, &environment)?;
        let decided = self.model.evaluate(&self.decision, &inputs, &environment).map_err(|error| error.to_string())?;
        self.chosen(&decided.value).map(|(_, goal)| goal)
    }

    /// What comes out, and the rules that say so; with the destination.
    pub(super) fn explain(&self, values: &[Value], now: SystemTime) -> Result<(String, usize), String> {
        let environment = Environment::at(now).within(CONDITION_LIMITS);
        let inputs = self.inputs(values, &environment)?;
        let certificate = self.model.certify(&self.decision, &inputs, &environment).map_err(|error| error.to_string())?;
        let (choice, goal) = self.chosen(&certificate.outcome)?;
        let rows: Vec<String> = hits(&certificate, &self.decision).iter().map(|hit| format!("rule {}", hit.row)).collect();
        let by = if rows.is_empty() { String::new() } else { format!(" by {}", rows.join(", ")) };
        Ok((format!("{} says \"{choice}\"{by}", self.decision), goal))
    }

    fn inputs(&self, values: &[Value], environment: &Environment) -> Result<Context, String> {
        let value = |(name, expression): &(Arc<str>, Expression)| {
            let evaluated = expression.evaluate(values, environment).map_err(|exceeded| format!("input `{name}`: {exceeded}"))?;
            Ok((name.clone(), evaluated.value))
        };
        self.inputs.iter().map(value).collect()
    }

    /// No value is told: it may come from the call.
    fn chosen(&self, outcome: &Value) -> Result<(&str, usize), String> {
        let value = match (&self.output, outcome) {
            (Some(output), Value::Context(outputs)) => outputs.get(output).unwrap_or(&Value::Null),
            _ => outcome,
        };
        let Value::Text(text) = value else { return Err(format!("the decision came to {}", value.type_name())) };
        let choice = self.choices.get_key_value(&**text);
        choice.map(|(choice, goal)| (choice.as_str(), *goal)).ok_or_else(|| "the decision came to no choice".to_owned())
    }
}

/// The rules of a decision's own table that made its result.
fn hits<'a>(certificate: &'a Certificate, decision: &str) -> &'a [Hit] {
    let own = certificate.steps.iter().rev().find_map(|step| match step {
        Step::Table { name, hits, .. } if **name == *decision => Some(hits.as_slice()),
        _ => None,
    });
    own.unwrap_or_default()
}

/// The text that an expression is, if it is no more than that.
fn plain(text: &str) -> Option<String> {
    let expression = Expression::compile(text, &Scope::default()).ok().filter(|expression| expression.unknown.is_empty())?;
    match expression.evaluate(&[], &Environment::timeless()).ok()?.value {
        Value::Text(text) => Some(text.to_string()),
        _ => None,
    }
}

fn listed<Name: std::fmt::Display>(names: impl IntoIterator<Item = Name>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
