//! Calls: what the records of callbacks make happen at the desks, and what the desks answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use passerelle_adapter::{Adapter, Call, Context, Fault, Messages};
use passerelle_bus::keyed::{Failure, Observed};
use passerelle_journal::Position;
use passerelle_proto::backoffice::callback::v1 as desk;
use passerelle_proto::backoffice::callback::v1::place_request::What as Say;
use passerelle_proto::backoffice::callback::v1::place_response::What as Said;
use passerelle_proto::bus::v1::CallbackState;
use passerelle_proto::bus::v1::callback_attempt_ended::Outcome;
use passerelle_proto::bus::v1::callback_event::What;
use passerelle_proto::bus::v1::callback_sought::Why;
use prost::Message;
use tokio::sync::{Notify, mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;

use super::decide::{CallbackRules, Command};
use super::service::{Callbacks, Inner};
use super::table;

const PLACE: &str = "passerelle.backoffice.callback.v1.CallControl/Place";
/// Effects that may wait to be begun. What finds no room is taken up by the callback's timer.
const WAITING: usize = 65_536;
/// Pause before something is tried again that failed.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a desk may take to end a stream that is over.
const PARTING: Duration = Duration::from_secs(5);

/// Something to begin, because a record says so.
pub(super) enum Work {
    /// Places are to be carried.
    Settle(String),
    /// An adviser is to be looked for.
    Place(String, Box<CallbackState>, Arc<Running>),
}

/// A call on its way at a desk.
pub(super) struct Running {
    attempt: u32,
    /// By what the journal says, this attempt is over.
    over: Notify,
}

/// The calls on their way.
pub(super) struct Calls {
    work: mpsc::Sender<Work>,
    running: Mutex<HashMap<String, Arc<Running>>>,
    stopped: watch::Sender<bool>,
}

impl Calls {
    pub(super) fn new() -> (Arc<Self>, mpsc::Receiver<Work>) {
        let (work, receiver) = mpsc::channel(WAITING);
        (Arc::new(Self { work, running: Mutex::default(), stopped: watch::Sender::new(false) }), receiver)
    }

    /// Begins what a record that is on disk asks for. Does not block.
    pub(super) fn observe(&self, observed: &Observed<'_, CallbackRules>) {
        for event in observed.events {
            match &event.what {
                Some(What::Settling(_)) => self.begin(Work::Settle(observed.key.to_owned())),
                Some(What::Sought(sought)) if sought.why() == Why::Closed => self.begin(Work::Settle(observed.key.to_owned())),
                Some(What::Calling(calling)) => {
                    let running = self.run(observed.key, calling.attempt);
                    self.begin(Work::Place(observed.key.to_owned(), Box::new(observed.state.clone()), running));
                }
                Some(What::AttemptEnded(_)) => self.end(observed.key),
                _ => {}
            }
        }
    }

    /// Begins to work, and takes up what a stop or a crash has cut: `opened_at` is the last record before this start.
    pub(super) fn start(self: &Arc<Self>, callbacks: &Callbacks, mut work: mpsc::Receiver<Work>, opened_at: Position) {
        let inner = Arc::downgrade(&callbacks.0);
        let mut stopped = self.stopped.subscribe();
        let recovering = inner.clone();
        tokio::spawn(async move {
            let work_off = async {
                while let Some(work) = work.recv().await {
                    let Some(inner) = inner.upgrade() else { return };
                    begin(inner, work);
                }
            };
            tokio::select! {
                () = work_off => {}
                _ = stopped.wait_for(|stopped| *stopped) => {}
            }
        });
        tokio::spawn(recover(recovering, opened_at));
    }

    /// Begins nothing more; calls on their way are let go, and taken up by the next start.
    pub(super) fn stop(&self) {
        self.stopped.send_replace(true);
    }

    fn begin(&self, work: Work) {
        if self.work.try_send(work).is_err() {
            tracing::warn!("too much is begun at the same time; a callback waits for its timer");
        }
    }

    fn run(&self, id: &str, attempt: u32) -> Arc<Running> {
        let running = Arc::new(Running { attempt, over: Notify::new() });
        self.running().insert(id.to_owned(), running.clone());
        running
    }

    fn end(&self, id: &str) {
        if let Some(running) = self.running().remove(id) {
            running.over.notify_one();
        }
    }

    /// Nobody follows it any more.
    fn forget(&self, id: &str, followed: &Arc<Running>) {
        let mut running = self.running();
        if running.get(id).is_some_and(|running| Arc::ptr_eq(running, followed)) {
            running.remove(id);
        }
    }

    /// Those that are followed, by the callback's id.
    pub(super) fn running(&self) -> MutexGuard<'_, HashMap<String, Arc<Running>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn begin(inner: Arc<Inner>, work: Work) {
    let mut stopped = inner.calls.stopped.subscribe();
    tokio::spawn(async move {
        let working = async {
            match work {
                Work::Settle(id) => {
                    // What fails is tried again by the callback's timer.
                    if let Err(failure) = Callbacks(inner).settled(&id).await {
                        tracing::warn!(callback = id, %failure, "a place could not be settled yet");
                    }
                }
                Work::Place(id, state, running) => At { inner, id, running }.follow(*state).await,
            }
        };
        tokio::select! {
            () = working => {}
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
    });
}

/// Callbacks that were being called: an adviser who has one gets it back, the others begin anew.
async fn recover(inner: Weak<Inner>, opened_at: Position) {
    let mut after = String::new();
    loop {
        let Some(inner) = inner.upgrade() else { return };
        let from = after.clone();
        let read =
            inner.projection.read_at_least(opened_at, move |connection| table::being_called(connection, opened_at.0, &from));
        let page = match read.await {
            Ok(page) => page,
            Err(error) => {
                // The tables may be being built anew, which takes its time; timers work meanwhile.
                tracing::info!(%error, "calls that were cut are taken up when the tables are there");
                let mut stopped = inner.calls.stopped.subscribe();
                drop(inner);
                tokio::select! {
                    () = tokio::time::sleep(AGAIN) => continue,
                    _ = stopped.wait_for(|stopped| *stopped) => return,
                }
            }
        };
        let Some(last) = page.last() else { return };
        after.clone_from(&last.key);
        for entity in page {
            let attempt = entity.state.calling;
            if entity.state.adviser.is_empty() {
                let note = "the bus was started anew".to_owned();
                let interrupted = Command::Unanswered { attempt, outcome: Outcome::Interrupted, note };
                // Refused: it has gone on meanwhile. Otherwise its timer takes it up.
                let _ = inner.command(&entity.key, interrupted).await;
            } else {
                resume(&inner, entity.key, attempt).await;
            }
        }
    }
}

/// Gives a call back to the adviser who has it.
pub(super) async fn resume(inner: &Inner, id: String, attempt: u32) {
    let running = inner.calls.run(&id, attempt);
    // From here on its end is heard of; one that came before is seen in the state.
    match inner.state(&id).await {
        Ok(state) if state.calling == attempt => inner.calls.begin(Work::Place(id, Box::new(state), running)),
        _ => inner.calls.forget(&id, &running),
    }
}

/// One call at a desk, in the name of one attempt.
struct At {
    inner: Arc<Inner>,
    id: String,
    running: Arc<Running>,
}

/// How a stream to a desk came to its end.
enum Parted {
    /// All is said.
    Done,
    /// It broke off.
    Broken(String),
}

impl At {
    /// Follows the call to its end.
    async fn follow(self, state: CallbackState) {
        self.stay(state).await;
        self.inner.calls.forget(&self.id, &self.running);
    }

    /// With an adviser who has it, stays beyond streams that break off, as long as the attempt goes on.
    async fn stay(&self, mut state: CallbackState) {
        loop {
            let parted = self.place(&state).await;
            let Parted::Broken(why) = parted else { return };
            if *self.inner.calls.stopped.borrow() {
                // The desk closes with the bus: the next start takes it up.
                return;
            }
            tracing::debug!(callback = self.id, why, "the desk's stream broke off");
            match self.inner.state(&self.id).await {
                Ok(now) if now.calling != self.running.attempt => return,
                Ok(now) if now.adviser.is_empty() => {
                    let note = format!("the desk cannot be reached: {why}");
                    let unanswered = Command::Unanswered { attempt: now.calling, outcome: Outcome::NoAdviser, note };
                    // If that fails, the timer takes it up.
                    let _ = self.inner.command(&self.id, unanswered).await;
                    return;
                }
                Ok(now) => state = now,
                // Its timer takes it up.
                Err(_) if state.adviser.is_empty() => return,
                Err(_) => {}
            }
            tokio::select! {
                () = tokio::time::sleep(AGAIN) => {}
                () = self.running.over.notified() => return,
            }
        }
    }

    async fn place(&self, state: &CallbackState) -> Parted {
        let Some((line, desk)) = self.inner.line_of(state).and_then(|line| Some((line, self.inner.desks.get(&line.line.desk)?)))
        else {
            return Parted::Broken("the line has no desk".to_owned());
        };
        let start = desk::Start {
            call: Some(self.call(state)),
            ring_seconds: line.line.ring_seconds,
            resume_adviser: state.adviser.clone(),
        };
        match Stream::open(desk.as_ref(), start).await {
            Err(fault) => Parted::Broken(fault.to_string()),
            Ok(mut stream) => self.talk(&mut stream).await,
        }
    }

    /// Every word of the desk becomes a record before it is confirmed.
    async fn talk(&self, stream: &mut Stream) -> Parted {
        loop {
            let said = tokio::select! {
                said = stream.next() => said,
                () = self.running.over.notified() => return stream.withdraw("it is over by what the bus knows").await,
            };
            let command = match said {
                Err(parted) => return parted,
                Ok(Said::Ringing(_)) => continue,
                Ok(Said::Accepted(accepted)) => Command::Accept { attempt: self.running.attempt, adviser: accepted.adviser },
                Ok(Said::NoAdviser(none)) => {
                    Command::Unanswered { attempt: self.running.attempt, outcome: Outcome::NoAdviser, note: none.reason }
                }
                Ok(Said::Ended(ended)) => {
                    Command::Report { attempt: self.running.attempt, outcome: outcome(ended.outcome()), note: ended.note }
                }
            };
            let accepting = matches!(command, Command::Accept { .. });
            match self.written(command).await {
                Ok(()) => stream.confirm().await,
                Err(reason) => return stream.withdraw(&reason).await,
            }
            if !accepting {
                return stream.part().await;
            }
        }
    }

    /// Writes down what a desk said; what cannot be written now is tried again, since someone waits for it.
    async fn written(&self, command: Command) -> Result<(), String> {
        loop {
            match self.inner.command(&self.id, command.clone()).await {
                Ok(_) => return Ok(()),
                Err(Failure::Refused(refusal)) => return Err(refusal.to_string()),
                Err(failure) => {
                    tracing::warn!(callback = self.id, %failure, "what a desk said could not be written yet");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    fn call(&self, state: &CallbackState) -> desk::Call {
        let wish = state.wish.clone().unwrap_or_default();
        desk::Call {
            callback_id: self.id.clone(),
            line: wish.line,
            attempt: self.running.attempt,
            customer: wish.customer,
            telephone: wish.telephone,
            channel: wish.channel,
            reason: wish.reason,
            context: wish.context,
            promised_at: state.call_at,
        }
    }
}

fn outcome(told: desk::Outcome) -> Outcome {
    match told {
        desk::Outcome::Reached => Outcome::Reached,
        desk::Outcome::Busy => Outcome::Busy,
        desk::Outcome::NoAnswer | desk::Outcome::Unspecified => Outcome::NoAnswer,
    }
}

/// The stream of one call to a desk.
struct Stream {
    requests: mpsc::Sender<Result<bytes::Bytes, Fault>>,
    answers: Messages,
}

impl Stream {
    async fn open(desk: &dyn Adapter, start: desk::Start) -> Result<Self, Fault> {
        let (requests, receiver) = mpsc::channel(4);
        let mut stream = Self { requests, answers: Messages::many(tokio_stream::empty()) };
        stream.say(Say::Start(start)).await;
        let messages = Messages::many(ReceiverStream::new(receiver));
        let call = Call { method: PLACE.to_owned(), messages, context: Context::default() };
        stream.answers = desk.call(call).await?;
        Ok(stream)
    }

    async fn say(&mut self, what: Say) {
        // A desk that has gone is seen by its answers.
        let _ = self.requests.send(Ok(desk::PlaceRequest { what: Some(what) }.encode_to_vec().into())).await;
    }

    async fn confirm(&mut self) {
        self.say(Say::Confirm(desk::Confirm {})).await;
    }

    async fn withdraw(&mut self, reason: &str) -> Parted {
        self.say(Say::Withdraw(desk::Withdraw { reason: reason.to_owned() })).await;
        self.part().await
    }

    async fn next(&mut self) -> Result<Said, Parted> {
        let broken = |why: &str| Err(Parted::Broken(why.to_owned()));
        match self.answers.next().await {
            None => broken("it ended without a last word"),
            Some(Err(fault)) => broken(&fault.to_string()),
            Some(Ok(bytes)) => match desk::PlaceResponse::decode(bytes).map(|response| response.what) {
                Ok(Some(said)) => Ok(said),
                Ok(None) => broken("it said nothing"),
                Err(error) => broken(&error.to_string()),
            },
        }
    }

    /// Waits until the desk has heard the last word.
    async fn part(&mut self) -> Parted {
        let heard = async { while let Some(Ok(_)) = self.answers.next().await {} };
        let _ = tokio::time::timeout(PARTING, heard).await;
        Parted::Done
    }
}
