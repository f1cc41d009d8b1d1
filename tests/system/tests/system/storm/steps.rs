//! The steps of a matter as calls of the service, and what they are called in its history.

use std::collections::BTreeMap;

use passerelle_proto::Acknowledgement;
use passerelle_proto::customer::v1::handoffs_client::HandoffsClient;
use passerelle_proto::customer::v1::{
    AcceptRequest, CompleteRequest, GiveBackRequest, Handoff, HandoffContext, IssueCodeRequest, OfferRequest, ProgressRequest,
    ResumeRequest, TakeBackRequest,
};
use prost_types::Duration;
use tonic::Status;
use tonic::transport::Channel;

/// The channel that offers.
const OFFERS: &str = "web";

/// One call about a matter.
pub(super) enum Step<'a> {
    Offer {
        customer: String,
        time_to_live: Option<Duration>,
    },
    IssueCode(&'a str),
    /// By a code, in a channel.
    Resume(&'a str, &'a str),
    /// That of this id, in a channel.
    Accept(&'a str, &'a str),
    /// By its owner: one answer more.
    Progress(&'a Handoff, String),
    GiveBack(&'a Handoff),
    Complete(&'a Handoff),
    TakeBack(&'a str),
}

/// How the history tells of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Offer,
    IssueCode,
    Resume,
    Accept,
    Progress,
    GiveBack,
    Complete,
    TakeBack,
    /// Of time alone.
    RunOut,
    /// Of time alone.
    Expire,
}

/// The first words of each in the history.
const WORDS: [(&str, Kind); 10] = [
    ("offered by channel web ", Kind::Offer),
    ("channel web asked for a new code", Kind::IssueCode),
    ("resumed by its code ", Kind::Resume),
    ("accepted from the list ", Kind::Accept),
    ("step working reached", Kind::Progress),
    ("given back by its owner", Kind::GiveBack),
    ("completed by its owner", Kind::Complete),
    ("taken back by the channel", Kind::TakeBack),
    ("the owner's lease ran out", Kind::RunOut),
    ("nobody took it in time", Kind::Expire),
];

/// What a step was acknowledged with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) kind: Kind,
    pub(super) handoff: Handoff,
    /// Empty: it gives none.
    pub(super) code: String,
    /// Of the answer given by a progress.
    pub(super) known: String,
}

impl Kind {
    /// What a sentence of the history tells of.
    pub(super) fn told(words: &str) -> Option<Self> {
        WORDS.iter().find(|(first, _)| words.starts_with(first)).map(|(_, kind)| *kind)
    }
}

impl Step<'_> {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Offer { .. } => Kind::Offer,
            Self::IssueCode(_) => Kind::IssueCode,
            Self::Resume(..) => Kind::Resume,
            Self::Accept(..) => Kind::Accept,
            Self::Progress(..) => Kind::Progress,
            Self::GiveBack(_) => Kind::GiveBack,
            Self::Complete(_) => Kind::Complete,
            Self::TakeBack(_) => Kind::TakeBack,
        }
    }

    /// Calls; the name of the step is its idempotency key. With the answer: whether it had been given before.
    pub(super) async fn call(&self, channel: &Channel, name: &str) -> Result<(Answer, bool), Status> {
        let mut client = HandoffsClient::new(channel.clone());
        let (idempotency_key, mut code, mut known) = (name.to_owned(), String::new(), String::new());
        let (handoff, acknowledgement): (Option<Handoff>, Option<Acknowledgement>) = match self {
            Self::Offer { customer, time_to_live } => {
                let request = OfferRequest {
                    idempotency_key,
                    customer: customer.clone(),
                    from_channel: OFFERS.to_owned(),
                    matter: "purchase".to_owned(),
                    step: "basket".to_owned(),
                    context: context("size"),
                    time_to_live: *time_to_live,
                    ..OfferRequest::default()
                };
                let response = client.offer(request).await?.into_inner();
                code = response.code;
                (response.handoff, response.acknowledgement)
            }
            Self::IssueCode(id) => {
                let request = IssueCodeRequest { idempotency_key, id: (*id).to_owned(), channel: OFFERS.to_owned() };
                let response = client.issue_code(request).await?.into_inner();
                code = response.code;
                (response.handoff, response.acknowledgement)
            }
            Self::Resume(code, channel) => {
                let (code, channel) = ((*code).to_owned(), (*channel).to_owned());
                let request = ResumeRequest { idempotency_key, code, channel, owner: name.to_owned() };
                let response = client.resume(request).await?.into_inner();
                (response.handoff, response.acknowledgement)
            }
            Self::Accept(id, channel) => {
                let (id, channel) = ((*id).to_owned(), (*channel).to_owned());
                let request = AcceptRequest { idempotency_key, id, channel, owner: name.to_owned() };
                let response = client.accept(request).await?.into_inner();
                (response.handoff, response.acknowledgement)
            }
            Self::Progress(held, question) => {
                known.clone_from(question);
                let request = ProgressRequest {
                    idempotency_key,
                    id: held.id.clone(),
                    fence: held.fence,
                    expected_revision: held.revision,
                    step: "working".to_owned(),
                    context: context(question),
                };
                let response = client.progress(request).await?.into_inner();
                (response.handoff, response.acknowledgement)
            }
            Self::GiveBack(held) => {
                let request = GiveBackRequest { idempotency_key, id: held.id.clone(), fence: held.fence };
                let response = client.give_back(request).await?.into_inner();
                (response.handoff, response.acknowledgement)
            }
            Self::Complete(held) => {
                let (id, fence, expected_revision) = (held.id.clone(), held.fence, held.revision);
                let response = client.complete(CompleteRequest { idempotency_key, id, fence, expected_revision }).await?;
                let response = response.into_inner();
                (response.handoff, response.acknowledgement)
            }
            Self::TakeBack(id) => {
                let request = TakeBackRequest { idempotency_key, id: (*id).to_owned(), channel: OFFERS.to_owned() };
                let response = client.take_back(request).await?.into_inner();
                (response.handoff, response.acknowledgement)
            }
        };
        let answer = Answer { kind: self.kind(), handoff: handoff.unwrap(), code, known };
        Ok((answer, acknowledgement.unwrap().repeated))
    }
}

/// One answer, to that question.
fn context(question: &str) -> Option<HandoffContext> {
    let answers: BTreeMap<String, String> = [(question.to_owned(), "known".to_owned())].into();
    Some(HandoffContext { answers })
}
