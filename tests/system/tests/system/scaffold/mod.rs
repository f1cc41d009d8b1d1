//! Adapters that `passerelle adapter new` begins: written, looked at, and run for real.

mod answers;
mod command;
mod green;
mod library;
mod port;
mod rust;
mod sample;
mod sources;

use std::path::PathBuf;

use passerelle_system::World;
use prost::Message;

/// What an integrator's machine has after `passerelle adapter new acme/ledger`.
fn begun(language: &str) -> (World, PathBuf) {
    let world = World::default();
    let run = world.run(&["adapter", "new", "acme/ledger", "--lang", language]);
    assert!(run.status.success(), "{run:?}");
    let folder = world.path("ledger");
    (world, folder)
}

/// `PostRequest` of the sample.
#[derive(Clone, PartialEq, Message)]
struct PostRequest {
    #[prost(string, tag = "1")]
    account: String,
    #[prost(int64, tag = "2")]
    cents: i64,
    #[prost(string, tag = "3")]
    text: String,
}

/// `Posting` of the sample.
#[derive(Clone, PartialEq, Message)]
struct Posting {
    #[prost(int64, tag = "1")]
    id: i64,
    #[prost(string, tag = "2")]
    account: String,
    #[prost(int64, tag = "3")]
    cents: i64,
    #[prost(string, tag = "4")]
    text: String,
}

/// `BalanceResponse` of the sample.
#[derive(Clone, PartialEq, Message)]
struct Balance {
    #[prost(int64, tag = "1")]
    cents: i64,
    #[prost(int64, tag = "2")]
    postings: i64,
}

/// `AwaitRequest` of the sample.
#[derive(Clone, PartialEq, Message)]
struct AwaitRequest {
    #[prost(string, tag = "1")]
    account: String,
    #[prost(int64, tag = "2")]
    postings: i64,
    #[prost(int64, tag = "3")]
    wait_ms: i64,
}

/// `BalanceRequest` and `ListRequest` of the sample.
#[derive(Clone, PartialEq, Message)]
struct Account {
    #[prost(string, tag = "1")]
    account: String,
}

fn account(name: &str) -> Account {
    Account { account: name.to_owned() }
}

fn posting(cents: i64) -> PostRequest {
    PostRequest { account: "tests".to_owned(), cents, text: "a posting".to_owned() }
}
