//! The bugs that can be planted in the little ledger, and what each of them does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use passerelle_adapter::{Fault, Lookup, Messages, Rejection};
use prost::Message;
use tokio::sync::{Mutex as Gate, mpsc, watch};

use super::ledger::unreadable;
use super::line::Line;

/// One bug each. What it does is where it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    None,
    AnswersTwice,
    OneAnswerForAll,
    RunsOut,
    NoMessageMadeUp,
    SecondMessageDropped,
    UnknownIsRejected,
    ServiceIgnored,
    NamesFolded,
    RefusalIsUnavailable,
    StreamStopsEarly,
    StreamShuffled,
    StreamEndsWhereItBreaks,
    StreamLeaks,
    DeadlineIgnored,
    DeadlineOfItsOwn,
    DeadlinePassedIgnored,
    DeadlineOverflows,
    DeadlineCalledUnavailable,
    LateAnswerTaken,
    KeyIgnored,
    KeyAnswersAnything,
    KeyFolded,
    KeyCut,
    LongKeyTaken,
    KeysInMemory,
    BrokenIsUnavailable,
    RepeatsBlindly,
    LookupForgets,
    LookupOtherAnswer,
    LookupUndecided,
    LookupFindsAll,
    OneAtATime,
    DownIsRejected,
    NeverReconnects,
    HalfAnswerTaken,
    OneRead,
    DuplicateTaken,
    GarbageTaken,
    FaultWithoutWords,
    UndecodableIsUnknown,
    UndecodableIsEmpty,
    TextNotChecked,
    LineBreaksPass,
    UnknownFieldRefused,
    HealthAlwaysReady,
    HealthWaits,
    DrainTakesNew,
    DrainDoesNotWait,
    DrainCutsOff,
    DrainSleeps,
    FaultQuotesRequest,
    FaultQuotesSecret,
    ConnectsWhenOpened,
    UnknownSettingPassed,
    BadSettingsTaken,
    ContractMisnamed,
    ContractBroken,
    ContractChanges,
    MethodNotServed,
    IdempotentMisspelt,
    PostCalledIdempotent,
    BehindWithPassword,
}

/// The bug, with what it needs to remember.
pub(crate) struct Planted {
    bug: Bug,
    answers: Mutex<HashMap<String, Bytes>>,
    kept: Mutex<Option<Line>>,
    gate: Gate<()>,
    shared: Gate<Option<Line>>,
    was_down: Mutex<bool>,
    leaked: Arc<Mutex<Vec<Line>>>,
    over: watch::Sender<bool>,
}

impl Planted {
    pub(crate) fn new(bug: Bug) -> Self {
        Self {
            bug,
            answers: Mutex::default(),
            kept: Mutex::default(),
            gate: Gate::default(),
            shared: Gate::default(),
            was_down: Mutex::default(),
            leaked: Arc::default(),
            over: watch::Sender::new(false),
        }
    }

    pub(crate) fn is(&self, bug: Bug) -> bool {
        self.bug == bug
    }

    pub(crate) fn decode<M: Message + Default>(&self, bytes: Bytes) -> Result<M, Fault> {
        // The number that the kit takes for a field nobody knows.
        if self.is(Bug::UnknownFieldRefused) && bytes.windows(2).any(|two| two == [0xa9, 0x07]) {
            return Err(Fault::rejected(Rejection::Invalid, "the request has a field that is not known"));
        }
        let text = || bytes.iter().map(|byte| if byte.is_ascii() { *byte } else { b'?' }).collect::<Vec<u8>>();
        match M::decode(bytes.clone()) {
            Ok(message) => Ok(message),
            Err(_) if self.is(Bug::TextNotChecked) => M::decode(text().as_slice()).map_err(|_| self.undecodable()),
            Err(_) if self.is(Bug::UndecodableIsEmpty) => Ok(M::default()),
            Err(_) => Err(self.undecodable()),
        }
    }

    fn undecodable(&self) -> Fault {
        match self.bug {
            Bug::UndecodableIsUnknown => Fault::unknown("something went wrong"),
            Bug::FaultWithoutWords => Fault::rejected(Rejection::Invalid, ""),
            _ => Fault::rejected(Rejection::Invalid, "the request is no message of this method"),
        }
    }

    pub(crate) fn hex(&self, text: &str) -> String {
        if self.is(Bug::LineBreaksPass) && text.contains('\n') {
            return text.to_owned();
        }
        data_encoding::HEXLOWER.encode(text.as_bytes())
    }

    pub(crate) fn key(&self, key: String) -> String {
        match self.bug {
            Bug::KeyIgnored => String::new(),
            Bug::KeyFolded => key.to_lowercase(),
            Bug::KeyCut => key.chars().take(64).collect(),
            // Kept by the adapter, in memory, instead of the system.
            Bug::KeysInMemory => String::new(),
            _ => key,
        }
    }

    pub(crate) fn remembered(&self, key: &str) -> Option<Bytes> {
        self.is(Bug::KeysInMemory).then(|| self.answers.lock().expect("no panic").get(key).cloned()).flatten()
    }

    pub(crate) fn remember(&self, key: &str, answer: &Bytes) {
        self.answers.lock().expect("no panic").insert(key.to_owned(), answer.clone());
    }

    pub(crate) fn lookup(&self, key: &str) -> Option<Result<Lookup, Fault>> {
        let known = || self.answers.lock().expect("no panic").get(key).cloned();
        match self.bug {
            Bug::LookupForgets => Some(Ok(known().map_or(Lookup::NotDone, Lookup::Done))),
            Bug::LookupOtherAnswer => known().map(|_| Ok(Lookup::Done(Bytes::from_static(&[8, 99])))),
            Bug::LookupUndecided => Some(Ok(known().map_or(Lookup::Undecided, Lookup::Done))),
            Bug::LookupFindsAll => Some(Ok(Lookup::Done(known().unwrap_or_default()))),
            _ => None,
        }
    }

    /// Asks on the one connection of all calls, on which the answers of those who left still come.
    pub(crate) async fn share(&self, system: &str, request: &str) -> Result<String, Fault> {
        let mut shared = self.shared.lock().await;
        if shared.is_none() {
            *shared = Some(Line::open(system).await?);
        }
        let Some(line) = shared.as_mut() else { return Err(unreadable()) };
        line.send(request).await?;
        line.read().await
    }

    pub(crate) async fn line(&self, system: &str) -> Result<Line, Fault> {
        if self.is(Bug::NeverReconnects) && *self.was_down.lock().expect("no panic") {
            return Err(Fault::unavailable("the ledger was away"));
        }
        let kept = self.kept.lock().expect("no panic").take();
        match kept {
            Some(line) => Ok(line),
            None => Line::open(system).await.map_err(|fault| {
                *self.was_down.lock().expect("no panic") = true;
                match self.bug {
                    Bug::DownIsRejected => Fault::rejected(Rejection::Precondition, "the ledger cannot be reached"),
                    Bug::FaultQuotesSecret => Fault::unavailable("cannot connect as teller with hunter2"),
                    _ => fault,
                }
            }),
        }
    }

    pub(crate) async fn read(&self, line: &mut Line) -> Result<String, Fault> {
        match self.bug {
            Bug::HalfAnswerTaken | Bug::GarbageTaken => Ok(line.read_to_end().await),
            Bug::OneRead => Ok(line.read_once().await),
            Bug::BrokenIsUnavailable => line.read().await.map_err(|fault| Fault::unavailable(fault.to_string())),
            _ => line.read().await,
        }
    }

    /// A connection that is kept has whatever else came on it.
    pub(crate) fn give_back(&self, line: Line) {
        if self.is(Bug::DuplicateTaken) || self.is(Bug::LineBreaksPass) {
            *self.kept.lock().expect("no panic") = Some(line);
        }
    }

    /// The words of an answer, after its first one.
    pub(crate) fn words(&self, answer: String) -> Result<Vec<String>, Fault> {
        let mut words = answer.split(' ').map(str::to_owned);
        match (words.next().as_deref(), answer.as_str()) {
            (Some("ok"), _) => {
                let mut words: Vec<String> = words.collect();
                if self.is(Bug::HalfAnswerTaken) {
                    // What did not come is zero.
                    words.resize(3.max(words.len()), "0".to_owned());
                    words.iter_mut().filter(|word| word.is_empty()).for_each(|word| "0".clone_into(word));
                }
                Ok(words)
            }
            _ if self.is(Bug::GarbageTaken) => Ok(vec!["31".to_owned(), "0".to_owned(), "0".to_owned()]),
            (_, "no notfound") if self.is(Bug::RefusalIsUnavailable) => Err(Fault::unavailable("the ledger said no")),
            (_, "no notfound") => Err(Fault::rejected(Rejection::NotFound, "there is no such account")),
            (_, "no invalid") => Err(Fault::rejected(Rejection::Invalid, "the ledger does not take this request")),
            _ => Err(unreadable()),
        }
    }

    pub(crate) fn quoting(&self, fault: Fault, text: &str) -> Fault {
        match fault {
            Fault::Rejected { reason, message } if self.is(Bug::FaultQuotesRequest) => {
                Fault::Rejected { reason, message: format!("{message}: {text}") }
            }
            fault => fault,
        }
    }

    /// Carries the lines of a stream.
    pub(crate) fn pump(&self, mut line: Line, sender: mpsc::Sender<Result<Bytes, Fault>>) {
        let (bug, leaked) = (self.bug, Arc::clone(&self.leaked));
        tokio::spawn(async move {
            let mut number = 0_u32;
            loop {
                let next = line.read().await;
                let message = match next.as_deref() {
                    Ok("end") => break,
                    Ok(entry) => match entry.strip_prefix("entry ").and_then(|number| number.parse::<u32>().ok()) {
                        Some(number) if bug == Bug::StreamShuffled => Ok(number ^ u32::from(fastrand::bool())),
                        Some(number) => Ok(number),
                        None => Err(unreadable()),
                    },
                    Err(_) if bug == Bug::StreamEndsWhereItBreaks => break,
                    Err(fault) => Err(fault.clone()),
                };
                number += 1;
                let is_over = message.is_err() || (bug == Bug::StreamStopsEarly && number == 20);
                let message = message.map(|number| Bytes::from([&[8_u8][..], &[number as u8]].concat()));
                if sender.send(message).await.is_err() {
                    break;
                }
                if is_over {
                    break;
                }
            }
            if bug == Bug::StreamLeaks {
                leaked.lock().expect("no panic").push(line);
            }
        });
    }

    pub(crate) async fn serially<T>(&self, call: impl Future<Output = T>) -> T {
        let _turn = if self.is(Bug::OneAtATime) { Some(self.gate.lock().await) } else { None };
        call.await
    }

    pub(crate) async fn within(
        &self,
        deadline: Option<Instant>,
        call: impl Future<Output = Result<Messages, Fault>>,
    ) -> Result<Messages, Fault> {
        let mut left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
        match self.bug {
            Bug::DeadlineIgnored => left = None,
            Bug::DeadlineOfItsOwn => left = Some(left.unwrap_or(Duration::MAX).min(Duration::from_millis(500))),
            Bug::DeadlinePassedIgnored => left = left.filter(|left| *left > Duration::from_millis(2)),
            Bug::DeadlineOverflows => left = left.map(|left| Duration::from_millis((left.as_millis() as i32).max(0) as u64)),
            _ => {}
        }
        if left == Some(Duration::ZERO) {
            return Err(late());
        }
        let mut over = self.over.subscribe();
        let cut_off = async {
            if self.bug == Bug::DrainCutsOff {
                let _ = over.wait_for(|over| *over).await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        let timer = tokio::time::sleep(left.unwrap_or(Duration::from_secs(1 << 30)));
        tokio::select! {
            answer = call => answer,
            () = timer => Err(if self.bug == Bug::DeadlineCalledUnavailable { Fault::unavailable("it took too long") } else { late() }),
            () = cut_off => Err(Fault::unknown("cut off")),
        }
    }

    pub(crate) fn cut_off(&self) {
        self.over.send_replace(true);
    }
}

fn late() -> Fault {
    Fault::DeadlineExceeded { message: "the ledger took longer than there was time".to_owned() }
}
