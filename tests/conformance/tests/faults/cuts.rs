//! Power cuts: ten thousand by chance, and a short life cut at every operation.

use crate::seeds;
use crate::world::{Counts, World};

/// Lives of one world by chance. Most are cut in their midst.
fn lives(seed: u64) -> Counts {
    let mut world = World::new(seed);
    for _ in 0..10 {
        if world.rng.u8(..8) != 0 {
            let most = if world.rng.u8(..4) == 0 { 12 } else { 60 };
            world.disk.cut_at(world.rng.u64(..most));
        }
        let steps = world.rng.usize(1..25);
        world.live(steps);
        world.die();
    }
    world.live(1);
    world.counts
}

#[test]
fn nothing_acknowledged_is_lost_in_ten_thousand_power_cuts() {
    let counts = seeds::run("nothing_acknowledged", 0..1300, lives);
    println!("{counts}");
    if seeds::chosen() {
        return;
    }
    assert!(counts.cuts >= 10_000, "{counts}");
    assert!(counts.cuts_in_recovery >= 500 && counts.restarts >= 200 && counts.closes >= 100, "{counts}");
    assert!(counts.whole >= 500 && counts.torn >= 250 && counts.gone >= 500, "{counts}");
    assert!(counts.acknowledged >= 100_000 && counts.checked >= 1_000_000, "{counts}");
    assert!(counts.most_segments >= 3 && counts.trimmed >= 60, "{counts}");
}

/// A short life with everything in it: batches, a mark, segments that roll, a trim, a clean close.
fn script(world: &mut World) -> Option<()> {
    let mut core = world.open()?;
    for round in 0..3 {
        for _ in 0..2 {
            let batch = world.workload.batch(&world.model, &mut world.rng);
            world.write(&mut core, batch)?;
        }
        core.mark();
        let large = world.workload.large(30_000);
        world.write(&mut core, vec![large])?;
        core.prepare();
        if round == 2 {
            world.trim(&mut core)?;
            core.prepare();
        }
    }
    core.close();
    Some(())
}

/// Cuts a world's script at one of its operations, and goes on twice. With `recovery`, the next start is cut there as well; whether it was
/// still recovering then.
fn cut_once(seed: u64, at: u64, recovery: Option<u64>, cut: u64) -> (Counts, bool) {
    let mut world = World::new(seed);
    world.disk.cut_at(at);
    script(&mut world);
    world.power_cut(cut);
    let before = world.counts.cuts_in_recovery;
    if let Some(at) = recovery {
        world.disk.cut_at(at);
        world.live(2);
        world.power_cut(cut + 1);
    }
    let recovering = world.counts.cuts_in_recovery > before;
    world.live(3);
    world.power_cut(cut + 2);
    world.live(1);
    (world.counts, recovering)
}

/// How many operations a world's script takes.
fn operations(seed: u64) -> u64 {
    let mut world = World::new(seed);
    script(&mut world).expect("nothing fails");
    world.disk.operations()
}

#[test]
fn a_short_life_may_be_cut_at_every_operation() {
    let lives = |seed: u64| {
        let mut counts = Counts::default();
        for at in 0..operations(seed) {
            (0..6).for_each(|cut| counts += cut_once(seed, at, None, cut * 10).0);
        }
        counts
    };
    let counts = seeds::run("a_short_life", 0..4, lives);
    println!("{counts}");
    assert!(seeds::chosen() || counts.cuts >= 2_000, "{counts}");
}

#[test]
fn the_recovery_after_each_of_these_cuts_may_be_cut_at_every_operation() {
    let lives = |seed: u64| {
        let mut counts = Counts::default();
        for at in 0..operations(seed) {
            // One after another, up to the first that comes after the recovery.
            for recovery in 0.. {
                let (lived, recovering) = cut_once(seed, at, Some(recovery), at + recovery);
                counts += lived;
                if !recovering {
                    break;
                }
            }
        }
        counts
    };
    let counts = seeds::run("the_recovery_after", 0..2, lives);
    println!("{counts}");
    assert!(seeds::chosen() || counts.cuts_in_recovery >= 1_500, "{counts}");
}
