//! Secrets: written as references in files, found by the binary, never printed.

use std::fmt;

/// A reference to a secret as people write it: `${env:IMS_PASSWORD}` or `${file:/run/secrets/ims}`. Plain text is refused.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum SecretRef {
    /// An environment variable's name.
    Env(String),
    /// A file's path; a final line break is not part of the secret.
    File(String),
}

impl TryFrom<String> for SecretRef {
    type Error = SecretError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let inner = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        match inner.and_then(|inner| inner.split_once(':')) {
            Some(("env", name)) if !name.is_empty() => Ok(Self::Env(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.to_owned())),
            _ => Err(SecretError("a secret is written as ${env:NAME} or ${file:PATH}, never in clear".to_owned())),
        }
    }
}

impl From<SecretRef> for String {
    fn from(reference: SecretRef) -> Self {
        match reference {
            SecretRef::Env(name) => format!("${{env:{name}}}"),
            SecretRef::File(path) => format!("${{file:{path}}}"),
        }
    }
}

/// A secret's value; `Debug` hides it and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the value in.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value, for the wire only.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// Finds secrets. The binary implements it: adapters read no environment variable.
pub trait Secrets: Send + Sync {
    /// The secret behind a reference.
    fn find(&self, reference: &SecretRef) -> Result<Secret, SecretError>;
}

/// A secret cannot be had; the text names the reference, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SecretError(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_clear_is_refused_and_not_repeated() {
        let error = SecretRef::try_from("hunter2".to_owned()).unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
        assert_eq!(SecretRef::try_from("${env:PW}".to_owned()), Ok(SecretRef::Env("PW".into())));
        assert_eq!(SecretRef::try_from("${file:/run/pw}".to_owned()), Ok(SecretRef::File("/run/pw".into())));
        assert!(SecretRef::try_from("${env:}".to_owned()).is_err());
    }

    #[test]
    fn debug_hides_the_value() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
    }
}
