//! An adapter in a process of its own, for scenes: files of its folder say what is wrong with it, and when it may go on.
#![allow(clippy::expect_used, clippy::panic, reason = "a program of the tests fails by panicking")]

mod stranger;

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use passerelle_adapter::{
    Adapter, Call, ContractSource, Descriptor, Fault, Health, Kind, Maturity, Messages, OpenError, Opening, ProtoFile, Secret,
    SecretError, SecretRef, Secrets, async_trait,
};
use passerelle_adapter_server::{Lifeline, Limits, Serving, serve_started};
use passerelle_system::planted::{
    ANOTHER_KIND, ANOTHER_VERSION, BEGUN, CONTRACT, EFFECTS, GATE, MODE, Number, PROTO, Piece, UNKNOWN_TAKEN,
};
use prost::Message;

/// Between looks for the file that lets calls go on.
const LOOK: Duration = Duration::from_millis(5);

fn mode() -> String {
    std::fs::read_to_string(MODE).unwrap_or_default()
}

/// One line in a file, whole whoever else writes.
fn note(file: &str, line: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(file).expect("a file of its folder");
    file.write_all(format!("{line}\n").as_bytes()).expect("a line fits on the disk");
}

async fn gate() {
    let mut look = tokio::time::interval(LOOK);
    while File::open(GATE).is_err() {
        look.tick().await;
    }
}

struct Planted;

#[async_trait]
impl Kind for Planted {
    fn name(&self) -> &'static str {
        if mode() == ANOTHER_KIND { "scenes/another" } else { "scenes/planted" }
    }

    fn summary(&self) -> &'static str {
        "what scenes need"
    }

    fn maturity(&self) -> Maturity {
        Maturity::Alpha
    }

    fn settings_schema(&self) -> serde_json::Value {
        serde_json::json!({ "type": "object" })
    }

    async fn open(&self, _: Opening) -> Result<Arc<dyn Adapter>, OpenError> {
        let files = vec![ProtoFile { path: "scenes/planted/v1/planted.proto".to_owned(), text: PROTO.to_owned() }];
        let contracts = vec![ContractSource { name: CONTRACT.to_owned(), files }];
        let behind = vec!["a folder".to_owned()];
        Ok(Arc::new(Open(Descriptor { kind: "scenes/planted", contracts, idempotent: Vec::new(), behind })))
    }
}

struct Open(Descriptor);

#[async_trait]
impl Adapter for Open {
    fn descriptor(&self) -> &Descriptor {
        &self.0
    }

    async fn call(&self, mut call: Call) -> Result<Messages, Fault> {
        let number = |bytes: Bytes| Number::decode(bytes).map_err(|_| Fault::unknown("no number")).map(|number| number.number);
        match call.method.rsplit('/').next().unwrap_or_default() {
            "Echo" => Ok(Messages::one(call.messages.into_one().await?)),
            "Post" => {
                let message = call.messages.into_one().await?;
                let number = number(message.clone())?.to_string();
                note(BEGUN, &number);
                gate().await;
                note(EFFECTS, &number);
                Ok(Messages::one(message))
            }
            "Silent" => std::future::pending().await,
            "Large" => {
                let length = number(call.messages.into_one().await?)?;
                Ok(Messages::one(Piece { number: 0, data: vec![7; usize::try_from(length).unwrap_or(0)].into() }.encode_to_vec()))
            }
            "Flood" => {
                let last = number(call.messages.into_one().await?)?;
                let pieces = (0..last).map(|number| Ok(Bytes::from(Piece::of(number).encode_to_vec())));
                Ok(Messages::many(tokio_stream::iter(pieces)))
            }
            "Soak" => {
                gate().await;
                let mut number = 0;
                while let Some(piece) = call.messages.next().await.transpose()? {
                    if !Piece::decode(piece).is_ok_and(|piece| piece == Piece::of(number)) {
                        return Err(Fault::unknown(format!("piece {number} is another")));
                    }
                    number += 1;
                }
                Ok(Messages::one(Number { number }.encode_to_vec()))
            }
            _ if mode() == UNKNOWN_TAKEN => Ok(Messages::one(Bytes::new())),
            _ => Err(Fault::Unimplemented { message: "no such method".to_owned() }),
        }
    }

    async fn health(&self) -> Health {
        Health::Ready
    }

    async fn drain(&self, _: Duration) {}
}

struct NoSecrets;

impl Secrets for NoSecrets {
    fn find(&self, _: &SecretRef) -> Result<Secret, SecretError> {
        Err(SecretError("it has none".to_owned()))
    }
}

#[tokio::main]
async fn main() {
    #[allow(clippy::disallowed_methods, reason = "the bus tells its adapter so")]
    let variable = |name: &str| std::env::var(name).ok();
    let listen = variable("PASSERELLE_ADAPTER_LISTEN").expect("a bus starts it").parse().expect("an address");
    if mode() == ANOTHER_VERSION {
        return stranger::serve(listen).await;
    }
    let serving = Serving {
        kind: Arc::new(Planted),
        release: "1".to_owned(),
        listen,
        secrets: Arc::new(NoSecrets),
        limits: Limits::default(),
        grace: Duration::from_secs(30),
    };
    let lifeline = Lifeline::told(variable(Lifeline::VARIABLE).as_deref());
    serve_started(serving, lifeline, |_| {}).await.expect("it serves to its end");
}
