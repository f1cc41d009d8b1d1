//! Where the bus connects to: a Unix socket, or a TCP port.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tokio::net::{TcpListener, UnixListener, UnixStream};

/// Where to listen: `unix:/run/ledger.sock` or `http://127.0.0.1:7500`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// A Unix socket that only this user may connect to.
    Unix(PathBuf),
    /// An IP address and a port, without TLS.
    Tcp(SocketAddr),
}

/// The text is no address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenError(String);

impl fmt::Display for ListenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` is no address to listen on; write unix:/run/ledger.sock or http://127.0.0.1:7500", self.0)
    }
}

impl std::error::Error for ListenError {}

impl FromStr for Listen {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        let wrong = || ListenError(text.to_owned());
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() { Err(wrong()) } else { Ok(Self::Unix(path.into())) };
        }
        let address = text.strip_prefix("http://").ok_or_else(wrong)?;
        address.trim_end_matches('/').parse().map(Self::Tcp).map_err(|_| wrong())
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
            Self::Tcp(address) => write!(formatter, "http://{address}"),
        }
    }
}

/// An open listener.
pub(crate) enum Bound {
    Unix(UnixListener, Socket),
    Tcp(TcpListener),
}

/// The socket's file; gone with it.
pub(crate) struct Socket(PathBuf);

impl Drop for Socket {
    fn drop(&mut self) {
        // Gone already: somebody cleaned up.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Bound {
    /// Where it really listens: port 0 is a free one.
    pub(crate) fn address(&self) -> io::Result<Listen> {
        match self {
            Self::Unix(_, socket) => Ok(Listen::Unix(socket.0.clone())),
            Self::Tcp(listener) => listener.local_addr().map(Listen::Tcp),
        }
    }
}

impl Listen {
    pub(crate) async fn bind(&self) -> io::Result<Bound> {
        match self {
            Self::Tcp(address) => TcpListener::bind(address).await.map(Bound::Tcp),
            Self::Unix(path) => {
                remove_abandoned(path).await?;
                let listener = UnixListener::bind(path)?;
                let socket = Socket(path.clone());
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
                Ok(Bound::Unix(listener, socket))
            }
        }
    }
}

/// A socket that a killed process left behind would be in the way; one that is served is not touched, nor is any other file.
async fn remove_abandoned(path: &Path) -> io::Result<()> {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    if is_socket && UnixStream::connect(path).await.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_socket_or_a_port() {
        for good in ["unix:/run/ledger.sock", "unix:ledger.sock", "http://127.0.0.1:7500", "http://[::1]:0"] {
            assert_eq!(good.parse::<Listen>().unwrap().to_string(), good);
        }
        for bad in ["", "unix:", "/run/ledger.sock", "http://localhost:1", "http://127.0.0.1", "https://127.0.0.1:1"] {
            assert!(bad.parse::<Listen>().unwrap_err().to_string().contains(bad), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_socket_left_behind_is_taken_over_and_one_that_is_served_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let listen = Listen::Unix(folder.path().join("a.sock"));
        drop(UnixListener::bind(folder.path().join("a.sock")).unwrap());
        let bound = listen.bind().await.unwrap();
        assert_eq!(listen.bind().await.err().unwrap().kind(), io::ErrorKind::AddrInUse);
        drop(bound);
        assert!(!folder.path().join("a.sock").exists());
    }
}
