//! `passerelle decide`: one decision of a model, over inputs in JSON.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use clap::Args;
use jiff::Timestamp;
use passerelle_feel::dmn::Model;
use passerelle_feel::{Context, Environment, Type, Value, from_json, temporal, to_json};

use crate::failure::Failure;
use crate::output::print;

/// What is decided, and over which inputs.
#[derive(Debug, Args)]
#[command(
    about = "Evaluates a decision of a DMN model over JSON",
    after_help = "Examples:\n  \
        passerelle decide treatment.dmn Treatment --json '{\"Reason\": \"claim\", \"Channel\": \"web\"}'\n\n\
        Each key of the JSON object is an input; dates, times and durations are texts, read where the model says that an input is one.\n\
        The result is printed as JSON. What is odd on the way to it is a warning on standard error.\n\
        Exit code 1: the model cannot be read (line and column are shown), has no such decision, or a limit was met."
)]
pub struct Decide {
    /// The model, a file of DMN 1.3 to 1.5
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// The decision's name or id
    #[arg(value_name = "DECISION")]
    pub decision: String,
    /// The inputs, as a JSON object
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub json: String,
    /// A model that this one imports; may be given several times
    #[arg(long = "import", value_name = "FILE")]
    pub imports: Vec<PathBuf>,
    /// What now() and today() tell, as in 2026-03-01T12:00:00Z [default: the clock, in UTC]
    #[arg(long, value_name = "TIME")]
    pub now: Option<Timestamp>,
}

/// Prints the result.
pub(super) fn run(decide: &Decide) -> Result<(), Failure> {
    let text = |path: &PathBuf| {
        fs::read_to_string(path).map_err(|error| Failure::plain(format!("cannot read {}: {error}", path.display())))
    };
    let imports: Vec<String> = decide.imports.iter().map(text).collect::<Result<_, _>>()?;
    let imports: Vec<&str> = imports.iter().map(String::as_str).collect();
    let model = Model::read(&text(&decide.model)?, &imports);
    let model = model.map_err(|error| Failure::plain(format!("{}: {error}", decide.model.display())))?;
    let json: serde_json::Value =
        serde_json::from_str(&decide.json).map_err(|error| Failure::usage(format!("--json: {error}")))?;
    let Value::Context(given) = from_json(&json) else {
        return Err(Failure::usage("--json: expected an object, whose keys are the inputs"));
    };
    let typed = given.iter().map(|(name, value)| {
        let of = model.inputs().find(|(input, _)| *input == &**name).map(|(_, of)| of);
        (name.clone(), of.map_or_else(|| value.clone(), |of| read_as(value, of)))
    });
    let environment = Environment::at(decide.now.map_or_else(SystemTime::now, SystemTime::from));
    let decided = model.evaluate(&decide.decision, &typed.collect(), &environment).map_err(Failure::plain)?;
    for warning in &decided.warnings {
        eprintln!("warning: {warning}");
    }
    print(&format!("{}\n", to_json(&decided.value)));
    Ok(())
}

/// A value of JSON as the model has it: JSON knows no dates, times and durations.
fn read_as(value: &Value, of: &Type) -> Value {
    match (of, value) {
        (Type::Constrained(of, _), value) => read_as(value, of),
        (Type::Simple(name), Value::Text(text)) if *name != "string" => match temporal::literal(text) {
            Some(literal) if literal.type_name() == *name => literal,
            _ => value.clone(),
        },
        (Type::List(of), Value::List(items)) => Value::list(items.iter().map(|item| read_as(item, of)).collect()),
        (Type::Context(entries), Value::Context(context)) => {
            let typed = |(name, value): &(Arc<str>, Value)| {
                let of = entries.iter().find(|(entry, _)| entry == name).map(|(_, of)| of);
                (name.clone(), of.map_or_else(|| value.clone(), |of| read_as(value, of)))
            };
            Value::Context(Arc::new(context.iter().map(typed).collect::<Context>()))
        }
        (_, value) => value.clone(),
    }
}
