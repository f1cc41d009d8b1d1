//! A bus in this process: the gateway behind a real HTTP/2 port.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use passerelle_bus::call::{
    AddressState, CallLimits, Coalesce, Declared, Endpoint, EndpointStatus, Gateway, OutlierSettings, PolicySettings, Remote,
    RemoteSettings, Resolve, Route, Streaming, Table,
};
use passerelle_bus::keyed::clock::Manual;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub(crate) const UNARY: &str = "/test.Echo/Unary";
pub(crate) const UPLOAD: &str = "/test.Echo/Upload";
pub(crate) const DOWNLOAD: &str = "/test.Echo/Download";
pub(crate) const BOTH: &str = "/test.Echo/Both";
pub(crate) const MESSAGE_LIMIT: usize = 4 * 1024 * 1024;

/// A running bus; it ends when dropped.
pub(crate) struct Bus {
    pub(crate) address: SocketAddr,
    pub(crate) gateway: Arc<Gateway>,
    endpoint: Arc<Endpoint>,
    _tasks: JoinSet<()>,
}

impl Bus {
    /// A bus whose test methods are served by `endpoint`.
    pub(crate) async fn start(endpoint: Endpoint) -> Self {
        Self::with_default_timeout(endpoint, None).await
    }

    pub(crate) async fn with_default_timeout(endpoint: Endpoint, default_timeout: Option<Duration>) -> Self {
        let gateway = Arc::new(Gateway::new(CallLimits { message_bytes: MESSAGE_LIMIT as u32, default_timeout }, None));
        let endpoint = Arc::new(endpoint);
        gateway.replace(table(endpoint.clone()));
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(socket, gateway.clone()));
        Self { address, gateway, endpoint, _tasks: tasks }
    }

    /// A bus before one remote back office with these addresses.
    pub(crate) async fn before(addresses: &[SocketAddr]) -> Self {
        Self::start(remote(addresses)).await
    }

    /// Calls that the bus is carrying.
    pub(crate) async fn in_flight(&self) -> usize {
        self.endpoint.status().await.in_flight
    }

    /// What an operator sees of the endpoint.
    pub(crate) async fn status(&self) -> EndpointStatus {
        self.endpoint.status().await
    }

    /// Addresses of the back office that take calls.
    pub(crate) async fn ready_addresses(&self) -> usize {
        self.endpoint.status().await.addresses.iter().filter(|address| address.state == AddressState::Ready).count()
    }
}

async fn accept(socket: TcpListener, gateway: Arc<Gateway>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = socket.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let gateway = gateway.clone();
        let answer = service_fn(move |request| {
            let gateway = gateway.clone();
            async move {
                Ok::<_, Infallible>(match gateway.find(hyper::Request::uri(&request).path()) {
                    Some(route) => gateway.carry(route, request).await,
                    None => gateway.refuse(&request),
                })
            }
        });
        let mut http = http2::Builder::new(TokioExecutor::new());
        http.max_concurrent_streams(2_000).initial_stream_window_size(256 * 1024).initial_connection_window_size(64 << 20);
        let connection = http.serve_connection(TokioIo::new(Coalesce::new(stream)), answer);
        connections.spawn(async move {
            // How the connection ended is seen by the caller.
            let _ = connection.await;
        });
    }
}

/// The test methods, all served by one endpoint.
pub(crate) fn table(endpoint: Arc<Endpoint>) -> Table {
    let route = |path, client, server| Route::new(path, Streaming { client, server }, endpoint.clone());
    Table::new([
        route(UNARY, false, false),
        route(UPLOAD, true, false),
        route(DOWNLOAD, false, true),
        route(BOTH, true, true),
        route("/grpc.health.v1.Health/Check", false, false),
        route("/grpc.health.v1.Health/Watch", false, true),
    ])
}

/// A remote endpoint with these addresses.
pub(crate) fn remote(addresses: &[SocketAddr]) -> Endpoint {
    under(addresses, PolicySettings::default())
}

/// A remote endpoint with these addresses and this policy.
pub(crate) fn under(addresses: &[SocketAddr], policy: PolicySettings) -> Endpoint {
    reached(&settings(addresses), policy)
}

/// A remote endpoint that is reached so, under this policy.
pub(crate) fn reached(settings: &RemoteSettings, policy: PolicySettings) -> Endpoint {
    let declared = Declared { policy, ..nothing_declared() };
    Endpoint::remote(Remote::open("office", settings).unwrap(), declared)
}

/// No policy but the default one, and a clock that stands still.
pub(crate) fn nothing_declared() -> Declared {
    Declared::nothing(Arc::new(Manual::at_seconds(0)))
}

pub(crate) fn settings(addresses: &[SocketAddr]) -> RemoteSettings {
    RemoteSettings {
        addresses: addresses.iter().map(|address| format!("http://{address}")).collect(),
        tls: None,
        server_name: None,
        connections_per_address: 1,
        connect_timeout: Duration::from_secs(2),
        metadata_bytes: 64 * 1024,
        resolver: Arc::new(Names::default()),
        resolve_every: Duration::from_secs(3600),
        health_service: None,
        outlier: OutlierSettings::default(),
    }
}

/// What names mean, for as long as nobody says otherwise: nothing.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) known: Mutex<Vec<SocketAddr>>,
    pub(crate) asked: AtomicUsize,
}

#[tonic::async_trait]
impl Resolve for Names {
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        assert_eq!((host, port), ("office.test", 7));
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.known.lock().unwrap().clone() {
            none if none.is_empty() => Err(io::Error::other("no such name")),
            known => Ok(known),
        }
    }
}
