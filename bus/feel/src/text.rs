//! Values as text: what `string()` gives.

use std::fmt::{self, Write as _};

use crate::temporal::{DateText, duration_text, months_text};
use crate::value::{Range, Value};

/// A text that is written no further than so many bytes.
pub(crate) struct Bounded {
    pub(crate) text: String,
    pub(crate) most: usize,
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        if self.text.len() + more.len() > self.most {
            return Err(fmt::Error);
        }
        self.text.push_str(more);
        Ok(())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
            Self::Date(date) => DateText(*date).fmt(f),
            Self::Time(time) => time.fmt(f),
            Self::DateTime(moment) => moment.fmt(f),
            Self::Months(months) => f.write_str(&months_text(*months)),
            Self::Duration(duration) => f.write_str(&duration_text(*duration)),
            Self::List(items) => {
                f.write_char('[')?;
                for (index, item) in items.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { ", " })?;
                    fmt::Display::fmt(&item.quoted(), f)?;
                }
                f.write_char(']')
            }
            Self::Context(context) => {
                f.write_char('{')?;
                for (index, (key, value)) in context.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { ", " })?;
                    if key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ' ')) {
                        write!(f, "{key}: ")?;
                    } else {
                        write!(f, "\"{}\": ", key.replace('\\', "\\\\").replace('"', "\\\""))?;
                    }
                    fmt::Display::fmt(&value.quoted(), f)?;
                }
                f.write_char('}')
            }
            Self::Range(range) => range_text(range, f),
            Self::Function(_) => f.write_str("function"),
        }
    }
}

/// `[1..5)`, or `(< 5)` where it was written so.
fn range_text(range: &Range, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if range.compared {
        let (sign, end) = match (&range.start, &range.end) {
            (Value::Null, end) => (if range.end_included { "<=" } else { "<" }, end),
            (start, _) if range.outside => ("!=", start),
            (start, Value::Null) => (if range.start_included { ">=" } else { ">" }, start),
            (start, _) => ("=", start),
        };
        write!(f, "({sign} ")?;
        fmt::Display::fmt(&end.quoted(), f)?;
        return f.write_char(')');
    }
    f.write_char(if range.start_included { '[' } else { '(' })?;
    fmt::Display::fmt(&range.start.quoted(), f)?;
    f.write_str("..")?;
    fmt::Display::fmt(&range.end.quoted(), f)?;
    f.write_char(if range.end_included { ']' } else { ')' })
}

impl Value {
    /// The value as it is written within another one: a text in quotes.
    #[must_use]
    pub fn quoted(&self) -> impl fmt::Display {
        Quoted(self)
    }
}

struct Quoted<'a>(&'a Value);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Text(text) => write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
            other => fmt::Display::fmt(other, f),
        }
    }
}
