//! Translation files as people write them: the structs that are parser and JSON schema at once.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

/// A file of translations between message types.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Translations of Passerelle")]
pub struct File {
    /// The contract that callers see, where no endpoint speaks it.
    #[serde(default)]
    pub contract: Option<ContractFiles>,
    /// Methods that callers see, and the methods that serve them: for one message each way.
    #[serde(default)]
    #[schemars(with = "Vec<MethodPair>")]
    pub methods: Vec<Spanned<MethodPair>>,
    /// How one message becomes another; one entry for each direction.
    #[schemars(with = "Vec<Message>")]
    pub messages: Vec<Spanned<Message>>,
}

/// `.proto` files.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractFiles {
    /// The files, relative to this one.
    pub proto: Vec<PathBuf>,
    /// Folders that their imports are relative to. Default: found by the files' packages.
    #[serde(default)]
    pub include: Vec<PathBuf>,
}

/// A method and the one that serves it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MethodPair {
    /// As callers call it: `package.Service/Method`.
    pub method: String,
    /// What is called in its place.
    pub calls: String,
}

/// How one message becomes another.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// The full name of the type that there is. Expressions know a message of it as `source`.
    pub from: String,
    /// The full name of the type that is made.
    pub to: String,
    /// Fields that must have a value, or the message is refused: `customer.name`.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub required: Vec<Spanned<String>>,
    /// The fields of the message that is made, each with the FEEL expression of its value: `customer.name: source.name`.
    /// A value that is null leaves the field absent.
    #[schemars(with = "BTreeMap<String, Field>")]
    pub fields: BTreeMap<String, Spanned<Written>>,
}

/// The value of a field, with what holds for it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Detailed {
    /// An expression in FEEL.
    pub value: String,
    /// What each text that the value can be becomes: names of one enumeration to those of another.
    #[serde(default)]
    pub table: Option<BTreeMap<String, String>>,
    /// What all other texts become. Default: each text that the value can be needs an entry in the table.
    #[serde(default)]
    pub otherwise: Option<String>,
    /// What becomes of numbers that the field cannot hold. Default: the expression must rule them out (`floor()`, `min()`, `max()`).
    #[serde(default)]
    pub narrow: Option<Narrow>,
}

/// What becomes of numbers that a field cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Narrow {
    /// The message is refused.
    Refuse,
}

/// What the schema says of [`Written`].
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "only its schema is used")]
enum Field {
    /// An expression in FEEL.
    Expression(String),
    /// An expression, with what holds for its value.
    Detailed(Detailed),
}

/// The value of a field: an expression alone, or with what holds for it.
#[derive(Debug, Clone)]
pub struct Written(pub Detailed);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Written;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an expression, or `value` with `table`, `otherwise` or `narrow`")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Written, E> {
                Ok(Written(Detailed { value: text.to_owned(), ..Detailed::default() }))
            }

            // YAML takes `5` and `true` for what they are: in FEEL they are the same.
            fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Written, E> {
                self.visit_str(&value.to_string())
            }

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Written, E> {
                self.visit_str(&value.to_string())
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Written, E> {
                self.visit_str(&value.to_string())
            }

            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Written, E> {
                self.visit_str(&value.to_string())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Written, A::Error> {
                Detailed::deserialize(MapAccessDeserializer::new(map)).map(Written)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A file of examples, beside the translations: `NAME.examples.yaml`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Examples of Passerelle's translations")]
pub struct ExampleFile {
    /// The examples.
    #[schemars(with = "Vec<Example>")]
    pub examples: Vec<Spanned<Example>>,
}

/// One message, and what it becomes. Messages are written as in protobuf's JSON.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What it shows.
    pub name: String,
    /// The full name of its type.
    pub from: String,
    /// The full name of the type that is made.
    pub to: String,
    /// The message.
    pub source: serde_json::Value,
    /// What it becomes.
    #[serde(default)]
    pub target: Option<serde_json::Value>,
    /// Or: it is refused, with a text that holds this.
    #[serde(default)]
    pub refused: Option<String>,
}
