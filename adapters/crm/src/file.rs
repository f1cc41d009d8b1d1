//! The file an integrator writes: one struct is the parser, the JSON schema and the reference.

use std::path::{Path, PathBuf};

use passerelle_adapter::{OpenError, SecretRef, read};
use passerelle_adapter_tls::TlsSettings;
use schemars::JsonSchema;
use serde::Deserialize;

/// A CRM.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Passerelle crm adapter")]
pub(crate) struct File {
    /// Says which adapter reads this file: always `crm`.
    #[allow(dead_code, reason = "read so that the key is checked; the binary has chosen the adapter by it")]
    pub(crate) adapter: AdapterName,
    /// Where the customers are kept.
    pub(crate) driver: DriverName,
    /// `driver: embedded` only: the file.
    pub(crate) embedded: Option<EmbeddedSettings>,
    /// `driver: tryton` only: the server.
    pub(crate) tryton: Option<TrytonSettings>,
    /// Bounds on calls.
    #[serde(default)]
    pub(crate) limits: Limits,
}

/// The adapter's name.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AdapterName {
    /// This adapter.
    Crm,
}

/// Where the customers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DriverName {
    /// In an SQLite file of this machine, with an exact list of changes.
    Embedded,
    /// In a Tryton server (6.0 and 8.2 are tried), as parties; interactions are notes.
    Tryton,
}

/// A file of this machine.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmbeddedSettings {
    /// The SQLite file, relative to this file's folder. It is made when it is first used, and belongs to one running adapter alone.
    pub(crate) path: PathBuf,
}

/// A Tryton server.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrytonSettings {
    /// Where the server is: `https://tryton.example/`.
    pub(crate) url: String,
    /// The database on it, in which the module `party` is activated.
    pub(crate) database: String,
    /// Who the bus is to the server: a user of its own; in clear over `http`.
    pub(crate) credentials: Credentials,
    /// Whom to trust; `https` needs it.
    pub(crate) tls: Option<TlsSettings>,
    /// Connections at a time, hence calls at a time. Default: 16.
    #[serde(default = "default_connections")]
    #[schemars(range(min = 1, max = 1_000))]
    pub(crate) connections: u32,
    /// How long connecting may take, in milliseconds. Default: 2000.
    #[serde(default = "default_connect_timeout_ms")]
    #[schemars(range(min = 1, max = 600_000))]
    pub(crate) connect_timeout_ms: u32,
    /// How long the server may take to answer one request, or be silent within an answer, in milliseconds. Default: 30000.
    #[serde(default = "default_answer_timeout_ms")]
    #[schemars(range(min = 1, max = 600_000))]
    pub(crate) answer_timeout_ms: u32,
    /// How long a transaction of the server may run, in milliseconds: changes are told only when they are older. Default: 5000.
    #[serde(default = "default_settle_ms")]
    #[schemars(range(min = 1, max = 600_000))]
    pub(crate) settle_ms: u32,
}

/// Who the bus is to the server. Only references to secrets, never values.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    /// The user: `${env:CRM_USER}` or `${file:/run/secrets/crm-user}`.
    #[schemars(with = "String")]
    pub(crate) user: SecretRef,
    /// The password.
    #[schemars(with = "String")]
    pub(crate) password: SecretRef,
}

/// Bounds on calls.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Limits {
    /// Calls at a time; one more is throttled. Default: 64.
    #[schemars(range(min = 1, max = 10_000))]
    pub(crate) calls: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { calls: 64 }
    }
}

impl File {
    /// Reads the text; `path` is for messages only.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, OpenError> {
        let file: Self = read(path, text)?;
        file.check().map_err(|message| OpenError::of_file(path, message))?;
        Ok(file)
    }

    fn check(&self) -> Result<(), String> {
        match (self.driver, &self.embedded, &self.tryton) {
            (DriverName::Embedded, None, _) => return Err("`driver: embedded` needs `embedded: { path: … }`".to_owned()),
            (DriverName::Embedded, _, Some(_)) => return Err("tryton belongs to `driver: tryton`, this is `embedded`".to_owned()),
            (DriverName::Tryton, _, None) => return Err("`driver: tryton` needs `tryton: { url: … }`".to_owned()),
            (DriverName::Tryton, Some(_), _) => return Err("embedded belongs to `driver: embedded`, this is `tryton`".to_owned()),
            _ => {}
        }
        within("limits.calls", self.limits.calls, 10_000)?;
        let Some(tryton) = &self.tryton else { return Ok(()) };
        within("tryton.connections", tryton.connections, 1_000)?;
        within("tryton.connect_timeout_ms", tryton.connect_timeout_ms, 600_000)?;
        within("tryton.answer_timeout_ms", tryton.answer_timeout_ms, 600_000)?;
        within("tryton.settle_ms", tryton.settle_ms, 600_000)
    }
}

fn within(name: &str, value: u32, most: u32) -> Result<(), String> {
    if (1..=most).contains(&value) { Ok(()) } else { Err(format!("{name}: {value} is out of range, 1 to {most}")) }
}

fn default_connections() -> u32 {
    16
}

fn default_connect_timeout_ms() -> u32 {
    2_000
}

fn default_answer_timeout_ms() -> u32 {
    30_000
}

fn default_settle_ms() -> u32 {
    5_000
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_file_that_does_not_fit_is_refused_with_the_place_and_the_way_out() {
        let who = "credentials: { user: \"${env:USER}\", password: \"${env:PASSWORD}\" }";
        let files = [
            "adapter: crm\ndriver: odata\n",
            "adapter: crm\ndriver: embedded\n",
            "adapter: crm\ndriver: embedded\nembedded: { path: a, versions: 0 }\n",
            &format!(
                "adapter: crm\ndriver: embedded\nembedded: {{ path: a }}\ntryton: {{ url: \"http://a\", database: b, {who} }}\n"
            ),
            "adapter: crm\ndriver: tryton\ntryton: { url: \"http://a\", database: b, credentials: { user: me, password: hunter2 } }\n",
            &format!("adapter: crm\ndriver: tryton\ntryton: {{ url: \"http://a\", database: b, {who}, connections: 0 }}\n"),
        ];
        let refusals = files.map(|text| match File::parse(Path::new("crm.yaml"), text) {
            Ok(_) => "taken".to_owned(),
            Err(error) => error.to_string(),
        });
        expect![[r#"
            crm.yaml:2:9: driver: unknown variant `odata`, expected one of embedded, tryton
            crm.yaml: `driver: embedded` needs `embedded: { path: … }`
            crm.yaml:3:22: embedded.versions: unknown field `versions`, expected one of path
            crm.yaml: tryton belongs to `driver: tryton`, this is `embedded`
            crm.yaml:3:62: tryton.credentials.user: a secret is written as ${env:NAME} or ${file:PATH}, never in clear
            crm.yaml: tryton.connections: 0 is out of range, 1 to 1000"#]]
        .assert_eq(&refusals.join("\n"));
        assert!(!refusals.join("\n").contains("hunter2"));
    }
}
