//! The adapter as the bus has it: calls go to the process while there is a session, and are refused at once while there is none.

use std::sync::Arc;
use std::time::{Duration, Instant};

use passerelle_adapter::{Abilities, Adapter, Call, Descriptor, Fault, Health, Lookup, Messages, Receiving, async_trait};
use passerelle_proto::adapter::v1;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tonic::Request;

use crate::call;
use crate::fault;
use crate::kind::NAME;
use crate::link::{Link, Session, State, Trouble};
use crate::receive::RemoteReceiving;

/// What starting and introducing it takes, about.
const STARTING: Duration = Duration::from_millis(500);
/// What `Health` may take.
const HEALTH: Duration = Duration::from_secs(1);
/// Beyond the grace, for the answer to come back.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// An adapter in another process.
pub(crate) struct RemoteAdapter {
    link: Arc<Link>,
    /// Until the adapter has introduced itself.
    unknown: Descriptor,
    grace: watch::Sender<Duration>,
    looking: Mutex<Option<JoinHandle<()>>>,
}

impl RemoteAdapter {
    /// Begins to look for the process.
    pub(crate) fn begin(link: Link) -> Self {
        let link = Arc::new(link);
        let unknown = Descriptor { kind: NAME, contracts: Vec::new(), idempotent: Vec::new(), behind: vec![link.place()] };
        let (grace, left) = watch::channel(Duration::ZERO);
        let looking = Mutex::new(Some(tokio::spawn(link.clone().run(left))));
        Self { link, unknown, grace, looking }
    }

    fn session(&self) -> Result<Session, Fault> {
        match self.link.state() {
            State::Ready(session) => Ok(session),
            State::Down(trouble, again) => {
                let retry_after = Some(again.saturating_duration_since(Instant::now()) + STARTING);
                Err(Fault::Unavailable { retry_after, message: down(&trouble) })
            }
            State::Closed => Err(Fault::unavailable("the adapter is draining")),
        }
    }
}

fn down(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Away(reason) => format!("the adapter is away: {reason}"),
        Trouble::Refused(reason) | Trouble::Silent(reason) => {
            format!(
                "the adapter is quarantined: {reason}; it is tried again by itself, `passerelle explain P0027` tells the way out"
            )
        }
    }
}

#[async_trait]
impl Adapter for RemoteAdapter {
    fn descriptor(&self) -> &Descriptor {
        self.link.descriptor().unwrap_or(&self.unknown)
    }

    async fn known(&self) {
        self.link.known().await;
    }

    fn abilities(&self) -> Abilities {
        self.session().map(|session| Abilities { lookup: session.abilities.lookup }).unwrap_or_default()
    }

    async fn call(&self, call: Call) -> Result<Messages, Fault> {
        call::carry(self.session()?, call).await
    }

    async fn lookup(&self, idempotency_key: &str) -> Result<Lookup, Fault> {
        let mut session = self.session()?;
        if !session.abilities.lookup {
            return Err(Fault::Unimplemented { message: "this adapter cannot look up what became of an operation".to_owned() });
        }
        let request = v1::LookupRequest { idempotency_key: idempotency_key.to_owned() };
        let response = session.client.lookup(request).await;
        fault::lookup(
            response
                .map_err(|status| Fault::unavailable(format!("it could not be looked up: {}", status.message())))?
                .into_inner(),
        )
    }

    fn receives(&self) -> bool {
        self.session().is_ok_and(|session| session.abilities.receive)
    }

    async fn receive(&self) -> Result<Box<dyn Receiving>, Fault> {
        let session = self.link.ready().await.ok_or_else(|| Fault::unavailable("the adapter is draining"))?;
        match session.abilities.receive {
            true => Ok(Box::new(RemoteReceiving::begin(session))),
            false => Err(Fault::Unimplemented { message: "this adapter does not receive".to_owned() }),
        }
    }

    async fn health(&self) -> Health {
        let mut session = match self.link.state() {
            State::Ready(session) => session,
            State::Down(trouble, _) => return Health::Down { reason: down(&trouble) },
            State::Closed => return Health::Down { reason: "the adapter is draining".to_owned() },
        };
        let health = match tokio::time::timeout(HEALTH, session.client.health(v1::HealthRequest {})).await {
            Ok(Ok(response)) => fault::health(response.into_inner()),
            Ok(Err(status)) => Health::Down { reason: format!("it does not tell its health: {}", status.message()) },
            Err(_) => Health::Down { reason: "it did not tell its health within a second".to_owned() },
        };
        match (health, session.drift) {
            (Health::Ready, Some(drift)) => Health::Degraded { reason: drift.to_string() },
            (health, _) => health,
        }
    }

    async fn drain(&self, grace: Duration) {
        let end = tokio::time::Instant::now() + grace;
        if let State::Ready(mut session) = self.link.state() {
            let request = Request::new(v1::DrainRequest { grace: prost_types::Duration::try_from(grace).ok() });
            // One that does not answer is ended below, or lives on where it is not ours.
            let _ = tokio::time::timeout(grace + LAST_WORDS, session.client.drain(request)).await;
        }
        self.grace.send_replace(end.saturating_duration_since(tokio::time::Instant::now()).max(LAST_WORDS));
        self.link.close();
        if let Some(looking) = self.looking.lock().await.take() {
            // An error: it panicked, and is over.
            let _ = looking.await;
        }
    }
}

impl Drop for RemoteAdapter {
    fn drop(&mut self) {
        // The task ends, and what it started with it.
        self.link.close();
    }
}
