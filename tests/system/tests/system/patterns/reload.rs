//! Another set of patterns runs without a restart, and what is held goes on by it.

use std::fs;
use std::time::Duration;

use passerelle_proto::bus::v1::Message;
use passerelle_system::World;
use tokio::time::timeout;

use super::Bus as _;
use super::daemon::Served;

const TWO: &str = "
patterns:
  - name: some
    from: one
    aggregate: { by: subject, count: 2, incomplete: dead_letters, publish: { type: together } }
";

#[tokio::test(flavor = "multi_thread")]
async fn another_set_goes_on_with_what_is_held() {
    let mut bus = Served::start(&TWO.replace("count: 2", "count: 4")).await;
    bus.publish((1..=3).map(one).collect()).await;
    // Held by the set that is replaced then.
    await_count(&mut bus, "passerelle.bus.v1.PatternTook", 3).await;
    let broken = reload(&bus, &TWO.replace("count: 2", "count: ]"));
    assert!(!broken.0, "{}", broken.1);
    let (done, told) = reload(&bus, TWO);
    assert!(done, "{told}");
    bus.publish(vec![one(4)]).await;
    let together = await_count(&mut bus, "together", 1).await;
    assert_eq!(serde_json::from_slice::<Vec<u64>>(&together[0].data).unwrap(), [1, 2, 3, 4]);
}

fn one(number: u64) -> Message {
    Message {
        id: number.to_string(),
        source: "/case".to_owned(),
        r#type: "one".to_owned(),
        subject: "s".to_owned(),
        data_content_type: "application/json".to_owned(),
        data: number.to_string().into_bytes().into(),
        ..Message::default()
    }
}

fn reload(bus: &Served, file: &str) -> (bool, String) {
    fs::write(bus.daemon.path("routes/patterns.yaml"), file).unwrap();
    let run = World::default().run(&["route", "reload", "--admin", &format!("http://{}", bus.daemon.admin)]);
    (run.status.success(), format!("{run:?}"))
}

/// Waits for messages of a type.
async fn await_count(bus: &mut Served, r#type: &str, count: usize) -> Vec<Message> {
    let mut all: Vec<Message> = Vec::new();
    let reading = async {
        while all.len() < count {
            all.extend(bus.next().await.into_iter().filter(|message| message.r#type == r#type));
        }
    };
    timeout(Duration::from_secs(30), reading).await.unwrap_or_else(|_| panic!("fewer than {count} come"));
    all
}
