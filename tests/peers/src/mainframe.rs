//! The mainframe: our COBOL inquiry program behind a host that speaks one of two framings.
//!
//! The program answers each inquiry with values computed from the request ([`Inquiry::answer`]), so that every value of
//! thousands of different calls can be checked. Its record is `tests/peers/mainframe/BKINQ.cpy`.

mod inquiry;
mod record;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

pub use inquiry::{Account, Answer, Contact, Customer, Inquiry};
pub use record::{read_answer, write_inquiry};

use crate::install;
use crate::process::Process;

/// The transaction code, and the program's name.
pub const TRANSACTION: &str = "BKINQ";

/// How the host frames records on TCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// A four-byte big-endian length that counts itself, then the record; one program for all frames.
    LengthPrefixed,
    /// In the shape of IMS Connect: a header whose transaction code names the program, segments, and a closing message.
    ImsConnect,
}

/// A running host.
#[derive(Debug)]
pub struct Mainframe {
    process: Process,
    address: SocketAddr,
}

impl Mainframe {
    /// Starts a host; `None` when it is not installed and peers are not required.
    pub fn start(framing: Framing) -> Option<Self> {
        let folder = install::installed("mainframe", install::folder().join("mainframe/host"))?;
        let folder = folder.parent()?;
        let mut command = Command::new(folder.join("host"));
        match framing {
            Framing::LengthPrefixed => command.args(["llll", TRANSACTION]),
            Framing::ImsConnect => command.arg("ims"),
        };
        let process = Process::spawn("mainframe", command.env("COB_LIBRARY_PATH", folder));
        let port = process.line_after("listening ").parse().expect("the host prints its port");
        Some(Self { process, address: SocketAddr::from(([127, 0, 0, 1], port)) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The copybook of its record.
    pub fn copybook() -> PathBuf {
        install::workspace().join("tests/peers/mainframe/BKINQ.cpy")
    }

    /// What the host complained about.
    pub fn log(&self) -> String {
        self.process.log()
    }
}
