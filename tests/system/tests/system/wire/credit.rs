//! Who reads slower than the other sends: what waits is bounded, and nothing is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use passerelle_system::planted::{Number, Piece};
use prost::Message;

use super::{Scene, echoes, number, path};

/// 64 MiB in all: kept in memory, they would take either process over what it may have.
const PIECES: u64 = 1_024;
/// Of which so many may be on the way, in the windows of the connections and the credit.
const ON_THE_WAY: u64 = 256;
/// Calls of another caller, which are answered meanwhile.
const OTHERS: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_adapter_that_answers_faster_than_its_caller_reads_waits_for_him() {
    let scene = Scene::ready().await;
    let mut answer = scene.client().follow(&path("Flood"), number(PIECES)).await.unwrap();
    let mut next = 0;
    while let Some(piece) = answer.message().await.unwrap() {
        assert_eq!(Piece::decode(piece).unwrap(), Piece::of(next), "in their order");
        next += 1;
        // A caller who does other things than read, now and then.
        if next % 256 == 1 {
            for _ in 0..OTHERS {
                echoes(&scene.client()).await.unwrap();
            }
        }
    }
    assert_eq!(next, PIECES);
    let adapter = scene.adapter(1);
    scene.end("a slow reader", adapter);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_sends_faster_than_the_adapter_takes_waits_for_it() {
    let scene = Scene::ready().await;
    let sent = Arc::new(AtomicU64::new(0));
    let pieces = tokio_stream::iter((0..PIECES).map({
        let sent = sent.clone();
        move |number| {
            sent.store(number + 1, Ordering::SeqCst);
            Bytes::from(Piece::of(number).encode_to_vec())
        }
    }));
    let client = scene.client();
    let upload = tokio::spawn(async move { client.upload(&path("Soak"), pieces).await });
    // Until nothing more goes out while others are served.
    let mut before = 0;
    loop {
        for _ in 0..OTHERS {
            echoes(&scene.client()).await.unwrap();
        }
        let now = sent.load(Ordering::SeqCst);
        if now == before && now > 0 {
            break;
        }
        before = now;
    }
    assert!(before < ON_THE_WAY, "{before} pieces are on the way to an adapter that reads none");
    scene.open_gate();
    let answer = upload.await.unwrap().unwrap();
    assert_eq!(Number::decode(answer).unwrap().number, PIECES, "each has come, in their order");
    println!("a slow adapter: {before} pieces on the way while it read none");
    let adapter = scene.adapter(1);
    scene.end("a slow adapter", adapter);
}
