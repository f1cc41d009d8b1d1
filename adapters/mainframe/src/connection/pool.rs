//! The connections kept open to one host: bounded, reused while sound, closed when unused.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use passerelle_adapter::Fault;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::address::Addresses;
use super::{Connection, Tls};

/// A throttled caller is told to come back after this long.
const RETRY_WHEN_FULL: Duration = Duration::from_millis(250);

/// A pool's bounds.
#[derive(Debug, Clone)]
pub(crate) struct PoolSettings {
    /// `name:port` of each address.
    pub(crate) endpoints: Vec<String>,
    /// How connections are protected, if they are.
    pub(crate) tls: Option<Tls>,
    /// Most connections at a time.
    pub(crate) max: u16,
    /// Most calls that wait for one.
    pub(crate) waiting_max: u16,
    /// An unused connection is closed after this long.
    pub(crate) idle: Duration,
    /// How long connecting to one address may take.
    pub(crate) connect_timeout: Duration,
}

/// The connections to one host.
#[derive(Debug)]
pub(crate) struct Pool {
    settings: PoolSettings,
    addresses: Addresses,
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// The most lately used is last, and taken first: the others can then become idle.
    unused: Mutex<Vec<Connection>>,
    serial: AtomicU64,
}

/// A place in the pool, and the connection in it. Dropping it closes the connection and frees the place.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) connection: Connection,
    place: OwnedSemaphorePermit,
}

impl Pool {
    /// Must run inside a tokio runtime: a task closes what is unused for as long as the pool lives.
    pub(crate) fn start(settings: PoolSettings) -> Arc<Self> {
        let pool = Arc::new(Self {
            addresses: Addresses::new(&settings.endpoints),
            places: Arc::new(Semaphore::new(usize::from(settings.max))),
            waiting: AtomicUsize::new(0),
            unused: Mutex::default(),
            serial: AtomicU64::new(0),
            settings,
        });
        tokio::spawn(sweep(Arc::downgrade(&pool), pool.settings.idle / 2));
        pool
    }

    /// A sound connection: an unused one, or a new one. Waits for a place.
    pub(crate) async fn lease(&self) -> Result<Lease, Fault> {
        let place = self.place().await?;
        while let Some(mut connection) = self.take_unused() {
            if connection.unused_since.elapsed() < self.settings.idle && connection.is_quiet() {
                return Ok(Lease { connection, place });
            }
        }
        let connection = self.connect().await?;
        Ok(Lease { connection, place })
    }

    /// Another connection in the same place: a new one, to the address whose turn it is.
    pub(crate) async fn renew(&self, lease: Lease) -> Result<Lease, Fault> {
        let Lease { connection, place } = lease;
        drop(connection);
        Ok(Lease { connection: self.connect().await?, place })
    }

    /// Takes back a connection whose exchange ended well.
    pub(crate) fn give_back(&self, lease: Lease) {
        let Lease { mut connection, place } = lease;
        connection.unused_since = Instant::now();
        // Once drained the semaphore is closed: nothing is kept any more.
        if !self.places.is_closed() {
            self.unused().push(connection);
        }
        drop(place);
    }

    /// How many addresses the host has.
    pub(crate) fn address_count(&self) -> usize {
        self.addresses.all().len()
    }

    /// Whether each address can be connected now, by address; a sound unused connection is proof enough.
    pub(crate) async fn probe(&self) -> Vec<(String, Result<(), String>)> {
        let mut findings = Vec::new();
        for address in self.addresses.all() {
            let is_proven = |connection: &mut Connection| Arc::ptr_eq(connection.address(), address) && connection.is_quiet();
            let proven = self.unused().iter_mut().any(is_proven);
            let finding = if proven { Ok(()) } else { self.try_address(address).await.map(drop) };
            findings.push((address.text().to_owned(), finding));
        }
        findings
    }

    /// Lends nothing any more; returns when all connections are back, or after `grace`.
    pub(crate) async fn drain(&self, grace: Duration) {
        let all = u32::from(self.settings.max);
        // An error means that it was drained before.
        let _ = timeout(grace, self.places.acquire_many(all)).await;
        self.places.close();
        self.unused().clear();
    }

    /// Waits for a place, in a queue of bounded length.
    async fn place(&self) -> Result<OwnedSemaphorePermit, Fault> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        let waiting = Waiting::enter(&self.waiting);
        if waiting.before >= usize::from(self.settings.waiting_max) {
            let message = format!(
                "all {} connections are in use and {} calls wait already (pool.max, pool.waiting_max)",
                self.settings.max, self.settings.waiting_max
            );
            return Err(Fault::Throttled { retry_after: RETRY_WHEN_FULL, message });
        }
        let place = Arc::clone(&self.places).acquire_owned().await;
        place.map_err(|_closed| Fault::unavailable("the adapter is draining"))
    }

    async fn connect(&self) -> Result<Connection, Fault> {
        let mut problems = Vec::new();
        for address in self.addresses.in_turn() {
            match self.try_address(&address).await {
                Ok(connection) => return Ok(connection),
                Err(problem) => problems.push(format!("{}: {problem}", address.text())),
            }
        }
        let message = format!("no address can be connected: {}", problems.join("; "));
        Err(Fault::Unavailable { retry_after: self.addresses.back_in(), message })
    }

    async fn try_address(&self, address: &Arc<super::Address>) -> Result<Connection, String> {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let opening = Connection::open(Arc::clone(address), self.settings.tls.as_ref(), serial);
        let connected = timeout(self.settings.connect_timeout, opening).await;
        let problem = match connected {
            Ok(Ok(connection)) => {
                address.worked();
                return Ok(connection);
            }
            Ok(Err(error)) => error.to_string(),
            Err(_elapsed) => format!("no connection within {} ms", self.settings.connect_timeout.as_millis()),
        };
        address.failed();
        tracing::debug!(target: "adapter_mainframe", address = address.text(), problem, "address left out for a while");
        Err(problem)
    }

    fn take_unused(&self) -> Option<Connection> {
        self.unused().pop()
    }

    fn unused(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.unused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call in the queue; leaving it, by getting a place or by being cancelled, makes room.
struct Waiting<'a> {
    count: &'a AtomicUsize,
    before: usize,
}

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize) -> Self {
        Self { count, before: count.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Closes what was unused too long or was closed by the host, until the pool is gone.
async fn sweep(pool: Weak<Pool>, every: Duration) {
    loop {
        tokio::time::sleep(every.max(Duration::from_millis(1))).await;
        let Some(pool) = pool.upgrade() else { return };
        let idle = pool.settings.idle;
        pool.unused().retain_mut(|connection| connection.unused_since.elapsed() < idle && connection.is_quiet());
    }
}
