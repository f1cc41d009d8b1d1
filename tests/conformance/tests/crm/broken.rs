//! Small broken CRMs, one planted bug each: the laws must catch every one.

use std::sync::Arc;
use std::time::Duration;

use passerelle_adapter::{Adapter, Call, Descriptor, Fault, Health, Lookup, Messages, Rejection, async_trait};
use passerelle_conformance::crm::{LAWS, broken};
use passerelle_proto::backoffice::customers::v1::find_request::Key;
use passerelle_proto::backoffice::customers::v1::{self as contract, Details};
use prost::Message;

use super::place::embedded;

/// Each bug, and a law that catches it.
const BUGS: [(Bug, &str); 20] = [
    (Bug::NameTrimmed, "what was made is read as it was said"),
    (Bug::LastReferenceLost, "what was made is read as it was said"),
    (Bug::InactiveByMistake, "what was made is read as it was said"),
    (Bug::NumberIgnored, "a number is one customer's"),
    (Bug::UpdateKeepsMedia, "an update replaces everything and nothing else"),
    (Bug::VersionStays, "every change gives another version"),
    (Bug::ExpectationIgnored, "an old version is refused as a conflict"),
    (Bug::ConflictCalledUnavailable, "an old version is refused as a conflict"),
    (Bug::NobodyIsEmpty, "who is not there is not found"),
    (Bug::DeleteForgotten, "who is removed is gone, or removal is refused"),
    (Bug::KeyIgnored, "the same key gives the same answer and one effect"),
    (Bug::LookupKnowsNothing, "what became of a key can be looked up"),
    (Bug::EmailCaseMatters, "an address is found in capitals or not"),
    (Bug::PhoneAsWritten, "a telephone number is found however it is spaced"),
    (Bug::PercentIsAnything, "signs of patterns are letters like others"),
    (Bug::FirstPageOnly, "pages are complete and in order"),
    (Bug::OldestInteractionFirst, "what was noted is read, the last first"),
    (Bug::DeletionsNotTold, "changes are told as declared"),
    (Bug::FaultTells, "garbage is refused, deadlines are kept, nothing is told"),
    (Bug::DeadlineIgnored, "garbage is refused, deadlines are kept, nothing is told"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bug {
    NameTrimmed,
    LastReferenceLost,
    InactiveByMistake,
    NumberIgnored,
    UpdateKeepsMedia,
    VersionStays,
    ExpectationIgnored,
    ConflictCalledUnavailable,
    NobodyIsEmpty,
    DeleteForgotten,
    KeyIgnored,
    LookupKnowsNothing,
    EmailCaseMatters,
    PhoneAsWritten,
    PercentIsAnything,
    FirstPageOnly,
    OldestInteractionFirst,
    DeletionsNotTold,
    FaultTells,
    DeadlineIgnored,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_planted_bug_is_caught() {
    let place = embedded().await;
    for (bug, name) in BUGS {
        let crm: Arc<dyn Adapter> = Arc::new(Broken { bug, inner: place.adapter.clone() });
        let law: Vec<_> = LAWS.into_iter().filter(|(law, _)| *law == name).collect();
        assert_eq!(law.len(), 1, "there is no law `{name}`");
        // What the bug is held against is no law that fails anyway.
        assert!(broken(&place.adapter, &law).await.is_empty(), "{name} is broken without a bug");
        assert_eq!(broken(&crm, &law).await, [name], "{bug:?} is not caught");
    }
}

/// A good CRM with a bug before it.
struct Broken {
    bug: Bug,
    inner: Arc<dyn Adapter>,
}

#[async_trait]
impl Adapter for Broken {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn call(&self, mut call: Call) -> Result<Messages, Fault> {
        let method = call.method.rsplit('/').next().unwrap_or_default().to_owned();
        match self.bug {
            Bug::KeyIgnored => call.context.idempotency_key = None,
            Bug::DeadlineIgnored => call.context.deadline = None,
            _ => {}
        }
        let asked = call.messages.into_one().await?;
        let asked = asked_with(self.bug, &method, asked.to_vec());
        if self.bug == Bug::DeleteForgotten && method == "Delete" {
            return Ok(Messages::one(Vec::new()));
        }
        call.messages = Messages::one(asked);
        let answered = match self.inner.call(call).await {
            Ok(answered) => answered.into_one().await?,
            Err(Fault::Rejected { reason: Rejection::NotFound, .. }) if self.bug == Bug::NobodyIsEmpty => {
                return Ok(Messages::one(contract::GetResponse { customer: Some(Default::default()) }.encode_to_vec()));
            }
            Err(fault) => return Err(told_with(self.bug, fault)),
        };
        Ok(Messages::one(answered_with(self.bug, &method, answered.to_vec())))
    }

    async fn lookup(&self, idempotency_key: &str) -> Result<Lookup, Fault> {
        match self.bug {
            Bug::LookupKnowsNothing => Ok(Lookup::NotDone),
            _ => self.inner.lookup(idempotency_key).await,
        }
    }

    async fn health(&self) -> Health {
        self.inner.health().await
    }

    async fn drain(&self, _grace: Duration) {}
}

/// The message, edited if it is one of that method's.
fn edited<M: Message + Default>(bytes: Vec<u8>, edit: impl FnOnce(&mut M)) -> Vec<u8> {
    let Ok(mut message) = M::decode(bytes.as_slice()) else { return bytes };
    edit(&mut message);
    message.encode_to_vec()
}

fn asked_with(bug: Bug, method: &str, asked: Vec<u8>) -> Vec<u8> {
    let spoilt = |details: &mut Option<Details>| {
        let Some(details) = details else { return };
        match bug {
            Bug::NameTrimmed => details.name.retain(|c| c.is_ascii()),
            Bug::LastReferenceLost => drop(details.external_references.pop()),
            Bug::EmailCaseMatters => details.contact_media.retain(|medium| medium.value.to_lowercase() == medium.value),
            _ => {}
        }
    };
    match (method, bug) {
        ("Create", Bug::NumberIgnored) => edited(asked, |request: &mut contract::CreateRequest| request.number.clear()),
        ("Create", _) => edited(asked, |request: &mut contract::CreateRequest| spoilt(&mut request.details)),
        ("Update", Bug::ExpectationIgnored) => edited(asked, |request: &mut contract::UpdateRequest| request.version.clear()),
        ("Find", _) => edited(asked, |request: &mut contract::FindRequest| match (bug, &mut request.key) {
            (Bug::FirstPageOnly, _) => request.page_token.clear(),
            (Bug::PhoneAsWritten, Some(Key::Phone(phone))) if !phone.contains(' ') => *phone = format!("9{phone}"),
            (Bug::PercentIsAnything, Some(Key::Name(name))) => *name = name.replace('%', "b"),
            _ => {}
        }),
        _ => asked,
    }
}

fn answered_with(bug: Bug, method: &str, answered: Vec<u8>) -> Vec<u8> {
    match (method, bug) {
        ("Get", _) => edited(answered, |answer: &mut contract::GetResponse| {
            let Some(customer) = &mut answer.customer else { return };
            match bug {
                Bug::InactiveByMistake => customer.active = false,
                Bug::VersionStays => customer.version = customer.id.clone(),
                Bug::UpdateKeepsMedia => {
                    let details = customer.details.get_or_insert_default();
                    details.contact_media.push(contract::ContactMedium { kind: 6, value: "of before".to_owned() });
                }
                _ => {}
            }
        }),
        ("ListInteractions", Bug::OldestInteractionFirst) => {
            edited(answered, |answer: &mut contract::ListInteractionsResponse| answer.interactions.reverse())
        }
        ("ListChanges", Bug::DeletionsNotTold) => edited(answered, |answer: &mut contract::ListChangesResponse| {
            answer.changes.retain(|change| change.kind() != contract::ChangeKind::Deleted);
        }),
        _ => answered,
    }
}

fn told_with(bug: Bug, fault: Fault) -> Fault {
    match (bug, fault) {
        (Bug::ConflictCalledUnavailable, Fault::Rejected { reason: Rejection::Conflict, message }) => Fault::unavailable(message),
        (Bug::FaultTells, Fault::Rejected { reason, message }) => Fault::rejected(reason, format!("Durand-4711: {message}")),
        (_, fault) => fault,
    }
}
