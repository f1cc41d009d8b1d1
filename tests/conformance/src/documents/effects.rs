//! Laws about effects: as expected or not at all, and once.

use passerelle_adapter::{Fault, Lookup, Rejection};
use passerelle_proto::backoffice::documents::v1::start::Expect;
use passerelle_proto::backoffice::documents::v1::{Document, Start, StoreResponse};
use prost::Message;
use tokio::task::JoinSet;

use super::store::{Store, is, refused};

fn expecting(store: &Store, name: &str, expect: Expect) -> Start {
    Start { expect: Some(expect), ..store.start(name) }
}

pub(super) async fn a_document_that_must_be_new_does_not_replace_another(store: Store) {
    let new = || expecting(&store, "a", Expect::Absent(true));
    store.store(new(), "first", "").await.expect("there was none");
    refused(store.store(new(), "second", "").await, Rejection::Conflict);
    assert_eq!(store.content("a").await, b"first");
}

pub(super) async fn an_old_version_is_refused_as_a_conflict(store: Store) {
    let old = store.put("a", "one").await.expect("it is stored").version;
    let new = store.put("a", "two").await.expect("it is replaced").version;
    refused(store.store(expecting(&store, "a", Expect::Version(old.clone())), "three", "").await, Rejection::Conflict);
    refused(store.store(expecting(&store, "none", Expect::Version(old.clone())), "x", "").await, Rejection::Conflict);
    refused(store.delete("a", &old, "").await, Rejection::Conflict);
    assert_eq!(store.content("a").await, b"two");
    assert!(store.has_nothing("none").await);
    let newest = store.store(expecting(&store, "a", Expect::Version(new)), "three", "").await.expect("it is as expected");
    assert_eq!(store.content("a").await, b"three");
    store.delete("a", &newest.version, "").await.expect("it is as expected");
    assert!(store.has_nothing("a").await);
}

pub(super) async fn every_storing_gives_another_version(store: Store) {
    let mut seen = Vec::new();
    for _ in 0..4 {
        // The same bytes, within the same second.
        let version = store.put("a", "same").await.expect("it is stored").version;
        assert_eq!(store.get("a").await.expect("it is there").version, version);
        assert!(!seen.contains(&version), "a version came twice");
        seen.push(version);
    }
}

pub(super) async fn of_many_who_expect_the_same_version_one_wins(store: Store) {
    let version = store.put("a", "before").await.expect("it is stored").version;
    one_wins(&store, Expect::Version(version)).await;
}

pub(super) async fn of_many_who_make_the_same_document_one_wins(store: Store) {
    one_wins(&store, Expect::Absent(true)).await;
}

async fn one_wins(store: &Store, expect: Expect) {
    let mut writers = JoinSet::new();
    for number in 0..6 {
        let (store, start) = (store.clone(), expecting(store, "a", expect.clone()));
        writers.spawn(async move { store.store(start, format!("writer {number}"), "").await.map(|stored| (number, stored)) });
    }
    let outcomes = writers.join_all().await;
    let mut won: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
    for fault in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        let no_effect = is(fault, Rejection::Conflict) || matches!(fault, Fault::Unavailable { .. });
        assert!(no_effect, "who did not win is told that nothing happened: {fault:?}");
    }
    assert_eq!(won.len(), 1, "one wins");
    let (number, stored) = won.remove(0);
    assert_eq!(store.content("a").await, format!("writer {number}").into_bytes());
    assert_eq!(store.get("a").await.as_ref(), Ok(stored));
}

pub(super) async fn what_is_removed_is_not_found(store: Store) {
    for method in ["get", "read", "delete"] {
        let outcome = match method {
            "get" => store.get("a").await.map(drop),
            "read" => store.read("a", "").await.map(drop),
            _ => store.delete("a", "", "").await,
        };
        refused(outcome, Rejection::NotFound);
    }
    store.put("a", "x").await.expect("it is stored");
    store.delete("a", "", "").await.expect("it is removed");
    assert!(store.has_nothing("a").await);
    refused(store.delete("a", "", "").await, Rejection::NotFound);
    store.put("a", "again").await.expect("the name is free");
    assert_eq!(store.content("a").await, b"again");
}

pub(super) async fn the_same_key_gives_the_same_answer_and_one_effect(store: Store) {
    let key = &format!("{} store", store.folder);
    let first = store.store(store.start("a"), "one", key).await.expect("it is stored");
    let again = store.store(store.start("a"), "one", key).await.expect("it was stored");
    assert_eq!(first, again);
    assert_eq!(store.get("a").await, Ok(first));
}

pub(super) async fn a_repetition_does_not_undo_what_came_after(store: Store) {
    let key = |what: &str| format!("{} {what}", store.folder);
    let first = store.store(store.start("a"), "one", &key("1")).await.expect("it is stored");
    store.store(store.start("a"), "two", &key("2")).await.expect("it is replaced");
    assert_eq!(store.store(store.start("a"), "one", &key("1")).await, Ok(first.clone()));
    assert_eq!(store.content("a").await, b"two");
    store.delete("a", "", &key("3")).await.expect("it is removed");
    assert_eq!(store.store(store.start("a"), "one", &key("1")).await, Ok(first));
    assert!(store.has_nothing("a").await, "a repetition brought it back");
    store.put("a", "three").await.expect("it is stored");
    store.delete("a", "", &key("3")).await.expect("the answer of the first time");
    assert_eq!(store.content("a").await, b"three");
}

pub(super) async fn a_key_is_for_one_thing_only(store: Store) {
    let key = &format!("{} key", store.folder);
    store.store(store.start("a"), "one", key).await.expect("it is stored");
    refused(store.store(store.start("b"), "one", key).await, Rejection::Invalid);
    refused(store.delete("a", "", key).await, Rejection::Invalid);
    assert!(store.has_nothing("b").await);
    assert_eq!(store.content("a").await, b"one");
    refused(store.store(store.start("a"), "x", &"k".repeat(257)).await, Rejection::Invalid);
}

pub(super) async fn one_key_twice_at_the_same_time_has_one_effect(store: Store) {
    let mut calls = JoinSet::new();
    for _ in 0..4 {
        let store = store.clone();
        let key = format!("{} key", store.folder);
        calls.spawn(async move { store.store(store.start("a"), "one", &key).await });
    }
    let mut stored: Vec<Document> = Vec::new();
    for outcome in calls.join_all().await {
        match outcome {
            Ok(document) => stored.push(document),
            Err(fault) => assert!(matches!(fault, Fault::Unavailable { .. }), "it is still under way, not {fault:?}"),
        }
    }
    stored.dedup();
    assert_eq!(stored.len(), 1, "one effect");
    assert_eq!(store.get("a").await.as_ref(), Ok(&stored[0]));
}

pub(super) async fn what_became_of_a_key_can_be_looked_up(store: Store) {
    let key = |what: &str| format!("{} {what}", store.folder);
    let look = async |what: &str| store.adapter().lookup(&key(what)).await.expect("it can be looked up");
    assert_eq!(look("store").await, Lookup::NotDone);
    let stored = store.store(store.start("a"), "one", &key("store")).await.expect("it is stored");
    let answer = StoreResponse { document: Some(stored) }.encode_to_vec();
    assert_eq!(look("store").await, Lookup::Done(answer.into()));
    refused(store.store(expecting(&store, "a", Expect::Absent(true)), "two", &key("no")).await, Rejection::Conflict);
    assert_eq!(look("no").await, Lookup::NotDone);
    assert_eq!(look("delete").await, Lookup::NotDone);
    store.delete("a", "", &key("delete")).await.expect("it is removed");
    assert_eq!(look("delete").await, Lookup::Done(Vec::new().into()));
}

pub(super) async fn a_key_that_was_refused_can_be_used_again(store: Store) {
    let key = &format!("{} key", store.folder);
    store.put("a", "one").await.expect("it is stored");
    let new = || expecting(&store, "a", Expect::Absent(true));
    refused(store.store(new(), "two", key).await, Rejection::Conflict);
    store.delete("a", "", "").await.expect("it is removed");
    store.store(new(), "two", key).await.expect("now there is none");
    assert_eq!(store.content("a").await, b"two");
}
