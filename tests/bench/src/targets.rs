//! What is measured: the upstream itself, and each proxy before it with one worker and nothing to do but carry.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use passerelle_peers::process::{Process, folder, free_address};
use tempfile::TempDir;

/// A running proxy, or the upstream itself.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    pub(crate) process: Process,
    /// From its start until it accepted connections.
    pub(crate) ready_after: Duration,
}

/// The upstream: this program again.
pub(crate) fn echo() -> Target {
    let start = Instant::now();
    let program = std::env::current_exe().expect("this program's path");
    let process = Process::spawn("echo", Command::new(program).arg("echo"));
    let port: u16 = process.line_after("listening ").parse().expect("a port");
    Target { name: "direct", address: SocketAddr::from(([127, 0, 0, 1], port)), process, ready_after: start.elapsed() }
}

/// Passerelle.
pub(crate) fn passerelle(program: &Path, upstream: SocketAddr) -> Target {
    let place = Place::new();
    place.write("echo.proto", include_str!("targets/echo.proto"));
    let settings =
        place.write("passerelle.yaml", &include_str!("targets/passerelle.yaml").replace("UPSTREAM", &upstream.to_string()));
    start_passerelle(program, place, &settings)
}

fn start_passerelle(program: &Path, place: Place, settings: &Path) -> Target {
    let start = Instant::now();
    let process =
        Process::spawn_in("Passerelle", place.folder, Command::new(program).arg("serve").arg("--settings").arg(settings));
    let ready = process.line_after("ready: channels ");
    let address = ready.split(',').next().and_then(|address| address.parse().ok()).expect("ready: channels ADDRESS, …");
    Target { name: "Passerelle", address, process, ready_after: start.elapsed() }
}

/// Passerelle between two upstreams, with routes that look into the request; a worker for each core.
pub(crate) fn passerelle_routing(program: &Path, upstreams: [SocketAddr; 2], routes: &str) -> Target {
    let place = Place::new();
    place.write("orders.proto", include_str!("route/orders.proto"));
    std::fs::create_dir(place.folder.path().join("routes")).expect("a folder in a new folder");
    place.write("routes/orders.yaml", routes);
    let [one, other] = upstreams.map(|upstream| upstream.to_string());
    let text = include_str!("route/passerelle.yaml").replace("ONE", &one).replace("OTHER", &other);
    let settings = place.write("passerelle.yaml", &text);
    start_passerelle(program, place, &settings)
}

/// nginx with `grpc_pass`; it keeps a connection to the upstream for each call in flight.
pub(crate) fn nginx(upstream: SocketAddr) -> Target {
    let place = Place::new();
    let config = place.configure("nginx.conf", include_str!("targets/nginx.conf"), upstream, SocketAddr::to_string);
    let mut command = Command::new("/usr/sbin/nginx");
    command.arg("-p").arg(place.folder.path()).args(["-e", "stderr", "-c"]).arg(config);
    place.start("nginx", &mut command)
}

/// HAProxy, HTTP/2 on both sides.
pub(crate) fn haproxy(upstream: SocketAddr) -> Target {
    let place = Place::new();
    let config = place.configure("haproxy.cfg", include_str!("targets/haproxy.cfg"), upstream, SocketAddr::to_string);
    place.start("HAProxy", Command::new("/usr/sbin/haproxy").arg("-db").arg("-f").arg(config))
}

/// Envoy with its router only.
pub(crate) fn envoy(upstream: SocketAddr) -> Target {
    let place = Place::new();
    let socket = |at: &SocketAddr| format!("{{ socket_address: {{ address: {}, port_value: {} }} }}", at.ip(), at.port());
    let config = place.configure("envoy.yaml", include_str!("targets/envoy.yaml"), upstream, socket);
    let packages = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/peers/envoy/lib");
    let python =
        fs::read_dir(packages).ok().and_then(|mut entries| entries.next()?.ok()).expect("tests/bench/install.sh was run");
    let mut command = Command::new(python.path().join("site-packages/envoy/_bin/envoy"));
    command.args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "error", "-c"]).arg(config);
    place.start("Envoy", &mut command)
}

/// A folder and an address for a proxy that cannot choose a free port itself.
struct Place {
    folder: TempDir,
    address: SocketAddr,
}

impl Place {
    fn new() -> Self {
        Self { folder: folder(), address: free_address() }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("a file in a new folder");
        path
    }

    /// Writes a configuration with its two addresses filled in.
    fn configure(&self, name: &str, text: &str, upstream: SocketAddr, written: impl Fn(&SocketAddr) -> String) -> PathBuf {
        self.write(name, &text.replace("LISTEN", &written(&self.address)).replace("UPSTREAM", &written(&upstream)))
    }

    fn start(self, name: &'static str, command: &mut Command) -> Target {
        let start = Instant::now();
        let mut process = Process::spawn_in(name, self.folder, command);
        process.wait_until_listening(self.address);
        Target { name, address: self.address, process, ready_after: start.elapsed() }
    }
}
