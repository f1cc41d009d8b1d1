//! What the adapter remembers of an operation under an idempotency key, on the server itself: what was meant, before; what was answered, after.

use data_encoding::HEXLOWER;
use passerelle_adapter::Fault;
use passerelle_proto::backoffice::documents::v1::{Document, Reference};
use prost::Message;
use serde::{Deserialize, Serialize};

use super::line::Line;
use super::properties::{self, document, effect, version};
use crate::driver::{Effect, Key, Remembered};
use crate::wire::decode;

/// What is meant to be done, written before it is.
#[derive(Debug, Serialize, Deserialize)]
struct Intent {
    fingerprint: String,
    folder: String,
    name: String,
    /// The name of the storing; none: a removal.
    effect: Option<String>,
    /// The version that was there before; none: nothing was.
    before: Option<String>,
}

/// What was answered.
#[derive(Debug, Serialize, Deserialize)]
struct Done {
    fingerprint: String,
    /// The document in hexadecimal; none: it was removed.
    document: Option<String>,
}

/// Where uploads lie until they are whole.
pub(super) fn upload(effect: &str) -> String {
    format!("uploads/{effect}")
}

fn intent(digest: &str) -> String {
    format!("keys/{digest}")
}

fn done(digest: &str) -> String {
    format!("keys/{digest}.done")
}

impl Line {
    /// Writes down what is meant to be done.
    pub(super) async fn intend(
        &mut self,
        key: &Key,
        reference: &Reference,
        effect: Option<&str>,
        before: Option<String>,
    ) -> Result<(), Fault> {
        let Reference { folder, name } = reference.clone();
        let meant = Intent { fingerprint: key.fingerprint.clone(), folder, name, effect: effect.map(str::to_owned), before };
        let path = self.server().own(&intent(&key.digest));
        self.put(&path, json(&meant)?).await
    }

    /// Writes down what was answered. If that fails, what was meant tells as much for a while.
    pub(super) async fn remember(&mut self, key: &Key, document: Option<&Document>) {
        let document = document.map(|document| HEXLOWER.encode(&document.encode_to_vec()));
        let path = self.server().own(&done(&key.digest));
        let written = match json(&Done { fingerprint: key.fingerprint.clone(), document }) {
            Ok(text) => self.put(&path, text).await,
            Err(fault) => Err(fault),
        };
        if let Err(fault) = written {
            tracing::warn!(%fault, "an answer could not be written down");
        }
    }

    /// What became of a key.
    pub(super) async fn remembered(&mut self, digest: &str) -> Result<Remembered, Fault> {
        let paths = (self.server().own(&done(digest)), self.server().own(&intent(digest)));
        // One that was cut short while it was written is none.
        let found = self.small(&paths.0).await?.and_then(|text| serde_json::from_slice::<Done>(&text).ok());
        if let Some(Done { fingerprint, document }) = found {
            let bytes = document.map(|document| HEXLOWER.decode(document.as_bytes()).unwrap_or_default());
            let effect = match bytes {
                None => Effect::Deleted,
                Some(bytes) => Effect::Stored(decode(bytes.into())?),
            };
            return Ok(Remembered::Done { fingerprint, effect });
        }
        let found = self.small(&paths.1).await?.and_then(|text| serde_json::from_slice::<Intent>(&text).ok());
        match found {
            None => Ok(Remembered::NotDone),
            Some(intent) => self.found_out(intent).await,
        }
    }

    /// Compares what was meant with what is there.
    async fn found_out(&mut self, intent: Intent) -> Result<Remembered, Fault> {
        let Intent { fingerprint, folder, name, effect: meant, before } = intent;
        let reference = Reference { folder, name };
        let path = self.server().document(&reference);
        let now = self.resource(&path).await?;
        let unchanged = now.as_ref().map(version) == before;
        let is_ours = |resource: &_| meant.as_deref() == Some(effect(resource));
        Ok(match (&now, &meant) {
            (Some(resource), Some(_)) if is_ours(resource) => {
                Remembered::Done { fingerprint, effect: Effect::Stored(document(reference, resource)) }
            }
            (None, None) => Remembered::Done { fingerprint, effect: Effect::Deleted },
            _ if unchanged => Remembered::NotDone,
            (_, Some(meant)) => {
                let upload = self.server().own(&upload(meant));
                // Still where it was put before it should have taken its place.
                if self.resource(&upload).await?.is_some() { Remembered::NotDone } else { Remembered::Undecided }
            }
            (Some(_), None) => Remembered::Undecided,
        })
    }
}

/// Whether a resource is that storing.
pub(super) fn is(resource: &super::multistatus::Resource, effect: &str) -> bool {
    properties::effect(resource) == effect
}

fn json(value: &impl Serialize) -> Result<bytes::Bytes, Fault> {
    serde_json::to_vec(value).map(Into::into).map_err(|error| Fault::unavailable(format!("it cannot be written down: {error}")))
}
