//! The log with its threads: what its queue and its end do.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::ram::Ram;
use super::*;
use crate::log::Log;
use crate::{Journal, ReadError};

fn log(ram: &Arc<Ram>) -> Log {
    let settings = LogSettings { queue_bytes: 1 << 20, ..LogSettings::default() };
    Log::open(ram.clone(), settings).expect("it opens")
}

fn large() -> Entry {
    Entry { data: vec![1; 400_000].into(), ..numbered(0) }
}

#[tokio::test]
async fn what_is_queued_is_written_before_it_closes() {
    let ram = Ram::new();
    let log = log(&ram);
    let mut receipts = Vec::new();
    for number in 1..=500 {
        receipts.push(log.append(vec![numbered(number)]).await.expect("it is taken"));
    }
    log.close().await;
    for (receipt, position) in receipts.into_iter().zip(1..) {
        assert_eq!(receipt.durable().await, Ok(vec![Outcome::Written(Position(position))]));
    }
    assert_eq!(log.append(vec![numbered(501)]).await.err(), Some(AppendError::Closed));
    assert_eq!(log.trim(Position(3)).await, Err(AppendError::Closed));
    assert_eq!(log.read(Position(500), 1).expect("it can be read").len(), 1);
    assert!(log.history("a").expect("it can be read").records.is_empty());
    // The folder is free, though the closed log is still there.
    assert_eq!(durable(&open(&ram)), Position(500));
}

#[tokio::test]
async fn whoever_starts_next_finds_the_index_of_every_sealed_segment() {
    let ram = Ram::new();
    let log = log(&ram);
    for _ in 0..60 {
        log.append(vec![large()]).await.expect("it is taken");
    }
    log.close().await;
    let names = ram.all_names();
    let mut segments: Vec<&str> = names.iter().filter_map(|name| name.strip_suffix(".log")).collect();
    segments.sort_unstable();
    let sealed = segments.len() - 1;
    assert!(sealed >= 2, "{names:?}");
    let without = segments[..sealed].iter().find(|base| !names.contains(&format!("{base}.index")));
    assert_eq!(without, None, "{names:?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_appends_waits_when_the_queue_is_full() {
    let ram = Ram::new();
    let log = Arc::new(log(&ram));
    let mut receipts = vec![log.append(vec![large()]).await.expect("it is taken")];
    let waiting = {
        let _shut = ram.control.gate.lock();
        let refused = loop {
            // Time is paused: it passes when nothing else can happen.
            match timeout(Duration::from_secs(1), log.append(vec![large()])).await {
                Ok(receipt) => receipts.push(receipt.expect("it is taken")),
                Err(elapsed) => break elapsed,
            }
        };
        assert!(receipts.len() < 10, "{refused} after {}", receipts.len());
        let log = log.clone();
        tokio::spawn(async move { log.append(vec![large()]).await })
    };
    receipts.push(waiting.await.expect("it ends").expect("it is taken"));
    for receipt in receipts {
        receipt.durable().await.expect("it is written");
    }
}

#[tokio::test]
async fn a_writer_without_work_marks_what_it_wrote() {
    let ram = Ram::new();
    let log = log(&ram);
    log.append(vec![numbered(1)]).await.expect("it is taken").durable().await.expect("it is written");
    let until = Instant::now() + Duration::from_secs(20);
    while log.stats().syncs == log.stats().batches {
        assert!(Instant::now() < until, "no mark came");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_segment_is_begun_when_it_is_asked_for_but_none_after_an_empty_one() {
    let ram = Ram::new();
    let log = log(&ram);
    assert_eq!(log.begin_segment().await, Ok(Position(1)));
    log.append(vec![step("a", 1)]).await.expect("it is taken").durable().await.expect("it is written");
    assert_eq!(log.trim(Position(2)).await, Ok(Position(1)), "the newest is never given up");
    for _ in 0..2 {
        assert_eq!(log.begin_segment().await, Ok(Position(2)));
    }
    assert_eq!(log.kept().iter().map(|segment| segment.first).collect::<Vec<_>>(), [Position(1), Position(2)]);
    assert_eq!(log.history("a").expect("it can be read").sequence, 1);
    assert_eq!(log.trim(Position(2)).await, Ok(Position(2)));
    log.close().await;
    assert_eq!(log.begin_segment().await, Err(AppendError::Closed));

    let log = self::log(&ram);
    assert_eq!((log.first(), log.durable().borrow().position), (Position(2), Position(1)));
    let again = log.append(vec![step("a", 1)]).await.expect("it is taken");
    assert_eq!(again.durable().await, Ok(vec![Outcome::Written(Position(2))]));
}

#[tokio::test]
async fn a_failure_is_told_to_whoever_follows() {
    let ram = Ram::new();
    let log = log(&ram);
    let mut durable = log.durable();
    ram.control.failing_writes.lock().unwrap().extend([ErrorKind::Other; 20]);
    let receipt = log.append(vec![numbered(1)]).await.expect("it is taken");
    assert!(matches!(receipt.durable().await, Err(AppendError::Failed(_))));
    let failed = durable.wait_for(|durable| durable.failed.is_some()).await.expect("it is still open").clone();
    assert_eq!(failed.position, Position(0));
    assert!(matches!(log.append(vec![numbered(2)]).await.expect("it is taken").durable().await, Err(AppendError::Failed(_))));
    assert_eq!(log.read(Position(1), 1), Ok(Vec::new()));
}

#[tokio::test]
async fn readers_are_told_what_was_damaged_since() {
    let ram = Ram::new();
    let log = log(&ram);
    for number in 1..=5 {
        log.append(vec![numbered(number)]).await.expect("it is taken").durable().await.expect("it is written");
    }
    ram.flip(&text(3));
    assert_eq!(log.read(Position(1), 100_000).expect("what is before is read").len(), 2);
    let error = log.read(Position(3), 100_000).expect_err("it is damaged");
    assert!(matches!(error, ReadError::Damaged { position: Position(3), .. }), "{error}");
}
