//! What adapters receive becomes records: in its order, each thing once, and only what is on disk is said to be taken.

use std::hash::Hasher;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use metrics::{Counter, Unit};
use passerelle_adapter::{Adapter, Fault, Received, Receiving};
use passerelle_journal::{AppendError, Outcome};
use passerelle_proto::bus::v1;
use prost::Message;
use siphasher::sip128::{Hasher128, SipHasher13};

use super::{Service, record};

/// Things that were received, by endpoint and outcome.
const RECEIVED: &str = "passerelle_received_total";
/// Hand-overs that broke off, by endpoint.
const BROKEN: &str = "passerelle_receive_breaks_total";

/// Every metric of receiving with its unit and meaning.
pub const METRICS: [(&str, Unit, &str); 2] = [
    (RECEIVED, Unit::Count, "things that adapters handed over, by endpoint and outcome (written, repeated, refused)"),
    (BROKEN, Unit::Count, "hand-overs by adapters that broke off and were begun anew, by endpoint"),
];

/// Things, and bytes of them, that become durable together; the last one may be over.
const MOST_TOGETHER: usize = 256;
const BYTES_TOGETHER: usize = 512 << 10;
/// Between hand-overs that break off.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Fingerprints of what is received are made with a key of their own: nobody can publish what would be taken for it.
const PURPOSE: &[u8] = b"received";

/// Why a hand-over ended.
enum Ended {
    /// The adapter, or the way to it.
    Adapter(Fault),
    /// The journal.
    Journal(AppendError),
}

impl Service {
    /// Takes what an adapter receives, until the bus is being stopped; returns at once where it does not receive.
    ///
    /// One batch after another: an append that fails ends the hand-over, so that nothing overtakes what comes again. What comes again is
    /// known among the last fingerprints that the journal remembers (`journal.dedupe_keys`).
    pub async fn receive(&self, endpoint: &str, adapter: &dyn Adapter) {
        let mut stopping = self.settings.stopping.clone();
        tokio::select! {
            () = self.keep_receiving(endpoint, adapter) => {}
            // What is not said to be taken is handed over again by the next start.
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }

    async fn keep_receiving(&self, endpoint: &str, adapter: &dyn Adapter) {
        adapter.known().await;
        let inbound = Inbound::new(self, endpoint);
        let mut pause = FIRST_PAUSE;
        loop {
            let before = inbound.written.taken();
            let ended = match adapter.receive().await {
                Ok(mut receiving) => inbound.take_all(receiving.as_mut()).await,
                Err(fault) => Ended::Adapter(fault),
            };
            match ended {
                Ended::Adapter(Fault::Unimplemented { .. }) => return,
                Ended::Journal(error @ (AppendError::Failed(_) | AppendError::Closed)) => {
                    tracing::error!(endpoint, %error, "nothing is received any more");
                    return;
                }
                Ended::Journal(error) => tracing::warn!(endpoint, %error, "what is received has to wait"),
                Ended::Adapter(fault) => tracing::warn!(endpoint, %fault, "receiving broke off, begun anew"),
            }
            metrics::counter!(BROKEN, "endpoint" => endpoint.to_owned()).increment(1);
            if inbound.written.taken() > before {
                pause = FIRST_PAUSE;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// The way of one adapter's things into the journal.
struct Inbound<'a> {
    service: &'a Service,
    source: String,
    key: [u8; 16],
    written: Tally,
    repeated: Tally,
    refused: Tally,
}

impl<'a> Inbound<'a> {
    fn new(service: &'a Service, endpoint: &str) -> Self {
        let mut hasher = SipHasher13::new_with_key(&service.settings.fingerprint_key);
        hasher.write(PURPOSE);
        let tally = |outcome: &'static str| Tally::new(endpoint, outcome);
        Self {
            service,
            source: format!("/endpoints/{endpoint}"),
            key: hasher.finish128().as_bytes(),
            written: tally("written"),
            repeated: tally("repeated"),
            refused: tally("refused"),
        }
    }

    async fn take_all(&self, receiving: &mut dyn Receiving) -> Ended {
        loop {
            let (batch, fault) = gather(receiving).await;
            if let Err(ended) = self.settle(batch, receiving).await {
                return ended;
            }
            if let Some(fault) = fault {
                return Ended::Adapter(fault);
            }
        }
    }

    /// Writes a batch, and tells the adapter what became of each.
    async fn settle(&self, batch: Vec<Received>, receiving: &mut dyn Receiving) -> Result<(), Ended> {
        let mut records = record::Records::new(self.key);
        records.begin((self.service.settings.now)());
        let (mut ids, mut entries) = (Vec::new(), Vec::new());
        for received in batch {
            let id = received.id.clone();
            match records.entry(&[self.message(received)]) {
                Ok(entry) => {
                    ids.push(id);
                    entries.push(entry);
                }
                Err((_, fault)) => {
                    tracing::error!(source = self.source, reason = %fault, "what an adapter received is refused");
                    self.refused.add();
                    receiving.refused(&id, &fault.to_string()).await.map_err(Ended::Adapter)?;
                }
            }
        }
        if entries.is_empty() {
            return Ok(());
        }
        let receipt = self.service.journal.append(entries).await.map_err(Ended::Journal)?;
        let outcomes = receipt.durable().await.map_err(Ended::Journal)?;
        for (id, outcome) in ids.iter().zip(outcomes) {
            match outcome {
                Outcome::Repeated(_) => self.repeated.add(),
                // Without a key nothing is out of sequence.
                Outcome::Written(_) | Outcome::OutOfSequence { .. } => self.written.add(),
            }
            receiving.taken(id).await.map_err(Ended::Adapter)?;
        }
        Ok(())
    }

    fn message(&self, received: Received) -> Bytes {
        let Received { id, kind, subject, time, data } = received;
        let message = v1::Message {
            id,
            source: self.source.clone(),
            data_schema: kind.clone(),
            r#type: kind,
            subject,
            time: time.map(Into::into),
            data_content_type: "application/protobuf".to_owned(),
            data,
            ..v1::Message::default()
        };
        message.encode_to_vec().into()
    }
}

/// One that came, and those that are there with it; with the fault that came behind them.
async fn gather(receiving: &mut dyn Receiving) -> (Vec<Received>, Option<Fault>) {
    let mut batch = Vec::new();
    let mut bytes = 0;
    while batch.len() < MOST_TOGETHER && bytes < BYTES_TOGETHER {
        let next = match batch.is_empty() {
            true => Some(receiving.next().await),
            false => receiving.next().now_or_never(),
        };
        match next {
            Some(Ok(received)) => {
                bytes += received.data.len();
                batch.push(received);
            }
            Some(Err(fault)) => return (batch, Some(fault)),
            None => break,
        }
    }
    (batch, None)
}

/// A counter that we can read as well.
struct Tally {
    counter: Counter,
    count: std::sync::atomic::AtomicU64,
}

impl Tally {
    fn new(endpoint: &str, outcome: &'static str) -> Self {
        let counter = metrics::counter!(RECEIVED, "endpoint" => endpoint.to_owned(), "outcome" => outcome);
        Self { counter, count: Default::default() }
    }

    fn add(&self) {
        self.counter.increment(1);
        self.count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    fn taken(&self) -> u64 {
        self.count.load(std::sync::atomic::Ordering::Relaxed)
    }
}
