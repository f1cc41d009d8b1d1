//! One promise, through two kills of the daemon: the desk rings at the promised time, and who has the call gets it back.

use std::time::Duration;

use passerelle_proto::backoffice::callback::v1::sit_response::What as Shown;
use passerelle_proto::customer::v1::callback::Status;
use passerelle_proto::customer::v1::callbacks_client::CallbacksClient;
use passerelle_proto::customer::v1::request_callback_request::When;

use super::office::{Adviser, callback, connected, slot_in, wish, world};

#[tokio::test]
async fn a_promise_survives_kills_and_one_adviser_has_it_from_beginning_to_end() {
    let daemon = world("capacity: 1\nslot_seconds: 2\nring_seconds: 20\nsearch_seconds: 1").serve();
    let channel = connected(&daemon).await;
    let slot = slot_in(&channel, Duration::from_secs(2)).await;
    let request = wish("ada", When::SlotStart(slot));
    let promised = CallbacksClient::new(channel.clone()).request_callback(request.clone()).await.unwrap().into_inner();
    let id = promised.callback.unwrap().callback_id;
    let daemon = daemon.kill().serve();

    let channel = connected(&daemon).await;
    let again = CallbacksClient::new(channel.clone()).request_callback(request).await.unwrap().into_inner();
    assert_eq!(again.callback.unwrap().callback_id, id, "the same wish is the same callback");
    let (mut ann, mut bob) = (Adviser::sit(&channel, "ann").await.unwrap(), Adviser::sit(&channel, "bob").await.unwrap());
    let call = ann.take().await.call.unwrap();
    assert_eq!((call.callback_id.as_str(), call.attempt, call.promised_at), (id.as_str(), 1, Some(slot)));
    assert!(std::time::SystemTime::now() >= std::time::SystemTime::try_from(slot).unwrap(), "not before the promised time");
    assert_eq!(call.context.get("basket").map(String::as_str), Some("B-7"));
    assert_eq!(callback(&channel, &id).await.unwrap().status(), Status::Accepted);
    let daemon = daemon.kill().serve();
    assert!(bob.shown().await.is_err(), "bob was shown nothing");

    let channel = connected(&daemon).await;
    let mut bob = Adviser::sit(&channel, "bob").await.unwrap();
    let mut ann = Adviser::sit(&channel, "ann").await.unwrap();
    let Shown::Connected(back) = ann.next().await else { panic!("her call") };
    assert!(back.resumed && back.call.is_some_and(|call| call.callback_id == id));
    ann.report(&id).await;
    assert!(matches!(ann.next().await, Shown::Closed(_)));
    let daemon = daemon.kill().serve();
    assert!(bob.shown().await.is_err(), "bob was shown nothing");

    let reached = callback(&connected(&daemon).await, &id).await.unwrap();
    assert_eq!((reached.status(), reached.attempts.len()), (Status::Reached, 1));
    assert_eq!(reached.attempts[0].adviser, "ann");
}

#[tokio::test]
async fn what_rings_when_the_daemon_is_killed_rings_again() {
    let daemon = world("capacity: 1\nslot_seconds: 60\nring_seconds: 20\nsearch_seconds: 1").serve();
    let channel = connected(&daemon).await;
    let mut ann = Adviser::sit(&channel, "ann").await.unwrap();
    let request = wish("ada", When::AsSoonAsPossible(true));
    let promised = CallbacksClient::new(channel.clone()).request_callback(request).await.unwrap().into_inner();
    let id = promised.callback.unwrap().callback_id;
    assert!(matches!(ann.next().await, Shown::Offered(_)));
    let daemon = daemon.kill().serve();

    let channel = connected(&daemon).await;
    let mut bob = Adviser::sit(&channel, "bob").await.unwrap();
    let call = bob.take().await.call.unwrap();
    assert_eq!((call.callback_id.as_str(), call.attempt), (id.as_str(), 2));
    bob.report(&id).await;
    assert!(matches!(bob.next().await, Shown::Closed(_)));
    let reached = callback(&channel, &id).await.unwrap();
    let outcomes: Vec<String> = reached.attempts.into_iter().map(|attempt| attempt.reason).collect();
    assert_eq!(outcomes, ["it was interrupted before an adviser took it: the bus was started anew", "the customer was reached"]);
}
