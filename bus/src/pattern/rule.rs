//! Expressions of patterns over messages, compiled: what they may name, and what they come to.

use std::sync::Arc;
use std::time::SystemTime;

use passerelle_feel::{Environment, Expression, Limits, Scope, Value, from_json};
use passerelle_proto::bus::v1::Message;

/// What one expression of a pattern may use.
const LIMITS: Limits = Limits {
    steps: 200_000,
    depth: 64,
    list_items: 10_000,
    text_bytes: 1 << 20,
    memory_bytes: 16 << 20,
    time: std::time::Duration::from_millis(25),
};

/// What an expression over one message may name, in the order of [`values`].
const MESSAGE: [&str; 14] = [
    "id",
    "source",
    "type",
    "subject",
    "customer",
    "channel",
    "reason",
    "contract",
    "correlation_id",
    "causation_id",
    "priority",
    "sequence_number",
    "sequence_size",
    "data",
];

/// What expressions may name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Names {
    /// One message.
    Message,
    /// One message, and an element of it.
    Item,
    /// Messages that belong together.
    Parts,
}

/// A compiled expression.
#[derive(Debug)]
pub(super) struct Rule(Expression);

impl Names {
    fn list(self) -> Vec<&'static str> {
        match self {
            Self::Message => MESSAGE.to_vec(),
            Self::Item => [&MESSAGE[..], &["item"]].concat(),
            Self::Parts => vec!["parts", "count", "last", "complete"],
        }
    }
}

impl Rule {
    /// Compiles an expression, or says what is wrong with it.
    pub(super) fn compile(text: &str, names: Names) -> Result<Self, String> {
        let known = names.list();
        let expression = Expression::compile(text, &Scope::of(&known)).map_err(|error| error.to_string())?;
        match expression.unknown.first() {
            None => Ok(Self(expression)),
            Some(unknown) => Err(format!("`{unknown}` is not known here; known are {}", known.join(", "))),
        }
    }

    /// What it comes to; an error says why it comes to nothing, without values of the message.
    pub(super) fn value(&self, values: &[Value], now: SystemTime) -> Result<Value, String> {
        let evaluated = self.0.evaluate(values, &Environment::at(now).within(LIMITS)).map_err(|error| error.to_string())?;
        match evaluated.value {
            Value::Null => Err("it comes to null".to_owned()),
            value => Ok(value),
        }
    }

    /// Whether it is true. What is neither true nor false does not hold.
    pub(super) fn holds(&self, values: &[Value], now: SystemTime) -> bool {
        matches!(self.value(values, now), Ok(Value::Boolean(true)))
    }
}

/// The values of a message, for expressions.
pub(super) fn values(message: &Message) -> Vec<Value> {
    let text = |text: &str| if text.is_empty() { Value::Null } else { Value::text(text) };
    let number = |number: u64| number.to_string().parse().map_or(Value::Null, Value::Number);
    let known = |value: u64| if value == 0 { Value::Null } else { number(value) };
    vec![
        text(&message.id),
        text(&message.source),
        text(&message.r#type),
        text(&message.subject),
        text(&message.customer),
        text(&message.channel),
        text(&message.reason),
        text(&message.contract),
        text(&message.correlation_id),
        text(&message.causation_id),
        number(message.priority.into()),
        known(message.sequence_number),
        known(message.sequence_size),
        data(message),
    ]
}

/// The same with an element.
pub(super) fn values_with(message: &Message, item: &Value) -> Vec<Value> {
    let mut values = values(message);
    values.push(item.clone());
    values
}

/// The values of messages that belong together.
pub(super) fn values_of<'a>(parts: impl Iterator<Item = &'a Message>, complete: bool) -> Vec<Value> {
    let context = |message: &Message| {
        let entries = MESSAGE.iter().map(|name| Arc::from(*name)).zip(values(message));
        Value::Context(Arc::new(entries.collect()))
    };
    let parts: Vec<Value> = parts.map(context).collect();
    let count = parts.len().to_string().parse().map_or(Value::Null, Value::Number);
    let last = parts.last().cloned().unwrap_or(Value::Null);
    vec![Value::list(parts), count, last, Value::Boolean(complete)]
}

/// The data as a value: what JSON says, or a text; null where it is neither.
pub(super) fn data(message: &Message) -> Value {
    let sort = message.data_content_type.split(';').next().unwrap_or_default().trim();
    match sort {
        "application/json" => json(&message.data),
        sort if sort.ends_with("+json") => json(&message.data),
        sort if sort.starts_with("text/") => std::str::from_utf8(&message.data).map_or(Value::Null, Value::text),
        _ => Value::Null,
    }
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).map_or(Value::Null, |json| from_json(&json))
}

/// A value that names something: a text, a number or a truth value, not empty, of at most that many bytes.
pub(super) fn name(value: &Value, longest: usize) -> Result<String, String> {
    let text = match value {
        Value::Text(text) => text.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        other => return Err(format!("it comes to {}, a text, a number or a truth value is needed", other.type_name())),
    };
    match text.len() {
        0 => Err("it comes to an empty text".to_owned()),
        length if length > longest => Err(format!("it comes to a text of {length} bytes, at most {longest} are taken")),
        _ => Ok(text),
    }
}

/// A whole number from 1 on.
pub(super) fn whole(value: &Value) -> Result<u64, String> {
    let number = match value {
        Value::Number(number) => number.to_string().parse::<u64>().ok().filter(|number| *number > 0),
        _ => None,
    };
    number.ok_or_else(|| "it does not come to a whole number from 1 on".to_owned())
}
