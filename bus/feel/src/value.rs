//! What an expression gives: values, cheap to clone.

use std::cmp::Ordering;
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::Date;

use crate::evaluate::Function;
use crate::number::Number;
use crate::temporal::{DateTime, Time};

/// A value of FEEL. Texts, lists and contexts are shared, never copied.
#[derive(Debug, Clone)]
pub enum Value {
    /// Nothing, or an error (which left a warning).
    Null,
    /// A boolean.
    Boolean(bool),
    /// A number.
    Number(Number),
    /// A string.
    Text(Arc<str>),
    /// A date.
    Date(Date),
    /// A time of day.
    Time(Arc<Time>),
    /// A date and time.
    DateTime(Arc<DateTime>),
    /// A years and months duration, in months.
    Months(i64),
    /// A days and time duration.
    Duration(SignedDuration),
    /// A list.
    List(Arc<Vec<Value>>),
    /// A context.
    Context(Arc<Context>),
    /// A range.
    Range(Arc<Range>),
    /// A function.
    Function(Arc<Function>),
}

/// Entries in the order they were written.
#[derive(Debug, Clone, Default)]
pub struct Context(Vec<(Arc<str>, Value)>);

impl Context {
    /// A context of entries whose keys differ.
    pub(crate) fn of_distinct(entries: Vec<(Arc<str>, Value)>) -> Self {
        Self(entries)
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| &**name == key).map(|(_, value)| value)
    }

    /// Adds an entry, or gives it another value.
    pub fn set(&mut self, key: Arc<str>, value: Value) {
        match self.0.iter_mut().find(|(name, _)| *name == key) {
            Some(entry) => entry.1 = value,
            None => self.0.push((key, value)),
        }
    }

    pub(crate) fn into_values(self) -> impl Iterator<Item = Value> {
        self.0.into_iter().map(|(_, value)| value)
    }

    /// The entries.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &(Arc<str>, Value)> {
        self.0.iter()
    }
}

impl FromIterator<(Arc<str>, Value)> for Context {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Value)>>(entries: I) -> Self {
        let mut context = Self::default();
        for (key, value) in entries {
            context.set(key, value);
        }
        context
    }
}

/// From one value to another; an end that is `Null` is open.
#[derive(Debug, Clone)]
pub struct Range {
    /// Where it begins.
    pub start: Value,
    /// Whether the begin belongs to it.
    pub start_included: bool,
    /// Where it ends.
    pub end: Value,
    /// Whether the end belongs to it.
    pub end_included: bool,
    /// Made by `!=`: everything but the end points.
    pub outside: bool,
    /// Written as a comparison, such as `(< 10)`: never equal to one that is written with two ends, even of the same values.
    pub compared: bool,
}

impl Range {
    /// Whether a value lies in the range; nothing where the two cannot be compared.
    #[must_use]
    pub fn contains(&self, value: &Value) -> Option<bool> {
        if self.outside {
            return equal(value, &self.start).map(|same| !same);
        }
        let from = match &self.start {
            Value::Null => true,
            start => within(compare(value, start)?, Ordering::Greater, self.start_included),
        };
        let to = match &self.end {
            Value::Null => true,
            end => within(compare(value, end)?, Ordering::Less, self.end_included),
        };
        Some(from && to && !matches!(value, Value::Null))
    }
}

fn within(found: Ordering, wanted: Ordering, or_equal: bool) -> bool {
    found == wanted || (or_equal && found == Ordering::Equal)
}

impl Value {
    /// A text.
    #[must_use]
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// A list.
    #[must_use]
    pub fn list(items: Vec<Value>) -> Self {
        Self::List(Arc::new(items))
    }

    /// Whether this is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether the value has no parts and is no long text: it can be compared in a moment.
    pub(crate) fn is_short(&self) -> bool {
        match self {
            Self::Text(text) => text.len() <= 256,
            Self::List(_) | Self::Context(_) | Self::Range(_) => false,
            _ => true,
        }
    }

    /// The name of the value's type, as FEEL writes it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::DateTime(_) => "date and time",
            Self::Months(_) => "years and months duration",
            Self::Duration(_) => "days and time duration",
            Self::List(_) => "list",
            Self::Context(_) => "context",
            Self::Range(_) => "range",
            Self::Function(_) => "function",
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<Number> for Value {
    fn from(value: Number) -> Self {
        Self::Number(value)
    }
}

impl From<Option<bool>> for Value {
    fn from(value: Option<bool>) -> Self {
        value.map_or(Self::Null, Self::Boolean)
    }
}

/// Whether two values are equal; nothing where their types differ.
#[must_use]
pub fn equal(a: &Value, b: &Value) -> Option<bool> {
    match (a, b) {
        (Value::Null, Value::Null) => Some(true),
        (Value::Null, _) | (_, Value::Null) => Some(false),
        (Value::Boolean(a), Value::Boolean(b)) => Some(a == b),
        (Value::Number(a), Value::Number(b)) => Some(a == b),
        (Value::Text(a), Value::Text(b)) => Some(a == b),
        (Value::Date(a), Value::Date(b)) => Some(a == b),
        (Value::Time(a), Value::Time(b)) => Some(a.same_as(b)),
        (Value::DateTime(a), Value::DateTime(b)) => Some(a.same_as(b)),
        (Value::Months(a), Value::Months(b)) => Some(a == b),
        (Value::Duration(a), Value::Duration(b)) => Some(a == b),
        (Value::List(a), Value::List(b)) => {
            if a.len() != b.len() {
                return Some(false);
            }
            a.iter().zip(b.iter()).try_fold(true, |so_far, (a, b)| Some(so_far && equal(a, b)?))
        }
        (Value::Context(a), Value::Context(b)) => Some(
            a.iter().len() == b.iter().len()
                && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| equal(value, other) == Some(true))),
        ),
        (Value::Range(a), Value::Range(b)) => Some(
            a.start_included == b.start_included
                && a.end_included == b.end_included
                && a.outside == b.outside
                && a.compared == b.compared
                && equal(&a.start, &b.start)?
                && equal(&a.end, &b.end)?,
        ),
        (Value::Function(a), Value::Function(b)) => Some(Arc::ptr_eq(a, b)),
        _ => None,
    }
}

/// The order of two values; nothing where they have none.
#[must_use]
pub fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Some(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Time(b)) => a.order(b),
        (Value::DateTime(a), Value::DateTime(b)) => a.order(b),
        (Value::Date(a), Value::DateTime(b)) => DateTime::midnight(*a).order(b),
        (Value::DateTime(a), Value::Date(b)) => a.order(&DateTime::midnight(*b)),
        (Value::Months(a), Value::Months(b)) => Some(a.cmp(b)),
        (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
        _ => None,
    }
}
