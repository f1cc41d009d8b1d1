//! A small journal that is written over and over: what lives is carried along, what is old is gone, and the disk is not filled.

use std::fs;
use std::time::{Duration, Instant};

use futures_util::stream;
use passerelle_peers::strace;
use passerelle_proto::backoffice::callback::v1::sit_response::What as Shown;
use passerelle_proto::bus::v1::subscribe_request::From;
use passerelle_proto::bus::v1::{AcknowledgeRequest, SubscribeRequest, SubscribeResponse};
use passerelle_proto::customer::v1::callbacks_client::CallbacksClient;
use passerelle_proto::customer::v1::handoffs_client::HandoffsClient;
use passerelle_proto::customer::v1::request_callback_request::When;
use passerelle_proto::customer::v1::{
    CancelCallbackRequest, HandoffContext, OfferRequest, ProgressRequest, RescheduleCallbackRequest, ResumeRequest,
    callback::Status, reschedule_callback_request,
};
use passerelle_system::{Daemon, World};
use tonic::Code;
use tonic::transport::Channel;

use super::{client, numbered, trace};
use crate::callback::office::{Adviser, callback, connected, slot_in, wish, world_besides};
use crate::views::{page, wait_for};

/// Two hand-breadths more than a journal of 12 MiB takes: the newest segment, one that is ready, two spare ones, one being made.
const MOST_BYTES: u64 = (12 + 5 * 4 + 4) << 20;
const SETTINGS: &str = "journal: { segment_mib: 4, retain_mib: 12 }\n";
/// What is published at once: more than three segments.
const PUBLISHED: u64 = 1500;
const CONTENT: usize = 10 << 10;

/// Publishes, and waits until old records were given up because of it.
async fn publish_and_trim(daemon: &Daemon, first: &mut u64) {
    let numbers = *first..*first + PUBLISHED;
    *first = numbers.end;
    let before = gauge(daemon, "passerelle_journal_first_position");
    let requests = stream::iter(numbers.map(|number| numbered(0, number, vec![7; CONTENT])));
    let mut answers = client(daemon.channels).await.publish_stream(requests).await.unwrap().into_inner();
    let mut acknowledged = 0;
    while let Some(answer) = answers.message().await.unwrap() {
        acknowledged = answer.acknowledged;
    }
    assert_eq!(acknowledged, PUBLISHED);
    wait_for(daemon, "/metrics", |(_, text)| value(text, "passerelle_journal_first_position") > before);
    let kept = || gauge(daemon, "passerelle_journal_kept_bytes");
    let begun = Instant::now();
    while kept() > 12 << 20 {
        assert!(begun.elapsed() < Duration::from_secs(30), "{} bytes are kept", kept());
    }
    let bytes: u64 = fs::read_dir(daemon.path("data/journal")).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert!(bytes <= MOST_BYTES, "{bytes} bytes on disk");
}

fn gauge(daemon: &Daemon, name: &str) -> u64 {
    value(&page(daemon.admin, "/metrics").1, name)
}

fn value(metrics: &str, name: &str) -> u64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse::<f64>().ok()).unwrap_or_else(|| panic!("no {name} in {metrics}")) as u64
}

/// What a subscription is told first.
async fn subscribed(daemon: &Daemon, from: From) -> Result<SubscribeResponse, tonic::Status> {
    let request = SubscribeRequest { from: Some(from), stop_at_end: true, ..SubscribeRequest::default() };
    let mut responses = client(daemon.channels).await.subscribe(request).await?.into_inner();
    responses.message().await.map(|response| response.expect("something is there"))
}

async fn acknowledge(daemon: &Daemon, name: &str, position: u64) {
    let request = AcknowledgeRequest { durable_name: name.to_owned(), position };
    client(daemon.channels).await.acknowledge(request).await.unwrap();
}

/// The first subscription that is behind is told where the journal begins; how it goes on is in the message.
async fn late_is_told(daemon: &Daemon) {
    let first = gauge(daemon, "passerelle_journal_first_position");
    let told = subscribed(daemon, From::DurableName("late".to_owned())).await.unwrap_err();
    assert_eq!(told.code(), Code::OutOfRange);
    let oldest = format!("the oldest is {first}; to go on with what there is, ");
    let ending = format!(" acknowledge position {}", first - 1);
    assert!(told.message().contains(&oldest) && told.message().ends_with(&ending), "{told}");
    let told = subscribed(daemon, From::Position(1)).await.unwrap_err();
    assert_eq!(
        (told.code(), told.message()),
        (Code::OutOfRange, &*format!("position 1 is no longer kept, the oldest is {first}"))
    );
    let oldest = subscribed(daemon, From::Position(0)).await.unwrap();
    assert!(oldest.position >= first, "the start is what is kept");
}

#[tokio::test]
async fn what_lives_goes_along_with_a_journal_that_gives_up_what_is_old() {
    let line = "capacity: 2\nslot_seconds: 2\nring_seconds: 20\nsearch_seconds: 1\nsearches: 1000";
    let daemon = world_besides(SETTINGS, &["sales".to_owned()], line).serve();
    let channel = connected(&daemon).await;

    let mut promises = CallbacksClient::new(channel.clone());
    let soon = slot_in(&channel, Duration::from_secs(5)).await;
    let later = slot_in(&channel, Duration::from_secs(36_000)).await;
    let mut ids = Vec::new();
    for (customer, slot) in [("ada", soon), ("bob", later), ("eve", later)] {
        let promised = promises.request_callback(wish(customer, When::SlotStart(slot))).await.unwrap().into_inner();
        ids.push(promised.callback.unwrap().callback_id);
    }
    let [ada, bob, eve] = &*ids else { panic!("three promises") };
    let offer = OfferRequest {
        idempotency_key: "basket 7".to_owned(),
        customer: "C-1042".to_owned(),
        from_channel: "web".to_owned(),
        matter: "purchase".to_owned(),
        step: "basket".to_owned(),
        context: Some(HandoffContext { answers: [("size".to_owned(), "42".to_owned())].into() }),
        ..OfferRequest::default()
    };
    let offered = HandoffsClient::new(channel.clone()).offer(offer.clone()).await.unwrap().into_inner();
    acknowledge(&daemon, "late", 1).await;

    let mut published = 0;
    for _ in 0..3 {
        publish_and_trim(&daemon, &mut published).await;
    }
    late_is_told(&daemon).await;
    acknowledge(&daemon, "early", gauge(&daemon, "passerelle_journal_position")).await;
    publish_and_trim(&daemon, &mut published).await;
    // Here a record of it is kept that makes no sense without those before, or the snapshot.
    let place = gauge(&daemon, "passerelle_journal_position");
    acknowledge(&daemon, "early", place).await;
    assert_eq!(gauge(&daemon, "passerelle_journal_retention_failures_total"), 0);

    // Nothing but the journal is left.
    let world = daemon.kill();
    let check = world.run(&["journal", "check"]);
    assert!(check.status.success() && !check.stdout.contains("from position 1 on"), "{check:?}");
    for name in ["views.sqlite", "views.sqlite-wal", "views.sqlite-shm"] {
        let _ = fs::remove_file(world.path("data").join(name));
    }
    let daemon = world.serve();
    wait_for(&daemon, "/metrics", |(_, text)| value(text, "passerelle_projection_lag_records") == 0);

    late_is_told(&daemon).await;
    let first = gauge(&daemon, "passerelle_journal_first_position");
    let skipping = World::default().run(&["tail", "-a", &daemon.address(), "--name", "late", "--skip-missing", "-n", "1"]);
    assert!(skipping.status.success() && skipping.stdout.contains("bytes"), "{skipping:?}");
    assert!(subscribed(&daemon, From::DurableName("late".to_owned())).await.unwrap().position > first);
    let next = subscribed(&daemon, From::DurableName("early".to_owned())).await.unwrap();
    assert!(next.position >= place, "{} after {place}", next.position);

    lives(&daemon, [ada, bob, eve], soon, later, offer, &offered.code).await;
    publish_and_trim(&daemon, &mut published).await;
    let channel = connected(&daemon).await;
    let statuses = [callback(&channel, ada).await.unwrap().status(), callback(&channel, eve).await.unwrap().status()];
    assert_eq!(statuses, [Status::Reached, Status::Cancelled], "what has ended is known as long as it may be asked for again");
}

/// Every promise and every matter is as it was.
async fn lives(
    daemon: &Daemon,
    [ada, bob, eve]: [&String; 3],
    soon: prost_types::Timestamp,
    later: prost_types::Timestamp,
    offer: OfferRequest,
    code: &str,
) {
    let channel = connected(daemon).await;
    let mut promises = CallbacksClient::new(channel.clone());
    let full = promises.request_callback(wish("dan", When::SlotStart(later))).await.unwrap_err();
    assert_eq!(full.code(), Code::FailedPrecondition, "both places of the slot are taken: {full}");
    let again = promises.request_callback(wish("ada", When::SlotStart(soon))).await.unwrap().into_inner();
    assert_eq!(&again.callback.unwrap().callback_id, ada, "the same wish is the same callback");

    let mut ann = Adviser::sit(&channel, "ann").await.unwrap();
    let call = ann.take().await.call.unwrap();
    assert_eq!((&call.callback_id, call.promised_at), (ada, Some(soon)), "the timer was not forgotten");
    assert_eq!(call.context.get("basket").map(String::as_str), Some("B-7"));
    ann.report(ada).await;
    assert!(matches!(ann.next().await, Shown::Closed(_)));
    let now = reschedule_callback_request::When::AsSoonAsPossible(true);
    let move_up = RescheduleCallbackRequest { callback_id: bob.clone(), when: Some(now), ..RescheduleCallbackRequest::default() };
    promises.reschedule_callback(move_up).await.unwrap();
    assert_eq!(&ann.take().await.call.unwrap().callback_id, bob);
    ann.report(bob).await;
    assert!(matches!(ann.next().await, Shown::Closed(_)));
    promises.cancel_callback(CancelCallbackRequest { callback_id: eve.clone(), ..Default::default() }).await.unwrap();

    let mut matters: HandoffsClient<Channel> = HandoffsClient::new(channel);
    assert_eq!(matters.offer(offer).await.unwrap().into_inner().code, code, "the same offer, the same code");
    let resume = ResumeRequest {
        idempotency_key: "r".to_owned(),
        code: code.to_owned(),
        channel: "branch".to_owned(),
        owner: "anna".to_owned(),
    };
    let resumed = matters.resume(resume).await.unwrap().into_inner().handoff.unwrap();
    assert_eq!(resumed.context.unwrap().answers.get("size").map(String::as_str), Some("42"));
    let progress = ProgressRequest {
        idempotency_key: "p".to_owned(),
        id: resumed.id,
        fence: resumed.fence,
        expected_revision: 1,
        step: "delivery".to_owned(),
        context: None,
    };
    matters.progress(progress).await.unwrap();
}

#[tokio::test]
async fn the_views_are_on_disk_before_the_journal_gives_up_what_they_were_made_of() {
    let world = World::default().settings(SETTINGS);
    let trace = world.path("trace");
    let Some(command) = strace::command("pwrite64,fdatasync", 16, &trace) else { return };
    let daemon = world.serve_under(command);
    let mut published = 0;
    // SQLite makes its log durable when it begins it, in the first round, and then before checkpoints only.
    for round in 0..3 {
        let begun = fs::read_to_string(&trace).unwrap().lines().count();
        publish_and_trim(&daemon, &mut published).await;
        let calls = trace::read(&fs::read_to_string(&trace).unwrap());
        let last = |name: &str, file: &str, before: usize| {
            let done = |call: &&trace::Call| call.name == name && call.result >= 0 && call.ended < before;
            calls
                .iter()
                .filter(done)
                .filter(|call| call.descriptor.contains(file))
                .map(|call| call.begun)
                .max()
                .unwrap_or_default()
        };
        // The last cut of a round is among what was published in it.
        let trimmed = last("pwrite64", "/journal.meta", usize::MAX);
        let secured = last("fdatasync", "/views.sqlite-wal", trimmed);
        assert!(
            begun < secured && secured < trimmed,
            "round {round}: from line {begun} on, on disk {secured}, given up {trimmed}"
        );
    }
}

#[test]
fn whoever_limits_the_journal_to_nothing_is_told_so() {
    let run = World::default().settings("journal: { retain_mib: 1 }\n").run(&["check"]);
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    assert!(run.stderr.contains("journal.retain_mib") && run.stderr.contains('4'), "{run:?}");
}
