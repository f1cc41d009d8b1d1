//! The file an integrator writes: one struct is the parser, the JSON schema and the reference.

use std::path::{Path, PathBuf};
use std::time::Duration;

use passerelle_adapter::{OpenError, read};
use schemars::JsonSchema;
use serde::Deserialize;

/// Files that come in through a folder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Passerelle files adapter")]
pub(crate) struct File {
    /// Says which adapter reads this file: always `files`.
    #[allow(dead_code, reason = "read so that the key is checked; the binary has chosen the adapter by it")]
    pub(crate) adapter: AdapterName,
    /// The folder that others put files into, whole: written under a name that begins with a dot or ends with `.part` or `.tmp`, then renamed. Such
    /// names and folders are passed over.
    pub(crate) folder: PathBuf,
    /// Where files go that are on the bus's disk, on the same file system. Without it they are removed.
    pub(crate) taken: Option<PathBuf>,
    /// Where files go that are refused, on the same file system: those of more than about 1 MiB. Default: `aside`.
    #[serde(default = "aside")]
    pub(crate) aside: PathBuf,
    /// Between looks into the folder, in milliseconds. Default: 250.
    #[serde(default = "look_every_ms")]
    #[schemars(range(min = 10, max = 3_600_000))]
    pub(crate) look_every_ms: u32,
}

/// The adapter's name.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AdapterName {
    /// This adapter.
    Files,
}

fn aside() -> PathBuf {
    "aside".into()
}

fn look_every_ms() -> u32 {
    250
}

impl File {
    /// Reads the text; `path` is for messages only.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, OpenError> {
        let file: Self = read(path, text)?;
        let refused = |why: String| Err(OpenError::of_file(path, why));
        if !(10..=3_600_000).contains(&file.look_every_ms) {
            return refused(format!("look_every_ms: {} is out of range, 10 to 3600000", file.look_every_ms));
        }
        for (name, other) in [("taken", file.taken.as_deref()), ("aside", Some(file.aside.as_path()))] {
            if other == Some(&file.folder) {
                return refused(format!("{name}: it is `folder` itself, where files would come in again; name another one"));
            }
        }
        Ok(file)
    }

    pub(crate) fn look_every(&self) -> Duration {
        Duration::from_millis(self.look_every_ms.into())
    }
}
