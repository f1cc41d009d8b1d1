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

/// How long the address may take to be closed, or bound again.
const TURNING: Duration = Duration::from_secs(2);
/// How long connections may take to be closed.
const HANGING_UP: Duration = Duration::from_secs(1);

/// What the proxy does to connections, old and new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Disturbance {
    /// Carries everything.
    #[default]
    None,
    /// Closes all connections and the address: the system behind is not there.
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
    /// Whether connections are accepted.
    listening: watch::Sender<bool>,
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
            listening: watch::Sender::new(true),
            left: Mutex::new(0),
            open: AtomicUsize::new(0),
            answers: AtomicUsize::new(0),
        });
        let serving = tokio::spawn(serve(listener, address, Arc::clone(&state)));
        Ok(Self { address, state, serving })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on does this, to open connections too.
    pub(crate) async fn tell(&self, disturbance: Disturbance) {
        if let Disturbance::CutRequest(bytes) | Disturbance::CutAnswer(bytes) = disturbance {
            *self.state.left.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
        }
        self.state.told.send_replace(disturbance);
        // Only then does who connects meet what was told.
        let listens = disturbance != Disturbance::Refuse;
        let mut listening = self.state.listening.subscribe();
        let _ = tokio::time::timeout(TURNING, listening.wait_for(|listening| *listening == listens)).await;
    }

    /// Closes all open connections once; new ones are carried.
    pub(crate) async fn hang_up(&self) {
        self.tell(Disturbance::Refuse).await;
        let begin = Instant::now();
        while self.open() > 0 && begin.elapsed() < HANGING_UP {
            tokio::time::sleep(TRICKLE_PAUSE).await;
        }
        self.tell(Disturbance::None).await;
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

async fn serve(mut listener: TcpListener, address: SocketAddr, state: Arc<State>) {
    let mut told = state.told.subscribe();
    // Dropped at the end, with all connections in it.
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => Some(accepted),
            refuse = told.wait_for(|told| *told == Disturbance::Refuse) => match refuse {
                Ok(_) => None,
                Err(_) => return,
            },
        };
        match accepted {
            Some(Ok((stream, _))) => {
                while connections.try_join_next().is_some() {}
                connections.spawn(connection(stream, Arc::clone(&state)));
            }
            Some(Err(_)) => return,
            None => {
                // Who connects now is refused by the machine itself, as if nobody were there.
                drop(listener);
                state.listening.send_replace(false);
                if told.wait_for(|told| *told != Disturbance::Refuse).await.is_err() {
                    return;
                }
                listener = match again(address).await {
                    Some(listener) => listener,
                    None => return,
                };
                state.listening.send_replace(true);
            }
        }
    }
}

/// Binds the address again, which others might have taken for a moment.
async fn again(address: SocketAddr) -> Option<TcpListener> {
    for _ in 0..100 {
        if let Ok(listener) = TcpListener::bind(address).await {
            return Some(listener);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    None
}

async fn connection(stream: TcpStream, state: Arc<State>) {
    state.open.fetch_add(1, Ordering::SeqCst);
    let mut told = state.told.subscribe();
    tokio::select! {
        // Either side ended, or broke off: both are closed.
        _ = carry(stream, &state) => {}
        _ = told.wait_for(|told| *told == Disturbance::Refuse) => {}
    }
    state.open.fetch_sub(1, Ordering::SeqCst);
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
