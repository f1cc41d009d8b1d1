//! Laws about what breaks off: a document is seen whole, or not at all.

use std::time::Duration;

use passerelle_adapter::{Context, Fault, Messages, Rejection};
use passerelle_proto::backoffice::documents::v1::ReadRequest;
use prost::Message;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::store::{Store, bytes, chunk, first, piece_of, refused, within};

/// The beginning of a storing: some hundred kilobytes, and then nothing more.
fn beginning(store: &Store, name: &str) -> impl tokio_stream::Stream<Item = Result<bytes::Bytes, Fault>> + Send + 'static {
    let pieces = (0..6).map(|number| Ok(piece_of(bytes(60_000, number))));
    tokio_stream::iter(std::iter::once(Ok(first(store.start(name)))).chain(pieces).collect::<Vec<_>>())
}

pub(super) async fn a_content_that_breaks_off_leaves_nothing(store: Store) {
    store.put("old", "as it was").await.expect("it is stored");
    for name in ["old", "new"] {
        let broken =
            beginning(&store, name).chain(tokio_stream::once(Err(Fault::rejected(Rejection::Invalid, "the caller went away"))));
        let fault = store.stream(broken, Context::default()).await.expect_err("half a document is none");
        assert!(!matches!(fault, Fault::Unknown { .. }), "nothing has happened, and that is known: {fault:?}");
    }
    assert_eq!(store.content("old").await, b"as it was");
    assert!(store.has_nothing("new").await);
    assert_eq!(store.names().await, ["old"]);
}

pub(super) async fn a_caller_who_leaves_leaves_nothing(store: Store) {
    store.put("old", "as it was").await.expect("it is stored");
    for name in ["old", "new"] {
        let (caller, messages) = tokio::sync::mpsc::channel(1);
        let storing = store.clone();
        let call = tokio::spawn(async move { storing.stream(ReceiverStream::new(messages), Context::default()).await });
        let mut sent = Box::pin(beginning(&store, name));
        while let Some(message) = sent.next().await {
            caller.send(message).await.expect("the store reads on");
        }
        // It has taken all that was sent, and waits for more.
        let _room = caller.reserve().await.expect("the store reads on");
        assert!(name == "old" || store.has_nothing(name).await, "half a document is seen while it comes");
        call.abort();
        assert!(call.await.expect_err("it was given up").is_cancelled());
    }
    assert_eq!(store.content("old").await, b"as it was");
    assert_eq!(store.names().await, ["old"]);
    store.put("new", "whole").await.expect("the name is free");
    assert_eq!(store.content("new").await, b"whole");
}

pub(super) async fn a_deadline_within_a_storing_leaves_nothing(store: Store) {
    store.put("old", "as it was").await.expect("it is stored");
    for name in ["old", "new"] {
        let stalled = beginning(&store, name).chain(tokio_stream::pending());
        let fault = store.stream(stalled, within(Duration::from_millis(300))).await.expect_err("it is too late");
        assert!(matches!(fault, Fault::DeadlineExceeded { .. }), "{fault:?}");
    }
    assert_eq!(store.content("old").await, b"as it was");
    assert!(store.has_nothing("new").await);
}

pub(super) async fn a_deadline_that_has_passed_is_kept(store: Store) {
    let messages = Messages::many(beginning(&store, "a").chain(tokio_stream::pending()));
    let fault = store.send("Store", messages, within(Duration::ZERO)).await.expect_err("it is too late");
    assert!(matches!(fault, Fault::DeadlineExceeded { .. }), "{fault:?}");
    assert!(store.has_nothing("a").await);
}

pub(super) async fn a_deadline_within_a_reading_ends_it(store: Store) {
    store.put("a", bytes(6 << 20, 1)).await.expect("it is stored");
    let request = ReadRequest { reference: Some(store.reference("a")), version: String::new() };
    let context = within(Duration::from_millis(1_000));
    let deadline = context.deadline.expect("a deadline");
    let mut messages = store.send("Read", Messages::one(request.encode_to_vec()), context).await.expect("it begins in time");
    messages.next().await.expect("a first message").expect("the document");
    // The caller looks away until it is too late.
    tokio::time::sleep_until(deadline.into()).await;
    let mut length = 0;
    let fault = loop {
        match messages.next().await {
            Some(Ok(message)) => length += chunk(message).len(),
            Some(Err(fault)) => break Some(fault),
            None => break None,
        }
    };
    assert!(length < 6 << 20 || fault.is_none(), "a fault comes instead of content");
    assert!(matches!(fault, Some(Fault::DeadlineExceeded { .. })), "it goes on after its deadline: {fault:?}");
}

pub(super) async fn a_reader_who_leaves_harms_nobody(store: Store) {
    let content = bytes(3 << 20, 2);
    store.put("a", content.clone()).await.expect("it is stored");
    for _ in 0..40 {
        let (_, mut messages) = store.open("a", "").await.expect("it is read");
        messages.next().await.expect("a chunk").expect("no fault");
    }
    assert!(store.content("a").await == content);
}

pub(super) async fn a_reader_never_sees_two_versions_in_one(store: Store) {
    const LENGTH: usize = 400_000;
    let version = |number: u8| vec![number; LENGTH];
    store.put("a", version(0)).await.expect("it is stored");
    let writer = store.clone();
    let writing = tokio::spawn(async move {
        for number in 1..=12 {
            writer.put("a", version(number)).await.expect("it is replaced");
        }
    });
    let mut whole = 0;
    while !writing.is_finished() || whole == 0 {
        // A server may have a moment without the document while it is replaced, and may say so.
        if let Ok((document, content)) = store.read("a", "").await {
            assert_eq!((document.size_bytes, content.len()), (LENGTH as u64, LENGTH));
            assert!(content.iter().all(|byte| *byte == content[0]), "parts of two versions");
            whole += 1;
        }
    }
    writing.await.expect("all are written");
    assert!(store.content("a").await == version(12));
}

pub(super) async fn an_open_reading_goes_on_or_says_that_it_cannot(store: Store) {
    let content = bytes(3 << 20, 3);
    store.put("a", content.clone()).await.expect("it is stored");
    let (_, mut messages) = store.open("a", "").await.expect("it is read");
    let mut read = chunk(messages.next().await.expect("a chunk").expect("no fault")).to_vec();
    store.delete("a", "", "").await.expect("it is removed");
    let mut faults = 0;
    while let Some(message) = messages.next().await {
        match message {
            Ok(message) => read.extend(chunk(message)),
            Err(_) => faults += 1,
        }
    }
    assert!(read == content || faults == 1, "{} bytes and no word that some are missing", read.len());
    refused(store.get("a").await, Rejection::NotFound);
}
