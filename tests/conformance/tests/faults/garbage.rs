//! Files as no journal writes them: cut, spliced, swapped, made up. Refused or read right, never a panic, never without end.

use std::ops::AddAssign;
use std::sync::Arc;

use fastrand::Rng;
use passerelle_conformance::disk::SimulatedDisk;

use passerelle_journal::log::{Core, LogSettings, check, repair};

use crate::flips::{Found, journal, look};
use crate::seeds;

/// One thing that befalls a file.
fn spoil(disk: &SimulatedDisk, rng: &mut Rng) {
    let files = disk.files();
    let Some(name) = rng.choice(&files) else { return };
    let mut content = disk.content(name).unwrap_or_default();
    let length = content.len().max(1);
    let (from, to) = (rng.usize(..length), rng.usize(..length));
    let span = rng.usize(..=length.min(10_000));
    match rng.u8(..10) {
        0 => content.truncate(from),
        1 => content.extend((0..span).map(|_| rng.u8(..))),
        2 => content.iter_mut().skip(from).take(span).for_each(|byte| *byte = rng.u8(..)),
        3 => content.iter_mut().skip(from).take(span).for_each(|byte| *byte = 0),
        4 => drop(content.drain(from.min(to)..from.max(to).min(content.len()))),
        5 => {
            // A copy of something valid elsewhere, aligned as records are.
            let piece: Vec<u8> = content.iter().skip(from / 8 * 8).take(span).copied().collect();
            content.iter_mut().skip(to / 8 * 8).zip(piece).for_each(|(byte, new)| *byte = new);
        }
        6 => content = disk.content(rng.choice(&files).unwrap_or(name)).unwrap_or_default(),
        7 => return disk.place(&format!("{:020}.log", rng.u64(..2000)), content),
        8 => return disk.place(NAMES[rng.usize(..NAMES.len())], content),
        _ => {
            let _ = passerelle_journal::storage::Folder::remove(disk, name);
            return;
        }
    }
    disk.place(name, content);
}

/// Names that look nearly right.
const NAMES: [&str; 9] = [
    "18446744073709551615.log",
    "99999999999999999999.log",
    "00000000000000000000.log",
    "1.log",
    ".log",
    "00000000000000000001.index",
    "free-.log",
    "free-18446744073709551616.log",
    "journal.meta.tmp",
];

/// Checking and repairing end, and say something; what is repaired can be opened, or says why not.
fn try_to_mend(disk: &SimulatedDisk) {
    let checked = check(disk);
    if let Ok(report) = &checked {
        assert_eq!(report.damage.is_empty(), !report.to_string().contains("DAMAGED"));
    }
    let repaired = repair(disk, false);
    let all_well = check(disk).is_ok_and(|report| report.damage.is_empty());
    if repaired.is_ok() && all_well {
        let opened = Core::open(Arc::new(disk.clone()), LogSettings::default());
        assert!(opened.is_ok(), "check finds nothing, and it cannot be opened: {:?}", opened.err());
    }
}

fn spoiled(seed: u64) -> Spoiled {
    let world = journal(seed);
    let mut rng = Rng::with_seed(seed);
    let mut spoiled = Spoiled::default();
    for _ in 0..20 {
        let disk = world.disk.copy();
        (0..rng.usize(1..4)).for_each(|_| spoil(&disk, &mut rng));
        try_to_mend(&disk.copy());
        match look(&world, &disk) {
            Found::AtStart => spoiled.refused += 1,
            Found::WhenRead(_) => spoiled.damaged += 1,
            Found::Nothing => spoiled.right += 1,
            // A file that ends the journal may be gone without a trace.
            Found::Cut(_) => spoiled.shorter += 1,
        }
    }
    spoiled
}

#[derive(Debug, Clone, Copy, Default)]
struct Spoiled {
    refused: u64,
    damaged: u64,
    right: u64,
    shorter: u64,
}

impl AddAssign for Spoiled {
    fn add_assign(&mut self, other: Self) {
        self.refused += other.refused;
        self.damaged += other.damaged;
        self.right += other.right;
        self.shorter += other.shorter;
    }
}

#[test]
fn files_as_no_journal_writes_them_are_refused_or_read_right() {
    let spoiled = seeds::run("files_as_no_journal", 0..25, spoiled);
    println!("{spoiled:?}");
    assert!(seeds::chosen() || (spoiled.refused >= 100 && spoiled.damaged >= 10 && spoiled.right >= 50), "{spoiled:?}");
}
