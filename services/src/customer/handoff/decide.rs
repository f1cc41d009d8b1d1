//! The rules of hand-offs: who may do what, and what it changes.

use std::time::{Duration, SystemTime};

use passerelle_bus::keyed::{Context, Decider, Decision, Timer};
use passerelle_proto::bus::v1::handoff_event::What;
use passerelle_proto::bus::v1::handoff_state::Phase;
use passerelle_proto::bus::v1::{
    HandoffCode, HandoffCodeIssued, HandoffEnded, HandoffEnding, HandoffEvent, HandoffOffered, HandoffOfferedAgain, HandoffOwned,
    HandoffProgressed, HandoffRenewed, HandoffState, HandoffTaken,
};
use prost_types::Timestamp;

use super::command::{Command, Offer, Right};
use super::evolve::evolve;
use super::moments::{moment, written};
use super::refusal::Refusal;
use super::secret::Drawn;
use super::{HandoffSettings, context};

/// The timer of a matter that is offered.
const OFFER_ENDS: &str = "offer_ends";
/// The timer of a matter that is owned.
const LEASE_ENDS: &str = "lease_ends";

/// Kinds of all things that the service keeps.
pub const KINDS: [&str; 1] = [Handoff::KIND];

/// The rules, with their durations.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Handoff {
    /// How long a lease lasts.
    pub(super) lease: Duration,
    /// How long a code serves.
    pub(super) code: Duration,
}

impl Handoff {
    /// The rules of the settings.
    pub(super) fn new(settings: &HandoffSettings) -> Self {
        Self { lease: settings.lease(), code: settings.code() }
    }
}

impl Decider for Handoff {
    type State = HandoffState;
    type Event = HandoffEvent;
    type Command = Command;
    type Answer = HandoffState;
    type Refusal = Refusal;

    const KIND: &'static str = "handoff";

    fn decide(&self, state: &HandoffState, command: &Command, context: &Context<'_>) -> Result<Decision<Self>, Refusal> {
        let mut turn = Turn::begin(state, context.now);
        match command {
            Command::Offer(offer) => turn.offer(offer, self.code, context.key)?,
            Command::IssueCode { channel, code } => turn.issue_code(channel, code, self.code)?,
            Command::Take { by, channel, owner } => turn.take(by, channel, owner, self.lease)?,
            Command::Renew { fence } => {
                let lease_until = turn.owner(*fence)?.longer(self.lease);
                turn.happens(What::Renewed(HandoffRenewed { lease_until: Some(lease_until) }));
            }
            Command::Progress { fence, expected_revision, step, answers } => {
                let lease_until = turn.owner(*fence)?.longer(self.lease);
                turn.expect(*expected_revision)?;
                let progressed =
                    HandoffProgressed { step: step.clone(), answers: answers.clone(), lease_until: Some(lease_until) };
                turn.happens(What::Progressed(progressed));
                turn.keeps_limits()?;
            }
            Command::GiveBack { fence } => {
                turn.owner(*fence)?;
                turn.happens(What::OfferedAgain(HandoffOfferedAgain { lease_ran_out: false }));
            }
            Command::TakeBack { channel } => turn.take_back(channel)?,
            Command::Complete { fence, expected_revision } => {
                turn.owner(*fence)?;
                turn.expect(*expected_revision)?;
                turn.ends(HandoffEnding::Completed);
            }
            // What time alone changes has happened at the beginning of the turn.
            Command::TimeIsUp => {}
        }
        Ok(turn.decision(command))
    }

    fn evolve(&self, state: &mut HandoffState, event: &HandoffEvent) {
        evolve(state, event);
    }

    fn due(&self, _timer: &str) -> Command {
        Command::TimeIsUp
    }

    fn ended(&self, _key: &str, state: &HandoffState) -> Option<SystemTime> {
        match state.phase.as_ref()? {
            Phase::End(_) => SystemTime::try_from(state.changed_at?).ok(),
            Phase::Open(_) | Phase::Owned(_) => None,
        }
    }

    fn event_type(event: &HandoffEvent) -> &'static str {
        match &event.what {
            Some(What::Offered(_)) => "passerelle.customer.v1.HandoffOffered",
            Some(What::CodeIssued(_)) => "passerelle.customer.v1.HandoffCodeIssued",
            Some(What::Taken(_)) => "passerelle.customer.v1.HandoffTaken",
            Some(What::Renewed(_)) => "passerelle.customer.v1.HandoffRenewed",
            Some(What::Progressed(_)) => "passerelle.customer.v1.HandoffProgressed",
            Some(What::OfferedAgain(_)) => "passerelle.customer.v1.HandoffOfferedAgain",
            Some(What::Ended(_)) => "passerelle.customer.v1.HandoffEnded",
            None => "passerelle.customer.v1.Handoff",
        }
    }
}

/// What a state waits for: the one timer of every state that is not an end.
pub(super) fn waits_for(state: &HandoffState) -> Option<(&'static str, SystemTime)> {
    match state.phase.as_ref()? {
        Phase::Open(open) => Some((OFFER_ENDS, moment(open.until))),
        Phase::Owned(owned) => Some((LEASE_ENDS, moment(owned.lease_until))),
        Phase::End(_) => None,
    }
}

/// One decision on its way: what happened so far, and the state after it.
struct Turn {
    now: SystemTime,
    waited_for: Option<(&'static str, SystemTime)>,
    state: HandoffState,
    events: Vec<HandoffEvent>,
}

/// The right of an owner, proven by his fence.
struct Owner {
    now: SystemTime,
    until: SystemTime,
}

impl Owner {
    /// The end of the lease renewed; never sooner than it was, should the clock have been set back.
    fn longer(&self, lease: Duration) -> Timestamp {
        Timestamp::from((self.now + lease).max(self.until))
    }
}

impl Turn {
    /// Time passes first: a lease or an offer that has ended is over for whoever asks, whether or not its timer has fired yet.
    fn begin(state: &HandoffState, now: SystemTime) -> Self {
        let waited_for = waits_for(state);
        let mut turn = Self { now, waited_for, state: state.clone(), events: Vec::new() };
        match waited_for {
            Some((LEASE_ENDS, due)) if due <= now => {
                turn.happens(What::OfferedAgain(HandoffOfferedAgain { lease_ran_out: true }));
            }
            Some((OFFER_ENDS, due)) if due <= now => turn.ends(HandoffEnding::Expired),
            _ => {}
        }
        turn
    }

    fn happens(&mut self, what: What) {
        let event = HandoffEvent { at: Some(Timestamp::from(self.now)), what: Some(what) };
        evolve(&mut self.state, &event);
        self.events.push(event);
    }

    fn ends(&mut self, ending: HandoffEnding) {
        self.happens(What::Ended(HandoffEnded { ending: ending.into() }));
    }

    fn offer(&mut self, offer: &Offer, code_lasts: Duration, key: &str) -> Result<(), Refusal> {
        if self.state.phase.is_some() {
            return Err(Refusal::Known(key.to_owned()));
        }
        let until = self.now + offer.time_to_live;
        self.happens(What::Offered(HandoffOffered {
            customer: offer.customer.clone(),
            from_channel: offer.from_channel.clone(),
            to_channel: offer.to_channel.clone(),
            matter: offer.matter.clone(),
            step: offer.step.clone(),
            answers: offer.answers.clone(),
            time_to_live: Some(written(offer.time_to_live)),
            code: Some(self.code(&offer.code, code_lasts, until)),
        }));
        self.keeps_limits()
    }

    fn issue_code(&mut self, channel: &str, drawn: &Drawn, code_lasts: Duration) -> Result<(), Refusal> {
        let until = self.unowned()?.until;
        let code = self.code(drawn, code_lasts, moment(until));
        self.happens(What::CodeIssued(HandoffCodeIssued { code: Some(code), channel: channel.to_owned() }));
        Ok(())
    }

    fn take(&mut self, by: &Right, channel: &str, owner: &str, lease: Duration) -> Result<(), Refusal> {
        let open = self.unowned()?;
        match by {
            Right::Code(hash) => match &open.code {
                Some(code) if code.hash == *hash => {
                    let expires_at = moment(code.expires_at);
                    if expires_at <= self.now {
                        return Err(Refusal::CodeTooOld(expires_at));
                    }
                }
                _ => return Err(Refusal::CodeVoid),
            },
            Right::Listed => {
                let to = &self.state.to_channel;
                if !to.is_empty() && to != channel {
                    return Err(Refusal::OfferedTo(to.clone()));
                }
            }
        }
        let taken = HandoffTaken {
            channel: channel.to_owned(),
            owner: owner.to_owned(),
            lease_until: Some(Timestamp::from(self.now + lease)),
            by_code: matches!(by, Right::Code(_)),
        };
        self.happens(What::Taken(taken));
        Ok(())
    }

    fn take_back(&mut self, channel: &str) -> Result<(), Refusal> {
        self.unowned()?;
        if self.state.from_channel != channel {
            return Err(Refusal::OfferedBy(self.state.from_channel.clone()));
        }
        self.ends(HandoffEnding::TakenBack);
        Ok(())
    }

    fn code(&self, drawn: &Drawn, lasts: Duration, until: SystemTime) -> HandoffCode {
        let expires_at = Some(Timestamp::from((self.now + lasts).min(until)));
        HandoffCode { nonce: drawn.nonce.clone(), hash: drawn.hash.clone(), expires_at }
    }

    /// Nobody owns it, and it is not over.
    fn unowned(&self) -> Result<&passerelle_proto::bus::v1::HandoffOpen, Refusal> {
        match &self.state.phase {
            None => Err(Refusal::Unknown),
            Some(Phase::Open(open)) => Ok(open),
            Some(Phase::Owned(HandoffOwned { channel, lease_until, .. })) => {
                Err(Refusal::Owned { channel: channel.clone(), until: moment(*lease_until) })
            }
            Some(Phase::End(end)) => Err(Refusal::Ended(end.ending())),
        }
    }

    /// Whoever has this fence owns it.
    fn owner(&self, fence: u64) -> Result<Owner, Refusal> {
        match &self.state.phase {
            None => Err(Refusal::Unknown),
            Some(Phase::Open(_)) => Err(Refusal::NobodyOwns { fence }),
            Some(Phase::Owned(owned)) => {
                let until = moment(owned.lease_until);
                match fence == self.state.fence {
                    true => Ok(Owner { now: self.now, until }),
                    false => Err(Refusal::Fenced { fence, channel: owned.channel.clone(), until }),
                }
            }
            Some(Phase::End(end)) => Err(Refusal::Ended(end.ending())),
        }
    }

    fn expect(&self, expected: u64) -> Result<(), Refusal> {
        let at = self.state.revision;
        if at == expected { Ok(()) } else { Err(Refusal::Revision { at, expected }) }
    }

    fn keeps_limits(&self) -> Result<(), Refusal> {
        let answers = &self.state.answers;
        match context::fits(answers) {
            true => Ok(()),
            false => Err(Refusal::ContextFull { answers: answers.len(), bytes: context::bytes(answers) }),
        }
    }

    fn decision(self, command: &Command) -> Decision<Handoff> {
        let waits_for = waits_for(&self.state);
        // A timer that fires is gone: where it fired too early, by a clock set back, it is set again.
        let fired = *command == Command::TimeIsUp;
        let timer = waits_for.filter(|_| fired || waits_for != self.waited_for);
        let stale = self.waited_for.filter(|(name, _)| waits_for.is_none_or(|(waits_for, _)| waits_for != *name));
        let mut answer = self.state;
        answer.history.clear();
        // Who takes a matter must know it; who works on it does. Answers are kept for repetitions: small ones save memory.
        if !matches!(command, Command::Take { .. } | Command::TakeBack { .. }) {
            answer.answers.clear();
        }
        Decision {
            timers: timer.map(|(name, due)| Timer { name: name.to_owned(), due }).into_iter().collect(),
            cleared: stale.map(|(name, _)| name.to_owned()).into_iter().collect(),
            ..Decision::new(self.events, answer)
        }
    }
}
