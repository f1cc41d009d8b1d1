//! Types: of `instance of`, of parameters, and of a model's variables.

use std::sync::Arc;

use crate::environment::Environment;
use crate::evaluate::Evaluation;
use crate::limits::Exceeded;
use crate::value::{Context, Value};

/// A type of FEEL.
#[derive(Debug, Clone)]
pub enum Type {
    /// Everything.
    Any,
    /// Only null.
    Null,
    /// One of the types without parts, by its name.
    Simple(&'static str),
    /// A list.
    List(Arc<Type>),
    /// A context with at least these entries.
    Context(Arc<Vec<(Arc<str>, Type)>>),
    /// A function.
    Function(Arc<Vec<Type>>, Arc<Type>),
    /// A range.
    Range(Arc<Type>),
    /// A type whose values are held to a test; the test is compiled with `?` in its first slot.
    Constrained(Arc<Type>, Arc<crate::Expression>),
    /// A name that nothing defines.
    Unknown,
}

/// The types without parts.
const SIMPLE: [(&str, &str); 13] = [
    ("number", "number"),
    ("string", "string"),
    ("boolean", "boolean"),
    ("date", "date"),
    ("time", "time"),
    ("date and time", "date and time"),
    ("dateTime", "date and time"),
    ("days and time duration", "days and time duration"),
    ("dayTimeDuration", "days and time duration"),
    ("years and months duration", "years and months duration"),
    ("yearMonthDuration", "years and months duration"),
    ("list", "list"),
    ("context", "context"),
];

impl Type {
    /// A type by the name that FEEL or DMN gives it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "Any" => return Some(Self::Any),
            "Null" => return Some(Self::Null),
            "function" => return Some(Self::Simple("function")),
            "range" => return Some(Self::Simple("range")),
            _ => {}
        }
        SIMPLE.iter().find(|(known, _)| *known == name).map(|(_, simple)| Self::Simple(simple))
    }

    /// Whether a value is of this type; null is of every one (unlike `instance of`). Not, where that takes more than the default limits.
    #[must_use]
    pub fn admits(&self, value: &Value) -> bool {
        self.admits_within(value, &mut Evaluation::new(&Environment::timeless())).unwrap_or(false)
    }

    /// Whether `value instance of` this type. Not, where that takes more than the default limits.
    #[must_use]
    pub fn holds(&self, value: &Value) -> bool {
        self.holds_within(value, &mut Evaluation::new(&Environment::timeless())).unwrap_or(false)
    }

    fn admits_within(&self, value: &Value, evaluation: &mut Evaluation) -> Result<bool, Exceeded> {
        if value.is_null() { Ok(true) } else { self.holds_within(value, evaluation) }
    }

    pub(crate) fn holds_within(&self, value: &Value, evaluation: &mut Evaluation) -> Result<bool, Exceeded> {
        Ok(match (self, value) {
            (Self::Any, value) => !value.is_null(),
            (Self::Null, value) => value.is_null(),
            (Self::Simple(name), value) => value.type_name() == *name,
            (Self::List(of), Value::List(items)) => {
                evaluation.budget.steps(items.len())?;
                for item in items.iter() {
                    if !of.admits_within(item, evaluation)? {
                        return Ok(false);
                    }
                }
                true
            }
            (Self::Context(entries), Value::Context(context)) => {
                evaluation.budget.steps(entries.len() * (1 + context.iter().len() / 16))?;
                for (name, of) in entries.iter() {
                    match context.get(name) {
                        Some(value) if of.admits_within(value, evaluation)? => {}
                        _ => return Ok(false),
                    }
                }
                true
            }
            (Self::Range(of), Value::Range(range)) => {
                of.admits_within(&range.start, evaluation)? && of.admits_within(&range.end, evaluation)?
            }
            (Self::Function(parameters, result), Value::Function(function)) => function.conforms(parameters, result),
            (Self::Constrained(of, test), value) => of.holds_within(value, evaluation)? && test.holds_for(value, evaluation)?,
            _ => false,
        })
    }

    /// Whether every value of this type is one of the other.
    #[must_use]
    pub fn conforms_to(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Any) | (Self::Null, _) => true,
            (Self::Constrained(of, _), other) => of.conforms_to(other),
            (Self::Simple(a), Self::Simple(b)) => a == b,
            (Self::List(a), Self::List(b)) | (Self::Range(a), Self::Range(b)) => a.conforms_to(b),
            (Self::Context(a), Self::Context(b)) => {
                b.iter().all(|(name, wanted)| a.iter().any(|(other, found)| other == name && found.conforms_to(wanted)))
            }
            (Self::Function(a, from), Self::Function(b, to)) => {
                a.len() == b.len() && from.conforms_to(to) && a.iter().zip(b.iter()).all(|(a, b)| b.conforms_to(a))
            }
            _ => false,
        }
    }

    /// The value as this type wants it: a list of one where a list is wanted, its only item where none is, a date as a moment.
    /// Null where it cannot be, and where that takes more than the default limits.
    #[must_use]
    pub fn coerce(&self, value: Value) -> Value {
        self.coerce_within(value, &mut Evaluation::new(&Environment::timeless())).unwrap_or(Value::Null)
    }

    pub(crate) fn coerce_within(&self, value: Value, evaluation: &mut Evaluation) -> Result<Value, Exceeded> {
        if matches!(self, Self::Any) || self.admits_within(&value, evaluation)? {
            return Ok(value);
        }
        Ok(match (self, &value) {
            (Self::List(of), single) if !matches!(single, Value::List(_)) && of.admits_within(single, evaluation)? => {
                Value::list(vec![value])
            }
            (_, Value::List(items)) if items.len() == 1 && self.admits_within(&items[0], evaluation)? => items[0].clone(),
            (Self::Simple("date and time"), Value::Date(date)) => {
                Value::DateTime(Arc::new(crate::temporal::DateTime::midnight(*date)))
            }
            (Self::Context(entries), Value::Context(context)) => {
                evaluation.budget.parts(entries.len())?;
                let mut coerced = Context::default();
                for (name, of) in entries.iter() {
                    let Some(value) = context.get(name) else { return Ok(Value::Null) };
                    let entry = of.coerce_within(value.clone(), evaluation)?;
                    if entry.is_null() != value.is_null() {
                        return Ok(Value::Null);
                    }
                    coerced.set(name.clone(), entry);
                }
                Value::Context(Arc::new(coerced))
            }
            _ => Value::Null,
        })
    }
}
