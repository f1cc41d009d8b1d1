//! `passerelle decide`: one decision of a model, over inputs in JSON, and why it is as it is.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use passerelle_feel::dmn::{Certificate, Model};
use passerelle_feel::{Context, Environment, Type, Value, from_json, temporal, to_json};
use serde_json::Value as Json;

use crate::failure::Failure;
use crate::output::print;

use super::decision::model;

/// What is decided, and over which inputs.
#[derive(Debug, Args)]
#[command(
    about = "Evaluates a decision of a DMN model over JSON, and says why",
    after_help = "Examples:\n  \
        passerelle decide treatment.dmn Treatment --json '{\"reason\": \"claim\", \"channel\": \"web\"}'\n  \
        passerelle decide treatment.dmn Treatment --json '{\"reason\": \"claim\", \"channel\": \"web\"}' --why\n  \
        passerelle decide treatment.dmn Treatment --json '{…}' --why=json > certificate.json\n\n\
        Each key of the JSON object is an input; dates, times and durations are texts, read where the model says that an input is one.\n\
        The result is printed as JSON. What is odd on the way to it is a warning on standard error.\n\n\
        --why shows the certificate: the model's version (SHA-256 of its file, and of those it imports), the inputs used, results on\n\
        the way, and of each table the rules that decided with their annotations, and the one that came next; then, for one input at\n\
        a time, other values that would have changed the outcome. --why=json prints it as JSON, which `passerelle decision verify`\n\
        takes: it names the moment, too, so that the decision can be made again.\n\n\
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
    /// Also says why: the certificate of the decision, as people read it or as JSON
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "text", value_name = "FORM")]
    pub why: Option<Form>,
    /// A model that this one imports; may be given several times
    #[arg(long = "import", value_name = "FILE")]
    pub imports: Vec<PathBuf>,
    /// What now() and today() tell, as in 2026-03-01T12:00:00Z [default: the clock, in UTC]
    #[arg(long, value_name = "TIME")]
    pub now: Option<Timestamp>,
}

/// How a certificate is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// As people read it
    Text,
    /// As JSON, which can be verified
    Json,
}

/// Prints the result, or the certificate.
pub(super) fn run(decide: &Decide) -> Result<(), Failure> {
    let model = model::read(&decide.model, &decide.imports, Model::read)?;
    let inputs = inputs(&decide.json, &model)?;
    let environment = Environment::at(decide.now.map_or_else(SystemTime::now, SystemTime::from));
    if let Some(form) = decide.why {
        let certificate = model.certify(&decide.decision, &inputs, &environment).map_err(Failure::plain)?;
        return why(&model, &certificate, form);
    }
    let decided = model.evaluate(&decide.decision, &inputs, &environment).map_err(Failure::plain)?;
    for warning in &decided.warnings {
        eprintln!("warning: {warning}");
    }
    print(&format!("{}\n", to_json(&decided.value)));
    Ok(())
}

fn why(model: &Model, certificate: &Certificate, form: Form) -> Result<(), Failure> {
    let changes = model.what_if(certificate).map_err(Failure::plain)?;
    match form {
        Form::Json => {
            let mut json = certificate.to_json();
            json["would_have_changed_it"] = changes.iter().map(passerelle_feel::dmn::Change::to_json).collect();
            print(&format!("{json:#}\n"));
        }
        Form::Text => {
            let lines = changes.iter().map(|change| format!("{change}\n")).collect::<String>();
            print(&format!("{certificate}\n{lines}"));
        }
    }
    Ok(())
}

/// The inputs that the JSON says, as the model has them.
fn inputs(json: &str, model: &Model) -> Result<Context, Failure> {
    let json: Json = serde_json::from_str(json).map_err(|error| Failure::usage(format!("--json: {error}")))?;
    let Value::Context(given) = from_json(&json) else {
        return Err(Failure::usage("--json: expected an object, whose keys are the inputs"));
    };
    let typed = given.iter().map(|(name, value)| {
        let of = model.inputs().find(|(input, _)| *input == &**name).map(|(_, of)| of);
        (name.clone(), of.map_or_else(|| value.clone(), |of| read_as(value, of)))
    });
    Ok(typed.collect())
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
