//! A setting that names a secret: found where the adapter runs, since secrets do not cross the port.

use std::borrow::Cow;
use std::{env, fmt, fs};

use passerelle_adapter::OpenError;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// Names a secret as `env:NAME` or `file:PATH`; never printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Secret(Place);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Environment(String),
    File(String),
}

impl Secret {
    /// The secret itself, for the system behind only. Looked up each time, so that it can be changed; a final line break is not part of it.
    ///
    /// # Errors
    /// It is not there; the text names the place.
    pub fn reveal(&self) -> Result<String, OpenError> {
        let found = match &self.0 {
            #[allow(clippy::disallowed_methods, reason = "secrets are found where the adapter runs")]
            Place::Environment(name) => env::var(name).ok(),
            Place::File(path) => fs::read_to_string(path).ok().map(|text| text.strip_suffix('\n').unwrap_or(&text).to_owned()),
        };
        found.ok_or_else(|| OpenError(format!("the secret {self:?} is not there")))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Environment(name) => write!(formatter, "env:{name}"),
            Place::File(path) => write!(formatter, "file:{path}"),
        }
    }
}

impl TryFrom<String> for Secret {
    type Error = &'static str;

    /// The text is not repeated: it may be a secret written in the wrong place.
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_name = |name: &str| {
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && name.starts_with(|first: char| !first.is_ascii_digit())
        };
        match text.split_once(':') {
            Some(("env", name)) if is_name(name) => Ok(Self(Place::Environment(name.to_owned()))),
            Some(("file", path)) if !path.is_empty() => Ok(Self(Place::File(path.to_owned()))),
            _ => Err("a secret is named as env:NAME or file:PATH, never written in clear"),
        }
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_named_and_never_repeated() {
        for good in ["env:PASSWORD", "env:_x1", "file:/run/secrets/ledger"] {
            assert_eq!(format!("{:?}", Secret::try_from(good.to_owned()).unwrap()), good);
        }
        for bad in ["hunter2", "env:", "env:1", "env:a-b", "file:", "ENV:A", ""] {
            assert!(!Secret::try_from(bad.to_owned()).unwrap_err().contains("hunter2"), "{bad}");
        }
    }

    #[test]
    fn a_secret_is_looked_up_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        let secret = Secret::try_from(format!("file:{}", path.display())).unwrap();
        let missing = secret.reveal().unwrap_err().to_string();
        assert!(missing.starts_with("the secret file:") && missing.ends_with(" is not there"), "{missing}");
        for value in ["hunter2", "hunter3"] {
            fs::write(&path, format!("{value}\n")).unwrap();
            assert_eq!(secret.reveal().unwrap(), value);
        }
    }
}
