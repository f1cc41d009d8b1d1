//! One matter from its offer to its end. Cut by a kill, it is told again from the beginning with the same keys: what was acknowledged is
//! answered as before.

use std::collections::BTreeMap;
use std::time::Duration;

use passerelle_proto::customer::v1::handoff::Status as Standing;
use passerelle_proto::customer::v1::handoffs_client::HandoffsClient;
use passerelle_proto::customer::v1::{GetHandoffRequest, GetHandoffResponse, Handoff};
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::account;
use super::steps::{Answer, Kind, Step};

/// How often an owner who is too slow takes a matter again.
const TURNS: usize = 20;
/// How often it is looked whether a lease has run out.
const TURN: Duration = Duration::from_millis(200);

/// Of eight matters, this one is taken by nobody.
const RUNS_OUT: usize = 7;

pub(super) struct Matter {
    number: usize,
    /// What was said to each step, by its name.
    told: BTreeMap<String, Told>,
}

enum Told {
    Done(Box<Answer>),
    /// For good: it is not asked again.
    Refused,
}

/// Why a matter is not at its end.
pub(super) enum Stop {
    /// Nothing was acknowledged: to be told again.
    Cut(Status),
    /// Something is not as it must be.
    Wrong(String),
}

type Played<T> = Result<T, Stop>;

impl Matter {
    pub(super) fn new(number: usize) -> Self {
        Self { number, told: BTreeMap::new() }
    }

    /// Whether it is told again only after all others: its lease then runs out while nobody is there.
    pub(super) fn waits(&self) -> bool {
        self.number.is_multiple_of(3)
    }

    /// Tells it to the end.
    pub(super) async fn play(&mut self, bus: &Channel) -> Played<()> {
        let time_to_live = (self.number % 8 == RUNS_OUT).then_some(prost_types::Duration { seconds: 1, nanos: 0 });
        let customer = format!("customer {}", self.number);
        let Answer { handoff, code, .. } = self.must(bus, "offer", Step::Offer { customer, time_to_live }).await?;
        let id = handoff.id;
        match self.number % 8 {
            0..=2 => {
                let held = self.resumed_once(bus, &code).await?;
                self.work(bus, held).await
            }
            3 => {
                let held = self.accepted(bus, &id).await?;
                self.work(bus, held).await
            }
            4 => {
                let held = self.accepted(bus, &id).await?;
                // Refused: it was lost before.
                self.may(bus, "give back", Step::GiveBack(&held)).await?;
                let held = self.must(bus, "third", Step::Accept(&id, "shop")).await?.handoff;
                self.work(bus, held).await
            }
            5 => self.taken_back_or_accepted(bus, &id).await,
            6 => self.lost_by_silence(bus, &id, &code).await,
            // Nobody takes it.
            _ => Ok(()),
        }
    }

    /// Two try the same code at the same moment: it serves once.
    async fn resumed_once(&mut self, bus: &Channel, code: &str) -> Played<Handoff> {
        match self.both(bus, Step::Resume(code, "branch"), Step::Resume(code, "call-centre")).await? {
            (Some(one), None) | (None, Some(one)) => Ok(one.handoff),
            (Some(_), Some(_)) => Err(self.wrong("two took it by the same code")),
            (None, None) => Err(self.wrong("nobody could take it by its code")),
        }
    }

    /// Two accept it at the same moment. Both can have it, one after the other: when the first one's lease ran out before the second asked.
    async fn accepted(&mut self, bus: &Channel, id: &str) -> Played<Handoff> {
        let (one, other) = self.both(bus, Step::Accept(id, "branch"), Step::Accept(id, "call-centre")).await?;
        let last = one.into_iter().chain(other).max_by_key(|answer| answer.handoff.fence);
        last.map(|answer| answer.handoff).ok_or_else(|| self.wrong("nobody could accept it"))
    }

    async fn taken_back_or_accepted(&mut self, bus: &Channel, id: &str) -> Played<()> {
        match self.both(bus, Step::TakeBack(id), Step::Accept(id, "branch")).await? {
            // Also after the one who had it has lost it.
            (Some(_), _) => Ok(()),
            (None, Some(held)) => self.work(bus, held.handoff).await,
            (None, None) => Err(self.wrong("it could neither be taken back nor accepted")),
        }
    }

    async fn lost_by_silence(&mut self, bus: &Channel, id: &str, code: &str) -> Played<()> {
        let held = self.resumed_once(bus, code).await?;
        let mut turn = tokio::time::interval(TURN);
        loop {
            turn.tick().await;
            let now = get(bus, id).await.map_err(Stop::Cut)?.handoff.unwrap();
            if now.fence != held.fence || now.status() != Standing::Owned {
                break;
            }
        }
        if self.may(bus, "late", Step::Progress(&held, "too late".to_owned())).await?.is_some() {
            return Err(self.wrong("who lost it could still write to it"));
        }
        let new = self.must(bus, "new code", Step::IssueCode(id)).await?.code;
        if self.may(bus, "stale", Step::Resume(code, "shop")).await?.is_some() {
            return Err(self.wrong("a code served twice"));
        }
        let held = self.must(bus, "fresh", Step::Resume(&new, "shop")).await?.handoff;
        self.work(bus, held).await
    }

    /// Its owner gets on with it and completes it; one who was too slow takes it again.
    async fn work(&mut self, bus: &Channel, mut held: Handoff) -> Played<()> {
        for turn in 0..TURNS {
            let progress = Step::Progress(&held, format!("question {turn}"));
            if let Some(moved) = self.may(bus, &format!("progress {turn}"), progress).await?
                && self.may(bus, &format!("complete {turn}"), Step::Complete(&moved.handoff)).await?.is_some()
            {
                return Ok(());
            }
            held = self.must(bus, &format!("again {turn}"), Step::Accept(&held.id, "shop")).await?.handoff;
        }
        Err(self.wrong("nobody holds it long enough"))
    }

    async fn both(&mut self, bus: &Channel, one: Step<'_>, other: Step<'_>) -> Played<(Option<Answer>, Option<Answer>)> {
        let heard = tokio::join!(self.ask(bus, "one", &one), self.ask(bus, "other", &other));
        let (one, other) = (self.note("one", heard.0), self.note("other", heard.1));
        Ok((one?, other?))
    }

    async fn must(&mut self, bus: &Channel, name: &str, step: Step<'_>) -> Played<Answer> {
        self.may(bus, name, step).await?.ok_or_else(|| self.wrong(&format!("`{name}` is refused")))
    }

    async fn may(&mut self, bus: &Channel, name: &str, step: Step<'_>) -> Played<Option<Answer>> {
        let heard = self.ask(bus, name, &step).await;
        self.note(name, heard)
    }

    async fn ask(&self, bus: &Channel, name: &str, step: &Step<'_>) -> Option<Result<(Answer, bool), Status>> {
        match self.told.get(name) {
            Some(Told::Refused) => None,
            _ => Some(step.call(bus, name).await),
        }
    }

    fn note(&mut self, name: &str, heard: Option<Result<(Answer, bool), Status>>) -> Played<Option<Answer>> {
        let before = self.told.get(name);
        let told = match (heard, before) {
            (None, _) => return Ok(None),
            (Some(Ok((answer, repeated))), Some(Told::Done(before))) if answer != **before || !repeated => {
                return Err(self.wrong(&format!("`{name}` was answered {before:?}, and now {answer:?} (repeated: {repeated})")));
            }
            (Some(Ok((answer, _))), _) => Told::Done(Box::new(answer)),
            (Some(Err(status)), None) if status.code() == Code::FailedPrecondition => Told::Refused,
            (Some(Err(status)), before) => {
                return Err(match status.code() {
                    // The daemon is gone, or has too much to do.
                    Code::Unknown | Code::Unavailable | Code::Cancelled | Code::ResourceExhausted => Stop::Cut(status),
                    _ => self.wrong(&format!("`{name}`, acknowledged before: {}, is answered {status}", before.is_some())),
                });
            }
        };
        let answer = match &told {
            Told::Done(answer) => Some((**answer).clone()),
            Told::Refused => None,
        };
        self.told.insert(name.to_owned(), told);
        Ok(answer)
    }

    fn wrong(&self, what: &str) -> Stop {
        Stop::Wrong(format!("matter {}: {what}", self.number))
    }

    /// Compares with what is on disk: everything that was acknowledged has happened, once, and nothing else.
    pub(super) async fn check(&self, bus: &Channel) -> Result<(), String> {
        let Some(offer) = self.answers().find(|answer| answer.kind == Kind::Offer) else {
            return Err(format!("matter {} was never offered", self.number));
        };
        let kept = get(bus, &offer.handoff.id).await.map_err(|status| format!("matter {}: {status}", self.number))?;
        let history: Vec<String> = kept.history.iter().map(|happening| happening.words.clone()).collect();
        let acknowledged: Vec<&Answer> = self.answers().collect();
        let runs_out = self.number % 8 == RUNS_OUT;
        account::compare(&kept, &acknowledged, runs_out).map_err(|wrong| format!("matter {}: {wrong}: {history:#?}", self.number))
    }

    fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.told.values().filter_map(|told| match told {
            Told::Done(answer) => Some(&**answer),
            Told::Refused => None,
        })
    }
}

async fn get(bus: &Channel, id: &str) -> Result<GetHandoffResponse, Status> {
    let response = HandoffsClient::new(bus.clone()).get(GetHandoffRequest { id: id.to_owned() }).await?;
    Ok(response.into_inner())
}
