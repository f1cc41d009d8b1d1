//! How channels say who they are.

use std::sync::Arc;

use passerelle_bus::call;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How channels say who they are and whom they call for, in the metadata of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Channels {
    /// The channels whose consumption of each back office is counted, by the names that they give. All others are counted together, as
    /// `other`. At most 64.
    pub names: Vec<String>,
    /// The metadata key in which a channel gives its name.
    pub name_key: MetadataKey,
    /// The metadata key in which a channel gives the customer's value: a digit, 9 is served first where calls wait.
    pub value_key: MetadataKey,
    /// The value of customers for whom none is given.
    #[schemars(range(min = 0, max = 9))]
    pub usual_value: u8,
}

/// A metadata key: small letters, digits, `-`, `_` and `.`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct MetadataKey(http::HeaderName);

/// Channels that are counted, each with its series.
const MOST_NAMES: usize = 64;

impl Channels {
    /// As the bus takes it.
    pub fn resolved(&self) -> Arc<call::ChannelSettings> {
        Arc::new(call::ChannelSettings {
            name_key: self.name_key.0.clone(),
            value_key: self.value_key.0.clone(),
            usual_value: self.usual_value,
            names: self.names.clone(),
        })
    }

    /// `(path, what is wrong)` of everything that the types cannot say.
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let names = || "channels.names".to_owned();
        let mut found = Vec::new();
        if self.names.len() > MOST_NAMES {
            found.push((names(), format!("{} names, at most {MOST_NAMES} are counted one by one", self.names.len())));
        }
        let fits =
            |name: &str| (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        for name in self.names.iter().filter(|name| !fits(name) || *name == "other") {
            found.push((
                names(),
                format!("`{name}` is no channel's name: 1 to 64 letters, digits, `-`, `_` and `.`, and not `other`"),
            ));
        }
        found
    }
}

impl Default for Channels {
    fn default() -> Self {
        let call::ChannelSettings { name_key, value_key, usual_value, names } = call::ChannelSettings::default();
        Self { names, name_key: MetadataKey(name_key), value_key: MetadataKey(value_key), usual_value }
    }
}

impl TryFrom<String> for MetadataKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let fits = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b));
        let key = http::HeaderName::from_bytes(text.as_bytes())
            .ok()
            .filter(|_| fits && !text.starts_with("grpc-") && !text.ends_with("-bin"));
        key.map(Self).ok_or_else(|| {
            format!("`{text}` is no metadata key: small letters, digits, `-`, `_` and `.`, neither grpc-… nor …-bin")
        })
    }
}

impl From<MetadataKey> for String {
    fn from(key: MetadataKey) -> Self {
        key.0.as_str().to_owned()
    }
}
