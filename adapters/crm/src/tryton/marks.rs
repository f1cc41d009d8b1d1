//! Marks: by what an effect is known again under its idempotency key. Each is written by the very transaction of its effect: on a party as an
//! identifier that the contract does not show, on a note as its last line.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use passerelle_adapter::Fault;
use passerelle_proto::backoffice::customers::v1::{AddInteractionResponse, CreateResponse, UpdateResponse};
use serde_json::{Value, json};

use super::moment;
use super::note;
use super::rpc::Rpc;
use crate::driver::{Key, Remembered};
use crate::wire::bytes;

/// How codes of marks begin, before a `:`.
pub(super) const OWN: &str = crate::checks::OWN;
/// Marks that stay on a party.
pub(super) const KEPT: usize = 16;

/// The code of a mark on a party.
pub(super) fn code(key: &Key, method: &str) -> String {
    format!("{OWN}:{}:{method}:{}", key.digest, key.fingerprint)
}

/// What became of a key, as the server knows.
pub(super) async fn remembered(rpc: &Rpc, digest: &str) -> Result<Remembered, Fault> {
    let domain = json!([["code", "like", format!("{OWN}:{digest}:%")]]);
    let fields = json!(["code", "party", "create_date"]);
    let found = rpc.read("model.party.identifier.search_read", json!([domain, 0, 1, null, fields, {}])).await?;
    if let Some(found) = on_party(&found[0]) {
        return Ok(found);
    }
    let domain = json!([["message", "like", format!("%{digest}%")], ["resource", "like", "party.party,%"]]);
    let found = rpc.read("model.ir.note.search_read", json!([domain, 0, 1, null, ["message"], {}])).await?;
    let id = found[0]["id"].as_i64();
    Ok(match (id, found[0]["message"].as_str().and_then(note::fingerprint)) {
        (Some(id), Some(fingerprint)) => {
            Remembered::Done { fingerprint, answer: bytes(&AddInteractionResponse { id: id.to_string() }) }
        }
        _ => Remembered::NotDone,
    })
}

/// The mark's own date is that of the party when it was written: they are of one transaction.
fn on_party(record: &Value) -> Option<Remembered> {
    let mut parts = record["code"].as_str()?.split(':').skip(2);
    let (method, fingerprint) = (parts.next()?, parts.next()?.to_owned());
    let (party, version) = (record["party"].as_i64()?, moment::read(&record["create_date"])?.to_string());
    let answer = match method {
        "create" => bytes(&CreateResponse { id: party.to_string(), version }),
        _ => bytes(&UpdateResponse { version }),
    };
    Some(Remembered::Done { fingerprint, answer })
}

/// Effects whose answers have not come: the server may still be at work on them, so that no mark does not say that they had none.
#[derive(Clone, Default)]
pub(super) struct Sent(Arc<Mutex<BTreeMap<String, Instant>>>);

impl Sent {
    /// From now on an effect under this key may happen.
    pub(super) fn note(&self, key: Option<&Key>) {
        if let Some(key) = key {
            let mut all = self.lock();
            all.retain(|_, at| at.elapsed() < Duration::from_secs(3600));
            all.insert(key.digest.clone(), Instant::now());
        }
    }

    /// It has been answered.
    pub(super) fn answered(&self, key: Option<&Key>) {
        if let Some(key) = key {
            self.lock().remove(&key.digest);
        }
    }

    /// Whether it can be at work still.
    pub(super) fn may_be_at_work(&self, digest: &str, patience: Duration) -> bool {
        self.lock().get(digest).is_some_and(|at| at.elapsed() < patience)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
