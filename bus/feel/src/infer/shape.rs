//! What is known of a value before there is one.

use std::fmt::Debug;
use std::sync::Arc;

use crate::number::{Number, Rounding};
use crate::value::Value;

/// What is known of a value. Unlike [`crate::Type`], which a value is held to, it also tells the range of numbers and the words a text can be.
/// Null is always possible besides.
#[derive(Debug, Clone)]
pub enum Shape {
    /// Nothing is known: only the value itself will tell.
    Unknown,
    /// Only null.
    Null,
    /// A boolean.
    Boolean,
    /// A number of these.
    Number(Span),
    /// A text; one of these words, where they are told.
    Text(Option<Arc<[Arc<str>]>>),
    /// A date.
    Date,
    /// A time of day.
    Time,
    /// A date and time.
    DateTime,
    /// A years and months duration.
    Months,
    /// A days and time duration.
    Duration,
    /// A list.
    List(Arc<Shape>),
    /// A context of exactly these entries.
    Context(Arc<Vec<(Arc<str>, Shape)>>),
    /// A context of any keys.
    Map(Arc<Shape>),
    /// A context as something else describes it.
    Record(Arc<dyn Schema>),
    /// A range.
    Range(Arc<Shape>),
    /// A function.
    Function,
    /// One of several.
    Either(Arc<Vec<Shape>>),
}

/// Which numbers can come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Only whole ones.
    pub whole: bool,
    /// None below, where it is known.
    pub low: Option<Number>,
    /// None above, where it is known.
    pub high: Option<Number>,
}

/// Describes contexts: their entries are asked for one by one, since a description may contain itself.
pub trait Schema: Debug + Send + Sync {
    /// The description's name.
    fn name(&self) -> &str;
    /// What is known of an entry; nothing where there is none.
    fn entry(&self, name: &str) -> Option<Shape>;
    /// The names of all entries.
    fn entries(&self) -> Vec<Arc<str>>;
}

impl Span {
    /// Any number.
    pub const ANY: Self = Self { whole: false, low: None, high: None };

    /// Whole numbers between two.
    #[must_use]
    pub fn whole(low: Option<Number>, high: Option<Number>) -> Self {
        Self { whole: true, low, high }
    }

    pub(super) fn of(number: Number) -> Self {
        Self { whole: number.is_integer(), low: Some(number), high: Some(number) }
    }

    pub(super) fn or(self, other: Self) -> Self {
        let both = |a: Option<Number>, b: Option<Number>, pick: fn(Number, Number) -> Number| Some(pick(a?, b?));
        Self {
            whole: self.whole && other.whole,
            low: both(self.low, other.low, Ord::min),
            high: both(self.high, other.high, Ord::max),
        }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        let both = |a: Option<Number>, b: Option<Number>| a?.plus(b?);
        Self { whole: self.whole && other.whole, low: both(self.low, other.low), high: both(self.high, other.high) }
    }

    pub(super) fn negated(self) -> Self {
        Self { low: self.high.map(Number::negated), high: self.low.map(Number::negated), ..self }
    }

    pub(super) fn times(self, other: Self) -> Self {
        let whole = self.whole && other.whole;
        let ends = (|| {
            Some([
                self.low?.times(other.low?)?,
                self.low?.times(other.high?)?,
                self.high?.times(other.low?)?,
                self.high?.times(other.high?)?,
            ])
        })();
        let end = |pick: fn(Number, Number) -> Number| ends.and_then(|ends| ends.into_iter().reduce(pick));
        Self { whole, low: end(Ord::min), high: end(Ord::max) }
    }

    /// Rounded to whole numbers, whichever way.
    pub(super) fn rounded(self) -> Self {
        let end = |end: Option<Number>, rounding| end.and_then(|end| end.rounded(0, rounding));
        Self::whole(end(self.low, Rounding::Floor), end(self.high, Rounding::Ceiling))
    }

    /// The least of two, where `other` may bound this one from above.
    pub(super) fn least(self, other: Self) -> Self {
        let low = self.low.zip(other.low).map(|(a, b)| a.min(b));
        let high = [self.high, other.high].into_iter().flatten().min();
        Self { whole: self.whole && other.whole, low, high }
    }

    /// The greatest of two.
    pub(super) fn greatest(self, other: Self) -> Self {
        self.negated().least(other.negated()).negated()
    }
}

impl Shape {
    /// Any text.
    pub const TEXT: Self = Self::Text(None);
    /// Any number.
    pub const NUMBER: Self = Self::Number(Span::ANY);

    /// What a value is.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Boolean(_) => Self::Boolean,
            Value::Number(number) => Self::Number(Span::of(*number)),
            Value::Text(text) => Self::Text(Some(Arc::from([text.clone()]))),
            Value::Date(_) => Self::Date,
            Value::Time(_) => Self::Time,
            Value::DateTime(_) => Self::DateTime,
            Value::Months(_) => Self::Months,
            Value::Duration(_) => Self::Duration,
            Value::List(items) => Self::list(items.iter().fold(Self::Null, |so_far, item| so_far.or(Self::of(item)))),
            Value::Context(context) => {
                Self::Context(Arc::new(context.iter().map(|(name, value)| (name.clone(), Self::of(value))).collect()))
            }
            Value::Range(range) => Self::Range(Arc::new(Self::of(&range.start).or(Self::of(&range.end)))),
            Value::Function(_) => Self::Function,
        }
    }

    /// A list of these.
    #[must_use]
    pub fn list(item: Self) -> Self {
        Self::List(Arc::new(item))
    }

    /// The name of its type, as FEEL writes it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Unknown | Self::Either(_) => "value",
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::Date => "date",
            Self::Time => "time",
            Self::DateTime => "date and time",
            Self::Months => "years and months duration",
            Self::Duration => "days and time duration",
            Self::List(_) => "list",
            Self::Context(_) | Self::Map(_) | Self::Record(_) => "context",
            Self::Range(_) => "range",
            Self::Function => "function",
        }
    }

    /// Whether all that is known of it is one type without parts.
    pub(super) fn is_scalar(&self) -> bool {
        !matches!(self, Self::Unknown | Self::Null | Self::Either(_) | Self::List(_) | Self::Range(_) | Self::Function)
    }

    /// One or the other.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Null, known) | (known, Self::Null) => known,
            (Self::Number(a), Self::Number(b)) => Self::Number(a.or(b)),
            (Self::Text(Some(a)), Self::Text(Some(b))) => {
                let more = b.iter().filter(|word| !a.contains(word));
                Self::Text(Some(a.iter().chain(more).cloned().collect()))
            }
            (Self::Text(_), Self::Text(_)) => Self::TEXT,
            (Self::List(a), Self::List(b)) => Self::list((*a).clone().or((*b).clone())),
            (Self::Either(all), one) | (one, Self::Either(all)) => {
                Self::Either(Arc::new(all.iter().cloned().chain([one]).collect()))
            }
            (a, b)
                if a.type_name() == b.type_name()
                    && !matches!(a, Self::Context(_) | Self::Map(_) | Self::Record(_) | Self::Range(_)) =>
            {
                a
            }
            (a, b) => Self::Either(Arc::new(vec![a, b])),
        }
    }

    /// An item of it, as a loop or a filter gets it.
    pub(super) fn item(&self) -> Self {
        match self {
            Self::List(item) => (**item).clone(),
            Self::Range(of) => (**of).clone().or(Self::Null),
            Self::Either(_) => Self::Unknown,
            single => single.clone(),
        }
    }
}
