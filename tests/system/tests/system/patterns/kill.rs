//! An aggregator through kills of the bus: each message is in one aggregate, and no aggregate is there twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use passerelle_proto::bus::v1::journal_client::JournalClient;
use passerelle_proto::bus::v1::subscribe_request::From;
use passerelle_proto::bus::v1::{Filter, Message, PublishRequest, SubscribeRequest};
use passerelle_system::{Daemon, World};
use tokio::time::timeout;

const GROUPS: u64 = 60;
const OF: u64 = 10;
const KILLS: usize = 6;

const PATTERN: &str = "
patterns:
  - name: tens
    from: one
    aggregate: { by: subject, count: 10, incomplete: dead_letters, publish: { type: ten } }
  - name: all
    from: ten
    tap: { to: seen }
";

#[tokio::test(flavor = "multi_thread")]
async fn each_message_is_in_one_aggregate_through_kills() {
    let mut daemon = World::default().settings("routes: routes\n").file("routes/patterns.yaml", PATTERN).serve();
    let batch = GROUPS * OF / KILLS as u64;
    for round in 0..KILLS as u64 {
        publish(&daemon, round * batch..(round + 1) * batch).await;
        // In the middle of its work: as soon as something came of what it had before.
        seen(&daemon, (round * batch / (3 * OF) * 3) as usize).await;
        daemon = daemon.kill().serve();
    }
    let tens = seen(&daemon, GROUPS as usize).await;
    let ids: BTreeSet<&str> = tens.iter().map(|message| message.id.as_str()).collect();
    assert_eq!(ids.len(), tens.len(), "an aggregate was given twice");
    let mut parts = BTreeMap::<u64, usize>::new();
    for message in &tens {
        let data: Vec<u64> = serde_json::from_slice(&message.data).unwrap();
        assert_eq!(data.len() as u64, OF);
        assert!(data.iter().all(|number| group(*number) == group(data[0])), "{data:?}");
        assert!(data.is_sorted(), "one overtook another: {data:?}");
        data.into_iter().for_each(|number| *parts.entry(number).or_default() += 1);
    }
    assert_eq!(parts.len() as u64, GROUPS * OF);
    assert!(parts.values().all(|count| *count == 1), "a message is in two aggregates");
    let listed = World::default().run(&["patterns", "list", "--admin", &format!("http://{}", daemon.admin)]);
    assert!(listed.status.success(), "{listed:?}");
    assert!(listed.stdout.lines().skip(1).all(|line| line.split_whitespace().nth(5) == Some("0")), "{}", listed.stdout);
}

/// Three groups at a time, which kills come in the middle of.
fn group(number: u64) -> u64 {
    number / (3 * OF) * 3 + number % 3
}

async fn publish(daemon: &Daemon, numbers: std::ops::Range<u64>) {
    let mut client = JournalClient::connect(daemon.address()).await.unwrap();
    let message = |number: u64| Message {
        id: number.to_string(),
        source: "/case".to_owned(),
        r#type: "one".to_owned(),
        subject: group(number).to_string(),
        data_content_type: "application/json".to_owned(),
        data: number.to_string().into_bytes().into(),
        ..Message::default()
    };
    let request = PublishRequest { messages: numbers.map(message).collect(), ..PublishRequest::default() };
    client.publish(request).await.unwrap();
}

/// All that has come out, once it is that much.
async fn seen(daemon: &Daemon, enough: usize) -> Vec<Message> {
    let mut client = JournalClient::connect(daemon.address()).await.unwrap();
    let filter = Some(Filter { types: vec!["seen".to_owned()], ..Filter::default() });
    let request = SubscribeRequest { from: Some(From::Position(0)), filter, ..SubscribeRequest::default() };
    let mut stream = client.subscribe(request).await.unwrap().into_inner();
    let mut all = Vec::new();
    let reading = async {
        while all.len() < enough {
            all.extend(stream.message().await.unwrap().expect("it goes on").messages);
        }
    };
    timeout(Duration::from_secs(60), reading).await.unwrap_or_else(|_| panic!("fewer than {enough} come"));
    all
}
