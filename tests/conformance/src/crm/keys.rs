//! Laws about idempotency keys: an effect happens once.

use passerelle_adapter::{Fault, Lookup, Rejection};
use passerelle_proto::backoffice::customers::v1::find_request::Key;
use passerelle_proto::backoffice::customers::v1::{AddInteractionResponse, CreateResponse, Interaction, UpdateResponse};
use prost::Message;
use tokio::task::JoinSet;

use super::book::{Book, refused, sorted};
use super::interactions::said;

pub(super) async fn the_same_key_gives_the_same_answer_and_one_effect(book: Book) {
    let key = |what: &str| book.number(what);
    let create = async || book.create(&book.number("a"), book.details("a"), &key("create")).await.expect("he is made");
    let made = create().await;
    assert_eq!(create().await, made);
    assert_eq!(book.find(Key::Name(book.word.clone())).await, std::slice::from_ref(&made.id));
    let update = async || book.update(&made.id, "", book.details("b"), &key("update")).await.expect("it is changed");
    let version = update().await;
    assert_eq!(update().await, version);
    assert_eq!(book.get(&made.id).await.expect("he is there").version, version);
    let add = async || book.add(&made.id, said("loan"), &key("add")).await.expect("it is noted");
    assert_eq!(add().await, add().await);
    assert_eq!(book.interactions(&made.id).await.expect("a list").len(), 1);
}

pub(super) async fn a_repetition_does_not_undo_what_came_after(book: Book) {
    let customer = book.make("a").await;
    let first = async || book.update(&customer.id, "", book.details("b"), &book.number("key")).await.expect("it is changed");
    let version = first().await;
    // More than a CRM may keep beside the customer himself.
    for number in 0..3 {
        let key = book.number(&format!("later {number}"));
        book.update(&customer.id, "", book.details("c"), &key).await.expect("it is changed");
    }
    assert_eq!(first().await, version);
    assert_eq!(sorted(&book.get(&customer.id).await.expect("he is there")).name, book.details("c").name);
}

pub(super) async fn a_key_is_for_one_thing_only(book: Book) {
    let key = &book.number("key");
    let made = book.create(&book.number("a"), book.details("a"), key).await.expect("he is made");
    refused(book.create(&book.number("b"), book.details("b"), key).await, Rejection::Invalid);
    refused(book.update(&made.id, "", book.details("b"), key).await, Rejection::Invalid);
    refused(book.add(&made.id, said("loan"), key).await, Rejection::Invalid);
    assert_eq!(book.find(Key::Name(book.word.clone())).await, std::slice::from_ref(&made.id));
    assert_eq!(book.get(&made.id).await.expect("he is there").version, made.version);
    refused(book.update(&made.id, "", book.details("b"), &"k".repeat(257)).await, Rejection::Invalid);
}

pub(super) async fn one_key_twice_at_the_same_time_has_one_effect(book: Book) {
    let mut calls = JoinSet::new();
    for _ in 0..4 {
        let book = book.clone();
        calls.spawn(async move { book.create("", book.details("a"), &book.number("key")).await });
    }
    let mut made: Vec<CreateResponse> = Vec::new();
    for outcome in calls.join_all().await {
        match outcome {
            Ok(answer) => made.push(answer),
            Err(fault) => assert!(matches!(fault, Fault::Unavailable { .. }), "it is still under way, not {fault:?}"),
        }
    }
    made.dedup();
    assert_eq!(made.len(), 1, "one effect");
    assert_eq!(book.find(Key::Name(book.word.clone())).await, [made[0].id.clone()]);
}

pub(super) async fn what_became_of_a_key_can_be_looked_up(book: Book) {
    let key = |what: &str| book.number(what);
    let look = async |what: &str| book.adapter.lookup(&key(what)).await.expect("it can be looked up");
    assert_eq!(look("create").await, Lookup::NotDone);
    let made = book.create(&book.number("a"), book.details("a"), &key("create")).await.expect("he is made");
    assert_eq!(look("create").await, Lookup::Done(made.encode_to_vec().into()));
    refused(book.create(&book.number("a"), book.details("a"), &key("no")).await, Rejection::Conflict);
    assert_eq!(look("no").await, Lookup::NotDone);
    let version = book.update(&made.id, "", book.details("b"), &key("update")).await.expect("it is changed");
    assert_eq!(look("update").await, Lookup::Done(UpdateResponse { version }.encode_to_vec().into()));
    let id = book.add(&made.id, Interaction { reason: "r".to_owned(), ..said("loan") }, &key("add")).await.expect("it is noted");
    assert_eq!(look("add").await, Lookup::Done(AddInteractionResponse { id }.encode_to_vec().into()));
}

pub(super) async fn a_key_that_was_refused_can_be_used_again(book: Book) {
    let (key, taken) = (&book.number("key"), book.make("a").await);
    refused(book.create(&taken.number, book.details("b"), key).await, Rejection::Conflict);
    book.create(&book.number("b"), book.details("b"), key).await.expect("this number is free");
    assert_eq!(book.find(Key::Email(book.email("b"))).await.len(), 1);
}
