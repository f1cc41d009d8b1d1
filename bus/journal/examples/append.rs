//! Measures the log on this machine: durable appends at several numbers in flight, and a start with a million records.
//!
//! `cargo run --release -p passerelle-journal --example append [DIRECTORY [IN_FLIGHT…]]`

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use passerelle_journal::log::{Log, LogSettings, Stats};
use passerelle_journal::storage::{Directory, Folder};
use passerelle_journal::{Entry, Fingerprint, Journal};

/// Bytes of a record's data.
const DATA: usize = 1024;
const RUN: Duration = Duration::from_secs(4);
/// Records before a start is measured.
const MILLION: u64 = 1_000_000;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let below = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let directory = tempfile::tempdir_in(below)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let chosen: Vec<u64> = std::env::args().skip(2).map(|number| number.parse()).collect::<Result<_, _>>()?;
    let all = [1, 64, 512];
    for in_flight in if chosen.is_empty() { all.to_vec() } else { chosen.clone() } {
        let place = directory.path().join(in_flight.to_string());
        println!("{in_flight} in flight; a sync takes {:.3} ms", milliseconds(sync_time(&place)?));
        runtime.block_on(closed_loop(&place, in_flight))?;
        std::fs::remove_dir_all(&place)?;
    }
    if chosen.is_empty() { runtime.block_on(start(&directory.path().join("start"))) } else { Ok(()) }
}

fn entry(data: &Bytes, number: u64) -> Entry {
    // Spread as a hash would be.
    let fingerprint = Fingerprint(u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
    Entry { data: data.clone(), step: None, fingerprint: Some(fingerprint) }
}

/// Median of overwriting and syncing 4 KiB of a file that was written before.
fn sync_time(place: &Path) -> Result<Duration, Failure> {
    let folder = Directory::open(place)?;
    let file = folder.create("sync")?;
    file.write_at(0, &vec![0; 1 << 20])?;
    file.sync()?;
    let mut times = Vec::new();
    for turn in 0..200 {
        let began = Instant::now();
        file.write_at(turn * 4096, &[1; 4096])?;
        file.sync()?;
        times.push(began.elapsed());
    }
    folder.remove("sync")?;
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

async fn closed_loop(place: &Path, in_flight: u64) -> Result<(), Failure> {
    let log = Arc::new(Log::open(Arc::new(Directory::open(place)?), LogSettings::default())?);
    let data = Bytes::from(vec![7; DATA]);
    let began = Instant::now();
    let loops: Vec<_> = (0..in_flight).map(|turn| tokio::spawn(one_loop(log.clone(), data.clone(), turn, in_flight))).collect();
    let mut times = Vec::new();
    for one in loops {
        times.extend(one.await??);
    }
    let took = began.elapsed();
    times.sort_unstable();
    let at = |share: f64| milliseconds(times[((times.len() - 1) as f64 * share) as usize]);
    let Stats { batches, syncs, records, .. } = log.stats();
    println!(
        "  {:>9.0} records/s, p50 {:.3} ms, p99 {:.3} ms, p99.9 {:.3} ms, {:.1} records a batch, 1/{:.0} sync a record",
        records as f64 / took.as_secs_f64(),
        at(0.5),
        at(0.99),
        at(0.999),
        records as f64 / batches as f64,
        records as f64 / syncs as f64,
    );
    Ok(())
}

async fn one_loop(
    log: Arc<Log>,
    data: Bytes,
    turn: u64,
    in_flight: u64,
) -> Result<Vec<Duration>, passerelle_journal::AppendError> {
    let (began, mut times, mut number) = (Instant::now(), Vec::new(), turn);
    while began.elapsed() < RUN {
        let sent = Instant::now();
        log.append(vec![entry(&data, number)]).await?.durable().await?;
        times.push(sent.elapsed());
        number += in_flight;
    }
    Ok(times)
}

async fn start(place: &Path) -> Result<(), Failure> {
    let data = Bytes::from(vec![7; DATA]);
    {
        let log = Log::open(Arc::new(Directory::open(place)?), LogSettings::default())?;
        let began = Instant::now();
        let mut receipts = Vec::new();
        for number in 0..MILLION / 100 {
            receipts.push(log.append((0..100).map(|turn| entry(&data, number * 100 + turn)).collect()).await?);
        }
        for receipt in receipts {
            receipt.durable().await?;
        }
        println!("a million records, a hundred at once: {:.0}/s", MILLION as f64 / began.elapsed().as_secs_f64());
        // Closed, with a mark: the last segment is read in any case.
        log.close().await;
    }
    for turn in 0..3 {
        let began = Instant::now();
        let log = Log::open(Arc::new(Directory::open(place)?), LogSettings::default())?;
        let opened = began.elapsed();
        log.append(vec![entry(&data, MILLION + turn)]).await?.durable().await?;
        println!(
            "start with a million records: open after {:.1} ms, first durable after {:.1} ms",
            milliseconds(opened),
            milliseconds(began.elapsed())
        );
        log.close().await;
    }
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
