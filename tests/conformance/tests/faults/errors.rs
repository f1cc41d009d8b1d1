//! A disk that is full, and one that fails.

use passerelle_conformance::disk::{Fault, Operation};

use crate::seeds;
use crate::world::{Counts, World};

/// Lives on a disk that fails now and then; each ends with a restart or a cut, and the disk is well until the next is open.
fn failing(seed: u64) -> Counts {
    let mut world = World::new(seed);
    let operations = [
        Operation::Sync,
        Operation::Write,
        Operation::Read,
        Operation::Create,
        Operation::Rename,
        Operation::Remove,
        Operation::SyncNames,
    ];
    for _ in 0..6 {
        let operation = operations[world.rng.usize(..operations.len())];
        let after = world.rng.u64(..30);
        // A copying file system may be full in any operation.
        let fault = if seed.is_multiple_of(3) { Fault::NoRoom } else { Fault::Broken };
        world.model.may_be_full = fault == Fault::NoRoom;
        world.disk.fail(operation, after, fault);
        let steps = world.rng.usize(5..25);
        world.live(steps);
        world.disk.heal();
        world.die();
    }
    world.live(2);
    world.counts
}

#[test]
fn after_a_failure_of_the_disk_nothing_is_acknowledged_and_nothing_acknowledged_is_lost() {
    let counts = seeds::run("after_a_failure", 0..400, failing);
    println!("{counts}");
    assert!(seeds::chosen() || (counts.failures >= 300 && counts.refused >= 20), "{counts}");
}

/// Lives on a disk with little room: what is refused is refused, and is taken once there is room.
fn narrow(seed: u64) -> Counts {
    let mut world = World::new(seed);
    world.model.may_be_full = true;
    for _ in 0..4 {
        let Some(mut core) = world.open() else { break };
        let room = world.rng.u64(..150_000);
        world.disk.capacity(Some(world.disk.used() + room));
        if world.rng.bool() {
            let operations = world.rng.u64(..200);
            world.disk.cut_at(operations);
        }
        let refused = world.counts.refused;
        for _ in 0..200 {
            if world.counts.refused > refused + 3 || world.step(&mut core).is_none() {
                break;
            }
        }
        if !world.disk.is_cut() {
            world.disk.capacity(None);
            core.prepare();
            let (refused, before) = (world.counts.refused, world.counts.acknowledged);
            while !world.disk.is_cut() && world.counts.acknowledged < before + 10 {
                let batch = world.workload.batch(&world.model, &mut world.rng);
                if world.write(&mut core, batch).is_none() {
                    assert!(world.disk.is_cut(), "the disk is well");
                }
            }
            assert_eq!(world.counts.refused, refused, "there is room again");
        }
        drop(core);
        world.die();
        world.disk.capacity(None);
    }
    world.live(1);
    world.counts
}

#[test]
fn a_full_disk_refuses_and_takes_again_when_there_is_room() {
    let counts = seeds::run("a_full_disk", 0..60, narrow);
    println!("{counts}");
    assert!(seeds::chosen() || counts.refused >= 200, "{counts}");
}

/// The disk is filled up to nothing from the first byte on: whatever can be opened obeys the laws.
#[test]
fn a_disk_too_full_to_begin_says_so_and_begins_when_there_is_room() {
    let begin = |seed: u64| {
        let mut world = World::new(seed);
        world.model.may_be_full = true;
        world.disk.capacity(Some(seed * 1000));
        let opened = world.try_open();
        world.disk.capacity(None);
        if opened.is_none() {
            world.counts.refused += 1;
            world.disk = world.disk.restart(seed);
        } else {
            world.die();
        }
        world.live(5);
        world.counts
    };
    let counts = seeds::run("a_disk_too_full", 0..150, begin);
    println!("{counts}");
    assert!(seeds::chosen() || counts.refused >= 50, "{counts}");
}
