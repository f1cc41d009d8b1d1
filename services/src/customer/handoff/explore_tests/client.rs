//! A channel's program: what it believes, what it asks, what it makes of answers.

use std::collections::BTreeMap;
use std::time::Duration;

use passerelle_proto::bus::v1::HandoffState;

use super::super::{Command, Drawn, Offer, Refusal, Right};

/// The channels; the first one offers.
pub(super) const CHANNELS: [&str; 3] = ["web", "call_centre", "branch"];
/// Steps from the offer to the end.
pub(super) const STEPS: u64 = 3;
/// Takings on one way through the world.
pub(super) const TAKINGS: u64 = 3;
/// Codes given out on one way through the world.
pub(super) const CODES: u8 = 2;
/// How long a matter is offered; the code serves as long.
pub(super) const OFFERED: Duration = Duration::from_secs(1_000);

/// One channel's program.
#[derive(Debug, Clone, Default)]
pub(super) struct Client {
    /// What it holds itself to be the owner by, with the revision that it has seen.
    pub(super) owns: Option<(u64, u64)>,
    /// What it has not been answered yet.
    pub(super) unanswered: Option<Sent>,
    /// What it has begun anew so far, so that a new wish has a new key.
    pub(super) wishes: u8,
}

/// A call, the same each time that it is sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sent {
    pub(super) call: Call,
    pub(super) fence: u64,
    pub(super) revision: u64,
    pub(super) key: String,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Call {
    Offer,
    IssueCode(u8),
    Resume(u8),
    Accept,
    Renew,
    Progress,
    GiveBack,
    TakeBack,
    Complete,
}

impl Call {
    /// Its sort, whichever code it is about.
    pub(super) fn sort(self) -> u8 {
        match self {
            Self::Offer => 0,
            Self::IssueCode(_) => 1,
            Self::Resume(_) => 2,
            Self::Accept => 3,
            Self::Renew => 4,
            Self::Progress => 5,
            Self::GiveBack => 6,
            Self::TakeBack => 7,
            Self::Complete => 8,
        }
    }
}

impl Client {
    /// All that it can ask for next, in a world where so many codes were given out.
    pub(super) fn calls(&self, number: usize, exists: bool, codes: u8, full: bool) -> Vec<Sent> {
        if let Some(sent) = &self.unanswered {
            return vec![sent.clone()];
        }
        if !exists {
            return if number == 0 { vec![self.sent(number, Call::Offer)] } else { Vec::new() };
        }
        let mut calls = vec![Call::TakeBack];
        if number == 0 && codes < CODES {
            calls.push(Call::IssueCode(codes));
        }
        match self.owns {
            Some((_, revision)) => {
                calls.extend([Call::Renew, Call::GiveBack]);
                calls.push(if revision <= STEPS { Call::Progress } else { Call::Complete });
            }
            None if full => {}
            None => {
                calls.push(Call::Accept);
                calls.extend((0..codes).map(Call::Resume));
            }
        }
        calls.into_iter().map(|call| self.sent(number, call)).collect()
    }

    fn sent(&self, number: usize, call: Call) -> Sent {
        let (fence, revision) = self.owns.unwrap_or_default();
        Sent { call, fence, revision, key: format!("{number} {call:?} {fence} {revision} {}", self.wishes) }
    }

    /// Learns what became of a call.
    pub(super) fn hears(&mut self, sent: &Sent, outcome: &Result<HandoffState, Refusal>) {
        self.unanswered = None;
        // The next wish has another key.
        self.wishes += 1;
        match (sent.call, outcome) {
            (Call::Accept | Call::Resume(_), Ok(state)) => self.owns = Some((state.fence, state.revision)),
            (Call::Progress, Ok(state)) => self.owns = Some((sent.fence, state.revision)),
            (Call::GiveBack | Call::Complete, Ok(_)) => self.owns = None,
            // It reads the matter, as it is told to.
            (_, Err(Refusal::Revision { at, .. })) => self.owns = Some((sent.fence, *at)),
            (_, Err(Refusal::Fenced { .. } | Refusal::NobodyOwns { .. } | Refusal::Ended(_))) => self.owns = None,
            _ => {}
        }
    }

    /// Gives up waiting, without knowing whether it was done: what it asks next is another wish, though it may be the same one.
    pub(super) fn gives_up(&mut self) {
        self.unanswered = None;
        self.wishes += 1;
    }
}

impl Sent {
    /// The command that the service makes of the call of a client.
    pub(super) fn command(&self, client: usize) -> Command {
        let (fence, expected_revision) = (self.fence, self.revision);
        let channel = CHANNELS[client].to_owned();
        let take = |by| Command::Take { by, channel: channel.clone(), owner: channel.clone() };
        match self.call {
            Call::Offer => Command::Offer(Offer {
                customer: "4711".to_owned(),
                from_channel: channel,
                to_channel: String::new(),
                matter: "purchase".to_owned(),
                step: "0".to_owned(),
                answers: BTreeMap::from([("question 0".to_owned(), "answer".to_owned())]),
                time_to_live: OFFERED,
                code: drawn(0),
            }),
            Call::IssueCode(number) => Command::IssueCode { channel, code: drawn(number) },
            Call::Resume(number) => take(Right::Code(drawn(number).hash)),
            Call::Accept => take(Right::Listed),
            Call::Renew => Command::Renew { fence },
            Call::Progress => Command::Progress {
                fence,
                expected_revision,
                step: expected_revision.to_string(),
                answers: BTreeMap::from([(format!("question {expected_revision}"), "answer".to_owned())]),
            },
            Call::GiveBack => Command::GiveBack { fence },
            Call::TakeBack => Command::TakeBack { channel },
            Call::Complete => Command::Complete { fence, expected_revision },
        }
    }
}

/// Codes by number: chance stands in the command, so that the rules can be explored.
fn drawn(number: u8) -> Drawn {
    Drawn { nonce: vec![number], hash: vec![number] }
}
