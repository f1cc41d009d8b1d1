//! The file an integrator writes: one struct is the parser, the JSON schema and the reference.

use std::path::{Path, PathBuf};
use std::time::Duration;

use passerelle_adapter::{OpenError, read};
use schemars::JsonSchema;
use serde::Deserialize;

/// An adapter in another process.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Passerelle remote adapter")]
pub(crate) struct File {
    /// Says which adapter reads this file: always `remote`.
    #[allow(dead_code, reason = "read so that the key is checked; the binary has chosen the adapter by it")]
    pub(crate) adapter: AdapterName,
    /// Where the adapter listens: `unix:/run/ledger.sock` or `http://127.0.0.1:7500`. Either this or `command`.
    pub(crate) address: Option<String>,
    /// Starts the adapter: program and arguments, in this file's folder. It is told where to listen by `PASSERELLE_ADAPTER_LISTEN`, started anew
    /// when it ends, and ended with the bus: its standard input is a pipe that the bus holds (`PASSERELLE_ADAPTER_LIFELINE=stdin`), and an adapter
    /// that reads its end must end, so that it does not outlive a bus that was killed.
    pub(crate) command: Option<Vec<String>>,
    /// The adapter's own settings. It judges them itself; secrets are named, not written, and found where the adapter runs.
    #[serde(default)]
    pub(crate) settings: serde_json::Map<String, serde_json::Value>,
    /// How long things may take.
    #[serde(default)]
    pub(crate) timeouts: Timeouts,
}

/// The adapter's name.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AdapterName {
    /// This adapter.
    Remote,
}

/// How long things may take.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Timeouts {
    /// Connecting, in milliseconds; starting the process included. Default: 5000.
    #[schemars(range(min = 1, max = 600_000))]
    pub(crate) connect_ms: u32,
    /// Each step of the introduction (handshake, settings), in milliseconds. Default: 10000.
    #[schemars(range(min = 1, max = 600_000))]
    pub(crate) introduce_ms: u32,
    /// How long an adapter may leave `Health` unanswered, or the introduction, in milliseconds. Then its process is killed and started anew, or, where the bus
    /// did not start it, connected to anew. Default: 30000.
    #[schemars(range(min = 1, max = 600_000))]
    pub(crate) hang_ms: u32,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect_ms: 5_000, introduce_ms: 10_000, hang_ms: 30_000 }
    }
}

impl Timeouts {
    pub(crate) fn connect(self) -> Duration {
        Duration::from_millis(self.connect_ms.into())
    }

    pub(crate) fn hang(self) -> Duration {
        Duration::from_millis(self.hang_ms.into())
    }

    pub(crate) fn introduce(self) -> Duration {
        Duration::from_millis(self.introduce_ms.into())
    }
}

/// Where the adapter is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// It listens there already, or will.
    At(Address),
    /// We start it: program and arguments.
    Started(String, Vec<String>),
}

/// Where to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    Unix(PathBuf),
    /// Host and port.
    Tcp(String),
}

impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
            Self::Tcp(authority) => write!(formatter, "http://{authority}"),
        }
    }
}

impl File {
    /// Reads the text; `path` is for messages, and relative sockets begin in its folder.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<(Self, Place), OpenError> {
        let whole = |message: &str| OpenError::of_file(path, message);
        let file: Self = read(path, text)?;
        let Timeouts { connect_ms, introduce_ms, hang_ms } = file.timeouts;
        let timeouts = [("connect_ms", connect_ms), ("introduce_ms", introduce_ms), ("hang_ms", hang_ms)];
        if let Some((name, value)) = timeouts.into_iter().find(|(_, value)| !(1..=600_000).contains(value)) {
            return Err(whole(&format!("timeouts.{name}: {value} is out of range, 1 to 600000")));
        }
        let place = match (&file.address, file.command.as_deref()) {
            (Some(address), None) => Place::At(parse_address(path, address).map_err(|message| whole(&message))?),
            (None, Some([program, arguments @ ..])) => Place::Started(program.clone(), arguments.to_vec()),
            (None, Some([])) => return Err(whole("command: it is empty; write [./ledger-adapter]")),
            _ => return Err(whole("write either `address`, where the adapter listens, or `command`, which starts it")),
        };
        Ok((file, place))
    }
}

fn parse_address(path: &Path, text: &str) -> Result<Address, String> {
    let wrong = |why: &str| format!("address: {why}; write unix:/run/ledger.sock or http://127.0.0.1:7500");
    if let Some(socket) = text.strip_prefix("unix:") {
        let socket = socket.strip_prefix("//").unwrap_or(socket);
        return match socket.is_empty() {
            true => Err(wrong("the socket has no path")),
            false => Ok(Address::Unix(path.parent().unwrap_or(Path::new("")).join(socket))),
        };
    }
    let authority = text.strip_prefix("http://").ok_or_else(|| wrong("it does not begin with unix: or http://"))?;
    let authority: http::uri::Authority =
        authority.trim_end_matches('/').parse().map_err(|_| wrong("it is no host with a port"))?;
    match authority.port_u16() {
        Some(_) if !authority.as_str().contains('@') => Ok(Address::Tcp(authority.to_string())),
        _ => Err(wrong("it has no port, or something before the host")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Place, String> {
        File::parse(Path::new("conf/ledger.yaml"), text).map(|(_, place)| place).map_err(|error| error.to_string())
    }

    #[test]
    fn an_adapter_is_at_an_address_or_started() {
        let unix = Place::At(Address::Unix("conf/run/ledger.sock".into()));
        assert_eq!(parsed("adapter: remote\naddress: unix:run/ledger.sock"), Ok(unix));
        assert_eq!(parsed("adapter: remote\naddress: http://ledger:7500"), Ok(Place::At(Address::Tcp("ledger:7500".into()))));
        let started = Place::Started("./ledger".into(), vec!["--fast".into()]);
        assert_eq!(
            parsed("adapter: remote\ncommand: [./ledger, --fast]\nsettings: { database: x, pool: { size: 3 } }"),
            Ok(started)
        );
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_its_place() {
        let cases = [
            ("adapter: remote", "either `address`"),
            ("adapter: remote\naddress: unix:a\ncommand: [b]", "either `address`"),
            ("adapter: remote\ncommand: []", "command: it is empty"),
            ("adapter: remote\naddress: https://a:1", "address: it does not begin with unix: or http://"),
            ("adapter: remote\naddress: http://a", "address: it has no port"),
            ("adapter: remote\naddress: http://u:pw@a:1", "something before the host"),
            ("adapter: remote\naddress: unix:a\ntimeouts: { connect_ms: 0 }", "timeouts.connect_ms: 0 is out of range"),
            ("adapter: remote\nadress: unix:a", "conf/ledger.yaml:2:1"),
        ];
        for (text, expected) in cases {
            let error = parsed(text).unwrap_err();
            assert!(
                error.starts_with("conf/ledger.yaml") && error.contains(expected) && !error.contains("pw"),
                "{text}: {error}"
            );
        }
    }
}
