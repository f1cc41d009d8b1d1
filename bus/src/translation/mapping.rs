//! A translation at work: one message in, one message out.

use std::collections::BTreeMap;
use std::sync::Arc;

use passerelle_feel::{Context, Environment, Exceeded, Expression, Value};
use prost_reflect::{DynamicMessage, MessageDescriptor};

use super::loss::Loss;
use crate::payload::{PayloadError, from_value, to_value};

/// How one message type becomes another, checked and compiled.
pub struct Mapping {
    pub(super) from: MessageDescriptor,
    pub(super) to: MessageDescriptor,
    /// `file:line:column`.
    pub(super) place: String,
    pub(super) fields: Vec<Field>,
    pub(super) required: Vec<Vec<Arc<str>>>,
    pub(super) loss: Loss,
}

/// One field of the message that is made.
pub(super) struct Field {
    pub(super) path: Vec<Arc<str>>,
    pub(super) value: Expression,
    pub(super) table: Option<Table>,
}

/// What texts become.
pub(super) struct Table {
    pub(super) becomes: BTreeMap<String, Arc<str>>,
    pub(super) otherwise: Option<Arc<str>>,
}

/// A message that cannot be translated. No field's value is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TranslationError {
    /// The message is not what its type says.
    #[error("the {0} cannot be read")]
    Undecodable(String),
    /// A part of the message that there is cannot be read.
    #[error("{from}: {error}")]
    Read {
        /// Its type.
        from: String,
        /// The field and the rule.
        error: PayloadError,
    },
    /// A field of the message that is made cannot take its value.
    #[error("{to}: {error}")]
    Write {
        /// Its type.
        to: String,
        /// The field and the rule.
        error: PayloadError,
    },
    /// A text that the field's table does not have.
    #[error("{to}: {path}: the table has no entry for what comes, and no `otherwise`")]
    NotInTable {
        /// The type of the message that is made.
        to: String,
        /// The field.
        path: String,
    },
    /// A field that was declared required has no value.
    #[error("{to}: {path}: the field is required, and has no value")]
    Missing {
        /// The type of the message that is made.
        to: String,
        /// The field.
        path: String,
    },
    /// An expression met a limit.
    #[error("{to}: {path}: {exceeded}")]
    Exceeded {
        /// The type of the message that is made.
        to: String,
        /// The field.
        path: String,
        /// Which limit.
        exceeded: Exceeded,
    },
}

impl Mapping {
    /// The type that there is.
    #[must_use]
    pub fn from(&self) -> &MessageDescriptor {
        &self.from
    }

    /// The type that is made.
    #[must_use]
    pub fn to(&self) -> &MessageDescriptor {
        &self.to
    }

    /// Where it is written.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What is lost on the way.
    #[must_use]
    pub fn loss(&self) -> &Loss {
        &self.loss
    }

    /// Translates a message off the wire to one for the wire.
    ///
    /// # Errors
    /// The message is none of its type, or one of its fields does not fit.
    pub fn translate_bytes(&self, message: &[u8]) -> Result<Vec<u8>, TranslationError> {
        let decoded = DynamicMessage::decode(self.from.clone(), message);
        let message = decoded.map_err(|_| TranslationError::Undecodable(self.from.full_name().to_owned()))?;
        self.translate(&message).map(|message| prost::Message::encode_to_vec(&message))
    }

    /// Translates a message. The same message always becomes the same: an expression has no clock.
    ///
    /// # Errors
    /// One of its fields does not fit.
    pub fn translate(&self, message: &DynamicMessage) -> Result<DynamicMessage, TranslationError> {
        let to = || self.to.full_name().to_owned();
        let source = to_value(message);
        let source = [source.map_err(|error| TranslationError::Read { from: self.from.full_name().to_owned(), error })?];
        let mut made = Tree::default();
        for field in &self.fields {
            let path = || field.path.join(".");
            let evaluated = field.value.evaluate(&source, &Environment::timeless());
            let value = evaluated.map_err(|exceeded| TranslationError::Exceeded { to: to(), path: path(), exceeded })?.value;
            let value = match &field.table {
                Some(table) if !value.is_null() => {
                    table.look_up(&value).ok_or_else(|| TranslationError::NotInTable { to: to(), path: path() })?
                }
                _ => value,
            };
            made.set(&field.path, value);
        }
        if let Some(path) = self.required.iter().find(|path| !made.has(path)) {
            return Err(TranslationError::Missing { to: to(), path: path.join(".") });
        }
        from_value(&made.value(), &self.to).map_err(|error| TranslationError::Write { to: to(), error })
    }
}

impl std::fmt::Debug for Mapping {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Mapping({} to {})", self.from.full_name(), self.to.full_name())
    }
}

impl Table {
    fn look_up(&self, value: &Value) -> Option<Value> {
        let found = if let Value::Text(text) = value { self.becomes.get(&**text) } else { None };
        found.or(self.otherwise.as_ref()).map(|text| Value::text(text.clone()))
    }
}

/// The message that is made: values at their paths.
#[derive(Default)]
struct Tree(Vec<(Arc<str>, Branch)>);

enum Branch {
    Value(Value),
    Message(Tree),
}

impl Tree {
    fn set(&mut self, path: &[Arc<str>], value: Value) {
        let Some((first, rest)) = path.split_first() else { return };
        if rest.is_empty() {
            self.0.push((first.clone(), Branch::Value(value)));
            return;
        }
        if let Some((_, Branch::Message(inner))) = self.0.iter_mut().find(|(name, _)| name == first) {
            return inner.set(rest, value);
        }
        let mut inner = Self::default();
        inner.set(rest, value);
        self.0.push((first.clone(), Branch::Message(inner)));
    }

    /// Whether there is a value at a path.
    fn has(&self, path: &[Arc<str>]) -> bool {
        let Some((first, rest)) = path.split_first() else { return true };
        match self.0.iter().find(|(name, _)| name == first) {
            None => false,
            Some((_, Branch::Message(inner))) => !inner.is_empty() && inner.has(rest),
            Some((_, Branch::Value(value))) => within(value, rest),
        }
    }

    /// Whether all of it is null: then the message is absent.
    fn is_empty(&self) -> bool {
        self.0.iter().all(|(_, branch)| match branch {
            Branch::Value(value) => value.is_null(),
            Branch::Message(inner) => inner.is_empty(),
        })
    }

    fn value(&self) -> Value {
        let entries = self.0.iter().map(|(name, branch)| {
            let value = match branch {
                Branch::Value(value) => value.clone(),
                Branch::Message(inner) if inner.is_empty() => Value::Null,
                Branch::Message(inner) => inner.value(),
            };
            (name.clone(), value)
        });
        Value::Context(Arc::new(entries.collect::<Context>()))
    }
}

fn within(value: &Value, path: &[Arc<str>]) -> bool {
    match (value, path) {
        (Value::Null, _) => false,
        (_, []) => true,
        (Value::Context(context), [first, rest @ ..]) => context.get(first).is_some_and(|value| within(value, rest)),
        _ => false,
    }
}
