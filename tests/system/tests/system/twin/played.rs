//! A Python client, all streaming kinds: before the twin it sees what it saw before the back office. And a mainframe's calls.

use passerelle_peers::process::free_address;
use passerelle_peers::python::{Disputes, EXERCISE_EXPECTED, exercise};
use passerelle_system::{Contract, World};
use serde_json::json;
use tonic::Code;

use super::{CONTRACT, Recorder, Twin, before, calls, kept};

const OPEN: &str = "/bank.disputes.v1.CardDisputes/Open";
/// From here on calls are compressed, which no recording holds.
const NOT_RECORDED: &str = "—— compression\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_client_sees_of_the_twin_what_it_saw_of_the_back_office() {
    let Some(disputes) = Disputes::start() else { return };
    let daemon = before(&disputes, |contract| contract);
    let keep =
        ["echo-text", "echo-twice", "echo-data-bin", "trailing-echo-text", "trailing-echo-twice", "trailing-echo-data-bin"];
    let keep: Vec<&str> = keep.iter().flat_map(|key| ["--keep-metadata", key]).collect();
    let mut recorder = Recorder::start(&daemon, CONTRACT, &keep);
    let channels = daemon.channels;
    let Some(run) = tokio::task::spawn_blocking(move || exercise(channels)).await.unwrap() else { return };
    assert_eq!(run.stdout, EXERCISE_EXPECTED);
    recorder.until("has the last call", |text| text.contains("\"given up\"") && text.contains("CardDisputes/Cancelled"));
    let (recording, said) = recorder.end();
    assert!(said.contains("unreadable"), "the compressed call is counted: {said}");
    let calls = calls(&recording);
    let left = calls.iter().find(|call| call["requests"][0]["label"] == "given up").unwrap();
    assert!(
        left.get("status").is_none() && !left["answers"].as_array().unwrap().is_empty(),
        "the caller left this stream: {left}"
    );
    let late = calls.iter().find(|call| call["requests"][0]["label"] == "late").unwrap();
    assert!(late["ended_ms"].as_f64().unwrap() > 400.0, "{late}");

    let (_world, file) = kept(&recording);
    let (expected, _) = EXERCISE_EXPECTED.split_once(NOT_RECORDED).unwrap();
    for (behind_a_bus, speed) in [(false, "fast"), (true, "real")] {
        let twin = Twin::start(&file, &["--speed", speed]);
        let bus = behind_a_bus.then(|| twin.behind_a_bus());
        if let Some(bus) = &bus {
            bus.client().wait_until_known(OPEN).await;
        }
        let address = bus.as_ref().map_or(twin.address, |bus| bus.channels);
        let run = tokio::task::spawn_blocking(move || exercise(address)).await.unwrap().unwrap();
        let seen = run.stdout.split_once(NOT_RECORDED).map(|(seen, _)| seen);
        assert_eq!(seen, Some(expected), "{run:?}");
    }
}

#[tokio::test]
async fn a_recorded_mainframe_answers_without_a_mainframe() {
    let double = World::start(&["double", &sample("double.yaml"), "--listen", "127.0.0.1:0"]);
    let address = double.line_after("ready: ");
    let mut world = World::default();
    for file in ["ACCTINQ.cpy", "accounts.lock.yaml"] {
        world = world.copy(sample(file).as_ref(), &format!("accounts/{file}"));
    }
    let mainframe = std::fs::read_to_string(sample("mainframe.yaml")).unwrap().replace("127.0.0.1:24711", &address);
    let daemon = world
        .file("accounts/mainframe.yaml", &mainframe)
        .settings("endpoints:\n  accounts: { adapter: mainframe, file: accounts/mainframe.yaml }\n")
        .serve();
    let contract = Contract::compile(sample("bank/accounts/v1/account_inquiry.proto").as_ref());
    let ask = |customer: &str| contract.encode("bank.accounts.v1.InquireAccountsRequest", &json!({ "customerId": customer }));
    let inquire = "/bank.accounts.v1.AccountInquiry/InquireAccounts";
    let customers = ["0000004711", "0000004712", "0000000001", "0000004799"];

    let recorder = Recorder::start(&daemon, "bank.accounts.v1", &["--calls", "4"]);
    let mut seen = Vec::new();
    for customer in customers {
        seen.push(daemon.client().call(inquire, ask(customer)).await);
    }
    assert_eq!(recorder.process.line_after("recording.jsonl: "), "4 calls");
    let twin = Twin::start(&recorder.file(), &[]);
    drop((daemon, double));
    let bus = twin.behind_a_bus();
    bus.client().wait_until_known(inquire).await;
    for (customer, seen) in customers.into_iter().zip(seen) {
        let again = bus.client().call(inquire, ask(customer)).await;
        match (seen, again) {
            (Ok(seen), Ok(again)) => assert_eq!(seen, again, "{customer}"),
            (Err(seen), Err(again)) => assert_eq!((seen.code(), seen.message()), (again.code(), again.message()), "{customer}"),
            (seen, again) => panic!("{customer}: {seen:?}, then {again:?}"),
        }
    }
    let status = bus.client().call(inquire, ask("0000004713")).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert!(status.message().ends_with("recording.jsonl:2, differs in customer_id"), "{status:?}");
}

#[test]
fn what_cannot_be_recorded_or_played_is_told_before_anything_is_written() {
    let daemon = World::default().settings("").serve();
    let admin = format!("http://{}", daemon.admin);
    let record =
        |arguments: &[&str]| World::default().run(&[&["record", "--admin", &admin, "--to", "x.jsonl"], arguments].concat());
    let unknown = record(&["no.such"]);
    assert_eq!(unknown.status.code(), Some(1), "{unknown:?}");
    assert!(unknown.stderr.contains("no.such"), "{unknown:?}");
    assert_eq!(record(&["no.such", "--for", "soon"]).status.code(), Some(2));
    let nobody = format!("http://{}", free_address());
    let unreached = World::default().run(&["record", "a", "--to", "x.jsonl", "--admin", &nobody]);
    assert!(unreached.stderr.contains("P0012"), "{unreached:?}");
    let (world, _) = kept("{\"no\": \"recording\"}\n");
    let refused = world.run(&["twin", "kept.jsonl"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(refused.stderr.contains("kept.jsonl:1: this is no recording"), "{refused:?}");
}

fn sample(file: &str) -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/sample/accounts");
    root.join(file).canonicalize().unwrap().to_str().unwrap().to_owned()
}
