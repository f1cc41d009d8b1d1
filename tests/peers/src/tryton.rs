//! Tryton in two versions that differ on the wire, each with a database of its own in SQLite.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::install;
use crate::process::{Process, folder, free_address};

/// Who the servers let in.
pub const USER: &str = "admin";
/// The password of [`USER`].
pub const PASSWORD: &str = "secret";
/// The database.
pub const DATABASE: &str = "crm";

/// A running trytond.
#[derive(Debug)]
pub struct Tryton {
    process: Process,
    address: SocketAddr,
}

impl Tryton {
    /// Starts Debian's 6.0; `None` when it is not installed and peers are not required.
    pub fn debian() -> Option<Self> {
        Self::start(Path::new("/usr/bin/trytond"), "tryton-6.0")
    }

    /// Starts 8.2; `None` when it is not installed and peers are not required.
    pub fn recent() -> Option<Self> {
        Self::start(&install::folder().join("tryton/bin/trytond"), "tryton-8.2")
    }

    fn start(program: &Path, database: &str) -> Option<Self> {
        let program = install::installed("tryton", program)?;
        let database = install::installed("tryton", install::folder().join(database).join("crm.sqlite"))?;
        let (folder, address) = (folder(), free_address());
        fs::copy(database, folder.path().join("crm.sqlite")).expect("a database of its own");
        let settings = fs::read_to_string(install::workspace().join("tests/peers/tryton/trytond.conf")).expect("its settings");
        let settings = settings.replace("FOLDER", &folder.path().display().to_string());
        let path = folder.path().join("trytond.conf");
        fs::write(&path, settings.replace("ADDRESS", &address.to_string())).expect("its settings are written");
        let mut command = Command::new(program);
        command.arg("-c").arg(&path).args(["-d", DATABASE]);
        let mut process = Process::spawn_in("tryton", folder, &mut command);
        process.wait_until_listening(address);
        Some(Self { process, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it complained about.
    pub fn log(&self) -> String {
        self.process.log()
    }
}
