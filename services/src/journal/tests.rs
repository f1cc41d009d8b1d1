//! The service through a real server.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use expect_test::{Expect, expect};
use futures_util::stream::iter;
use passerelle_bus::keyed::clock::Manual;
use passerelle_bus::keyed::{Answers, Parts, Timers};
use passerelle_journal::memory::Memory;
use passerelle_journal::{Entry, Journal, Position};
use passerelle_projection::{Fold, Projection};
use passerelle_proto::AcknowledgementLevel;
use passerelle_proto::bus::v1::journal_client::JournalClient;
use passerelle_proto::bus::v1::subscribe_request::From;
use passerelle_proto::bus::v1::{
    AcknowledgeRequest, Filter, Message, PublishRequest, PublishStreamRequest, PublishStreamResponse, Record, SubscribeRequest,
    SubscribeResponse,
};
use prost::Message as _;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Status, Streaming};

use super::{Service, Settings};

/// A client of a server of that service.
async fn connected(service: super::Server) -> JournalClient<Channel> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener)));
    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy();
    JournalClient::new(channel).max_encoding_message_size(64 << 20)
}

struct World {
    journal: Arc<Memory>,
    stop: watch::Sender<bool>,
    client: JournalClient<Channel>,
    operators: JournalClient<Channel>,
    _views: TempDir,
}

impl World {
    async fn new() -> Self {
        let journal = Arc::new(Memory::new());
        let (stop, stopping) = watch::channel(false);
        let now = || SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let views = tempfile::tempdir().unwrap();
        let folds: Vec<Box<dyn Fold>> = vec![Box::new(Answers::default()), Box::new(Timers)];
        let projection =
            Projection::open(&views.path().join("views.sqlite"), folds, journal.clone(), Default::default()).unwrap();
        let clock = Arc::new(Manual::at_seconds(1_700_000_000));
        let parts = Parts { journal: journal.clone(), projection: Arc::new(projection), clock };
        let service = Service::open(parts, Settings { fingerprint_key: [7; 16], now, stopping }).unwrap();
        let client = connected(service.clone().server()).await;
        let operators = connected(service.server_for_operators()).await;
        Self { journal, stop, client, operators, _views: views }
    }

    async fn publish(&self, messages: Vec<Message>) -> Result<(u64, bool), Status> {
        self.request(PublishRequest { messages, acknowledge: 0 }).await
    }

    async fn request(&self, request: PublishRequest) -> Result<(u64, bool), Status> {
        let answer = self.client.clone().publish(request).await?.into_inner().acknowledgement.unwrap();
        Ok((answer.position, answer.repeated))
    }

    async fn stream(&self, messages: Vec<Message>) -> (Option<PublishStreamResponse>, Option<Status>) {
        let requests = messages.into_iter().map(|message| PublishStreamRequest { message: Some(message) });
        let mut answers = self.client.clone().publish_stream(iter(requests)).await.unwrap().into_inner();
        let mut last = None;
        loop {
            match answers.message().await {
                Ok(Some(answer)) => last = Some(answer),
                Ok(None) => return (last, None),
                Err(status) => return (last, Some(status)),
            }
        }
    }

    async fn subscribe(&self, request: SubscribeRequest) -> Result<Streaming<SubscribeResponse>, Status> {
        Ok(self.client.clone().subscribe(request).await?.into_inner())
    }

    /// What a request shows until the end, as `position:id,id`; a mere position is a sign of life.
    async fn shown(&self, request: SubscribeRequest) -> String {
        let mut stream = self.subscribe(SubscribeRequest { stop_at_end: true, ..request }).await.unwrap();
        let mut shown = Vec::new();
        while let Some(response) = stream.message().await.unwrap() {
            shown.push(words(&response));
        }
        shown.join(" ")
    }

    async fn acknowledge(&self, name: &str, position: u64) -> Result<u64, Status> {
        let request = AcknowledgeRequest { durable_name: name.to_owned(), position };
        Ok(self.client.clone().acknowledge(request).await?.into_inner().acknowledgement.unwrap().position)
    }
}

fn words(response: &SubscribeResponse) -> String {
    let ids: Vec<&str> = response.messages.iter().map(|message| message.id.as_str()).collect();
    format!("{}:{}", response.position, ids.join(","))
}

fn message(id: impl ToString) -> Message {
    Message {
        id: id.to_string(),
        source: "/web/shop".to_owned(),
        r#type: "shop.basket.filled".to_owned(),
        data: vec![1, 2, 3].into(),
        ..Default::default()
    }
}

fn of_type(id: &str, kind: &str) -> Message {
    Message { r#type: kind.to_owned(), ..message(id) }
}

fn from(position: u64) -> SubscribeRequest {
    SubscribeRequest { from: Some(From::Position(position)), ..Default::default() }
}

fn durable(name: &str) -> SubscribeRequest {
    SubscribeRequest { from: Some(From::DurableName(name.to_owned())), ..Default::default() }
}

fn said<T: std::fmt::Debug>(outcome: Result<T, Status>, expected: Expect) {
    let status = outcome.unwrap_err();
    expected.assert_eq(&format!("{:?}: {}", status.code(), status.message()));
}

#[tokio::test]
async fn what_is_published_is_shown_as_it_was_and_a_repetition_is_not_written_again() {
    let world = World::new().await;
    let mut whole = message("a");
    whole.customer = "4711".to_owned();
    whole.time = Some(prost_types::Timestamp { seconds: 1, nanos: 2 });
    assert_eq!(world.publish(vec![whole.clone()]).await.unwrap(), (1, false));
    assert_eq!(world.publish(vec![message("b"), message("c")]).await.unwrap(), (2, false));
    assert_eq!(world.publish(vec![whole.clone()]).await.unwrap(), (1, true));
    assert_eq!(world.publish(vec![message("b"), message("c")]).await.unwrap(), (2, true));
    assert_eq!(world.publish(vec![message("c"), message("b")]).await.unwrap(), (3, false), "another order is another record");
    assert_eq!(world.shown(from(0)).await, "1:a 2:b,c 3:c,b");
    let mut stream = world.subscribe(from(1)).await.unwrap();
    assert_eq!(stream.message().await.unwrap().unwrap().messages, [whole]);
}

#[tokio::test]
async fn accepted_is_answered_without_a_position() {
    let world = World::new().await;
    let request = PublishRequest { messages: vec![message("a")], acknowledge: AcknowledgementLevel::Accepted.into() };
    let answer = world.client.clone().publish(request).await.unwrap().into_inner().acknowledgement.unwrap();
    assert_eq!((answer.level(), answer.position), (AcknowledgementLevel::Accepted, 0));
    assert_eq!(world.shown(from(0)).await, "1:a");
}

#[tokio::test]
async fn what_cannot_be_written_says_what_is_wrong_and_what_would_be_right() {
    let world = World::new().await;
    said(world.publish(Vec::new()).await, expect!["InvalidArgument: messages: there is none"]);
    let many = (0..1001).map(message).collect();
    said(
        world.publish(many).await,
        expect![
            "InvalidArgument: messages: there are 1001, at most 1000 are one record; send them in several requests, or by PublishStream"
        ],
    );
    let large = |id| Message { data: vec![0; 600_000].into(), ..message(id) };
    said(
        world.publish(vec![large(1), large(2)]).await,
        expect![
            "InvalidArgument: messages: together they have 1200078 bytes, at most 1048576 are one record; send them in several requests, or by PublishStream"
        ],
    );
    said(
        world.publish(vec![message("a"), message("")]).await,
        expect![
            "InvalidArgument: message 1 (counted from 0): id is missing; source and id name a message, so that it is written once"
        ],
    );
    let effected = PublishRequest { messages: vec![message("a")], acknowledge: AcknowledgementLevel::Effected.into() };
    said(
        world.request(effected).await,
        expect!["InvalidArgument: acknowledge: the journal says ACCEPTED or DURABLE; what is beyond is a back office's to say"],
    );
    assert_eq!(world.shown(from(0)).await, "", "nothing was written");
}

#[tokio::test]
async fn a_stream_is_acknowledged_to_its_last_message_and_keeps_its_order() {
    let world = World::new().await;
    let (last, end) = world.stream((0..5000).map(message).collect()).await;
    assert_eq!(last, Some(PublishStreamResponse { acknowledged: 5000, position: 5000 }));
    assert!(end.is_none(), "{end:?}");
    let shown = world.shown(from(1)).await;
    let expected: Vec<String> = (0..5000).map(|id| format!("{}:{id}", id + 1)).collect();
    assert_eq!(shown, expected.join(" "));
    let (again, _) = world.stream((0..5000).map(message).collect()).await;
    assert_eq!(again, last, "a repetition is acknowledged as the first was");
    assert_eq!(world.journal.durable().borrow().position, Position(5000));
}

#[tokio::test]
async fn a_refused_message_ends_its_stream_after_those_before_it_are_acknowledged() {
    let world = World::new().await;
    let (last, end) = world.stream(vec![message("a"), message("b"), of_type("c", ""), message("d")]).await;
    assert_eq!(last, Some(PublishStreamResponse { acknowledged: 2, position: 2 }));
    said(
        Err::<(), _>(end.unwrap()),
        expect!["InvalidArgument: message 2 (counted from 0): type is missing; write what happened, as a name with dots"],
    );
    assert_eq!(world.shown(from(0)).await, "1:a 2:b");
}

#[tokio::test]
async fn filters_leave_out_what_does_not_fit_and_the_end_is_told_all_the_same() {
    let world = World::new().await;
    world.publish(vec![of_type("a", "shop.x"), of_type("b", "bank.x")]).await.unwrap();
    world.publish(vec![of_type("c", "bank.y")]).await.unwrap();
    world.publish(vec![of_type("d", "shop.y")]).await.unwrap();
    world.publish(vec![of_type("e", "bank.z")]).await.unwrap();
    let only =
        |kind: &str| SubscribeRequest { filter: Some(Filter { types: vec![kind.to_owned()], ..Default::default() }), ..from(0) };
    assert_eq!(world.shown(only("shop.*")).await, "1:a 3:d 4:");
    assert_eq!(world.shown(only("bank.*")).await, "1:b 2:c 4:e");
    assert_eq!(world.shown(only("none")).await, "4:");
    said(
        world.subscribe(only("a*b")).await,
        expect!["InvalidArgument: filter.types: value 0 has a `*` that is not at its end; only a final one is understood"],
    );
}

#[tokio::test]
async fn a_subscription_shows_what_comes_and_ends_when_the_bus_stops() {
    let world = World::new().await;
    world.publish(vec![message("before")]).await.unwrap();
    let mut stream = world.subscribe(SubscribeRequest::default()).await.unwrap();
    world.publish(vec![message("after")]).await.unwrap();
    assert_eq!(words(&stream.message().await.unwrap().unwrap()), "2:after");
    world.stop.send_replace(true);
    said(stream.message().await, expect!["Unavailable: the bus is being stopped; try again in a moment"]);
    let (sender, requests) = tokio::sync::mpsc::channel(1);
    let requests = tokio_stream::wrappers::ReceiverStream::new(requests);
    let mut publishing = world.client.clone().publish_stream(requests).await.unwrap().into_inner();
    said(publishing.message().await, expect!["Unavailable: the bus is being stopped; try again in a moment"]);
    drop(sender);
}

#[tokio::test]
async fn a_position_that_does_not_exist_or_is_no_longer_kept_is_refused() {
    let world = World::new().await;
    for id in 0..5 {
        world.publish(vec![message(id)]).await.unwrap();
    }
    said(
        world.subscribe(from(7)).await,
        expect!["OutOfRange: position 7 is not written yet, the last one is 5; leave `from` out to begin with what comes"],
    );
    assert_eq!(world.shown(from(6)).await, "");
    world.acknowledge("late", 1).await.unwrap();
    world.journal.trim(Position(4)).await.unwrap();
    let mut stream = world.subscribe(from(2)).await.unwrap();
    said(stream.message().await, expect!["OutOfRange: position 2 is no longer kept, the oldest is 4"]);
    assert_eq!(world.shown(durable("new")).await, "4:3 5:4 6:", "a new name begins with what is kept");
    said(
        world.subscribe(durable("late")).await,
        expect![[r#"
            OutOfRange: the subscription late is at position 2, which is no longer kept: the oldest is 4; to go on with what there is, set skip_missing (`passerelle tail --skip-missing`) or acknowledge position 3"#]],
    );
    let skipping = |name| SubscribeRequest { skip_missing: true, ..durable(name) };
    assert_eq!(world.shown(skipping("late")).await, "4:3 5:4 6:");
    world.acknowledge("late", 4).await.unwrap();
    assert_eq!(world.shown(skipping("late")).await, "5:4 7:", "what is kept is not skipped");
}

#[tokio::test]
async fn a_durable_name_goes_on_where_it_was_acknowledged() {
    let world = World::new().await;
    for id in ["a", "b", "c"] {
        world.publish(vec![message(id)]).await.unwrap();
    }
    assert_eq!(world.shown(durable("reader")).await, "1:a 2:b 3:c");
    assert_eq!(world.acknowledge("reader", 2).await.unwrap(), 4);
    assert_eq!(world.acknowledge("reader", 1).await.unwrap(), 4, "it never goes back, and nothing is written");
    assert_eq!(world.shown(durable("reader")).await, "3:c 4:", "an acknowledgement is a record, and not shown");
    assert_eq!(world.shown(durable("other")).await, "1:a 2:b 3:c 4:");
    said(world.acknowledge("reader", 9).await, expect!["OutOfRange: position: 9 is not written yet, the last one is 4"]);
    let wrong = "InvalidArgument: durable_name: 1 to 128 letters, digits, `.`, `-`, `_` are a name";
    for name in ["", "a b", "é", &"x".repeat(129)] {
        let status = world.acknowledge(name, 1).await.unwrap_err();
        assert_eq!(format!("{:?}: {}", status.code(), status.message()), wrong, "{name:?}");
        assert!(world.subscribe(durable(name)).await.is_err());
    }
}

#[tokio::test]
async fn a_second_subscription_of_a_name_ends_the_first() {
    let world = World::new().await;
    let mut first = world.subscribe(durable("reader")).await.unwrap();
    let mut second = world.subscribe(durable("reader")).await.unwrap();
    said(
        first.message().await,
        expect!["Aborted: another subscription has taken over this durable name; a name is for one at a time"],
    );
    world.publish(vec![message("a")]).await.unwrap();
    assert_eq!(words(&second.message().await.unwrap().unwrap()), "1:a");
}

#[tokio::test]
async fn a_follower_to_whom_nothing_fits_is_told_the_position_now_and_then() {
    let world = World::new().await;
    let filter = Some(Filter { types: vec!["other".to_owned()], ..Default::default() });
    let mut stream = world.subscribe(SubscribeRequest { filter, ..from(0) }).await.unwrap();
    world.publish(vec![message("a")]).await.unwrap();
    assert_eq!(words(&stream.message().await.unwrap().unwrap()), "1:");
}

#[tokio::test]
async fn channels_are_shown_what_was_published_operators_what_happened_as_well() {
    let world = World::new().await;
    let happened = Message { r#type: "passerelle.customer.v1.CallbackPromised".into(), ..Default::default() };
    let record = Record { kind: "callback".into(), key: "7f3a".into(), events: vec![happened], ..Default::default() };
    world.journal.append(vec![Entry { data: record.encode_to_vec().into(), step: None, fingerprint: None }]).await.unwrap();
    world.publish(vec![message("1")]).await.unwrap();
    let mut seen = Vec::new();
    for mut client in [world.client.clone(), world.operators.clone()] {
        let request = SubscribeRequest { from: Some(From::Position(1)), stop_at_end: true, ..Default::default() };
        let mut shown = client.subscribe(request).await.unwrap().into_inner();
        let mut types = Vec::new();
        while let Some(response) = shown.message().await.unwrap() {
            types.extend(response.messages.into_iter().map(|message| message.r#type));
        }
        seen.push(types.join(", "));
    }
    expect![[r#"
        [
            "shop.basket.filled",
            "passerelle.customer.v1.CallbackPromised, shop.basket.filled",
        ]
    "#]]
    .assert_debug_eq(&seen);
}
