//! WebDAV servers: wsgidav, and Apache's mod_dav. They differ in ETags, in the conditions they obey, and in what they answer.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::install;
use crate::process::{Process, folder, free_address};

/// Who the servers let in.
pub const USER: &str = "ged";
/// The password of [`USER`].
pub const PASSWORD: &str = "secret";
/// [`USER`] and the SHA-1 of [`PASSWORD`], as `htpasswd -s` writes it.
const USERS: &str = "ged:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n";

/// A running server.
#[derive(Debug)]
pub struct Webdav {
    process: Process,
    address: SocketAddr,
}

impl Webdav {
    /// Starts wsgidav; `None` when it is not installed and peers are not required.
    pub fn wsgidav() -> Option<Self> {
        let program = install::installed("webdav", install::folder().join("webdav/bin/wsgidav"))?;
        let mut command = Command::new(program);
        Some(Self::start("wsgidav.yaml", command.args(["--config", "wsgidav.yaml"]), &[]))
    }

    /// Starts Apache; `None` when it is not installed and peers are not required.
    pub fn apache() -> Option<Self> {
        let mut command = Command::new(install::installed("webdav", "/usr/sbin/apache2")?);
        Some(Self::start("httpd.conf", command.args(["-D", "FOREGROUND", "-f"]), &[]))
    }

    /// Starts Apache for `https`, with a certificate and its key in PEM; `None` when it is not installed and peers are not required.
    pub fn apache_with_tls(certificate: &str, key: &str) -> Option<Self> {
        let mut command = Command::new(install::installed("webdav", "/usr/sbin/apache2")?);
        let tls = [
            "LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so",
            "SSLEngine on",
            "SSLCertificateFile certificate.pem",
            "SSLCertificateKeyFile key.pem",
        ];
        command.args(["-D", "FOREGROUND"]).args(tls.into_iter().flat_map(|line| ["-c", line])).arg("-f");
        Some(Self::start("httpd.conf", &mut command, &[("certificate.pem", certificate), ("key.pem", key)]))
    }

    fn start(settings: &str, command: &mut Command, files: &[(&str, &str)]) -> Self {
        let (folder, address) = (folder(), free_address());
        open_to_all(folder.path());
        for inner in ["docs", "locks", "run"] {
            fs::create_dir(folder.path().join(inner)).expect("a folder");
            open_to_all(&folder.path().join(inner));
        }
        let text = fs::read_to_string(install::workspace().join("tests/peers/webdav").join(settings)).expect("its settings");
        let text = text.replace("FOLDER", &folder.path().display().to_string()).replace("ADDRESS", &address.to_string());
        let text = text.replace("HOST", &address.ip().to_string()).replace("PORT", &address.port().to_string());
        let path = folder.path().join(settings);
        fs::write(&path, text).and_then(|()| fs::write(folder.path().join("users"), USERS)).expect("its settings are written");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("a file of its own");
        }
        if settings == "httpd.conf" {
            command.arg(&path);
        }
        let mut process = Process::spawn_in("webdav", folder, command);
        process.wait_until_listening(address);
        Self { process, address }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The folder whose files it serves.
    pub fn documents(&self) -> std::path::PathBuf {
        self.process.folder().join("docs")
    }

    /// What it complained about.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

/// Apache gives its rights away, and must still read and write there.
fn open_to_all(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).expect("a folder of ours");
}
