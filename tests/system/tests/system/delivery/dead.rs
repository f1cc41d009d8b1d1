//! What is given up is looked at, sent again, or put away; what is asked wrongly says so.

use passerelle_peers::Run;
use passerelle_proto::bus::v1::ConsumeRequest;
use passerelle_system::{Daemon, World};
use tonic::Code;

use super::consumer::Consumer;
use super::{numbered, publish};

const SETTINGS: &str = "
deliveries:
  crm:
    filter: { types: ['shop.*'] }
    retry: { attempts: 3, first_wait_ms: 10, longest_wait_ms: 20 }
";

fn operator(daemon: &Daemon, arguments: &[&str]) -> Run {
    let admin = format!("http://{}", daemon.admin);
    World::default().run(&[arguments, &["--admin", &admin]].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_looked_at_and_sent_again() {
    let daemon = World::default().settings(SETTINGS).serve();
    publish(&daemon, (0..4).map(|number| numbered(number, 4))).await;
    let mut consumer = Consumer::join(&daemon.address(), "crm", 1).await.unwrap();
    let rejected = consumer.one().await;
    consumer.reject(rejected.tag, "no such basket");
    let mut taken = Vec::new();
    let mut failures = 0;
    while taken.len() < 2 || failures < 3 {
        let consumed = consumer.one().await;
        let id = consumed.message.unwrap().id;
        if id == "3" {
            failures += 1;
            assert_eq!(consumed.attempt, failures);
            consumer.retry(consumed.tag, "the shelf is locked");
        } else {
            taken.push(id);
            consumer.done(vec![consumed.tag]);
        }
    }

    let rejected = rejected.message.unwrap();
    let list = loop {
        let list = operator(&daemon, &["dead", "list"]);
        if list.stdout.lines().count() == 3 {
            break list.stdout;
        }
    };
    let line = |id: &str| list.lines().find(|line| line.starts_with(id)).unwrap().to_owned();
    assert!(line("crm/4.0").contains("exhausted  3         shop.ordered           the shelf is locked"), "{list}");
    assert!(line("crm/1.0").contains("rejected   1         shop.ordered           no such basket"), "{list}");
    assert!(!list.contains("customer-"), "a list has no personal data: {list}");

    let shown = operator(&daemon, &["dead", "show", "crm/1.0"]).stdout;
    assert!(shown.contains("waits for somebody to look at it") && shown.contains("attempt 1  no such basket"), "{shown}");
    assert!(!shown.contains("customer-"), "{shown}");
    assert!(operator(&daemon, &["dead", "show", "crm/1.0", "--show-data"]).stdout.contains(&rejected.customer));

    assert_eq!(operator(&daemon, &["dead", "replay", "crm/1.0"]).stdout, "crm/1.0 is sent again\n");
    let again = consumer.one().await;
    assert_eq!(again.message.unwrap().id, rejected.id, "the same message with the same id");
    let twice = operator(&daemon, &["dead", "replay", "crm/1.0"]);
    assert_eq!(twice.status.code(), Some(1));
    assert!(twice.stderr.contains("it is being sent again; wait for what comes of it"), "{twice:?}");
    consumer.done(vec![again.tag]);
    while !operator(&daemon, &["dead", "list", "--status", "recovered"]).stdout.contains("crm/1.0") {}

    let discard = ["dead", "discard", "crm/4.0", "--why", "ordered twice"];
    assert_eq!(operator(&daemon, &discard).stdout, "crm/4.0 is discarded\n");
    assert_eq!(operator(&daemon, &["dead", "replay", "--all"]).stdout, "nothing waits\n");
    let unknown = operator(&daemon, &["dead", "show", "crm/9.9"]);
    assert!(unknown.stderr.contains("there is no such dead letter; `passerelle dead list` shows those there are"), "{unknown:?}");

    let lanes = operator(&daemon, &["lanes"]).stdout;
    let cells: Vec<&str> = lanes.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(cells, ["crm", "consumers", "1", "consumer", "0", "0", "0", "0", "-", "3", "-", "0", "4", "2"], "{lanes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_asks_wrongly_is_told_what_is_wrong() {
    let daemon = World::default().settings(SETTINGS).serve();
    let unknown = Consumer::join(&daemon.address(), "mail", 1).await;
    let status = unknown.err().expect("there is no such delivery");
    assert_eq!((status.code(), status.message()), (Code::NotFound, "delivery: this bus has none of that name; there are crm"));

    let mut wrong_tag = Consumer::join(&daemon.address(), "crm", 1).await.unwrap();
    wrong_tag.done(vec![7]);
    let status = wrong_tag.next().await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(status.message(), "tag 7: no message of this stream has it, or it was settled already");

    let mut greedy = Consumer::join(&daemon.address(), "crm", 10_000).await.unwrap();
    greedy.say(ConsumeRequest { credit: 1, ..ConsumeRequest::default() });
    let status = greedy.next().await.unwrap_err();
    assert_eq!(status.message(), "credit: 10001 would be unused, at most 10000 may be");
}

#[test]
fn settings_that_make_no_sense_are_refused_with_their_place() {
    let settings = "deliveries:\n  crm:\n    filter: { types: ['a*b'] }\n";
    let refused = World::default().file("passerelle.yaml", settings).run(&["check"]);
    assert!(!refused.status.success());
    let place = "passerelle.yaml:3:5: deliveries.crm.filter: filter.types: value 0 has a `*` that is not at its end";
    assert!(refused.stderr.contains(place), "{refused:?}");
}

#[test]
fn a_program_takes_messages_and_says_what_became_of_them() {
    let daemon = World::default().settings(SETTINGS).serve();
    let line = |id: &str| format!("{{\"id\":\"{id}\",\"source\":\"/s\",\"type\":\"shop.ordered\",\"data\":\"{id}\"}}\n");
    let lines = ["good", "bad", "slow"].map(line).concat();
    let published = World::default().run_with(&["publish", "--address", &daemon.address()], &lines);
    assert!(published.status.success(), "{published:?}");
    let script = "#!/bin/sh\nread line\necho \"$PASSERELLE_ATTEMPT $line\" >> taken\ncase \"$line\" in *bad*) exit 100;; *slow*) [ \"$PASSERELLE_ATTEMPT\" = 2 ];; esac\n";
    let world = World::default().file("to-crm", script);
    let program = world.path("to-crm");
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let consume = ["consume", "crm", "--exec", program.to_str().unwrap(), "--count", "4", "--address", &daemon.address()];
    let consumed = world.run(&consume);
    assert!(consumed.status.success(), "{consumed:?}");
    let taken = std::fs::read_to_string(world.path("taken")).unwrap();
    let attempts: Vec<_> = taken.lines().map(|line| (&line[..1], line.split('"').nth(7).unwrap())).collect();
    assert_eq!(attempts.len(), 4, "{taken}");
    assert!(attempts.contains(&("2", "slow")) && attempts.contains(&("1", "bad")), "{taken}");
    let list = operator(&daemon, &["dead", "list"]).stdout;
    assert!(list.contains("to-crm refused it"), "{list}");
}
