//! The durable part: a callback is promised, the bus is killed before it is due, and the adviser's desk rings at the promised time all the same.

mod bus;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use passerelle_bus::call::observe::code_name;
use passerelle_proto::backoffice::callback::v1::desk_client::DeskClient;
use passerelle_proto::backoffice::callback::v1::{
    Accept, Call, Outcome, Report, Sit, SitRequest, SitResponse, sit_request, sit_response,
};
use passerelle_proto::customer::v1::callbacks_client::CallbacksClient;
use passerelle_proto::customer::v1::request_callback_request::When;
use passerelle_proto::customer::v1::{
    Callback, CallbackStep, GetCallbackRequest, RequestCallbackRequest, SearchTimeSlotsRequest,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use self::bus::Bus;
use super::{PATIENCE, print};
use crate::failure::Failure;

/// Longer than the slots of the sample, and than a start.
const PROMISE: Duration = Duration::from_secs(30);
/// At least this long before the promised time the bus is killed.
const AHEAD: Duration = Duration::from_secs(2);

/// Plays it from the wish to the talk, beside the calls. `folder` holds the settings of the bus that is killed.
pub(crate) async fn play(folder: &Path) -> Result<(), Failure> {
    let bus = Bus::start(folder).await?;
    let (callback, position) = promise(&bus).await?;
    let promised = moment(&callback)?;
    print::moment(
        &format!("web asks for a callback: {} is promised for {}", callback.callback_id, clock(promised)),
        &[
            format!("on disk at position {position} of the journal when it was acknowledged, by process {}", bus.process),
            format!("what is known goes with it: {}", context(&callback.context)),
        ],
    );
    let killed = bus.process;
    bus.kill().await?;
    let left = promised.duration_since(SystemTime::now()).unwrap_or_default();
    let bus = Bus::start(folder).await?;
    print::moment(
        &format!("kill -9 {killed}, {} before it is due", seconds(left)),
        &[format!("started anew as process {}, ready after {} ms", bus.process, bus.started_in.as_millis())],
    );
    let mut desk = Desk::sit(&bus, "anna").await?;
    let call = desk.offered().await?;
    let late = SystemTime::now().duration_since(promised).unwrap_or_default();
    print::moment(
        &format!("anna's desk rings for {}, {} ms after {}", call.callback_id, late.as_millis(), clock(promised)),
        &[
            format!("call {}: {}", call.telephone, call.reason),
            format!("known already, not asked again: {}", context(&call.context)),
        ],
    );
    desk.talk(&call).await?;
    let callback = get(&bus, &call.callback_id).await?;
    print::moment("anna called and reached the customer", &callback.steps.iter().map(step).collect::<Vec<_>>());
    bus.stop().await;
    Ok(())
}

/// A callback that is promised for a moment far enough ahead to be killed before.
async fn promise(bus: &Bus) -> Result<(Callback, u64), Failure> {
    let mut client = CallbacksClient::new(bus.channel.clone());
    let request = SearchTimeSlotsRequest { line: "sales".into(), free_only: true, ..Default::default() };
    let slots = client.search_time_slots(request).await.map_err(said)?.into_inner().slots;
    let earliest = SystemTime::now() + AHEAD;
    let starts = slots.into_iter().filter_map(|slot| slot.valid_for?.start);
    let start = starts.into_iter().find(|start| SystemTime::try_from(*start).is_ok_and(|start| start >= earliest));
    let answer = client
        .request_callback(RequestCallbackRequest {
            idempotency_key: "demo".into(),
            line: "sales".into(),
            customer: "0000004711".into(),
            telephone: "+33 1 99 00 47 11".into(),
            channel: "web".into(),
            reason: "a loan for a car".into(),
            context: [("amount", "12,000 EUR"), ("page", "/loans/car")].map(|(name, value)| (name.into(), value.into())).into(),
            when: Some(When::SlotStart(start.ok_or_else(|| Failure::plain("no slot is free"))?)),
        })
        .await
        .map_err(said)?
        .into_inner();
    let callback = answer.callback.ok_or_else(|| Failure::plain("a promise without a callback"))?;
    Ok((callback, answer.acknowledgement.map_or(0, |acknowledgement| acknowledgement.position)))
}

async fn get(bus: &Bus, callback_id: &str) -> Result<Callback, Failure> {
    let request = GetCallbackRequest { callback_id: callback_id.to_owned() };
    let answer = CallbacksClient::new(bus.channel.clone()).get_callback(request).await.map_err(said)?.into_inner();
    answer.callback.ok_or_else(|| Failure::plain("an answer without a callback"))
}

/// An adviser's desk.
struct Desk {
    says: mpsc::Sender<SitRequest>,
    shown: Streaming<SitResponse>,
}

impl Desk {
    async fn sit(bus: &Bus, adviser: &str) -> Result<Self, Failure> {
        let (says, said_by) = mpsc::channel(4);
        let mut client = DeskClient::new(bus.channel.clone());
        let sit = sit_request::What::Sit(Sit { adviser: adviser.to_owned(), lines: Vec::new() });
        say(&says, sit).await?;
        let shown = client.sit(ReceiverStream::new(said_by)).await.map_err(said)?.into_inner();
        Ok(Self { says, shown })
    }

    /// Waits until the desk rings.
    async fn offered(&mut self) -> Result<Call, Failure> {
        loop {
            if let sit_response::What::Offered(offered) = self.shown(PROMISE).await?
                && let Some(call) = offered.call
            {
                return Ok(call);
            }
        }
    }

    /// Takes the call, talks, reports, until the report is on disk.
    async fn talk(&mut self, call: &Call) -> Result<(), Failure> {
        let callback_id = || call.callback_id.clone();
        say(&self.says, sit_request::What::Accept(Accept { callback_id: callback_id() })).await?;
        loop {
            match self.shown(PATIENCE).await? {
                sit_response::What::Connected(_) => {
                    let report = Report { callback_id: callback_id(), outcome: Outcome::Reached.into(), note: String::new() };
                    say(&self.says, sit_request::What::Report(report)).await?;
                }
                sit_response::What::Closed(_) => return Ok(()),
                _ => {}
            }
        }
    }

    async fn shown(&mut self, patience: Duration) -> Result<sit_response::What, Failure> {
        let message =
            tokio::time::timeout(patience, self.shown.message()).await.map_err(|_| Failure::plain("the desk stays silent"))?;
        message.map_err(said)?.and_then(|shown| shown.what).ok_or_else(|| Failure::plain("the desk was closed"))
    }
}

async fn say(says: &mpsc::Sender<SitRequest>, what: sit_request::What) -> Result<(), Failure> {
    says.send(SitRequest { what: Some(what) }).await.map_err(Failure::plain)
}

pub(super) fn said(status: Status) -> Failure {
    Failure::plain(format!("{}: {}", code_name(status.code()), status.message()))
}

fn moment(callback: &Callback) -> Result<SystemTime, Failure> {
    let promised = callback.promised_at.ok_or_else(|| Failure::plain("a callback without a promised time"))?;
    SystemTime::try_from(promised).map_err(Failure::plain)
}

/// The time of day, where the sample's customers are.
fn clock(time: SystemTime) -> String {
    let zone = TimeZone::get("Europe/Paris").unwrap_or(TimeZone::UTC);
    Timestamp::try_from(time).map_or_else(|_| "?".into(), |time| time.to_zoned(zone).strftime("%H:%M:%S").to_string())
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

fn context(context: &BTreeMap<String, String>) -> String {
    context.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
}

fn step(step: &CallbackStep) -> String {
    let at = step.at.and_then(|at| SystemTime::try_from(at).ok()).map_or_else(String::new, clock);
    format!("{at}  {}", step.what)
}
