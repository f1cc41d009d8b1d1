//! Names that are defined, and expressions that are typed one after the other.

use std::io::{BufRead, IsTerminal as _, stdin};
use std::sync::Arc;

use passerelle_feel::{Environment, Expression, Scope, Value};

use crate::failure::Failure;
use crate::output::print;

use super::Output;

/// Shown where somebody types.
const PROMPT: &str = "feel> ";

const HELP: &str = "\
EXPRESSION            its value, as in 1 + 2 or date(\"2026-03-01\") + duration(\"P1M\")
NAME = EXPRESSION     defines a name; a comparison that begins with a name stands in parentheses: (a = 1)
:test VALUE : TESTS   whether unary tests hold, as in a cell of a decision table: :test 5 : > 3, [1..2]
:names                what is defined
:help                 this
:quit                 ends, as does the end of the input
";

/// The names that are defined.
#[derive(Debug, Default)]
pub(super) struct Session {
    names: Vec<Arc<str>>,
    values: Vec<Value>,
    /// Keys in values that are more than one word.
    entries: Vec<Arc<str>>,
}

/// What is wrong with a line.
type Wrong = String;

impl Session {
    pub(super) fn scope(&self) -> Scope {
        Scope { names: self.names.clone(), entries: self.entries.clone(), ..Scope::default() }
    }

    pub(super) fn values(&self) -> &[Value] {
        &self.values
    }

    /// Gives a name a value, or another one.
    pub(super) fn define(&mut self, name: &str, value: Value) {
        self.note_keys(&value);
        match self.names.iter().position(|known| **known == *name) {
            Some(at) => self.values[at] = value,
            None => {
                self.names.push(name.into());
                self.values.push(value);
            }
        }
    }

    /// Without a declaration `a.first name` could not be told from two names.
    fn note_keys(&mut self, value: &Value) {
        match value {
            Value::List(items) => items.iter().for_each(|item| self.note_keys(item)),
            Value::Context(context) => {
                for (key, value) in context.iter() {
                    if !key.chars().all(|c| c.is_alphanumeric() || c == '_') && !self.entries.contains(key) {
                        self.entries.push(key.clone());
                    }
                    self.note_keys(value);
                }
            }
            _ => {}
        }
    }

    /// Answers each line until the input ends. Where nobody types, the first line that is wrong ends it.
    pub(super) fn typed(mut self, input: impl BufRead, environment: &Environment, output: Output) -> Result<(), Failure> {
        let somebody_types = stdin().is_terminal();
        let prompt = || {
            if somebody_types {
                print(PROMPT)
            }
        };
        if somebody_types {
            print("FEEL of DMN 1.5. `:help` tells what can be typed, `:quit` ends.\n");
        }
        prompt();
        for line in input.lines() {
            let line = line.map_err(|error| Failure::plain(format!("cannot read standard input: {error}")))?;
            match line.trim() {
                ":quit" => return Ok(()),
                line => match self.answer(line, environment, output) {
                    Ok(answer) => print(&answer),
                    Err(wrong) if somebody_types => eprintln!("error: {wrong}"),
                    Err(wrong) => return Err(Failure::plain(wrong)),
                },
            }
            prompt();
        }
        Ok(())
    }

    fn answer(&mut self, line: &str, environment: &Environment, output: Output) -> Result<String, Wrong> {
        if line.is_empty() {
            return Ok(String::new());
        }
        if let Some(command) = line.strip_prefix(':') {
            return self.command(command, environment, output);
        }
        match assignment(line) {
            Some((name, text)) => {
                // The expression stays where it is in the line, for the caret.
                let blank = " ".repeat(line[..line.len() - text.len()].chars().count());
                let value = self.value(&format!("{blank}{text}"), environment)?;
                self.define(&name, value);
                Ok(String::new())
            }
            None => Ok(format!("{}\n", output.text(&self.value(line, environment)?))),
        }
    }

    fn command(&self, command: &str, environment: &Environment, output: Output) -> Result<String, Wrong> {
        match command.split_once(' ').unwrap_or((command, "")) {
            ("help", _) => Ok(HELP.to_owned()),
            ("names", _) => {
                let named = self.names.iter().zip(&self.values);
                Ok(named.map(|(name, value)| format!("{name} = {}\n", output.text(value))).collect())
            }
            ("test", rest) => {
                let (value, tests) = rest.split_once(" : ").ok_or("expected `:test VALUE : TESTS`")?;
                let value = self.value(value, environment)?;
                let mut scope = self.scope();
                scope.names.push("?".into());
                let tests = Expression::compile_tests(tests, &scope).map_err(|error| error.to_string())?;
                let values: Vec<Value> = self.values.iter().cloned().chain([value]).collect();
                Ok(format!("{}\n", output.text(&shown(tests.evaluate(&values, environment))?)))
            }
            (other, _) => Err(format!("there is no `:{other}`; there are :help, :names, :quit, :test")),
        }
    }

    fn value(&self, text: &str, environment: &Environment) -> Result<Value, Wrong> {
        let expression = Expression::compile(text, &self.scope()).map_err(|error| error.to_string())?;
        shown(expression.evaluate(&self.values, environment))
    }
}

/// The value, its warnings told.
fn shown(result: Result<passerelle_feel::Evaluated, passerelle_feel::Exceeded>) -> Result<Value, Wrong> {
    let evaluated = result.map_err(|limit| limit.to_string())?;
    for warning in &evaluated.warnings {
        eprintln!("warning: {warning}");
    }
    Ok(evaluated.value)
}

/// `name = expression`: the name, and the text of the expression.
fn assignment(line: &str) -> Option<(String, &str)> {
    let (name, text) = line.split_once('=')?;
    let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ' '));
    is_name.then(|| (name.split_whitespace().collect::<Vec<_>>().join(" "), text))
}
