//! Patterns as people write them in route files: the structs that are parser and JSON schema at once.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::route::Names;

/// A pattern of enterprise integration: takes messages that were published, and publishes others. What it holds meanwhile is durable,
/// bounded, and over after a while. One of the kinds below must be given.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// Its name: unique among all patterns; letters, digits, `-`, `_` and `.`. What it holds is kept under it.
    #[schemars(with = "String", extend("pattern" = "^[A-Za-z0-9_.-]{1,50}$"))]
    pub name: Spanned<String>,
    /// The types of the messages that it takes, exactly or up to a final `*`: one, or a list.
    #[schemars(with = "Vec<String>")]
    pub from: Spanned<Names>,
    /// The condition, in FEEL, over `id`, `source`, `type`, `subject`, `customer`, `channel`, `reason`, `contract`, `correlation_id`,
    /// `causation_id`, `priority`, `sequence_number`, `sequence_size` and `data` (what JSON says, or a text). Default: every message.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub when: Option<Spanned<String>>,
    /// Puts messages that belong together into one.
    #[serde(default)]
    pub aggregate: Option<Aggregate>,
    /// Makes a message of each element of a list.
    #[serde(default)]
    pub split: Option<Split>,
    /// Gives messages in the order of their numbers.
    #[serde(default)]
    pub resequence: Option<Resequence>,
    /// Gives a copy of each message.
    #[serde(default)]
    pub tap: Option<Tap>,
    /// Gives each message to those that it says itself.
    #[serde(default)]
    pub recipients: Option<Recipients>,
    /// Asks several and gives their answers together.
    #[serde(default)]
    pub scatter_gather: Option<ScatterGather>,
    /// Asks one and gives its answer, also when that is late.
    #[serde(default)]
    pub request_reply: Option<RequestReply>,
    /// Gives each message to one type or, while an operator has it so, to another.
    #[serde(default)]
    pub detour: Option<Detour>,
}

/// Puts messages that belong together into one: an aggregator. What is said first completes it; else it ends when its time or its room does.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Aggregate {
    /// What belongs together, in FEEL: `correlation_id`, `data.order.number`. A text, a number or a truth value of at most 200 bytes.
    #[schemars(with = "String")]
    pub by: Spanned<String>,
    /// Complete with so many messages, in FEEL over the last one: `3`, `sequence_size`, `data.of`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub count: Option<Spanned<Text>>,
    /// Complete when this holds, in FEEL over `parts` (a list of contexts like one message), `count` and `last`: `sum(parts.data.amount) > 100`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub until: Option<Spanned<String>>,
    /// Over after so many seconds since the first message, complete or not.
    #[serde(default = "hour")]
    #[schemars(range(min = 1, max = 2_592_000))]
    pub within_seconds: u32,
    /// What becomes of what is held when it is not complete and its time or its room is over.
    pub incomplete: Incomplete,
    /// How much is held of what belongs together. What comes beyond ends it incomplete, and begins anew.
    #[serde(default)]
    pub limits: Bounds,
    /// What is published. Its data is JSON: without an expression the list of the data of the parts. The expression sees `parts`, `count`, `last`
    /// and `complete`.
    pub publish: Publish,
}

/// What becomes of what is held when it is not complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Incomplete {
    /// It is published as it is.
    Publish,
    /// Its messages are dead letters: `passerelle dead list` shows them.
    DeadLetters,
}

/// Makes a message of each element of a list: a splitter. Each gets its number (`sequence_number`) and how many there are (`sequence_size`).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// The list, in FEEL: `data.lines`. What is none, or larger than the limits, makes the message a dead letter.
    #[schemars(with = "String")]
    pub list: Spanned<String>,
    /// How much one message may become.
    #[serde(default)]
    pub limits: Bounds,
    /// What is published for each element. Its data is JSON: without an expression the element. The expression sees the message, and `item`.
    pub publish: Publish,
}

/// Gives messages in the order of their numbers: a resequencer. What comes after its turn is a dead letter.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resequence {
    /// What is one sequence, in FEEL.
    #[serde(default = "correlation")]
    #[schemars(with = "String")]
    pub by: Spanned<String>,
    /// The number of a message in its sequence, in FEEL: a whole number from 1.
    #[serde(default = "number")]
    #[schemars(with = "String")]
    pub number: Spanned<String>,
    /// How long the first that waits for one that is missing waits, in seconds.
    #[serde(default = "minute")]
    #[schemars(range(min = 1, max = 2_592_000))]
    pub within_seconds: u32,
    /// What becomes of those that wait when that is over, or there is no more room: they come without the missing one, or are dead letters.
    pub incomplete: Incomplete,
    /// A sequence without messages for so many seconds is forgotten: a message that comes then is the first of another one.
    #[serde(default = "day")]
    #[schemars(range(min = 1, max = 2_592_000))]
    pub forget_seconds: u32,
    /// How much waits of one sequence.
    #[serde(default)]
    pub limits: Bounds,
    /// The type that messages are published with, else unchanged.
    pub to: String,
}

/// Gives a copy of each message: a wire tap.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tap {
    /// The type of the copy.
    pub to: String,
}

/// Gives each message to those that it says itself: a recipient list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recipients {
    /// The types that copies are published with, in FEEL: a list of at most 100 texts, each of which gets one.
    #[schemars(with = "String")]
    pub list: Spanned<String>,
}

/// Asks several and gives their answers together. An answer has the `correlation_id` of what it answers; the message that is given has that
/// of the request again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScatterGather {
    /// The types that copies of the request are published with, each of which is to be answered.
    #[schemars(length(min = 1, max = 100))]
    pub to: Vec<String>,
    /// The types of answers, exactly or up to a final `*`: one, or a list.
    #[schemars(with = "Vec<String>")]
    pub answers: Spanned<Names>,
    /// How long answers are awaited, in seconds.
    #[schemars(range(min = 1, max = 2_592_000))]
    pub within_seconds: u32,
    /// What becomes of the answers that are there when that is over, or there is no more room. As dead letters they come with their request.
    pub incomplete: Incomplete,
    /// How much is held for one request, with itself.
    #[serde(default)]
    pub limits: Bounds,
    /// What is published, as for `aggregate`; the parts are the answers.
    pub publish: Publish,
}

/// Asks one and gives its answer. An answer has the `correlation_id` of what it answers; the message that is given has that of the request
/// again, and its customer and channel.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestReply {
    /// The type that the request is published with.
    pub to: String,
    /// The types of answers, exactly or up to a final `*`: one, or a list.
    #[schemars(with = "Vec<String>")]
    pub answers: Spanned<Names>,
    /// How long the answer is awaited, in seconds.
    #[schemars(range(min = 1, max = 2_592_000))]
    pub within_seconds: u32,
    /// The type that the answer is published with.
    pub answered: String,
    /// The type that the request is published with when its time is over.
    pub unanswered: String,
    /// What becomes of an answer that comes later. Default: it is a dead letter.
    #[serde(default)]
    pub late: Option<Late>,
}

/// What becomes of a late answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Late {
    /// The type that it is published with.
    pub to: String,
    /// The channel that it is for: `sms`. Default: that of the request.
    #[serde(default)]
    pub channel: Option<String>,
    /// How long after the request's time is over, in seconds.
    #[serde(default = "day")]
    #[schemars(range(min = 1, max = 2_592_000))]
    pub within_seconds: u32,
}

/// Gives each message to one type or, while `passerelle patterns detour` has it so, to another.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Detour {
    /// The usual type.
    pub to: String,
    /// The type while the detour is on.
    pub through: String,
}

/// What is published.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// The type of the message.
    pub r#type: String,
    /// Its data, in FEEL, which becomes JSON.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub data: Option<Spanned<String>>,
}

/// How much is held.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Bounds {
    /// Messages.
    #[schemars(range(min = 1, max = 1_000))]
    pub messages: u32,
    /// Their bytes together.
    #[schemars(range(min = 1, max = 524_288))]
    pub bytes: u32,
}

impl Bounds {
    /// The most that may be said.
    pub(super) const MOST: Self = Self { messages: 1_000, bytes: 512 * 1024 };
}

impl Default for Bounds {
    fn default() -> Self {
        Self { messages: 1_000, bytes: 256 * 1024 }
    }
}

/// An expression; a number is one as well.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Text {
    /// A number.
    Number(u64),
    /// An expression.
    Expression(String),
}

impl Text {
    pub(super) fn expression(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Expression(text) => text.clone(),
        }
    }
}

fn written(text: &str) -> Spanned<String> {
    Spanned { value: text.to_owned(), referenced: serde_saphyr::Location::UNKNOWN, defined: serde_saphyr::Location::UNKNOWN }
}

fn correlation() -> Spanned<String> {
    written("correlation_id")
}

fn number() -> Spanned<String> {
    written("sequence_number")
}

fn minute() -> u32 {
    60
}

fn hour() -> u32 {
    3_600
}

fn day() -> u32 {
    86_400
}
