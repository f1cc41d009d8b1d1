//! `passerelle feel`: evaluates one expression over JSON, or those that are typed.

mod session;

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use passerelle_feel::{Environment, Expression, Value, from_json, to_json};

use crate::failure::Failure;
use crate::output::print;

use session::Session;

/// Bytes of JSON that are read.
const JSON_BYTES: u64 = 64 << 20;

/// What to evaluate, and over which values.
#[derive(Debug, Args)]
#[command(
    about = "Evaluates a FEEL expression over JSON, or without one those that are typed",
    after_help = "Examples:\n  \
        passerelle feel 'amount > 1000 and tier in (\"gold\", \"silver\")' --json '{\"amount\": 2500, \"tier\": \"gold\"}'\n  \
        passerelle feel --tests '> 5, [1..3]' --json 2\n  \
        passerelle feel --file price.feel --json - --output json < order.json\n  \
        passerelle feel                                          type `:help` there\n\n\
        Each key of the JSON object is a name. Dates and durations are texts in JSON: date(due), duration(delay).\n\
        What is odd about a value, such as a name that nothing defines, is a warning on standard error; the value is null then.\n\
        Exit code 1: the expression cannot be read (place and caret are shown), or needs more than a limit allows."
)]
pub struct Feel {
    /// The expression
    #[arg(value_name = "EXPRESSION", conflicts_with = "file")]
    pub expression: Option<String>,
    /// A file that holds the expression
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The values, as a JSON object; `-` reads them from standard input
    #[arg(long, value_name = "JSON")]
    pub json: Option<String>,
    /// The expression is unary tests, as in a cell of a decision table: of `?` in the JSON object, or of JSON that is none
    #[arg(long)]
    pub tests: bool,
    /// What now() and today() tell, as in 2026-03-01T12:00:00Z [default: the clock, in UTC]
    #[arg(long, value_name = "TIME")]
    pub now: Option<Timestamp>,
    /// How the value is written
    #[arg(long, short, value_enum, default_value = "feel")]
    pub output: Output,
}

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// As FEEL writes them
    Feel,
    /// As JSON; dates, durations and numbers of more than 15 digits are texts
    Json,
}

impl Output {
    fn text(self, value: &Value) -> String {
        match (self, value) {
            (Self::Json, value) => to_json(value).to_string(),
            // Within a list a text has its quotes; here, too.
            (Self::Feel, value) => value.quoted().to_string(),
        }
    }
}

/// Prints the value, or reads what is typed.
pub(super) fn run(feel: &Feel) -> Result<(), Failure> {
    let mut session = Session::default();
    if let Some(json) = &feel.json {
        define(&mut session, json, feel.tests)?;
    } else if feel.tests {
        return Err(Failure::usage("--tests needs the value that is tested: --json VALUE, or --json '{\"?\": VALUE, …}'"));
    }
    let environment = Environment::at(feel.now.map_or_else(SystemTime::now, SystemTime::from));
    let text = match (&feel.expression, &feel.file) {
        (Some(text), _) => text.clone(),
        (None, Some(file)) => read(file)?,
        (None, None) if feel.tests => return Err(Failure::usage("--tests needs the tests, or --file")),
        (None, None) if feel.json.as_deref() == Some("-") => {
            return Err(Failure::usage("standard input holds the JSON: name the expression, or --file"));
        }
        (None, None) => return session.typed(io::stdin().lock(), &environment, feel.output),
    };
    let compile = if feel.tests { Expression::compile_tests } else { Expression::compile };
    let expression = compile(&text, &session.scope()).map_err(Failure::plain)?;
    let evaluated = expression.evaluate(session.values(), &environment).map_err(Failure::plain)?;
    for warning in &evaluated.warnings {
        eprintln!("warning: {warning}");
    }
    print(&format!("{}\n", feel.output.text(&evaluated.value)));
    Ok(())
}

fn read(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(|error| Failure::plain(format!("cannot read {}: {error}", file.display())))
}

/// Makes a name of each key; or of JSON that has none, `?`.
fn define(session: &mut Session, json: &str, tests: bool) -> Result<(), Failure> {
    let mut input = String::new();
    let text = if json == "-" {
        let read = io::stdin().take(JSON_BYTES + 1).read_to_string(&mut input);
        read.map_err(|error| Failure::plain(format!("cannot read standard input: {error}")))?;
        if input.len() as u64 > JSON_BYTES {
            return Err(Failure::plain(format!("standard input holds more than {JSON_BYTES} bytes")));
        }
        &input
    } else {
        json
    };
    let json: serde_json::Value = serde_json::from_str(text).map_err(|error| Failure::usage(format!("--json: {error}")))?;
    match (&json, from_json(&json)) {
        (serde_json::Value::Object(object), Value::Context(context)) if !tests || object.contains_key("?") => {
            context.iter().for_each(|(name, value)| session.define(name, value.clone()));
        }
        (_, value) if tests => session.define("?", value),
        _ => return Err(Failure::usage("--json: expected an object, whose keys are the names")),
    }
    Ok(())
}
