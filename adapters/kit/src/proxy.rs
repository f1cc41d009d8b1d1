//! A TCP proxy between an adapter and the system behind it, which can be told to do what networks do.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Bytes taken at once.
const PIECE: usize = 16 << 10;
/// Of an answer that trickles, each piece has so many bytes.
const TRICKLE: usize = 3;
/// Between the pieces of an answer that trickles.
const TRICKLE_PAUSE: Duration = Duration::from_millis(1);
/// How long the overtaken answer is held.
const OVERTAKEN: Duration = Duration::from_millis(150);

/// How long connections may take to be closed.
const HANGING_UP: Duration = Duration::from_secs(1);

/// What the proxy does to connections, old and new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Disturbance {
    /// Carries everything.
    #[default]
    None,
    /// Closes at once: the system behind is not there.
    Refuse,
    /// Takes everything, passes nothing on, answers nothing.
    Silence,
    /// Carries so many bytes of requests (on all connections since it was told), then closes.
    CutRequest(usize),
    /// Carries requests; of answers so many bytes (on all connections since it was told), then closes.
    CutAnswer(usize),
    /// Carries answers that much later.
    Delay(Duration),
    /// Carries answers a few bytes at a time.
    Trickle,
    /// Carries each piece of an answer twice.
    Duplicate,
    /// Carries random bytes instead of answers.
    Garbage,
    /// Holds each second answer, so that others overtake it.
    Overtake,
}

/// A running proxy.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    behind: String,
    told: watch::Sender<Disturbance>,
    /// What is left of the budget of a cut.
    left: Mutex<usize>,
    open: AtomicUsize,
    answers: AtomicUsize,
}

impl Proxy {
    /// Starts before the system at `behind` (`HOST:PORT`).
    pub(crate) async fn start(behind: &str) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            behind: behind.to_owned(),
            told: watch::Sender::new(Disturbance::None),
            left: Mutex::new(0),
            open: AtomicUsize::new(0),
            answers: AtomicUsize::new(0),
        });
        let serving = tokio::spawn(serve(listener, Arc::clone(&state)));
        Ok(Self { address, state, serving })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on does this, to open connections too.
    pub(crate) fn tell(&self, disturbance: Disturbance) {
        if let Disturbance::CutRequest(bytes) | Disturbance::CutAnswer(bytes) = disturbance {
            *self.state.left.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
        }
        self.state.told.send_replace(disturbance);
    }

    /// Closes all open connections once; new ones are carried.
    pub(crate) async fn hang_up(&self) {
        self.tell(Disturbance::Refuse);
        let begin = Instant::now();
        while self.open() > 0 && begin.elapsed() < HANGING_UP {
            tokio::time::sleep(TRICKLE_PAUSE).await;
        }
        self.tell(Disturbance::None);
    }

    /// Connections that are open.
    pub(crate) fn open(&self) -> usize {
        self.state.open.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    // Dropped at the end, with all connections in it.
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        while connections.try_join_next().is_some() {}
        let state = Arc::clone(&state);
        connections.spawn(async move {
            state.open.fetch_add(1, Ordering::SeqCst);
            let mut told = state.told.subscribe();
            tokio::select! {
                // Either side ended, or broke off: both are closed.
                _ = carry(stream, &state) => {}
                _ = told.wait_for(|told| *told == Disturbance::Refuse) => {}
            }
            state.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

async fn carry(mut near: TcpStream, state: &State) -> Option<()> {
    near.set_nodelay(true).ok()?;
    let mut far = TcpStream::connect(&state.behind).await.ok()?;
    far.set_nodelay(true).ok()?;
    let (mut near_read, mut near_write) = near.split();
    let (mut far_read, mut far_write) = far.split();
    tokio::select! {
        ended = requests(&mut near_read, &mut far_write, state) => ended,
        ended = answers(&mut far_read, &mut near_write, state) => ended,
    }
}

async fn requests(from: &mut (impl AsyncReadExt + Unpin), to: &mut (impl AsyncWriteExt + Unpin), state: &State) -> Option<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let length = from.read(&mut piece).await.ok().filter(|length| *length > 0)?;
        let told = *state.told.borrow();
        match told {
            Disturbance::Silence => std::future::pending().await,
            Disturbance::CutRequest(_) => {
                let carried = state.take(length);
                to.write_all(&piece[..carried]).await.ok()?;
                if carried < length {
                    return None;
                }
            }
            _ => to.write_all(&piece[..length]).await.ok()?,
        }
    }
}

async fn answers(from: &mut (impl AsyncReadExt + Unpin), to: &mut (impl AsyncWriteExt + Unpin), state: &State) -> Option<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let length = from.read(&mut piece).await.ok().filter(|length| *length > 0)?;
        let answer = &mut piece[..length];
        let told = *state.told.borrow();
        match told {
            Disturbance::Silence => std::future::pending().await,
            Disturbance::CutAnswer(_) => {
                let carried = state.take(length);
                to.write_all(&answer[..carried]).await.ok()?;
                if carried < length {
                    return None;
                }
            }
            Disturbance::Delay(time) => {
                tokio::time::sleep(time).await;
                to.write_all(answer).await.ok()?;
            }
            Disturbance::Trickle => {
                for few in answer.chunks(TRICKLE) {
                    to.write_all(few).await.ok()?;
                    tokio::time::sleep(TRICKLE_PAUSE).await;
                }
            }
            Disturbance::Duplicate => {
                to.write_all(answer).await.ok()?;
                to.write_all(answer).await.ok()?;
            }
            Disturbance::Garbage => {
                answer.fill_with(|| fastrand::u8(..));
                to.write_all(answer).await.ok()?;
                return None;
            }
            Disturbance::Overtake => {
                if state.answers.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) {
                    tokio::time::sleep(OVERTAKEN).await;
                }
                to.write_all(answer).await.ok()?;
            }
            Disturbance::None | Disturbance::Refuse | Disturbance::CutRequest(_) => to.write_all(answer).await.ok()?,
        }
    }
}

impl State {
    /// Takes up to `wanted` bytes from the budget.
    fn take(&self, wanted: usize) -> usize {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = wanted.min(*left);
        *left -= taken;
        taken
    }
}
