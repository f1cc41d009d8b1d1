//! From nothing to a green kit, as an integrator goes: begun, installed, held against the laws.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::Bytes;
use passerelle_peers::{Run, scaffold};
use passerelle_system::{World, passerelle};
use prost::Message;
use serde_json::Value;
use tonic::Request;

use super::{Balance, Posting, account, begun, posting, rust};

const BALANCE: &str = "/acme.ledger.v1.Ledger/Balance";
const POST: &str = "/acme.ledger.v1.Ledger/Post";
const LIST: &str = "/acme.ledger.v1.Ledger/List";

/// `./run kit`, with `passerelle` on the PATH, and the report of it.
fn kit(folder: &Path, environment: &[(&str, PathBuf)]) -> Value {
    let path = env::var_os("PATH").unwrap_or_default();
    let path = [passerelle().parent().unwrap().to_owned()].into_iter().chain(env::split_paths(&path));
    let mut command = Command::new(folder.join("run"));
    command.args(["kit", "--json", "report.json"]).envs(environment.iter().cloned()).env("PATH", env::join_paths(path).unwrap());
    let run = Run::of(&mut command);
    assert!(run.status.success(), "{}{}", run.stdout, run.stderr);
    assert!(folder.join("conformance.xml").exists());
    serde_json::from_str(&fs::read_to_string(folder.join("report.json")).unwrap()).unwrap()
}

/// What is asked for where a law is not proven: the sample has a file behind it, and a machine may be without libfaketime.
const NOT_GIVEN: [&str; 2] = ["give the address of the system behind", "install libfaketime"];

#[test]
fn an_adapter_in_python_keeps_every_law_that_can_be_asked_of_it() {
    let Some(python) = scaffold::python() else { return };
    let (_world, folder) = begun("python");
    keeps_all(&kit(&folder, &[("PYTHON", python)]));
}

#[test]
fn an_adapter_in_rust_keeps_every_law_that_can_be_asked_of_it() {
    let built = rust::built();
    keeps_all(&kit(&built.folder, &built.environment));
}

#[tokio::test]
async fn a_bus_starts_an_adapter_in_python() {
    let Some(python) = scaffold::python() else { return };
    let (world, folder) = begun("python");
    starts_and_has_effects_once(world, &folder, &[("PYTHON", python)]).await;
}

#[tokio::test]
async fn a_bus_starts_an_adapter_in_rust() {
    let built = rust::built();
    starts_and_has_effects_once(World::default(), &built.folder, &built.environment).await;
}

/// A bus with the settings that lie in the folder starts the adapter; an effect under a key happens once.
async fn starts_and_has_effects_once(world: World, folder: &Path, environment: &[(&str, PathBuf)]) {
    let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
    // With what the tests have installed and built already, and a database of the world's.
    let environment: Vec<String> = environment.iter().map(|(name, value)| format!("{name}={}", value.display())).collect();
    let run = format!("[env, {}, {}]", environment.join(", "), folder.join("run").display());
    let database = world.path("tests.db").display().to_string();
    let file = read("adapter.yaml").replace("[./run]", &run).replace("ledger.db", &database);
    let daemon = world.file("adapter.yaml", &file).settings(&read("passerelle.yaml")).serve();
    let client = daemon.client();
    client.wait_until_known(BALANCE).await;

    let post = || {
        let mut request = Request::new(Bytes::from(posting(100).encode_to_vec()));
        request.metadata_mut().insert("idempotency-key", "order-1".parse().unwrap());
        client.send(POST, request)
    };
    let first = Posting::decode(post().await.unwrap()).unwrap();
    assert_eq!(Posting::decode(post().await.unwrap()).unwrap(), first);
    let balance = client.call(BALANCE, account("tests").encode_to_vec()).await.unwrap();
    assert_eq!(Balance::decode(balance).unwrap().postings, 1);
    let mut list = client.follow(LIST, account("sample").encode_to_vec()).await.unwrap();
    let mut postings = 0;
    while let Some(message) = list.message().await.unwrap() {
        assert_eq!(Posting::decode(message).unwrap().account, "sample");
        postings += 1;
    }
    assert_eq!(postings, 5);
}

fn keeps_all(report: &Value) {
    let laws = report["laws"].as_array().unwrap();
    let unproven = laws.iter().filter(|law| law["outcome"] == "not_proven");
    for law in unproven {
        let detail = law["detail"].as_str().unwrap();
        assert!(NOT_GIVEN.iter().any(|given| detail.starts_with(given)), "{}: {detail}", law["id"]);
    }
    let mut groups: Vec<&str> = laws.iter().map(|law| law["id"].as_str().unwrap().split('.').next().unwrap()).collect();
    groups.dedup();
    for group in groups.into_iter().filter(|group| !["clock", "fault"].contains(group)) {
        let kept = |law: &&Value| law["id"].as_str().unwrap().starts_with(&format!("{group}.")) && law["outcome"] == "kept";
        assert!(laws.iter().any(|law| kept(&law)), "no law of the group {group} is kept");
    }
    assert_eq!(report["broken"], 0);
    assert!(report["kept"].as_u64().unwrap() >= 130, "{}", report["kept"]);
}
