//! Route files as people write them: the structs that are parser and JSON schema at once.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

use crate::pattern::Pattern;

/// A file of routes: where calls go that their contract's endpoint alone does not tell.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Routes of Passerelle")]
pub struct File {
    /// Whether the first route that matches takes a call, or all that match. One for all routes of a method, whatever file they are in.
    #[serde(default)]
    pub mode: Mode,
    /// The methods (`package.Service/Method`) of routes that name none: one, or a list.
    #[serde(default)]
    #[schemars(with = "OneOrMany")]
    pub from: Option<Spanned<Names>>,
    /// The routes, in the order in which they are looked at; files go by their names.
    #[serde(default)]
    #[schemars(length(max = 100_000))]
    pub routes: Vec<Route>,
    /// Patterns that hold state, over messages that are published.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub patterns: Vec<Pattern>,
}

/// How many of the routes that match take a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The first one.
    #[default]
    First,
    /// All: the destination of the first one answers, those of the others are told.
    All,
}

/// One route.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Its name: unique among all routes; letters, digits, `-`, `_` and `.`.
    #[schemars(with = "String", extend("pattern" = "^[A-Za-z0-9_.-]{1,100}$"))]
    pub name: Spanned<String>,
    /// The methods whose calls it takes: one, or a list. Default: those of the file.
    #[serde(default)]
    #[schemars(with = "OneOrMany")]
    pub from: Option<Spanned<Names>>,
    /// The condition, in FEEL, over `method`, `service`, `channel`, `customer`, `reason`, `priority`, `received`, `metadata.KEY` and the
    /// fields of the request: `request.customer.segment = "gold"`. Default: every call.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub when: Option<Spanned<String>>,
    /// Where the call goes, and who answers it. Default: where it would go without routes.
    #[serde(default)]
    #[schemars(with = "Option<Destination>")]
    pub to: Option<Spanned<Destination>>,
    /// Where the call goes, by a decision of a model: in place of `to`, and where the condition holds.
    #[serde(default)]
    #[schemars(with = "Option<Decide>")]
    pub decide: Option<Spanned<Decide>>,
    /// The destinations of `decide`, by the text that the decision comes to. Where it comes to anything else, the route is passed over.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Destination>", extend("maxProperties" = 1000))]
    pub choices: BTreeMap<String, Spanned<Destination>>,
    /// Who else is told: gets a copy of the request, whose answer nobody hears. For methods with one message each way.
    #[serde(default)]
    #[schemars(with = "Vec<Destination>", length(max = 16))]
    pub also: Vec<Spanned<Destination>>,
    /// Fields of the request that its destinations do not get: `customer.birth_date`.
    #[serde(default)]
    #[schemars(with = "Vec<String>", length(max = 100))]
    pub drop: Vec<Spanned<String>>,
}

/// A decision of a DMN model that chooses where a call goes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    /// The model: the name of a file (`.dmn`) beside the route files. It imports no others.
    pub model: String,
    /// The decision's name.
    pub decision: String,
    /// Which of its outputs chooses, where it has several.
    #[serde(default)]
    pub output: Option<String>,
    /// The inputs of the model by their names, each an expression in FEEL over what conditions may name.
    #[serde(default)]
    pub inputs: BTreeMap<String, String>,
}

/// Where a call goes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// An endpoint of the settings. Default: the one that serves the method.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// Another method (`package.Service/Method`) with the same types. Default: the one that is called.
    #[serde(default)]
    pub method: Option<String>,
    /// A topic of the journal. Not there yet: it comes with delivery.
    #[serde(default)]
    pub topic: Option<String>,
    /// A translation between the types of the two methods. Not there yet.
    #[serde(default)]
    pub translation: Option<String>,
}

/// Names of methods: one, or a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

/// What the schema says of [`Names`].
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "only its schema is used")]
enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;
        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Names;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a name, or a list of names")
            }

            fn visit_str<E>(self, name: &str) -> Result<Names, E> {
                Ok(Names(vec![name.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Names, A::Error> {
                let mut all = Vec::new();
                while let Some(name) = names.next_element()? {
                    all.push(name);
                }
                Ok(Names(all))
            }
        }
        deserializer.deserialize_any(OneOrMore)
    }
}
