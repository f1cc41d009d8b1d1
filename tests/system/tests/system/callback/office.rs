//! A line with its desk, the customers who ask and the advisers who sit there.

use std::time::Duration;

use passerelle_proto::backoffice::callback::v1::desk_client::DeskClient;
use passerelle_proto::backoffice::callback::v1::sit_request::What as Say;
use passerelle_proto::backoffice::callback::v1::sit_response::What as Shown;
use passerelle_proto::backoffice::callback::v1::{Accept, Connected, Outcome, Report, Sit, SitRequest, SitResponse};
use passerelle_proto::customer::v1;
use passerelle_proto::customer::v1::callbacks_client::CallbacksClient;
use passerelle_proto::customer::v1::request_callback_request::When;
use passerelle_system::{Daemon, World};
use prost_types::Timestamp;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Status, Streaming};

/// What a scene waits for at most before it calls something a hang.
const PATIENCE: Duration = Duration::from_secs(30);

/// A line `sales` that is always open, with slots of seconds.
pub(crate) fn world(line: &str) -> World {
    world_of(&["sales".to_owned()], line)
}

/// Lines that are always open, all alike.
pub(crate) fn world_of(names: &[String], line: &str) -> World {
    world_besides("", names, line)
}

/// The same beside other settings.
pub(crate) fn world_besides(settings: &str, names: &[String], line: &str) -> World {
    let week: Vec<String> = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
        .map(|day| format!("{day}: [\"00:00-24:00\"]"))
        .into();
    let endpoints = "endpoints: { advisers: { adapter: callback, file: desk.yaml } }";
    let mut settings = format!("{settings}{endpoints}\ncallback:\n  lines:\n");
    for name in names {
        let (open, line) = (week.join(", "), line.replace('\n', "\n      "));
        settings.push_str(&format!(
            "    {name}:\n      desk: advisers\n      time_zone: Europe/Paris\n      open: {{ {open} }}\n      {line}\n"
        ));
    }
    World::default().settings(&settings).file("desk.yaml", "adapter: callback\ndriver: desk\n")
}

/// A connection for channels.
pub(crate) async fn connected(daemon: &Daemon) -> Channel {
    Endpoint::from_shared(daemon.address()).unwrap().connect().await.unwrap()
}

/// A wish.
pub(crate) fn wish(customer: &str, when: When) -> v1::RequestCallbackRequest {
    v1::RequestCallbackRequest {
        idempotency_key: "a wish".to_owned(),
        line: "sales".to_owned(),
        customer: customer.to_owned(),
        telephone: "+33123456789".to_owned(),
        channel: "web".to_owned(),
        context: [("basket".to_owned(), "B-7".to_owned())].into(),
        when: Some(when),
        ..v1::RequestCallbackRequest::default()
    }
}

/// A callback as it is on disk.
pub(crate) async fn callback(channel: &Channel, id: &str) -> Result<v1::Callback, Status> {
    let request = v1::GetCallbackRequest { callback_id: id.to_owned() };
    let response = CallbacksClient::new(channel.clone()).get_callback(request).await?;
    Ok(response.into_inner().callback.unwrap())
}

/// The first slot that begins at least that long from now.
pub(crate) async fn slot_in(channel: &Channel, pause: Duration) -> Timestamp {
    let from = Timestamp::from(std::time::SystemTime::now() + pause);
    let request = v1::SearchTimeSlotsRequest { line: "sales".to_owned(), from: Some(from), ..Default::default() };
    let found = CallbacksClient::new(channel.clone()).search_time_slots(request).await.unwrap().into_inner();
    let starts = found.slots.into_iter().filter_map(|slot| slot.valid_for?.start);
    starts.into_iter().find(|start| start.seconds > from.seconds).unwrap()
}

/// An adviser at the desk.
pub(crate) struct Adviser {
    pub(crate) say: mpsc::Sender<SitRequest>,
    shown: Streaming<SitResponse>,
}

impl Adviser {
    /// Sits down.
    pub(crate) async fn sit(channel: &Channel, name: &str) -> Result<Self, Status> {
        let (say, requests) = mpsc::channel(8);
        let sit = Sit { adviser: name.to_owned(), lines: Vec::new() };
        let _ = say.send(SitRequest { what: Some(Say::Sit(sit)) }).await;
        let shown = DeskClient::new(channel.clone()).sit(ReceiverStream::new(requests)).await?.into_inner();
        let mut adviser = Self { say, shown };
        assert!(matches!(adviser.shown().await?, Shown::Seated(_)));
        Ok(adviser)
    }

    /// What is shown next.
    pub(crate) async fn shown(&mut self) -> Result<Shown, Status> {
        let shown = self.shown.message().await?;
        shown.and_then(|shown| shown.what).ok_or_else(|| Status::unavailable("the stream ended"))
    }

    /// What is shown next, which must come.
    pub(crate) async fn next(&mut self) -> Shown {
        tokio::time::timeout(PATIENCE, self.shown()).await.expect("something is shown").unwrap()
    }

    pub(crate) async fn accept(&self, id: &str) {
        let accept = Accept { callback_id: id.to_owned() };
        let _ = self.say.send(SitRequest { what: Some(Say::Accept(accept)) }).await;
    }

    pub(crate) async fn report(&self, id: &str) {
        let report = Report { callback_id: id.to_owned(), outcome: Outcome::Reached.into(), note: String::new() };
        let _ = self.say.send(SitRequest { what: Some(Say::Report(report)) }).await;
    }

    /// Waits for an offer, takes it, and is told to call.
    pub(crate) async fn take(&mut self) -> Connected {
        let Shown::Offered(offered) = self.next().await else { panic!("an offer") };
        self.accept(&offered.call.unwrap().callback_id).await;
        let Shown::Connected(connected) = self.next().await else { panic!("a call") };
        connected
    }
}
