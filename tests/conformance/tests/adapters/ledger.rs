//! The little ledger: a good adapter in two hundred lines, in which one bug can be planted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use passerelle_adapter::{
    Adapter, Call, ContractSource, Descriptor, Fault, Health, Kind, Lookup, Maturity, Messages, OpenError, Opening, ProtoFile,
    Rejection, async_trait,
};
use prost::Message;
use serde::Deserialize;
use tokio::sync::{RwLock, mpsc};

use super::bugs::{Bug, Planted};
use super::line::Line;

/// The ledger's methods, after its service.
const SERVICE: &str = "kit.ledger.v1.Ledger/";

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Account {
    #[prost(string, tag = "1")]
    pub(crate) account: String,
}

#[derive(Clone, PartialEq, Message)]
struct Balance {
    #[prost(string, tag = "1")]
    account: String,
    #[prost(int64, tag = "2")]
    cents: i64,
    #[prost(uint32, tag = "3")]
    postings: u32,
}

#[derive(Clone, PartialEq, Message)]
struct Posting {
    #[prost(string, tag = "1")]
    account: String,
    #[prost(int64, tag = "2")]
    cents: i64,
    #[prost(string, tag = "3")]
    reference: String,
}

#[derive(Clone, PartialEq, Message)]
struct Number {
    #[prost(uint32, tag = "1")]
    number: u32,
}

/// What an integrator writes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    system: String,
}

#[derive(Debug, Deserialize)]
struct LooseSettings {
    system: String,
}

/// The kind; `bug` is planted in what it opens.
pub(crate) struct Ledger(pub(crate) Bug);

#[async_trait]
impl Kind for Ledger {
    fn name(&self) -> &'static str {
        "kit/ledger"
    }

    fn summary(&self) -> &'static str {
        "a little ledger"
    }

    fn maturity(&self) -> Maturity {
        Maturity::Alpha
    }

    fn settings_schema(&self) -> serde_json::Value {
        serde_json::json!({ "type": "object", "properties": { "system": { "type": "string" } }, "additionalProperties": false })
    }

    async fn open(&self, opening: Opening) -> Result<Arc<dyn Adapter>, OpenError> {
        let refused = |error: serde_json::Error| OpenError(format!("system: {error}"));
        let system = if self.0 == Bug::UnknownSettingPassed {
            serde_json::from_str::<LooseSettings>(&opening.text).map_err(refused)?.system
        } else if self.0 == Bug::BadSettingsTaken {
            serde_json::from_str::<Settings>(&opening.text).map_or_else(|_| "127.0.0.1:1".to_owned(), |settings| settings.system)
        } else {
            serde_json::from_str::<Settings>(&opening.text).map_err(refused)?.system
        };
        if self.0 == Bug::ConnectsWhenOpened {
            Line::open(&system).await.map_err(|error| OpenError(error.to_string()))?;
        }
        Ok(Arc::new(Open::new(self.0, system)))
    }
}

/// An open ledger.
pub(crate) struct Open {
    pub(crate) bug: Planted,
    pub(crate) system: String,
    descriptor: Descriptor,
    /// Calls in flight: each reads, drain writes.
    in_flight: Arc<RwLock<()>>,
    is_draining: AtomicBool,
    calls: AtomicUsize,
}

impl Open {
    fn new(bug: Bug, system: String) -> Self {
        let mut text = include_str!("ledger.proto").to_owned();
        if bug == Bug::MethodNotServed {
            text = text.replace("  // Takes its time.", "  rpc Close(PostRequest) returns (PostResponse);\n  // Takes its time.");
        }
        if bug == Bug::ContractChanges {
            text.push_str(&format!("// {}\n", fastrand::u64(..)));
        }
        if bug == Bug::ContractBroken {
            text.push_str("message Half {");
        }
        let name = if bug == Bug::ContractMisnamed { "ledger" } else { "kit.ledger.v1" };
        let files = vec![ProtoFile { path: "kit/ledger/v1/ledger.proto".to_owned(), text }];
        let mut idempotent = vec![format!("{SERVICE}Balance")];
        if bug == Bug::IdempotentMisspelt {
            idempotent = vec!["kit.ledger.v1/Balance".to_owned()];
        }
        if bug == Bug::PostCalledIdempotent {
            idempotent.push(format!("{SERVICE}Post"));
        }
        let secret = if bug == Bug::BehindWithPassword { "teller:hunter2@" } else { "" };
        let behind = vec![format!("{secret}{system}")];
        let contracts = vec![ContractSource { name: name.to_owned(), files }];
        Self {
            bug: Planted::new(bug),
            descriptor: Descriptor { kind: "kit/ledger", contracts, idempotent, behind },
            system,
            in_flight: Arc::default(),
            is_draining: AtomicBool::new(false),
            calls: AtomicUsize::new(0),
        }
    }

    fn has(&self, bug: Bug) -> bool {
        self.bug.is(bug)
    }

    async fn carry(&self, call: Call) -> Result<Messages, Fault> {
        let calls = self.calls.fetch_add(1, Ordering::SeqCst);
        if self.has(Bug::RunsOut) && calls > 60 {
            return Err(Fault::unavailable("no handle is left"));
        }
        let mut method = call.method.strip_prefix(SERVICE).unwrap_or_default().to_owned();
        if self.has(Bug::ServiceIgnored) {
            method = call.method.rsplit('/').next().unwrap_or_default().to_owned();
        }
        if self.has(Bug::NamesFolded) && call.method.trim().eq_ignore_ascii_case(&format!("{SERVICE}Balance")) {
            method = "Balance".to_owned();
        }
        let key = call.context.idempotency_key.clone().unwrap_or_default();
        if key.len() > 256 && !self.has(Bug::LongKeyTaken) {
            return Err(Fault::rejected(Rejection::Invalid, "the idempotency key has more than 256 bytes"));
        }
        match method.as_str() {
            "Balance" => self.balance(self.request(call.messages).await?).await,
            "Post" => self.post(self.request(call.messages).await?, key).await,
            "Entries" => self.entries(self.request(call.messages).await?).await,
            "Report" => self.report(self.request(call.messages).await?).await,
            _ if self.has(Bug::UnknownIsRejected) => Err(Fault::rejected(Rejection::NotFound, "no such method")),
            _ => Err(Fault::Unimplemented { message: "the ledger has Balance, Post, Entries and Report".to_owned() }),
        }
    }

    async fn request<M: Message + Default>(&self, mut messages: Messages) -> Result<M, Fault> {
        let bytes = match &self.bug {
            bug if bug.is(Bug::SecondMessageDropped) => messages.next().await.unwrap_or(Ok(Bytes::new()))?,
            bug if bug.is(Bug::NoMessageMadeUp) => messages.next().await.unwrap_or(Ok(Bytes::from_static(b"\x0a\x011")))?,
            _ => messages.into_one().await?,
        };
        self.bug.decode(bytes)
    }

    /// One request, one line of answer.
    pub(crate) async fn ask(&self, request: &str) -> Result<Vec<String>, Fault> {
        if self.has(Bug::LateAnswerTaken) {
            return self.bug.words(self.bug.share(&self.system, request).await?);
        }
        let mut line = self.bug.line(&self.system).await?;
        line.send(request).await?;
        let answer = self.bug.read(&mut line).await?;
        self.bug.give_back(line);
        self.bug.words(answer)
    }

    async fn balance(&self, request: Account) -> Result<Messages, Fault> {
        let account = if self.has(Bug::OneAnswerForAll) { "31".to_owned() } else { self.bug.hex(&request.account) };
        let words = self.ask(&format!("balance {account}")).await.map_err(|fault| self.bug.quoting(fault, &request.account))?;
        let [account, cents, postings] = words.as_slice() else { return Err(unreadable()) };
        let name = data_encoding::HEXLOWER.decode(account.as_bytes()).ok().and_then(|name| String::from_utf8(name).ok());
        let number = |text: &str| text.parse().map_err(|_| unreadable());
        let postings = u32::try_from(number(postings)?).map_err(|_| unreadable())?;
        let answer = Balance { account: name.ok_or_else(unreadable)?, cents: number(cents)?, postings };
        let answer = Bytes::from(answer.encode_to_vec());
        if self.has(Bug::AnswersTwice) {
            return Ok(Messages::many(tokio_stream::iter([Ok(answer.clone()), Ok(answer)])));
        }
        Ok(Messages::one(answer))
    }

    async fn post(&self, request: Posting, key: String) -> Result<Messages, Fault> {
        let what = format!("{} {} {}", self.bug.hex(&request.account), request.cents, self.bug.hex(&request.reference));
        let what = if self.has(Bug::KeyAnswersAnything) { "same".to_owned() } else { what };
        if let Some(answer) = self.bug.remembered(&key) {
            return Ok(Messages::one(answer));
        }
        let told = self.bug.key(key.clone());
        let mut words = self.ask(&format!("post {} {what}", self.bug.hex(&told))).await;
        if self.has(Bug::RepeatsBlindly) && matches!(words, Err(Fault::Unknown { .. })) {
            words = self.ask(&format!("post {} {what}", self.bug.hex(&format!("{key} again")))).await;
        }
        let [number] = words?.try_into().map_err(|_| unreadable())?;
        let answer = Bytes::from(Number { number: number.parse().map_err(|_| unreadable())? }.encode_to_vec());
        self.bug.remember(&key, &answer);
        Ok(Messages::one(answer))
    }

    async fn entries(&self, request: Account) -> Result<Messages, Fault> {
        let mut line = Line::open(&self.system).await?;
        line.send(&format!("entries {}", self.bug.hex(&request.account))).await?;
        let (sender, messages) = mpsc::channel(4);
        self.bug.pump(line, sender);
        Ok(Messages::many(tokio_stream::wrappers::ReceiverStream::new(messages)))
    }

    async fn report(&self, request: Account) -> Result<Messages, Fault> {
        self.ask(&format!("report {}", self.bug.hex(&request.account))).await?;
        Ok(Messages::one(request.encode_to_vec()))
    }
}

pub(crate) fn unreadable() -> Fault {
    Fault::unknown("the ledger's answer cannot be read")
}

#[async_trait]
impl Adapter for Open {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn call(&self, call: Call) -> Result<Messages, Fault> {
        if self.is_draining.load(Ordering::SeqCst) && !self.has(Bug::DrainTakesNew) {
            return Err(Fault::unavailable("the ledger is draining"));
        }
        let in_flight = Arc::clone(&self.in_flight).try_read_owned().map_err(|_| Fault::unavailable("the ledger is draining"));
        let _in_flight = if self.has(Bug::DrainTakesNew) { None } else { Some(in_flight?) };
        let deadline = call.context.deadline;
        let carried = self.bug.serially(self.carry(call));
        self.bug.within(deadline, carried).await
    }

    async fn lookup(&self, key: &str) -> Result<Lookup, Fault> {
        if let Some(told) = self.bug.lookup(key) {
            return told;
        }
        let words = Line::ask(&self.system, &format!("find {}", self.bug.hex(key))).await?;
        match words.split_once(' ') {
            Some(("done", number)) => {
                let number = number.parse().map_err(|_| unreadable())?;
                Ok(Lookup::Done(Number { number }.encode_to_vec().into()))
            }
            _ if words == "none" => Ok(Lookup::NotDone),
            _ => Err(unreadable()),
        }
    }

    async fn health(&self) -> Health {
        if self.has(Bug::HealthAlwaysReady) {
            return Health::Ready;
        }
        let patience = if self.has(Bug::HealthWaits) { Duration::from_secs(30) } else { Duration::from_millis(500) };
        match tokio::time::timeout(patience, Line::ask(&self.system, "ping")).await {
            Ok(Ok(_)) => Health::Ready,
            Ok(Err(fault)) => Health::Down { reason: fault.to_string() },
            Err(_) => Health::Down { reason: "the ledger does not answer".to_owned() },
        }
    }

    async fn drain(&self, grace: Duration) {
        self.is_draining.store(true, Ordering::SeqCst);
        if self.has(Bug::DrainSleeps) {
            tokio::time::sleep(grace).await;
        }
        if !self.has(Bug::DrainDoesNotWait) && !self.has(Bug::DrainCutsOff) {
            let _ = tokio::time::timeout(grace, self.in_flight.write()).await;
        }
        self.bug.cut_off();
    }
}
