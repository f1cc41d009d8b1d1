//! The sample in each language, served and called over the port.

use std::process::Command;
use std::time::{Duration, Instant};

use passerelle_peers::scaffold;
use passerelle_proto::adapter::v1::health_response::State;
use passerelle_proto::adapter::v1::lookup_response::What as Found;
use passerelle_proto::adapter::v1::{DescribeRequest, DrainRequest, HealthRequest, LookupRequest, OpenRequest};
use passerelle_system::World;
use prost::Message;
use tonic::Code;

use super::port::{Adapter, begin, program};
use super::{Account, AwaitRequest, Balance, Posting, account, begun, posting, rust};

const POST: &str = "acme.ledger.v1.Ledger/Post";
const BALANCE: &str = "acme.ledger.v1.Ledger/Balance";
const LIST: &str = "acme.ledger.v1.Ledger/List";
const AWAIT: &str = "acme.ledger.v1.Ledger/Await";
const SETTINGS: &str = r#"{"database": "ledger.db"}"#;

/// How the sample in one language is started; its folder lives as long as the world.
struct Sample {
    world: World,
    command: Box<dyn Fn() -> Command>,
}

/// The sample in each language.
fn samples() -> Vec<Sample> {
    let python = scaffold::python().map(|python| {
        let (world, folder) = begun("python");
        Sample { world, command: Box::new(move || program(&folder, &python)) }
    });
    let (world, program) = (World::default(), rust::built().program);
    let folder = world.path("");
    let command = move || {
        // Not `current_dir`: whoever starts it says that.
        let mut command = Command::new("env");
        command.arg("-C").arg(&folder).arg(&program);
        command
    };
    python.into_iter().chain([Sample { world, command: Box::new(command) }]).collect()
}

/// The sample in each language, configured.
async fn ledgers() -> Vec<(World, Adapter)> {
    let mut ledgers = Vec::new();
    for sample in samples() {
        let adapter = Adapter::start(&mut (sample.command)()).await;
        adapter.configure(SETTINGS).await.unwrap();
        ledgers.push((sample.world, adapter));
    }
    ledgers
}

async fn balance(adapter: &Adapter) -> Balance {
    adapter.ask(BALANCE, "", &account("tests")).await.one()
}

/// A call that takes ten seconds unless it is ended.
fn slow() -> AwaitRequest {
    AwaitRequest { account: "tests".to_owned(), postings: 1_000, wait_ms: 10_000 }
}

#[tokio::test]
async fn it_says_what_it_is_and_what_it_speaks() {
    for (_world, adapter) in ledgers().await {
        let mut client = adapter.client.clone();
        let describe = |versions: &[u32]| DescribeRequest { versions: versions.to_vec(), bus: "tests".to_owned() };
        let described = client.describe(describe(&[7, 1])).await.unwrap().into_inner();
        assert_eq!((described.version, described.kind.as_str(), described.release.as_str()), (1, "acme/ledger", "0.1.0"));
        let schema: serde_json::Value = serde_json::from_str(&described.settings_schema).unwrap();
        assert_eq!(schema["required"], serde_json::json!(["database"]));
        for versions in [&[][..], &[2]] {
            let status = client.describe(describe(versions)).await.unwrap_err();
            assert_eq!(status.code(), Code::FailedPrecondition);
            assert!(status.message().contains("this adapter speaks"), "{status:?}");
        }
        let speaks = adapter.configure(SETTINGS).await.unwrap();
        assert_eq!(speaks.contracts.len(), 1);
        assert_eq!((speaks.contracts[0].name.as_str(), speaks.contracts[0].files.len()), ("acme.ledger.v1", 1));
        assert!(speaks.idempotent.contains(&BALANCE.to_owned()) && !speaks.idempotent.contains(&POST.to_owned()));
        assert_eq!(speaks.behind, ["sqlite ledger.db"]);
        assert_eq!(speaks.abilities.map(|abilities| (abilities.lookup, abilities.receive)), Some((true, false)));
        assert_eq!(client.health(HealthRequest {}).await.unwrap().into_inner().state(), State::Ready);
        let opened = client.open(tokio_stream::once(OpenRequest::default())).await;
        assert_eq!(opened.map(drop).unwrap_err().code(), Code::Unimplemented);
    }
}

#[tokio::test]
async fn other_settings_are_for_another_process() {
    for (_world, adapter) in ledgers().await {
        adapter.configure(SETTINGS).await.unwrap();
        let status = adapter.configure(r#"{"database": "other.db"}"#).await.unwrap_err();
        assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
    }
}

#[tokio::test]
async fn one_key_is_one_effect_and_one_answer() {
    for (_world, adapter) in ledgers().await {
        let first: Posting = adapter.ask(POST, "k-1", &posting(100)).await.one();
        assert_eq!(adapter.ask(POST, "k-1", &posting(100)).await.one::<Posting>(), first);
        let other = adapter.ask(POST, "k-1", &posting(200)).await;
        assert_eq!(other.class(), "INVALID", "{other:?}");
        assert_eq!(balance(&adapter).await, Balance { cents: 100, postings: 1 });
        // At once, on eight streams.
        let (seven, adapter) = (posting(7), &adapter);
        let answers = futures_util::future::join_all((0..8).map(|_| adapter.ask(POST, "k-2", &seven))).await;
        let answers: Vec<Posting> = answers.iter().map(super::port::Ended::one).collect();
        assert!(answers.windows(2).all(|two| two[0] == two[1]));
        assert_eq!(balance(adapter).await, Balance { cents: 107, postings: 2 });
        let long = adapter.ask(POST, &"k".repeat(257), &posting(1)).await;
        assert_eq!(long.class(), "INVALID");
        adapter.ask(POST, "", &posting(1)).await.one::<Posting>();
        adapter.ask(POST, "", &posting(1)).await.one::<Posting>();
        assert_eq!(balance(adapter).await, Balance { cents: 109, postings: 4 });
    }
}

#[tokio::test]
async fn what_became_of_an_operation_is_known_after_a_crash() {
    for Sample { world: _world, command } in samples() {
        let adapter = Adapter::start(&mut command()).await;
        adapter.configure(SETTINGS).await.unwrap();
        let first: Posting = adapter.ask(POST, "k-1", &posting(100)).await.one();
        drop(adapter); // SIGKILL
        let adapter = Adapter::start(&mut command()).await;
        let lookup = async |key: &str| {
            let request = LookupRequest { idempotency_key: key.to_owned() };
            adapter.client.clone().lookup(request).await.unwrap().into_inner().what.unwrap()
        };
        assert!(matches!(lookup("k-1").await, Found::Fault(_)), "it has no settings yet");
        adapter.configure(SETTINGS).await.unwrap();
        let found = lookup("k-1").await;
        let Found::Done(answer) = found else { panic!("it was done: {found:?}") };
        assert_eq!(Posting::decode(answer).unwrap(), first);
        assert!(matches!(lookup("k-2").await, Found::NotDone(_)));
        assert!(matches!(lookup("").await, Found::Fault(_)));
    }
}

#[tokio::test]
async fn a_stream_goes_on_credit_by_credit() {
    for (_world, adapter) in ledgers().await {
        let sample = account("sample");
        let whole = adapter.ask(LIST, "", &sample).await;
        assert_eq!((whole.messages.len(), whole.class()), (5, ""));
        let mut talk = adapter.call(passerelle_proto::adapter::v1::Start { credits: 2, ..begin(LIST, &sample) });
        let mut came = vec![talk.next_message().await, talk.next_message().await];
        assert!(talk.is_quiet().await, "a third message came without credit");
        talk.credit(1);
        came.push(talk.next_message().await);
        assert!(talk.is_quiet().await, "a fourth message came without credit");
        talk.credit(u32::MAX);
        talk.credit(u32::MAX);
        came.extend(talk.end().await.messages);
        assert_eq!(came, whole.messages);
    }
}

#[tokio::test]
async fn a_deadline_is_kept_and_cancelled_calls_leave_nothing() {
    for (_world, adapter) in ledgers().await {
        let begun = Instant::now();
        let late = adapter.call_within(begin(AWAIT, &slow()), Duration::from_millis(300)).end().await;
        assert_eq!(late.class(), "DEADLINE_EXCEEDED", "{late:?}");
        let took = begun.elapsed();
        assert!(took > Duration::from_millis(250) && took < Duration::from_millis(800), "{took:?}");
        // More than it takes at the same time, four times.
        for _ in 0..4 {
            let left: Vec<_> = (0..32).map(|_| adapter.call(begin(AWAIT, &slow()))).collect();
            let quick = adapter.ask(BALANCE, "", &account("tests")).await;
            assert!(["", "THROTTLED"].contains(&quick.class()), "{quick:?}");
            drop(left);
        }
        let again = async {
            while adapter.ask(BALANCE, "", &account("tests")).await.class() == "THROTTLED" {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), again).await.expect("cancelled calls give their places back");
    }
}

#[tokio::test]
async fn a_drain_ends_what_is_in_flight_and_takes_nothing_more() {
    for (_world, mut adapter) in ledgers().await {
        let mut client = adapter.client.clone();
        let short = AwaitRequest { wait_ms: 600, ..slow() };
        let (ending, stuck) = (adapter.call(begin(AWAIT, &short)), adapter.call(begin(AWAIT, &slow())));
        adapter.ask(BALANCE, "", &account("tests")).await.one::<Balance>(); // both before it are taken
        let grace = prost_types::Duration { seconds: 1, nanos: 0 };
        let drained = client.drain(DrainRequest { grace: Some(grace) }).await.unwrap().into_inner();
        assert_eq!(drained.cut_off, 1);
        assert_eq!(ending.end().await.class(), "");
        let cut_off = stuck.end().await;
        assert_eq!(cut_off.class(), "UNKNOWN", "{cut_off:?}");
        assert_eq!(adapter.ask(BALANCE, "", &account("tests")).await.class(), "UNAVAILABLE");
        assert_eq!(client.health(HealthRequest {}).await.unwrap().into_inner().state(), State::Down);
        let again = client.drain(DrainRequest::default()).await.unwrap().into_inner();
        assert_eq!(again.cut_off, 0);
        adapter.terminate();
        assert!(adapter.wait().success(), "{}", adapter.log());
    }
}

#[tokio::test]
async fn sigterm_lets_a_call_end() {
    for (_world, mut adapter) in ledgers().await {
        let short = AwaitRequest { wait_ms: 600, ..slow() };
        let mut ending = adapter.call(begin(AWAIT, &short));
        adapter.ask(BALANCE, "", &account("tests")).await.one::<Balance>();
        adapter.terminate();
        let answer = ending.next_message().await;
        assert_eq!(Balance::decode(answer.as_slice()).unwrap().postings, 0);
        assert_eq!(ending.end().await.class(), "");
        assert!(adapter.wait().success(), "{}", adapter.log());
    }
}

#[tokio::test]
async fn refusals_have_their_class_and_tell_no_values() {
    for (_world, adapter) in ledgers().await {
        let none = adapter.ask("acme.ledger.v1.Ledger/Read", "", &Balance { cents: 999, postings: 0 }).await;
        assert_eq!(none.class(), "NOT_FOUND");
        assert_eq!(adapter.ask(POST, "", &posting(0)).await.class(), "INVALID");
        for method in ["acme.ledger.v1.Ledger/post", "/acme.ledger.v1.Ledger/Post", "Post", ""] {
            assert_eq!(adapter.ask(method, "", &posting(1)).await.class(), "UNIMPLEMENTED", "{method}");
        }
        let long = Account { account: "secret".repeat(800_000) };
        let long = adapter.ask(BALANCE, "", &long).await;
        assert_eq!(long.class(), "INVALID");
        assert!(long.words().contains("4194304") && !long.words().contains("secret"), "{}", long.words());
    }
}
