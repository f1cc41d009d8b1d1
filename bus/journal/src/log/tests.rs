//! The engine on a real directory: what is written is read, and found again.

use std::sync::Arc;

use crate::storage::Directory;
use crate::{AppendError, Entry, Fingerprint, KeyStep, Outcome, Position, Receipt};

use super::{Append, Core, LogSettings};

fn entry(data: &str) -> Entry {
    Entry { data: data.to_owned().into(), step: None, fingerprint: None }
}

fn step(key: &str, sequence: u64, snapshot: bool) -> Entry {
    let step = KeyStep { key: key.into(), sequence, snapshot };
    Entry { step: Some(step), ..entry(&format!("{key} {sequence}")) }
}

fn write(core: &mut Core, entries: Vec<Entry>) -> Result<Vec<Outcome>, AppendError> {
    let (answer, receipt) = Receipt::open();
    core.write(vec![Append { entries, answer }]);
    receipt.wait()
}

fn open(path: &std::path::Path) -> Core {
    let settings = LogSettings { segment_bytes: 64 << 10, ..LogSettings::default() };
    Core::open(Arc::new(Directory::open(path).unwrap()), settings).unwrap()
}

#[test]
fn what_is_written_is_read_and_found_again() {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..3_u64 {
        let mut core = open(directory.path());
        assert_eq!(core.reader().durable().borrow().position, Position(round * 500));
        for number in 0..500 {
            let position = round * 500 + number + 1;
            let mut entry = step(&format!("key/{}", number % 7), round * 500 / 7 + 1, false);
            entry.step = None;
            entry.fingerprint = Some(Fingerprint(position.into()));
            entry.data = vec![number as u8; 700].into();
            assert_eq!(write(&mut core, vec![entry.clone()]), Ok(vec![Outcome::Written(Position(position))]));
            assert_eq!(write(&mut core, vec![entry]), Ok(vec![Outcome::Repeated(Position(position))]));
        }
        core.prepare();
        let mut from = Position(1);
        loop {
            let page = core.reader().read(from, 10_000).unwrap();
            let Some(last) = page.last() else { break };
            assert_eq!(page[0].position, from);
            from = last.position.next();
        }
        assert_eq!(from, Position((round + 1) * 500 + 1));
        core.close();
    }
}
