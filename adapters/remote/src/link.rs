//! Looks for the adapter, introduces the bus to it, and does so anew, with growing pauses, whenever it is lost or fails.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use passerelle_adapter::Descriptor;
use passerelle_proto::adapter::v1;
use tempfile::TempDir;
use tokio::process::Child;
use tokio::sync::watch;

use crate::checks;
use crate::connection::{self, Client};
use crate::file::{Address, Place, Timeouts};
use crate::hang;
use crate::hello::{self, Introduced};
use crate::process::{self, Starting};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A connection that held so long was a good one: the pauses begin anew.
const GOOD: Duration = Duration::from_secs(10);
/// Between looks for a socket that a started process has not opened yet.
const OPENING: Duration = Duration::from_millis(20);

/// Why there is no session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It is not there, or went away.
    Away(String),
    /// It is there, and cannot be used as it is: quarantined.
    Refused(String),
    /// It is there, and did not answer in time: quarantined, and ended when it goes on so.
    Silent(String),
}

/// What stands between us and the adapter.
#[derive(Clone)]
pub(crate) enum State {
    /// Calls may go.
    Ready(Session),
    /// Calls are refused, since…; and when it is tried again.
    Down(Trouble, Instant),
    /// We are ending.
    Closed,
}

/// A connection that was introduced and passed the checks.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) limits: v1::Limits,
    pub(crate) abilities: v1::Abilities,
    /// What this adapter says differently than the first one did.
    pub(crate) drift: Option<Arc<str>>,
}

/// How to reach the adapter, and what was learnt of it.
pub(crate) struct Link {
    endpoint: String,
    settings: String,
    address: Address,
    starting: Option<Starting>,
    timeouts: Timeouts,
    /// Holds the socket of a process that we start.
    _folder: Option<TempDir>,
    introduced: OnceLock<Introduced>,
    descriptor: OnceLock<Descriptor>,
    state: watch::Sender<State>,
}

impl Link {
    pub(crate) fn new(endpoint: String, settings: String, place: Place, file: &Path, timeouts: Timeouts) -> Result<Self, String> {
        let (address, starting, folder) = match place {
            Place::At(address) => (address, None, None),
            Place::Started(program, arguments) => {
                // Of mode 0700: nobody else connects.
                let private = tempfile::Builder::new().prefix("passerelle-").tempdir();
                let private = private.map_err(|error| format!("no folder for the adapter's socket: {error}"))?;
                let socket = private.path().join("adapter.sock");
                let folder = file.parent().unwrap_or(Path::new("")).to_owned();
                let starting = Starting { endpoint: endpoint.clone(), program, arguments, folder, socket: socket.clone() };
                (Address::Unix(socket), Some(starting), Some(private))
            }
        };
        let state = watch::Sender::new(State::Down(Trouble::Away("it was not reached yet".to_owned()), Instant::now()));
        let (introduced, descriptor) = (OnceLock::new(), OnceLock::new());
        Ok(Self { endpoint, settings, address, starting, timeouts, _folder: folder, introduced, descriptor, state })
    }

    /// Where the adapter is, for people.
    pub(crate) fn place(&self) -> String {
        self.starting.as_ref().map_or_else(|| self.address.to_string(), |starting| format!("command {}", starting.program))
    }

    pub(crate) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    pub(crate) fn descriptor(&self) -> Option<&Descriptor> {
        self.descriptor.get()
    }

    /// Returns when the adapter has introduced itself for the first time.
    pub(crate) async fn known(&self) {
        let mut states = self.state.subscribe();
        while self.descriptor.get().is_none() {
            if states.changed().await.is_err() {
                return;
            }
        }
    }

    /// The session, waited for; none when we are ending.
    pub(crate) async fn ready(&self) -> Option<Session> {
        let mut states = self.state.subscribe();
        let state = states.wait_for(|state| !matches!(state, State::Down(..))).await.ok()?;
        match &*state {
            State::Ready(session) => Some(session.clone()),
            State::Down(..) | State::Closed => None,
        }
    }

    /// Ends the looking; the process, if there is one, by [`Self::run`].
    pub(crate) fn close(&self) {
        self.state.send_replace(State::Closed);
    }

    /// Keeps a session until closed. What is left of `grace` then is the process's.
    pub(crate) async fn run(self: Arc<Self>, grace: watch::Receiver<Duration>) {
        let mut child = None;
        let mut closed = self.state.subscribe();
        tokio::select! {
            () = self.keep(&mut child) => {}
            _ = closed.wait_for(|state| matches!(state, State::Closed)) => {}
        }
        if let Some(child) = &mut child {
            let grace = *grace.borrow();
            process::end(child, grace).await;
        }
    }

    async fn keep(&self, child: &mut Option<Child>) {
        let mut pause = FIRST_PAUSE;
        let mut told = None;
        let mut silent_since: Option<Instant> = None;
        loop {
            let trouble = match self.establish(child).await {
                Ok((session, mut lost)) => {
                    let since = Instant::now();
                    let asked = session.client.clone();
                    tracing::info!(endpoint = self.endpoint, place = self.place(), "adapter ready");
                    self.tell(State::Ready(session));
                    let is_silent = tokio::select! {
                        // An error: the connection's task is gone, and the connection with it.
                        _ = lost.wait_for(|lost| *lost) => false,
                        () = hang::until_silent(asked, self.timeouts.hang()) => true,
                    };
                    if is_silent {
                        self.kill(child, "Health").await;
                    }
                    silent_since = None;
                    if since.elapsed() >= GOOD {
                        pause = FIRST_PAUSE;
                    }
                    told = None;
                    tracing::warn!(endpoint = self.endpoint, "the connection to the adapter is lost");
                    Trouble::Away("the connection to it is lost".to_owned())
                }
                Err(trouble) => {
                    silent_since = match (&trouble, silent_since) {
                        (Trouble::Silent(_), None) => Some(Instant::now()),
                        (Trouble::Silent(_), Some(since)) if since.elapsed() >= self.timeouts.hang() => {
                            self.kill(child, "the introduction").await;
                            None
                        }
                        (Trouble::Silent(_), since) => since,
                        _ => None,
                    };
                    // Each reason is said once, however often it is met.
                    if told.as_ref() != Some(&trouble) {
                        match &trouble {
                            Trouble::Away(reason) => tracing::warn!(endpoint = self.endpoint, reason, "adapter not reached"),
                            Trouble::Refused(reason) | Trouble::Silent(reason) => {
                                tracing::error!(endpoint = self.endpoint, reason, "adapter quarantined (P0027), tried again")
                            }
                        }
                        told = Some(trouble.clone());
                    }
                    trouble
                }
            };
            // Up to half as long again: what lost the same adapter does not come back at the same moment.
            let again = Instant::now() + pause.mul_f64(1.0 + fastrand::f64() / 2.0);
            self.tell(State::Down(trouble, again));
            tokio::time::sleep_until(again.into()).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Ends a process that hangs, so that the next attempt starts it anew.
    async fn kill(&self, child: &mut Option<Child>, silent_on: &str) {
        let hang_ms = self.timeouts.hang_ms;
        tracing::error!(endpoint = self.endpoint, hang_ms, "the adapter hangs: {silent_on} has not been answered for so long");
        if let Some(mut child) = child.take() {
            process::end(&mut child, Duration::ZERO).await;
        }
    }

    /// Closed stays closed.
    fn tell(&self, state: State) {
        self.state.send_if_modified(|now| match now {
            State::Closed => false,
            _ => {
                *now = state;
                true
            }
        });
    }

    async fn establish(&self, child: &mut Option<Child>) -> Result<(Session, watch::Receiver<bool>), Trouble> {
        let connect = tokio::time::timeout(self.timeouts.connect(), self.connect(child)).await;
        let late = || Trouble::Silent(format!("it did not accept a connection within {} ms", self.timeouts.connect_ms));
        let (mut client, lost) = connect.map_err(|_| late())??;
        let introduced = hello::introduce(&mut client, &self.endpoint, &self.settings, self.timeouts).await?;
        checks::pass(&mut client, &introduced).await?;
        let first = self.introduced.get_or_init(|| introduced.clone());
        let drift = first.drift(&introduced);
        if let Some(drift) = &drift {
            tracing::error!(endpoint = self.endpoint, drift, "adapter drifted");
        }
        self.descriptor.get_or_init(|| first.descriptor(&self.place()));
        let session = Session {
            client,
            limits: introduced.speaks.limits.unwrap_or_default(),
            abilities: introduced.speaks.abilities.unwrap_or_default(),
            drift: drift.map(Into::into),
        };
        Ok((session, lost))
    }

    async fn connect(&self, child: &mut Option<Child>) -> Result<(Client, watch::Receiver<bool>), Trouble> {
        let Some(starting) = &self.starting else {
            return connection::connect(&self.address).await.map_err(Trouble::Away);
        };
        let running = child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)));
        if !running {
            *child = Some(starting.start().map_err(Trouble::Away)?);
        }
        loop {
            let failed = match connection::connect(&self.address).await {
                Ok(connected) => return Ok(connected),
                Err(error) => error,
            };
            if let Some(Ok(Some(status))) = child.as_mut().map(Child::try_wait) {
                return Err(Trouble::Away(format!("the process ended ({status}); its last words are in the log; {failed}")));
            }
            tokio::time::sleep(OPENING).await;
        }
    }
}
