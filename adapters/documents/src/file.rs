//! The file an integrator writes: one struct is the parser, the JSON schema and the reference.

use std::path::{Path, PathBuf};

use passerelle_adapter::{OpenError, SecretRef, read};
use passerelle_adapter_tls::TlsSettings;
use schemars::JsonSchema;
use serde::Deserialize;

/// A store of documents.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Passerelle documents adapter")]
pub(crate) struct File {
    /// Says which adapter reads this file: always `documents`.
    #[allow(dead_code, reason = "read so that the key is checked; the binary has chosen the adapter by it")]
    pub(crate) adapter: AdapterName,
    /// Where the documents are kept.
    pub(crate) driver: DriverName,
    /// `driver: folder` only: the folder.
    pub(crate) folder: Option<FolderSettings>,
    /// `driver: webdav` only: the server.
    pub(crate) webdav: Option<WebdavSettings>,
    /// Bounds on documents and calls.
    #[serde(default)]
    pub(crate) limits: Limits,
}

/// The adapter's name.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AdapterName {
    /// This adapter.
    Documents,
}

/// Where the documents are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DriverName {
    /// In a folder of this machine, with versions, an index and an exact list of changes.
    Folder,
    /// On a server that speaks WebDAV (RFC 4918) and keeps properties.
    Webdav,
}

/// A folder of this machine.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FolderSettings {
    /// The folder, relative to this file's. It is made when it is first used, and belongs to one running adapter alone.
    pub(crate) path: PathBuf,
    /// Versions that are kept of one document; with one more, the oldest is removed. Default: 100.
    #[serde(default = "default_versions")]
    #[schemars(range(min = 1, max = 10_000))]
    pub(crate) versions: u32,
}

/// A WebDAV server.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebdavSettings {
    /// The collection that holds the documents: `https://ged.example/dav/archive/`. It is there already; what the adapter itself must
    /// remember lies in `.passerelle` inside it.
    pub(crate) url: String,
    /// Who the bus is to the server (HTTP Basic); in clear over `http`.
    pub(crate) credentials: Option<Credentials>,
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
    /// Documents that one folder may hold to be listed and searched: every page looks at all of them. Default: 10000.
    #[serde(default = "default_folder_documents")]
    #[schemars(range(min = 1, max = 100_000))]
    pub(crate) folder_documents: u32,
}

/// Who the bus is to the server. Only references to secrets, never values.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    /// The user: `${env:GED_USER}` or `${file:/run/secrets/ged-user}`.
    #[schemars(with = "String")]
    pub(crate) user: SecretRef,
    /// The password.
    #[schemars(with = "String")]
    pub(crate) password: SecretRef,
}

/// Bounds on documents and calls.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Limits {
    /// The largest document, in bytes; a larger one is refused. Default: 104857600 (100 MiB).
    #[schemars(range(min = 1))]
    pub(crate) document_bytes: u64,
    /// Calls at a time; one more is throttled. Default: 64.
    #[schemars(range(min = 1, max = 10_000))]
    pub(crate) calls: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { document_bytes: 100 << 20, calls: 64 }
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
        match (self.driver, &self.folder, &self.webdav) {
            (DriverName::Folder, None, _) => return Err("`driver: folder` needs `folder: { path: … }`".to_owned()),
            (DriverName::Folder, _, Some(_)) => return Err("webdav belongs to `driver: webdav`, this is `folder`".to_owned()),
            (DriverName::Webdav, _, None) => return Err("`driver: webdav` needs `webdav: { url: … }`".to_owned()),
            (DriverName::Webdav, Some(_), _) => return Err("folder belongs to `driver: folder`, this is `webdav`".to_owned()),
            _ => {}
        }
        within("limits.calls", self.limits.calls, 10_000)?;
        if self.limits.document_bytes == 0 {
            return Err("limits.document_bytes must be above 0".to_owned());
        }
        if let Some(folder) = &self.folder {
            within("folder.versions", folder.versions, 10_000)?;
        }
        let Some(webdav) = &self.webdav else { return Ok(()) };
        within("webdav.connections", webdav.connections, 1_000)?;
        within("webdav.connect_timeout_ms", webdav.connect_timeout_ms, 600_000)?;
        within("webdav.answer_timeout_ms", webdav.answer_timeout_ms, 600_000)?;
        within("webdav.folder_documents", webdav.folder_documents, 100_000)
    }
}

fn within(name: &str, value: u32, most: u32) -> Result<(), String> {
    if (1..=most).contains(&value) { Ok(()) } else { Err(format!("{name}: {value} is out of range, 1 to {most}")) }
}

fn default_versions() -> u32 {
    100
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

fn default_folder_documents() -> u32 {
    10_000
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_file_that_does_not_fit_is_refused_with_the_place_and_the_way_out() {
        let files = [
            "adapter: documents\ndriver: s3\n",
            "adapter: documents\ndriver: folder\n",
            "adapter: documents\ndriver: folder\nfolder: { path: a, versions: 0 }\n",
            "adapter: documents\ndriver: folder\nfolder: { path: a }\nwebdav: { url: \"http://a\" }\n",
            "adapter: documents\ndriver: webdav\nwebdav: { url: \"http://a\", credentials: { user: me, password: hunter2 } }\n",
            "adapter: documents\ndriver: webdav\nwebdav: { url: \"http://a\", connections: 0 }\n",
            "adapter: documents\ndriver: folder\nfolder: { path: a }\nlimits: { documents: 7 }\n",
        ];
        let refusals = files.map(|text| match File::parse(Path::new("ged.yaml"), text) {
            Ok(_) => "taken".to_owned(),
            Err(error) => error.to_string(),
        });
        expect![[r#"
            ged.yaml:2:9: driver: unknown variant `s3`, expected one of folder, webdav
            ged.yaml: `driver: folder` needs `folder: { path: … }`
            ged.yaml: folder.versions: 0 is out of range, 1 to 10000
            ged.yaml: webdav belongs to `driver: webdav`, this is `folder`
            ged.yaml:3:49: webdav.credentials.user: a secret is written as ${env:NAME} or ${file:PATH}, never in clear
            ged.yaml: webdav.connections: 0 is out of range, 1 to 1000
            ged.yaml:4:11: limits.documents: unknown field `documents`, expected one of document_bytes, calls"#]]
        .assert_eq(&refusals.join("\n"));
        assert!(!refusals.join("\n").contains("hunter2"));
    }
}
