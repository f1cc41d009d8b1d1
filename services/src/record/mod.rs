//! `passerelle.bus.v1.Recorder`: the calls of a contract, redacted, to whoever listens.
//!
//! What is personal is what the contract declares: fields with `debug_redact` or `(passerelle.personal)`, and all that lies below them.

mod kept;
mod personal;
mod pseudonym;
mod redact;
mod status;
#[cfg(test)]
mod tests;
mod walk;

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::stream::{Stream, StreamExt, once, unfold};
use http::HeaderName;
use passerelle_bus::call::record::{Captured, Listening, Omitted, Recorders, Wanted};
use passerelle_bus::contract::{CHANNEL_HEADER, Contract, Registry};
use passerelle_proto::bus::v1;
use passerelle_proto::bus::v1::record_response::What;
use passerelle_proto::bus::v1::recorder_server::{self, RecorderServer};
use tonic::{Request, Response, Status};

use self::kept::Keeper;
pub use self::personal::{Treatment, treatment};

/// Metadata that is always kept.
const METADATA: [&str; 2] = [CHANNEL_HEADER, "grpc-retry-pushback-ms"];
/// Metadata that never is: it says who somebody is, and proves it.
const CREDENTIALS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];
/// Further keys of one recording.
const MAX_KEYS: usize = 16;
/// How soon whoever listens is told of what was not kept, while nothing else comes.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// The service.
pub struct Recorder {
    registry: Arc<Registry>,
    recorders: Arc<Recorders>,
    now: fn() -> SystemTime,
}

impl Recorder {
    /// Shows calls of the contracts of `registry`, which pass where `recorders` are; `now` says when a recording began.
    pub fn new(registry: Arc<Registry>, recorders: Arc<Recorders>, now: fn() -> SystemTime) -> Self {
        Self { registry, recorders, now }
    }

    /// The service, ready for a listener.
    pub fn server(self) -> RecorderServer<Self> {
        RecorderServer::new(self)
    }

    fn started(&self, contract: &Contract, keeper: &Keeper) -> v1::RecordingStarted {
        v1::RecordingStarted {
            contract: contract.name.clone(),
            version: contract.version,
            digest: contract.digest.to_string(),
            image: contract.image.bytes().to_vec(),
            redacted_fields: keeper.redacted().to_vec(),
            started_at: Some((self.now)().into()),
        }
    }
}

#[tonic::async_trait]
impl recorder_server::Recorder for Recorder {
    type RecordStream = Pin<Box<dyn Stream<Item = Result<v1::RecordResponse, Status>> + Send>>;

    async fn record(&self, request: Request<v1::RecordRequest>) -> Result<Response<Self::RecordStream>, Status> {
        let v1::RecordRequest { contract, metadata_keys } = request.into_inner();
        let metadata = keys(&metadata_keys)?;
        let snapshot = self.registry.snapshot();
        let contract = snapshot.find(&contract, None).map_err(|error| Status::not_found(error.to_string()))?.clone();
        let keeper = Keeper::new(contract.clone()).ok_or_else(|| Status::internal("the system has no randomness to give"))?;
        let paths = contract.methods().map(|method| method.path.clone()).collect();
        let listening = self.recorders.listen(Wanted { paths, metadata });
        let listening = listening.map_err(|error| Status::resource_exhausted(error.to_string()))?;
        tracing::info!(contract = contract.id(), "a recording begins");
        let first = response(Some(What::Started(self.started(&contract, &keeper))), Omitted::default());
        let session = Session { contract, listening, keeper: Arc::new(keeper), told: Omitted::default() };
        // Asked for the next only when the one before was taken: whoever is slow holds up nothing but himself.
        let calls = unfold(session, |mut session| async move { session.next().await.map(|next| (Ok(next), session)) });
        Ok(Response::new(Box::pin(once(async { Ok(first) }).chain(calls))))
    }
}

/// One who listens.
struct Session {
    contract: Arc<Contract>,
    listening: Listening,
    keeper: Arc<Keeper>,
    /// What he was told of omissions.
    told: Omitted,
}

impl Session {
    async fn next(&mut self) -> Option<v1::RecordResponse> {
        loop {
            let what = match tokio::time::timeout(TELL_EVERY, self.listening.next()).await {
                Ok(call) => match self.redacted(call?).await {
                    Some(call) => Some(What::Call(call)),
                    None => {
                        self.listening.unreadable();
                        None
                    }
                },
                Err(_) => None,
            };
            let omitted = self.listening.omitted();
            if what.is_some() || omitted != self.told {
                self.told = omitted;
                return Some(response(what, omitted));
            }
        }
    }

    /// Away from the threads that carry calls: a large one takes a while.
    async fn redacted(&self, call: Captured) -> Option<v1::RecordedCall> {
        let keeper = self.keeper.clone();
        tokio::task::spawn_blocking(move || keeper.keep(&call)).await.ok().flatten()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        tracing::info!(contract = self.contract.id(), "a recording has ended");
    }
}

fn response(what: Option<What>, omitted: Omitted) -> v1::RecordResponse {
    let Omitted { busy, unreadable, not_carried, abandoned } = omitted;
    v1::RecordResponse { what, omitted: Some(v1::RecordingOmissions { busy, unreadable, not_carried, abandoned }) }
}

fn keys(asked: &[String]) -> Result<Vec<HeaderName>, Status> {
    if asked.len() > MAX_KEYS {
        return Err(Status::invalid_argument(format!("{} keys of metadata are more than {MAX_KEYS}", asked.len())));
    }
    let key = |text: &str| {
        let refused = |why: &str| Status::invalid_argument(format!("metadata {}: {why}", text.escape_debug()));
        let key = HeaderName::from_bytes(text.as_bytes()).map_err(|_| refused("this is no metadata key"))?;
        let never =
            CREDENTIALS.contains(&key.as_str()) || (key.as_str().starts_with("grpc-") && !METADATA.contains(&key.as_str()));
        if never { Err(refused("credentials and gRPC's own keys are never recorded")) } else { Ok(key) }
    };
    let mut keys = METADATA.into_iter().chain(asked.iter().map(String::as_str)).map(key).collect::<Result<Vec<_>, _>>()?;
    keys.sort_by(|one, other| one.as_str().cmp(other.as_str()));
    keys.dedup();
    Ok(keys)
}
