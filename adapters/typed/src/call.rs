//! What travels with a call besides its request, as a function sees it.

use std::time::{Duration, Instant};

use passerelle_adapter::{Context, Fault, Rejection};
use tokio::runtime::Handle;
use tokio::sync::watch;

/// Of [`Call::poll`].
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(50);

/// One call.
#[derive(Debug)]
pub struct Call {
    /// Full name of its method: `acme.ledger.v1.Ledger/Post`.
    pub method: &'static str,
    /// Deadline, idempotency key and trace context, the latter to hand on.
    pub context: Context,
    /// The one request of a method that takes one: with the same key must come the same.
    pub(crate) request: bytes::Bytes,
    pub(crate) over: Over,
}

impl Call {
    /// How long the caller still waits: what the client of the system behind may take. `None`: as long as it takes.
    pub fn time_left(&self) -> Option<Duration> {
        self.context.time_left()
    }

    /// Waits for something asynchronous, unless nobody waits for the call any more.
    ///
    /// # Errors
    /// The call is over: hand it on with `?`.
    pub fn wait<F: Future>(&self, what: F) -> Result<F::Output, Fault> {
        self.over.wait(what)
    }

    /// Pauses; ends at once when nobody waits for the call any more.
    ///
    /// # Errors
    /// As [`Call::wait`].
    pub fn pause(&self, time: Duration) -> Result<(), Fault> {
        let until = Instant::now() + time;
        self.wait(async move { tokio::time::sleep_until(until.into()).await })
    }

    /// Asks again and again until it is `enough`, for as long as `time` at most. Gives what was said last.
    ///
    /// # Errors
    /// What `ask` says; as [`Call::wait`].
    pub fn poll<T>(
        &self,
        time: Duration,
        mut ask: impl FnMut() -> Result<T, Fault>,
        enough: impl Fn(&T) -> bool,
    ) -> Result<T, Fault> {
        let end = Instant::now() + time;
        loop {
            let said = ask()?;
            if enough(&said) || Instant::now() >= end {
                return Ok(said);
            }
            self.pause(BETWEEN_QUESTIONS)?;
        }
    }
}

/// Refuses a request that does not hold what it must; `why` is for people, and repeats no value of it.
///
/// # Errors
/// [`Rejection::Invalid`]: hand it on with `?`.
pub fn require(holds: bool, why: &str) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(Fault::rejected(Rejection::Invalid, why)) }
}

/// Tells when nobody waits for a call any more.
#[derive(Debug, Clone)]
pub(crate) struct Over(watch::Receiver<()>);

/// Held by who waits for a call; dropped, the call is over.
#[derive(Debug)]
pub(crate) struct Waiting {
    _sender: watch::Sender<()>,
}

impl Over {
    pub(crate) fn new() -> (Waiting, Self) {
        let (_sender, over) = watch::channel(());
        (Waiting { _sender }, Self(over))
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.has_changed().is_err()
    }

    /// In a thread that may wait.
    pub(crate) fn wait<F: Future>(&self, what: F) -> Result<F::Output, Fault> {
        let mut over = self.0.clone();
        Handle::current().block_on(async {
            tokio::select! {
                done = what => Ok(done),
                // Nothing is ever sent: it returns when the other half is gone.
                _ = over.changed() => Err(nobody_waits()),
            }
        })
    }
}

/// Heard by nobody, unless a function makes it its own.
pub(crate) fn nobody_waits() -> Fault {
    Fault::unknown("nobody waits for this call any more")
}
