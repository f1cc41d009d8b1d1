//! Bits that flip at rest: noticed, never delivered, never taken for the end.

use std::fmt;
use std::ops::AddAssign;
use std::sync::Arc;

use passerelle_conformance::disk::SimulatedDisk;
use passerelle_journal::log::{Core, OpenError, check, repair};
use passerelle_journal::{Entry, Position, ReadError};

use crate::seeds;
use crate::workload::HEAD;
use crate::world::World;

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Flips {
    /// In data or header of a record that others follow, and refused at start.
    refused: u64,
    /// The same, found when the record was read.
    found_when_read: u64,
    /// In a sidecar index: made again.
    rebuilt: u64,
    /// In the header of a segment or in the journal's own file, refused.
    heads: u64,
    /// Where nothing is kept: no harm.
    harmless: u64,
    /// In what was written last: taken for a torn tail, as it may be.
    cut: u64,
    /// Of those in records: found by `check` at the record.
    checked: u64,
    /// Of those in records: cut by `repair`, with everything before kept.
    repaired: u64,
}

impl AddAssign for Flips {
    fn add_assign(&mut self, other: Self) {
        self.refused += other.refused;
        self.found_when_read += other.found_when_read;
        self.rebuilt += other.rebuilt;
        self.heads += other.heads;
        self.harmless += other.harmless;
        self.cut += other.cut;
        self.checked += other.checked;
        self.repaired += other.repaired;
    }
}

impl fmt::Display for Flips {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { refused, found_when_read, rebuilt, heads, harmless, cut, checked, repaired } = self;
        writeln!(formatter, "flips in records: {refused} refused at start, {found_when_read} found when read")?;
        writeln!(formatter, "of these {checked} found by check at their record, {repaired} cut by repair with all before kept")?;
        writeln!(formatter, "{cut} in what was written last, taken for a torn tail")?;
        write!(formatter, "{heads} in heads of files refused, {rebuilt} in sidecars made good, {harmless} where nothing is kept")
    }
}

/// What came of a flip.
pub(crate) enum Found {
    AtStart,
    /// At this record, all before being right.
    WhenRead(Position),
    /// Everything is as it was.
    Nothing,
    /// The journal ends before where it did, without a word: from here on.
    Cut(Position),
}

/// Opens a disk with a flip and reads everything: each record is the right one, or said to be damaged.
pub(crate) fn look(world: &World, disk: &SimulatedDisk) -> Found {
    let core = match Core::open(Arc::new(disk.clone()), world.settings()) {
        Ok(core) => core,
        Err(OpenError::Damaged(_) | OpenError::NewerVersion(_)) => return Found::AtStart,
        Err(error) => panic!("neither read nor refused for damage: {error}"),
    };
    let mut from = core.reader().first();
    loop {
        let page = match core.reader().read(from, 50_000) {
            Ok(page) => page,
            Err(ReadError::Damaged { position, .. }) => {
                histories(world, &core);
                return Found::WhenRead(position);
            }
            Err(error) => panic!("{error}"),
        };
        let Some(last) = page.last() else { break };
        let next = last.position.next();
        for stored in page {
            assert_eq!(&stored.entry, world.model.record(stored.position), "a wrong byte of record {}", stored.position);
        }
        from = next;
    }
    if from <= world.model.last() {
        return Found::Cut(from);
    }
    histories(world, &core);
    Found::Nothing
}

/// Each is the right one, or said to be damaged.
fn histories(world: &World, core: &Core) {
    if core.reader().durable().borrow().position < world.model.last() {
        return;
    }
    for key in world.model.keys() {
        match core.reader().history(&key) {
            Ok(history) => world.model.history(&key, history),
            Err(ReadError::Damaged { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// A record's place in its file: from the end of the data before it to the end of its own.
struct Place {
    file: String,
    position: Position,
    begin: u64,
    /// Where the record itself begins; what is between is padding, or a mark.
    header: u64,
    end: u64,
}

/// Where the records lie, found by their data.
fn places(world: &World) -> Vec<Place> {
    let mut places = Vec::new();
    let segments = |name: &String| name.ends_with(".log") && !name.starts_with("free");
    for file in world.disk.files().into_iter().filter(segments) {
        let content = world.disk.content(&file).unwrap();
        let mut after = 4096;
        let base: u64 = file.trim_end_matches(".log").parse().unwrap();
        for position in (base..=world.model.last().0).map(Position) {
            let Entry { data, step, fingerprint } = world.model.record(position);
            let Some(at) = content[after..].windows(data.len()).take(2000).position(|window| window == data) else { break };
            let before = step.as_ref().map_or(0, |step| 8 + step.key.len()) + fingerprint.map_or(0, |_| 16);
            let (begin, header) = (after as u64, (after + at - before - HEAD) as u64);
            after += at + data.len();
            places.push(Place { file: file.clone(), position, begin, header, end: after as u64 });
        }
    }
    places
}

/// A journal of several segments, with everything in it, cut or closed.
pub(crate) fn journal(seed: u64) -> World {
    let mut world = World::new(seed);
    // What a repair takes away must not have been needed: no key may stand on its last snapshot alone.
    world.trims = !seed.is_multiple_of(3);
    while world.counts.most_segments < 3 {
        world.live(30);
        world.die();
    }
    let (batches, closes) = [(1, true), (1, false), (4, false)][world.rng.usize(..3)];
    if let Some(mut core) = world.open() {
        for _ in 0..batches {
            let batch = world.workload.batch(&world.model, &mut world.rng);
            world.write(&mut core, batch);
        }
        if closes {
            core.close();
            world.settled = world.model.last();
        }
    }
    world.disk = world.disk.copy();
    world
}

/// Flips one bit.
fn flip(world: &mut World, file: &str, offset: u64) -> SimulatedDisk {
    let disk = world.disk.copy();
    assert!(disk.flip(file, offset, 1 << world.rng.u8(..8)), "{file} has no byte {offset}");
    disk
}

fn flip_records(world: &mut World, flips: &mut Flips) {
    let places = places(world);
    assert_eq!(places.last().map(|place| place.position), Some(world.model.last()), "every record is found on the disk");
    for _ in 0..20 {
        let place = &places[world.rng.usize(..places.len())];
        let Place { file, position, begin, header, end } = place;
        let offset = world.rng.u64(*begin..*end);
        let disk = flip(world, file, offset);
        match look(world, &disk.copy()) {
            Found::AtStart => flips.refused += 1,
            Found::WhenRead(damaged) => {
                assert_eq!(damaged, *position, "the damaged record is named");
                flips.found_when_read += 1;
            }
            Found::Nothing => {
                assert!(offset < *header, "a flip at byte {offset} of {file} in record {position} changes nothing");
                flips.harmless += 1;
                continue;
            }
            Found::Cut(from) => {
                let settled = world.settled;
                assert!(from > settled, "a flip at byte {offset} of {file} cuts from {from} on, settled up to {settled}");
                assert!(offset >= *header, "a flip at byte {offset} of {file}, in a mark, cuts from {from} on");
                flips.cut += 1;
                continue;
            }
        }
        check_finds(&disk, place, offset);
        flips.checked += 1;
        if !world.trims {
            repair_keeps(world, disk, *position);
            flips.repaired += 1;
        }
    }
}

/// `check` names the file, the record and where it begins (or the mark before it).
fn check_finds(disk: &SimulatedDisk, place: &Place, offset: u64) {
    let report = check(disk).expect("it can be checked");
    let found = report.damage.first().expect("the damage is found");
    assert_eq!((&found.file, found.position), (&place.file, Some(place.position)), "{found}");
    assert!((place.begin..=offset).contains(&found.offset), "a flip at {offset} in {}..{}: {found}", place.begin, place.end);
}

/// `repair` says what it would do, does it though it may be cut, keeps all before, and the journal lives on.
fn repair_keeps(world: &mut World, disk: SimulatedDisk, position: Position) {
    let before = contents(&disk);
    let promised = repair(&disk, true).expect("it can be repaired");
    assert_eq!(contents(&disk), before, "a dry run changes nothing");
    assert_eq!(promised.lost_from, Some(position), "what is lost is said");

    let mut repaired = world.fork(disk);
    if world.rng.bool() {
        let operations = world.rng.u64(..10);
        repaired.disk.cut_at(operations);
        let _ = repair(&repaired.disk, false);
        repaired.power_cut(operations);
    }
    repair(&repaired.disk, false).expect("it can be repaired");
    assert_eq!(check(&repaired.disk).expect("it can be checked").damage, [], "all is well after a repair");
    repaired.model.give_up(position);
    for _ in 0..3 {
        repaired.live(15);
        repaired.die();
    }
    repaired.live(1);
}

fn contents(disk: &SimulatedDisk) -> Vec<(String, Option<Vec<u8>>)> {
    disk.files().into_iter().map(|name| (name.clone(), disk.content(&name))).collect()
}

/// Every other file, and the heads of the segments.
fn flip_the_rest(world: &mut World, flips: &mut Flips) {
    for file in world.disk.files() {
        let length = world.disk.content(&file).map_or(0, |content| content.len() as u64);
        let segment = file.ends_with(".log");
        for _ in 0..if length == 0 { 0 } else { 8 } {
            // What a file is stands at its beginning.
            let most = if segment { 4096 } else { length };
            let most = if world.rng.bool() { most.min(64) } else { most };
            let offset = world.rng.u64(..most);
            let disk = flip(world, &file, offset);
            match look(world, &disk) {
                Found::AtStart => flips.heads += 1,
                Found::Nothing if file.ends_with(".index") => flips.rebuilt += 1,
                Found::Nothing => flips.harmless += 1,
                Found::WhenRead(position) => panic!("a flip at byte {offset} of {file} makes record {position} unreadable"),
                Found::Cut(from) => panic!("a flip at byte {offset} of {file} cuts from {from} on"),
            }
        }
    }
}

fn flip_everywhere(seed: u64) -> Flips {
    let mut world = journal(seed);
    let mut flips = Flips::default();
    flip_records(&mut world, &mut flips);
    flip_the_rest(&mut world, &mut flips);
    flips
}

#[test]
fn no_flipped_bit_is_delivered_or_taken_for_the_end() {
    let flips = seeds::run("no_flipped_bit", 0..30, flip_everywhere);
    println!("{flips}");
    if seeds::chosen() {
        return;
    }
    assert!(flips.refused >= 100 && flips.found_when_read >= 100, "{flips}");
    assert!(flips.checked >= 200 && flips.repaired >= 50, "{flips}");
    assert!(flips.rebuilt >= 50 && flips.heads >= 50, "{flips}");
}
