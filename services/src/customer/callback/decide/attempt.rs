//! Attempts: the promised time comes, an adviser is looked for, takes it, and says what became of it.

use std::time::{Duration, SystemTime};

use passerelle_bus::keyed::{Context, Decision};
use passerelle_proto::bus::v1::callback_attempt_ended::Outcome;
use passerelle_proto::bus::v1::callback_ended::Ending;
use passerelle_proto::bus::v1::callback_event::What;
use passerelle_proto::bus::v1::callback_sought::Why;
use passerelle_proto::bus::v1::{
    CallbackAccepted, CallbackAttemptEnded, CallbackCalling, CallbackEnded, CallbackRetried, CallbackSought, CallbackState,
    Message,
};
use prost::Message as _;

use super::evolve::evolve;
use super::{
    ATTEMPT, CALL, CallbackRules, FIRST_SETTLE, LEASE, Refusal, SETTLE, Timed, happened, lives, moment, unchanged, unix_seconds,
};
use crate::customer::callback::words;

type Decided = Decision<CallbackRules>;

/// What the desk has more than the time that advisers are looked for, before the attempt is given up.
const MARGIN: Duration = Duration::from_secs(15);
/// An attempt that was cut by a crash is made again after this time.
const AFTER_INTERRUPTION: Duration = Duration::from_secs(1);

impl CallbackRules {
    pub(super) fn call(&self, state: &CallbackState, context: &Context<'_>) -> Decided {
        let now = context.now;
        if !lives(state) || state.calling != 0 || state.sought != 0 {
            return unchanged();
        }
        let promised = state.call_at.and_then(|at| SystemTime::try_from(at).ok()).unwrap_or(now);
        if promised > now {
            return happened(now, [retried(promised)]).timer(CALL, promised);
        }
        let open = self.line_of(state).map(|line| (line, line.calendar.next_open(unix_seconds(now))));
        match open {
            Some((line, Some(open))) if open <= unix_seconds(now) => {
                let attempt = state.attempts_made + 1;
                let ring = Duration::from_secs(line.line.ring_seconds.into());
                happened(now, [What::Calling(CallbackCalling { attempt })]).timer(ATTEMPT, now + ring + MARGIN)
            }
            Some((_, Some(slot))) => {
                let sought = CallbackSought { slot, or_later: true, why: Why::Closed.into() };
                happened(now, [What::Sought(sought)]).timer(SETTLE, now + FIRST_SETTLE)
            }
            _ => self.unreachable(state, Vec::new(), context),
        }
    }

    pub(super) fn accept(&self, state: &CallbackState, attempt: u32, adviser: &str, now: SystemTime) -> Result<Decided, Refusal> {
        if !lives(state) || state.calling != attempt || attempt == 0 || adviser.is_empty() {
            return Err(Refusal::Withdrawn);
        }
        if !state.adviser.is_empty() {
            return if state.adviser == adviser { Ok(unchanged()) } else { Err(Refusal::Withdrawn) };
        }
        let lease = self.line_of(state).map_or(MARGIN, |line| Duration::from_secs(line.line.lease_seconds.into()));
        let until = now + lease;
        let accepted = CallbackAccepted { attempt, adviser: adviser.to_owned(), lease_until: Some(until.into()) };
        Ok(happened(now, [What::Accepted(accepted)]).timer(LEASE, until).clear(&[ATTEMPT]))
    }

    pub(super) fn silent(&self, state: &CallbackState, context: &Context<'_>) -> Decided {
        let why = (Outcome::Interrupted, "the desk said nothing in time");
        self.unanswered(state, state.calling, why, context).unwrap_or_else(|_| unchanged())
    }

    pub(super) fn unanswered(
        &self,
        state: &CallbackState,
        attempt: u32,
        (outcome, note): (Outcome, &str),
        context: &Context<'_>,
    ) -> Result<Decided, Refusal> {
        if !lives(state) || attempt == 0 || state.calling != attempt || !state.adviser.is_empty() {
            return Err(Refusal::Withdrawn);
        }
        let line = self.line_of(state).map(|line| &line.line);
        let searches = state.attempts_made.saturating_sub(state.not_reached);
        let pause = match outcome {
            Outcome::Interrupted => Some(AFTER_INTERRUPTION),
            _ => line.map(|line| Duration::from_secs(line.search_seconds.into())),
        };
        let pause = pause.filter(|_| line.is_some_and(|line| searches < line.searches));
        Ok(self.go_on(state, ended(attempt, outcome, note), pause, context).clear(&[ATTEMPT]))
    }

    pub(super) fn report(
        &self,
        state: &CallbackState,
        attempt: u32,
        (outcome, note): (Outcome, &str),
        context: &Context<'_>,
    ) -> Result<Decided, Refusal> {
        if !lives(state) || attempt == 0 || state.calling != attempt || state.adviser.is_empty() {
            return Err(Refusal::Withdrawn);
        }
        let attempt = ended(attempt, outcome, note);
        if outcome == Outcome::Reached {
            let reached = What::Ended(CallbackEnded { ending: Ending::Reached.into() });
            return Ok(happened(context.now, [attempt, reached]).clear(&[LEASE]));
        }
        let line = self.line_of(state).map(|line| &line.line);
        let again = line.filter(|line| state.not_reached + 1 < line.attempts);
        let pause = again.map(|line| Duration::from_secs(line.retry_seconds.into()));
        Ok(self.go_on(state, attempt, pause, context).clear(&[LEASE]))
    }

    pub(super) fn unreported(&self, state: &CallbackState, now: SystemTime) -> Decided {
        if !lives(state) || state.adviser.is_empty() {
            return unchanged();
        }
        let unresolved = What::Ended(CallbackEnded { ending: Ending::Unresolved.into() });
        happened(now, [ended(state.calling, Outcome::NotReported, ""), unresolved])
    }

    /// After an attempt: the next one after the pause, when the line is open; without a pause, or when it never opens, the end.
    fn go_on(&self, state: &CallbackState, attempt: What, pause: Option<Duration>, context: &Context<'_>) -> Decided {
        let at = pause.map(|pause| context.now + pause);
        let open = at.and_then(|at| self.line_of(state)?.calendar.next_open(unix_seconds(at)));
        match at.zip(open) {
            Some((at, open)) => {
                let at = at.max(moment(open));
                happened(context.now, [attempt, retried(at)]).timer(CALL, at)
            }
            None => self.unreachable(state, vec![attempt], context),
        }
    }

    /// The end without a talk; the customer is to hear of it through another channel.
    pub(super) fn unreachable(&self, state: &CallbackState, before: Vec<What>, context: &Context<'_>) -> Decided {
        let unreachable = What::Ended(CallbackEnded { ending: Ending::Unreachable.into() });
        let mut decided = happened(context.now, before.into_iter().chain([unreachable]));
        let mut after = state.clone();
        decided.events.iter().for_each(|event| evolve(&mut after, event));
        let callback = words::callback(context.key, &after, self.line_of(state));
        decided.outbox.push(Message {
            id: format!("{}/unreachable", context.key),
            source: "/passerelle/callbacks".to_owned(),
            r#type: "passerelle.customer.v1.CallbackUnreachable".to_owned(),
            subject: context.key.to_owned(),
            time: Some(context.now.into()),
            data_content_type: "application/protobuf".to_owned(),
            data_schema: "passerelle.customer.v1.Callback".to_owned(),
            customer: callback.customer.clone(),
            channel: callback.channel.clone(),
            data: callback.encode_to_vec().into(),
            ..Message::default()
        });
        decided
    }
}

fn ended(attempt: u32, outcome: Outcome, note: &str) -> What {
    What::AttemptEnded(CallbackAttemptEnded { attempt, outcome: outcome.into(), note: note.to_owned() })
}

fn retried(at: SystemTime) -> What {
    What::Retried(CallbackRetried { call_at: Some(at.into()) })
}
