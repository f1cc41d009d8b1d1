//! Laws about contents: what comes out is what went in, or nothing went in.

use data_encoding::HEXLOWER;
use passerelle_adapter::{Context, Fault, Messages, Rejection};
use passerelle_proto::backoffice::documents::v1::Start;
use tokio_stream::StreamExt;

use super::store::{Store, bytes, chunk, first, metadata, piece_of, refused};

const SIZES: [usize; 6] = [0, 1, (64 << 10) - 1, 64 << 10, (64 << 10) + 1, 300_001];

pub(super) async fn what_was_stored_is_read_byte_by_byte(store: Store) {
    for size in SIZES {
        let content = bytes(size, 1);
        let name = format!("{size} bytes");
        let stored = store.put(&name, content.clone()).await.expect("it is stored");
        let (document, read) = store.read(&name, "").await.expect("it is read");
        assert!(read == content, "{size} bytes became {}, or others", read.len());
        assert_eq!((stored.size_bytes, document.size_bytes), (size as u64, size as u64));
    }
}

pub(super) async fn twenty_mebibytes_pass_as_a_stream(store: Store) {
    const PIECES: u64 = 320;
    let piece = |number| bytes(64 << 10, number);
    let pieces = (0..PIECES).map(move |number| Ok(piece_of(piece(number))));
    let messages = std::iter::once(Ok(first(store.start("large")))).chain(pieces);
    let stored = store.stream(tokio_stream::iter(messages), Context::default()).await.expect("it is stored");
    assert_eq!(stored.size_bytes, PIECES * (64 << 10));
    let (_, mut messages) = store.open("large", "").await.expect("it is read");
    let mut number = 0;
    let mut rest = bytes::BytesMut::new();
    while let Some(message) = messages.next().await {
        rest.extend_from_slice(&chunk(message.expect("the next chunk")));
        while rest.len() >= 64 << 10 {
            assert!(rest.split_to(64 << 10) == piece(number), "piece {number} differs");
            number += 1;
        }
    }
    assert_eq!((number, rest.len()), (PIECES, 0));
    store.delete("large", "", "").await.expect("it is removed");
}

pub(super) async fn a_content_comes_in_chunks_of_at_most_64_kib(store: Store) {
    store.put("a", bytes(200_000, 2)).await.expect("it is stored");
    let (_, mut messages) = store.open("a", "").await.expect("it is read");
    while let Some(message) = messages.next().await {
        assert!((1..=64 << 10).contains(&chunk(message.expect("a chunk")).len()));
    }
}

pub(super) async fn what_is_announced_is_held_against_what_comes(store: Store) {
    let content = bytes(70_000, 3);
    let sha256 = HEXLOWER.encode(ring::digest::digest(&ring::digest::SHA256, &content).as_ref());
    let announced = |size, sha256: &str| Start { size_bytes: size, sha256: sha256.to_owned(), ..store.start("a") };
    let other = "0".repeat(64);
    for wrong in [announced(Some(69_999), ""), announced(Some(70_001), ""), announced(Some(0), ""), announced(None, &other)] {
        refused(store.store(wrong, content.clone(), "").await, Rejection::Invalid);
        assert!(store.has_nothing("a").await, "what was refused is there");
    }
    refused(store.store(announced(None, "abc"), content.clone(), "").await, Rejection::Invalid);
    store.store(announced(Some(70_000), &sha256), content.clone(), "").await.expect("it is what was announced");
    assert!(store.content("a").await == content);
    let said = store.get("a").await.expect("it is there").sha256;
    assert!(said.is_empty() || said == sha256, "the store says another sha256");
}

pub(super) async fn what_is_too_large_is_refused_with_the_limit(store: Store) {
    let limit = store.describe().await.document_bytes_max;
    let announced = Start { size_bytes: Some(limit + 1), ..store.start("a") };
    // Announced, it is refused before any of it comes.
    let messages = tokio_stream::iter([Ok(first(announced))]).chain(tokio_stream::pending());
    let before = refused(store.stream(messages, Context::default()).await, Rejection::Invalid);
    let piece = bytes(1 << 20, 4);
    let endless = tokio_stream::iter(std::iter::repeat_with(move || Ok(piece_of(piece.clone()))));
    let messages = tokio_stream::iter([Ok(first(store.start("a")))]).chain(endless);
    let after = refused(store.stream(messages, Context::default()).await, Rejection::Invalid);
    for fault in [before, after] {
        assert!(fault.to_string().contains(&limit.to_string()), "the limit of {limit} is not told: {fault}");
    }
    assert!(store.has_nothing("a").await, "a part of it is there");
}

pub(super) async fn messages_out_of_order_are_refused(store: Store) {
    let start = || Ok(first(store.start("a")));
    let piece = || Ok(piece_of(bytes(10, 5)));
    let orders: [Vec<Result<bytes::Bytes, Fault>>; 4] =
        [vec![], vec![piece()], vec![start(), start()], vec![start(), piece(), Ok(bytes::Bytes::from_static(&[0xff]))]];
    for order in orders {
        let outcome = store.send("Store", Messages::many(tokio_stream::iter(order)), Context::default()).await;
        refused(outcome, Rejection::Invalid);
    }
    let huge = vec![start(), Ok(piece_of(bytes((1 << 20) + 1, 6)))];
    refused(store.stream(tokio_stream::iter(huge), Context::default()).await, Rejection::Invalid);
    assert!(store.has_nothing("a").await);
}

pub(super) async fn what_is_known_of_a_document_is_kept_as_it_was_said(store: Store) {
    let known = metadata(&[("customer", "4711"), ("title", " <Relevé> & \"co\" ]]> 東京 "), ("empty", ""), ("a-b_c.d", "x")]);
    let start = Start { media_type: "application/pdf".to_owned(), metadata: known.clone(), ..store.start("a") };
    let stored = store.store(start, "pdf", "").await.expect("it is stored");
    let got = store.get("a").await.expect("it is there");
    assert_eq!(stored, got, "what Store answers and what Get answers");
    let (read, content) = store.read("a", "").await.expect("it is read");
    assert_eq!(read, got, "what Read answers and what Get answers");
    assert_eq!((content.as_slice(), got.media_type.as_str(), got.metadata), (&b"pdf"[..], "application/pdf", known));
    assert_eq!(got.reference, Some(store.reference("a")));
    assert!(!got.version.is_empty() && got.stored_at.is_some());
}

pub(super) async fn a_new_version_has_only_what_was_said_of_it(store: Store) {
    let old = Start { media_type: "text/plain".to_owned(), metadata: metadata(&[("old", "1")]), ..store.start("a") };
    store.store(old, "a longer content", "").await.expect("it is stored");
    let new = Start { metadata: metadata(&[("new", "2")]), ..store.start("a") };
    store.store(new, "short", "").await.expect("it is replaced");
    let got = store.get("a").await.expect("it is there");
    assert_eq!((got.metadata, got.media_type.as_str()), (metadata(&[("new", "2")]), "application/octet-stream"));
    assert_eq!(store.content("a").await, b"short");
}

pub(super) async fn metadata_beyond_the_limits_are_refused(store: Store) {
    let long = "v".repeat(1025);
    for (key, value) in
        [("Upper", "v"), ("", "v"), ("1st", "v"), ("a b", "v"), ("a", long.as_str()), ("a", "line\nbreak"), ("a", "\0")]
    {
        let start = Start { metadata: metadata(&[(key, value)]), ..store.start("a") };
        refused(store.store(start, "x", "").await, Rejection::Invalid);
    }
    let many = (0..33).map(|number| (format!("k{number}"), String::new())).collect();
    let fault = refused(store.store(Start { metadata: many, ..store.start("a") }, "x", "").await, Rejection::Invalid);
    assert!(fault.to_string().contains("32"), "the limit is not told: {fault}");
    let full = (0..32).map(|number| (format!("k{number}"), "é".repeat(512))).collect();
    let start = Start { metadata: full, ..store.start("b") };
    store.store(start.clone(), "x", "").await.expect("the limit itself is taken");
    assert_eq!(store.get("b").await.expect("it is there").metadata, start.metadata);
}
