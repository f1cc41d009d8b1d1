//! Dead letters as a decider: what was given up, and what people made of it.

use std::time::{Duration, SystemTime};

use passerelle_proto::bus::v1;
use passerelle_proto::bus::v1::DeadLetterStatus as Status;
use passerelle_proto::bus::v1::dead_letter_event::Event;

use passerelle_projection::rusqlite::types::Value;

use super::Reason;
use crate::keyed::{Column, Columns, Context, Decider, Decision};

/// Failures of one letter that are remembered.
const MOST_FAILURES: usize = 20;

/// A dead letter, by the name of its delivery and its place: `crm/4711.0`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Grave;

/// What is asked for of a dead letter.
#[derive(Debug, Clone, PartialEq)]
pub enum Bury {
    /// The delivery gives the message up; said again after a crash.
    Up(Box<GivenUp>),
    /// Somebody wants it to be sent again.
    Replay,
    /// It was sent again, and taken.
    Recovered,
    /// It is of no use any more, and why.
    Discard(String),
}

/// A message that is given up.
#[derive(Debug, Clone, PartialEq)]
pub struct GivenUp {
    /// Name of the delivery.
    pub delivery: String,
    /// The message.
    pub message: v1::Message,
    /// Where it was published.
    pub place: v1::Place,
    /// Its lane.
    pub lane: u64,
    /// Why.
    pub reason: Reason,
    /// The same in words.
    pub why: String,
    /// Attempts until then.
    pub attempts: u32,
}

/// A dead letter is not what the command takes it for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is none.
    #[error("there is no such dead letter; `passerelle dead list` shows those there are")]
    Unknown,
    /// It is being sent again.
    #[error("it is being sent again; wait for what comes of it")]
    UnderWay,
    /// It is over.
    #[error("it is over: it was {0}")]
    Over(&'static str),
}

impl Decider for Grave {
    type State = v1::DeadLetterState;
    type Event = v1::DeadLetterEvent;
    type Command = Bury;
    type Answer = v1::DeadLetterAnswer;
    type Refusal = Refusal;

    const KIND: &'static str = "deadletter";

    fn decide(&self, letter: &v1::DeadLetterState, command: &Bury, context: &Context<'_>) -> Result<Decision<Self>, Refusal> {
        let time = Some(context.now.into());
        let (event, status) = match (letter.status(), command) {
            (Status::Unspecified, Bury::Up(given_up)) => {
                (Event::Buried(v1::DeadLetterBuried { letter: Some(buried(given_up, context.now)) }), Status::Dead)
            }
            (Status::Replayed, Bury::Up(given_up)) => {
                (Event::Failed(v1::DeadLetterFailed { failure: Some(failure(given_up, context.now)) }), Status::Dead)
            }
            // The delivery has crashed between burying it and writing down that it is settled.
            (status, Bury::Up(_)) => return Ok(unchanged(status)),
            (Status::Unspecified, _) => return Err(Refusal::Unknown),
            (Status::Recovered, Bury::Recovered) => return Ok(unchanged(Status::Recovered)),
            (Status::Replayed, Bury::Recovered) => (Event::Recovered(v1::DeadLetterRecovered { time }), Status::Recovered),
            (Status::Replayed, _) => return Err(Refusal::UnderWay),
            (Status::Recovered, _) => return Err(Refusal::Over("sent again, and taken")),
            (Status::Discarded, Bury::Discard(_)) => return Ok(unchanged(Status::Discarded)),
            (Status::Discarded, _) => return Err(Refusal::Over("discarded")),
            (Status::Dead, Bury::Replay) => (Event::Replayed(v1::DeadLetterReplayed { time }), Status::Replayed),
            (Status::Dead, Bury::Discard(why)) => {
                (Event::Discarded(v1::DeadLetterDiscarded { time, why: why.clone() }), Status::Discarded)
            }
            (Status::Dead, Bury::Recovered) => return Ok(unchanged(Status::Dead)),
        };
        let event = v1::DeadLetterEvent { event: Some(event) };
        Ok(Decision::new(vec![event], v1::DeadLetterAnswer { status: status.into() }))
    }

    fn evolve(&self, letter: &mut v1::DeadLetterState, event: &v1::DeadLetterEvent) {
        match &event.event {
            Some(Event::Buried(buried)) => *letter = buried.letter.clone().unwrap_or_default(),
            Some(Event::Failed(failed)) => {
                letter.since = failed.failure.as_ref().and_then(|failure| failure.time);
                letter.failures.extend(failed.failure.clone());
                let over = letter.failures.len().saturating_sub(MOST_FAILURES);
                letter.failures.drain(..over);
                letter.set_status(Status::Dead);
            }
            Some(Event::Replayed(replayed)) => {
                letter.since = replayed.time;
                letter.set_status(Status::Replayed);
            }
            Some(Event::Recovered(recovered)) => {
                letter.since = recovered.time;
                letter.set_status(Status::Recovered);
            }
            Some(Event::Discarded(discarded)) => {
                letter.since = discarded.time;
                letter.set_status(Status::Discarded);
            }
            None => {}
        }
    }

    /// Dead letters set no timers: one that fires all the same changes nothing.
    fn due(&self, _: &str) -> Bury {
        Bury::Recovered
    }

    fn ended(&self, _: &str, letter: &v1::DeadLetterState) -> Option<SystemTime> {
        let is_over = matches!(letter.status(), Status::Recovered | Status::Discarded);
        let since = letter.since.filter(|_| is_over)?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(since.seconds.try_into().ok()?))
    }

    fn event_type(event: &v1::DeadLetterEvent) -> &'static str {
        match event.event {
            Some(Event::Buried(_)) => "passerelle.bus.v1.DeadLetterBuried",
            Some(Event::Failed(_)) => "passerelle.bus.v1.DeadLetterFailed",
            Some(Event::Replayed(_)) => "passerelle.bus.v1.DeadLetterReplayed",
            Some(Event::Recovered(_)) => "passerelle.bus.v1.DeadLetterRecovered",
            Some(Event::Discarded(_)) => "passerelle.bus.v1.DeadLetterDiscarded",
            None => "passerelle.bus.v1.DeadLetterEvent",
        }
    }
}

impl Columns for Grave {
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column { name: "delivery", sql: "TEXT NOT NULL", indexed: true },
        Column { name: "status", sql: "INTEGER NOT NULL", indexed: true },
        Column { name: "reason", sql: "INTEGER NOT NULL", indexed: false },
        Column { name: "since", sql: "INTEGER NOT NULL", indexed: true },
    ];

    fn row(letter: &v1::DeadLetterState) -> Vec<Value> {
        let microseconds = |time: &prost_types::Timestamp| time.seconds * 1_000_000 + i64::from(time.nanos) / 1_000;
        vec![
            Value::Text(letter.delivery.clone()),
            Value::Integer(letter.status.into()),
            Value::Integer(letter.failures.last().map_or(0, |failure| failure.reason).into()),
            Value::Integer(letter.since.as_ref().map_or(0, microseconds)),
        ]
    }
}

fn unchanged(status: Status) -> Decision<Grave> {
    Decision::new(Vec::new(), v1::DeadLetterAnswer { status: status.into() })
}

fn buried(given_up: &GivenUp, now: SystemTime) -> v1::DeadLetterState {
    v1::DeadLetterState {
        delivery: given_up.delivery.clone(),
        message: Some(given_up.message.clone()),
        place: Some(given_up.place),
        lane: given_up.lane,
        status: Status::Dead.into(),
        failures: vec![failure(given_up, now)],
        since: Some(now.into()),
    }
}

fn failure(given_up: &GivenUp, now: SystemTime) -> v1::DeadLetterFailure {
    v1::DeadLetterFailure {
        reason: v1::DeadLetterReason::from(given_up.reason).into(),
        why: given_up.why.clone(),
        attempts: given_up.attempts,
        time: Some(now.into()),
    }
}

impl From<Reason> for v1::DeadLetterReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Rejected => Self::Rejected,
            Reason::Exhausted => Self::Exhausted,
            Reason::Undecided => Self::Undecided,
            Reason::Expired => Self::Expired,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up() -> Bury {
        Bury::Up(Box::new(GivenUp {
            delivery: "crm".to_owned(),
            message: v1::Message { id: "1".to_owned(), ..v1::Message::default() },
            place: v1::Place { position: 7, index: 1 },
            lane: 3,
            reason: Reason::Rejected,
            why: "INVALID_ARGUMENT".to_owned(),
            attempts: 1,
        }))
    }

    #[test]
    fn a_dead_letter_is_looked_at_once_at_a_time() {
        let discard = || Bury::Discard("of no use".to_owned());
        let cases: [(&[Bury], Result<Status, &str>); 12] = [
            (&[Bury::Replay], Err("there is no such dead letter; `passerelle dead list` shows those there are")),
            (&[up()], Ok(Status::Dead)),
            (&[up(), up()], Ok(Status::Dead)),
            (&[up(), Bury::Replay], Ok(Status::Replayed)),
            (&[up(), Bury::Replay, Bury::Replay], Err("it is being sent again; wait for what comes of it")),
            (&[up(), Bury::Replay, discard()], Err("it is being sent again; wait for what comes of it")),
            (&[up(), Bury::Replay, up()], Ok(Status::Dead)),
            (&[up(), Bury::Replay, Bury::Recovered], Ok(Status::Recovered)),
            (&[up(), Bury::Replay, Bury::Recovered, up()], Ok(Status::Recovered)),
            (&[up(), Bury::Replay, Bury::Recovered, Bury::Replay], Err("it is over: it was sent again, and taken")),
            (&[up(), discard(), discard()], Ok(Status::Discarded)),
            (&[up(), discard(), Bury::Replay], Err("it is over: it was discarded")),
        ];
        let context = Context { key: "crm/7.1", now: SystemTime::UNIX_EPOCH };
        for (commands, expected) in cases {
            let mut letter = v1::DeadLetterState::default();
            let mut last = Err(String::new());
            for command in commands {
                last = Grave.decide(&letter, command, &context).map_err(|refusal| refusal.to_string()).map(|decision| {
                    decision.events.iter().for_each(|event| Grave.evolve(&mut letter, event));
                    decision.answer.status()
                });
            }
            assert_eq!(last, expected.map_err(str::to_owned), "{commands:?}");
            if let Ok(status) = expected {
                assert_eq!(letter.status(), status);
            }
        }
    }

    #[test]
    fn so_many_failures_are_remembered() {
        let mut letter = v1::DeadLetterState::default();
        let context = Context { key: "crm/7.1", now: SystemTime::UNIX_EPOCH };
        for command in [up(), Bury::Replay].iter().cycle().take(100) {
            let decision = Grave.decide(&letter, command, &context).unwrap();
            decision.events.iter().for_each(|event| Grave.evolve(&mut letter, event));
        }
        assert_eq!(letter.failures.len(), MOST_FAILURES);
    }
}
