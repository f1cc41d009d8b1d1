//! What a full and a failing disk do.

use std::io::ErrorKind;
use std::sync::atomic::Ordering;

use super::ram::Ram;
use super::*;

#[test]
fn a_full_disk_refuses_what_does_not_fit_and_clears_by_itself() {
    let ram = Ram::new();
    let mut core = open(&ram);
    ram.control.full.store(true, Ordering::SeqCst);
    write(&mut core, vec![Entry { data: vec![0; 500].into(), ..numbered(0) }]).expect("it is written");
    let mut written = 1;
    let refused = loop {
        match write(&mut core, vec![numbered(written + 1)]) {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, AppendError::Full(_)), "{refused}");
    assert!(written > 50);
    core.prepare();
    assert_eq!(
        write(&mut core, vec![Entry { data: "s".into(), ..numbered(0) }]),
        Ok(vec![Outcome::Written(Position(written + 1))])
    );
    assert!(matches!(write(&mut core, vec![numbered(7)]), Err(AppendError::Full(_))));
    ram.control.full.store(false, Ordering::SeqCst);
    assert_eq!(write(&mut core, vec![numbered(8)]), Ok(vec![Outcome::Written(Position(written + 2))]));
}

#[test]
fn a_full_disk_does_not_hinder_a_start() {
    let ram = Ram::new();
    let mut core = open(&ram);
    write_each(&mut core, 1..=5);
    drop(core);
    ram.control.full.store(true, Ordering::SeqCst);
    let mut core = open(&ram);
    write_each(&mut core, 6..=7);
    assert_eq!(numbers(&core), [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn what_was_refused_for_want_of_room_is_never_read() {
    for at_sync in [false, true] {
        let ram = Ram::new();
        let mut core = open(&ram);
        write_each(&mut core, 1..=3);
        let failing = if at_sync { &ram.control.failing_syncs } else { &ram.control.failing_writes };
        failing.lock().unwrap().push(ErrorKind::StorageFull);
        let mut refused: Vec<Entry> = (50..=55).map(once).collect();
        refused.push(step("a", 1));
        assert!(matches!(write(&mut core, refused), Err(AppendError::Full(_))));
        assert_eq!(durable(&core), Position(3));
        assert_eq!(core.reader().history("a").unwrap().sequence, 0);
        // Nothing of it is remembered, and it can be written again.
        assert_eq!(write(&mut core, vec![once(50)]), Ok(vec![Outcome::Written(Position(4))]));
        assert_eq!(write(&mut core, vec![step("a", 1)]), Ok(vec![Outcome::Written(Position(5))]));
        drop(core);
        assert_eq!(numbers(&open(&ram)), [1, 2, 3, 50, 1]);
    }
}

#[test]
fn a_failed_sync_is_not_tried_again_and_reading_goes_on() {
    for at_sync in [false, true] {
        let ram = Ram::new();
        let mut core = open(&ram);
        write_each(&mut core, 1..=3);
        let failing = if at_sync { &ram.control.failing_syncs } else { &ram.control.failing_writes };
        failing.lock().unwrap().push(ErrorKind::Other);
        for number in 4..=6 {
            let failed = write(&mut core, vec![numbered(number)]);
            assert!(matches!(failed, Err(AppendError::Failed(_))), "{failed:?}");
        }
        core.mark();
        assert!(core.reader().durable().borrow().failed.is_some());
        assert_eq!(durable(&core), Position(3));
        assert_eq!(numbers(&core), [1, 2, 3]);
        assert!(matches!(core.trim(Position(2)), Err(AppendError::Failed(_))));
    }
}

#[test]
fn what_the_last_start_may_not_have_synced_is_written_once_more() {
    let ram = Ram::new();
    let mut core = open(&ram);
    write_each(&mut core, 1..=3);
    drop(core);
    // Without a sync that succeeds, nothing found is durable.
    ram.control.failing_syncs.lock().unwrap().extend([ErrorKind::Other, ErrorKind::Other]);
    assert!(matches!(try_open(&ram), Err(OpenError::Disk(_))));
}
