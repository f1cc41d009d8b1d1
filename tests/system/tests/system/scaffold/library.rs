//! The Python library beyond what the sample needs: streams both ways, failures, settings, and a bus that does what it must not.

use std::fs;
use std::time::Duration;

use passerelle_peers::scaffold;
use passerelle_proto::adapter::v1::call_request::What as Said;
use passerelle_proto::adapter::v1::health_response::State;
use passerelle_proto::adapter::v1::{CallRequest, End, HealthRequest, LookupRequest, Start, lookup_response};
use passerelle_system::World;
use prost::Message;
use tonic::{Code, Status};

use super::begun;
use super::port::{Adapter, begin, program};

/// `Number` of the probe.
#[derive(Clone, PartialEq, Message)]
struct Number {
    #[prost(int64, tag = "1")]
    value: i64,
    #[prost(bytes = "vec", tag = "2")]
    ballast: Vec<u8>,
}

fn number(value: i64) -> Number {
    Number { value, ballast: Vec::new() }
}

fn values(messages: &[Vec<u8>]) -> Vec<i64> {
    messages.iter().map(|message| Number::decode(message.as_slice()).unwrap().value).collect()
}

/// The probe in the place of the sample, without settings.
async fn probe() -> Option<(World, Adapter)> {
    let python = scaffold::python()?;
    let (world, folder) = begun("python");
    fs::write(folder.join("adapter.py"), include_str!("probe/probe.py")).unwrap();
    fs::create_dir_all(folder.join("proto/probe/v1")).unwrap();
    fs::write(folder.join("proto/probe/v1/probe.proto"), include_str!("probe/probe.proto")).unwrap();
    let adapter = Adapter::start(program(&folder, &python).env("PROBE_PASSWORD", "hunter2")).await;
    Some((world, adapter))
}

async fn configured(name: &str) -> Option<(World, Adapter)> {
    let (world, adapter) = probe().await?;
    adapter.configure(&format!(r#"{{"name": "{name}"}}"#)).await.unwrap();
    Some((world, adapter))
}

fn method(name: &str) -> String {
    format!("probe.v1.Probe/{name}")
}

/// A call that begins without a message.
fn bare(name: &str) -> Start {
    Start { method: method(name), credits: 100, ..Start::default() }
}

#[tokio::test]
async fn streams_go_both_ways_in_threads_and_on_the_loop() {
    let Some((_world, adapter)) = configured("x").await else { return };
    for name in ["Add", "AddAsync"] {
        let talk = adapter.call(begin(&method(name), &number(1)));
        talk.message(&number(2));
        let mut talk = talk;
        // The two first credits are used; each message that is taken gives another one.
        for value in 3..=50 {
            while !matches!(talk.next().await.unwrap(), Some(passerelle_proto::adapter::v1::call_response::What::Credit(_))) {}
            talk.message(&number(value));
        }
        assert_eq!(talk.finish().end().await.one::<Number>().value, 50 * 51 / 2, "{name}");
        assert_eq!(adapter.call(bare(name)).finish().end().await.one::<Number>().value, 0, "{name} of nothing");
    }
    for name in ["Echo", "EchoAsync"] {
        let mut talk = adapter.call(begin(&method(name), &number(1)));
        for value in 2..=20 {
            assert_eq!(values(&[talk.next_message().await]), [value - 1], "{name}");
            talk.message(&number(value));
        }
        let rest = talk.finish().end().await;
        assert_eq!((values(&rest.messages), rest.class()), (vec![20], ""), "{name}");
    }
    assert_eq!(adapter.ask(&method("Health"), "", &number(7)).await.one::<Number>().value, 7);
}

#[tokio::test]
async fn a_request_ends_with_a_word_and_credit_goes_on() {
    let Some((_world, adapter)) = configured("x").await else { return };
    let mut talk = adapter.call(Start { credits: 1, ..begin(&method("Count"), &number(2)) });
    talk.say(Said::End(End {}));
    assert_eq!(values(&[talk.next_message().await]), [0]);
    assert!(talk.is_quiet().await, "there is no credit");
    talk.credit(1);
    assert_eq!(values(&[talk.next_message().await]), [1]);
    // One that takes a stream sees its end.
    let talk = adapter.call(begin(&method("Add"), &number(1)));
    talk.message(&number(2));
    talk.say(Said::End(End {}));
    assert_eq!(talk.end().await.one::<Number>().value, 3);
}

#[tokio::test]
async fn what_it_receives_is_handed_over_as_the_kit_wants_it() {
    let Some(python) = scaffold::python() else { return };
    let Some((world, _adapter)) = probe().await else { return };
    let subject = "command: [env, PYTHON=PROGRAM, ./run, \"{endpoint}\"]\nsettings: { name: x }\nreceive: { method: probe.v1.Probe/Arrive, request: { value: 1 } }\n";
    let folder = world.path("ledger");
    fs::write(folder.join("receive.yaml"), subject.replace("PROGRAM", &python.display().to_string())).unwrap();
    let report = folder.join("report.json");
    let file = folder.join("receive.yaml");
    // Other laws break on what the probe does wrong; of those of receiving each must hold.
    let run = world.run(&["conformance", "--subject", &file.display().to_string(), "--json", &report.display().to_string()]);
    let report = fs::read_to_string(&report).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let laws = report["laws"].as_array().unwrap().iter();
    let receive: Vec<_> = laws.filter(|law| law["id"].as_str().unwrap().starts_with("receive.")).collect();
    assert_eq!(receive.len(), 7);
    let kept = receive.iter().filter(|law| law["outcome"] == "kept").count();
    // That it refuses where it does not declare it is the only one that is not asked.
    assert_eq!(kept, 6, "{receive:#?}");
}

#[tokio::test]
async fn a_stream_that_nobody_reads_gives_its_thread_back() {
    let Some((_world, adapter)) = configured("x").await else { return };
    for _ in 0..6 {
        let endless = Start { credits: 1, ..begin(&method("Count"), &number(1 << 40)) };
        let mut talk = adapter.call(endless);
        talk.next_message().await;
    }
    let many = async {
        loop {
            let ended = adapter.ask(&method("Count"), "", &number(90)).await;
            if ended.class() != "THROTTLED" {
                return ended;
            }
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(10), many).await.expect("places come back");
    assert_eq!((ended.messages.len(), ended.class()), (90, ""));
}

#[tokio::test]
async fn a_bus_that_does_what_it_must_not_is_cut_off() {
    let Some((_world, adapter)) = configured("x").await else { return };
    let overrun = adapter.call(begin(&method("Sleep"), &number(5_000)));
    (0..5).for_each(|_| overrun.message(&number(1)));
    assert_eq!(overrun.cut_off().await, Code::ResourceExhausted);
    let no_start = adapter.talk(Duration::ZERO);
    no_start.message(&number(1));
    assert_eq!(no_start.cut_off().await, Code::InvalidArgument);
    assert_eq!(adapter.talk(Duration::ZERO).finish().cut_off().await, Code::InvalidArgument);
    let second_start = adapter.call(begin(&method("Sleep"), &number(5_000)));
    second_start.say(Said::Start(begin(&method("Sleep"), &number(5_000))));
    assert_eq!(second_start.cut_off().await, Code::InvalidArgument);
    let no_credit = adapter.call(Start { credits: 0, ..begin(&method("Sleep"), &number(1)) });
    assert_eq!(no_credit.cut_off().await, Code::InvalidArgument);
    let empty_credit = adapter.call(begin(&method("Sleep"), &number(5_000)));
    empty_credit.credit(0);
    assert_eq!(empty_credit.cut_off().await, Code::InvalidArgument);
    assert_eq!(adapter.ask(&method("Sleep"), "", &number(1)).await.class(), "");
    assert!(!adapter.log().contains("Traceback"), "{}", adapter.log());
}

#[tokio::test]
async fn what_a_newer_bus_says_is_passed_over() {
    let Some((_world, adapter)) = configured("x").await else { return };
    let start = CallRequest { what: Some(Said::Start(begin(&method("Sleep"), &number(100)))) };
    let unknown = CallRequest { what: None };
    let answer = adapter.client.clone().call(tokio_stream::iter([start, unknown])).await.unwrap().into_inner();
    let told: Vec<_> = tokio_stream::StreamExt::collect(answer).await;
    assert_eq!(told.len(), 2, "{told:?}");
}

#[tokio::test]
async fn wrong_requests_are_invalid() {
    let Some((_world, adapter)) = configured("x").await else { return };
    assert_eq!(adapter.call(bare("Sleep")).finish().end().await.class(), "INVALID", "no message");
    let garbage = Start { message: Some(vec![0xff; 9].into()), ..bare("Sleep") };
    assert_eq!(adapter.call(garbage).end().await.class(), "INVALID");
    let talk = adapter.call(bare("Add"));
    talk.say(Said::Message(vec![0xff; 9].into()));
    assert_eq!(talk.end().await.class(), "INVALID");
    let long = Number { value: 0, ballast: vec![0; 5_000] };
    assert_eq!(adapter.ask(&method("Sleep"), "", &long).await.class(), "INVALID");
    assert_eq!(adapter.ask(&method("Large"), "", &number(5_000)).await.class(), "INVALID", "an answer that is too long");
}

#[tokio::test]
async fn more_calls_than_it_bears_are_throttled() {
    let Some((_world, adapter)) = configured("x").await else { return };
    let mut held: Vec<_> = (0..3).map(|_| adapter.call(Start { credits: 1, ..begin(&method("Count"), &number(9)) })).collect();
    for talk in &mut held {
        talk.next_message().await;
    }
    let ended = adapter.ask(&method("Health"), "", &number(1)).await;
    assert_eq!(ended.class(), "THROTTLED", "{ended:?}");
    held.iter().for_each(|talk| talk.credit(9));
    for talk in held {
        assert_eq!(talk.end().await.messages.len(), 8);
    }
    assert_eq!(adapter.ask(&method("Health"), "", &number(1)).await.class(), "");
}

#[tokio::test]
async fn failures_of_its_own_are_unknown_and_keep_their_words_to_themselves() {
    let Some((_world, adapter)) = configured("failing").await else { return };
    let failed = adapter.ask(&method("Fail"), "k", &number(1)).await;
    assert_eq!(failed.class(), "UNKNOWN");
    assert!(failed.words().contains("OSError"), "{}", failed.words());
    let wrong = adapter.ask(&method("Wrong"), "k", &number(1)).await;
    assert_eq!(wrong.class(), "UNKNOWN");
    let health = adapter.client.clone().health(HealthRequest {}).await.unwrap().into_inner();
    assert_eq!(health.state(), State::Down);
    let lookup = LookupRequest { idempotency_key: "k".to_owned() };
    let lookup = adapter.client.clone().lookup(lookup).await.unwrap().into_inner().what.unwrap();
    let lookup_response::What::Fault(fault) = lookup else { panic!("it failed to look") };
    let words = format!("{}{}{}{}{}", failed.words(), wrong.words(), health.reason, fault.message, adapter.log());
    assert!(!words.contains("hunter2"), "{words}");
    assert!(adapter.log().contains("OSError at adapter.py:"), "{}", adapter.log());
}

#[tokio::test]
async fn health_does_not_wait_for_the_system_behind() {
    let Some((_world, adapter)) = configured("stuck").await else { return };
    let mut client = adapter.client.clone();
    let health = client.health(HealthRequest {});
    let health =
        tokio::time::timeout(Duration::from_millis(1_500), health).await.expect("an answer in time").unwrap().into_inner();
    assert_eq!(health.state(), State::Down);
    assert!(health.reason.contains("nothing within 0.9 s"), "{}", health.reason);
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_named_and_better_ones_are_taken() {
    let Some((_world, adapter)) = probe().await else { return };
    assert_eq!(adapter.ask(&method("Health"), "", &number(1)).await.class(), "UNAVAILABLE", "it has no settings yet");
    let refused = async |settings: &str| -> Status { adapter.configure(settings).await.unwrap_err() };
    for (settings, words) in [
        ("{", "line 1, column 2"),
        ("[]", "no JSON object"),
        ("{}", "`name` is missing"),
        (r#"{"name": 7}"#, "`name` is no string"),
        (r#"{"name": "x", "size": true}"#, "`size` is no integer"),
        (r#"{"name": "x", "size": 1.5}"#, "`size` is no integer"),
        (r#"{"name": "x", "loud": "yes"}"#, "`loud` is no boolean"),
        (r#"{"name": "x", "colour": "red"}"#, "unknown setting `colour` (there are: name, size, share, loud, password)"),
        (r#"{"name": "x", "password": "hunter2"}"#, "`password` names a secret as env:NAME or file:PATH"),
        (r#"{"name": "x", "password": "env:NOT_THERE"}"#, "the secret env:NOT_THERE is not there"),
        (r#"{"name": "bad"}"#, "`name` must not be bad"),
    ] {
        let status = refused(settings).await;
        assert_eq!(status.code(), Code::InvalidArgument, "{settings}: {status:?}");
        assert!(status.message().contains(words) && !status.message().contains("hunter2"), "{settings}: {}", status.message());
    }
    let deep = refused(&"[".repeat(200_000)).await;
    assert_eq!(deep.code(), Code::InvalidArgument, "{deep:?}");
    let broken = refused(r#"{"name": "broken"}"#).await;
    assert_eq!(broken.code(), Code::Internal, "{broken:?}");
    adapter.configure(r#"{"name": "half", "size": 2, "share": 1, "password": "env:PROBE_PASSWORD"}"#).await.unwrap();
    let health = adapter.client.clone().health(HealthRequest {}).await.unwrap().into_inner();
    assert_eq!((health.state(), health.reason.as_str()), (State::Degraded, "half of it"));
    // The same, written otherwise.
    adapter.configure(r#"{"size":2, "name":"half", "password":"env:PROBE_PASSWORD", "share": 1}"#).await.unwrap();
    assert!(!adapter.log().contains("hunter2"), "{}", adapter.log());
}
