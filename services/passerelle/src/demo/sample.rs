//! The sample bank's files, written to a folder of their own so that a person can read them while the demo runs.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::failure::Failure;

/// Each file with its text; the same as in `deploy/sample`.
const FILES: [(&str, &str); 9] = [
    ("passerelle.yaml", include_str!("../../../../deploy/sample/passerelle.yaml")),
    ("accounts/ACCTINQ.cpy", include_str!("../../../../deploy/sample/accounts/ACCTINQ.cpy")),
    ("accounts/mainframe.yaml", include_str!("../../../../deploy/sample/accounts/mainframe.yaml")),
    ("accounts/accounts.lock.yaml", include_str!("../../../../deploy/sample/accounts/accounts.lock.yaml")),
    ("accounts/double.yaml", include_str!("../../../../deploy/sample/accounts/double.yaml")),
    ("crm/crm.yaml", include_str!("../../../../deploy/sample/crm/crm.yaml")),
    ("documents/documents.yaml", include_str!("../../../../deploy/sample/documents/documents.yaml")),
    ("callback/passerelle.yaml", include_str!("../../../../deploy/sample/callback/passerelle.yaml")),
    ("callback/desk.yaml", include_str!("../../../../deploy/sample/callback/desk.yaml")),
];

/// Where the samples say that the back offices are.
const ACCOUNTS: (&str, &str) = ("accounts/mainframe.yaml", "127.0.0.1:24711");
const DISPUTES: (&str, &str) = ("passerelle.yaml", "127.0.0.1:24720");

/// The files in a folder that is removed with this.
pub(crate) struct Sample {
    folder: TempDir,
}

impl Sample {
    /// Writes all files.
    pub(crate) fn write() -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("passerelle-demo-").tempdir().map_err(Failure::plain)?;
        for inner in ["accounts", "crm", "documents", "callback"] {
            fs::create_dir(folder.path().join(inner)).map_err(Failure::plain)?;
        }
        for (name, text) in FILES {
            fs::write(folder.path().join(name), text).map_err(Failure::plain)?;
        }
        Ok(Self { folder })
    }

    /// Puts in where the back offices really are.
    pub(crate) fn point_to(&self, accounts: SocketAddr, disputes: SocketAddr) -> Result<(), Failure> {
        for ((name, written), real) in [(ACCOUNTS, accounts), (DISPUTES, disputes)] {
            let path = self.folder.path().join(name);
            let text = fs::read_to_string(&path).map_err(Failure::plain)?;
            fs::write(&path, text.replace(written, &real.to_string())).map_err(Failure::plain)?;
        }
        Ok(())
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The settings.
    pub(crate) fn settings(&self) -> PathBuf {
        self.folder.path().join("passerelle.yaml")
    }

    /// Where the settings of the bus are that calls customers back.
    pub(crate) fn callback(&self) -> PathBuf {
        self.folder.path().join("callback")
    }

    /// What the host double answers.
    pub(crate) fn double(&self) -> PathBuf {
        self.folder.path().join("accounts/double.yaml")
    }
}
