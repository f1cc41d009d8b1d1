//! A delivery whose consumers are not there slows nobody else, and its backlog stays in the journal.

use std::time::Duration;

use passerelle_proto::bus::v1::delivery_operations_client::DeliveryOperationsClient;
use passerelle_proto::bus::v1::{Delivery, ListDeliveriesRequest};
use passerelle_system::{Daemon, World};
use tokio::time::timeout;

use super::consumer::Consumer;
use super::{numbered, publish};

const MESSAGES: u64 = 70_000;

async fn deliveries(daemon: &Daemon) -> Vec<Delivery> {
    let mut client = DeliveryOperationsClient::connect(format!("http://{}", daemon.admin)).await.unwrap();
    client.list_deliveries(ListDeliveriesRequest {}).await.unwrap().into_inner().deliveries
}

/// Takes so many; the consumer stays, so that all that it says is heard.
async fn drink(daemon: &Daemon, delivery: &str, count: u64) -> Consumer {
    let mut consumer = Consumer::join(&daemon.address(), delivery, 1_000).await.unwrap();
    let mut taken = 0;
    while taken < count {
        let messages = timeout(Duration::from_secs(60), consumer.next()).await.expect("messages come").unwrap();
        taken += messages.len() as u64;
        consumer.done(messages.into_iter().map(|consumed| consumed.tag).collect());
    }
    assert_eq!(taken, count);
    consumer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_black_hole_slows_only_itself_and_its_backlog_waits_on_disk() {
    let settings = "deliveries:\n  there: { limits: { under_way: 512 } }\n  hole: { limits: { under_way: 512 } }\n";
    let daemon = World::default().settings(settings).serve();
    publish(&daemon, (0..MESSAGES).map(|number| numbered(number, 500))).await;
    let _stays = drink(&daemon, "there", MESSAGES).await;
    let mut seen = deliveries(&daemon).await;
    while seen[1].waiting > 0 {
        seen = deliveries(&daemon).await;
    }
    let [hole, there] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((there.delivered, there.waiting, there.dead), (MESSAGES, 0, 0));
    assert_eq!((hole.delivered, hole.consumers), (0, 0));
    assert!(hole.waiting <= 65_536, "{} messages are in memory", hole.waiting);
    assert!(hole.unread > 0 && hole.oldest.is_some(), "the rest is in the journal: {hole:?}");
    let peak = daemon.peak_memory_kib();
    eprintln!("peak memory with {MESSAGES} messages behind a black hole: {} MiB", peak >> 10);
    assert!(peak < 256 << 10, "{} MiB", peak >> 10);
    drink(&daemon, "hole", MESSAGES).await;
}
