//! One journal on one disk through many lives, each ended by a power cut, a killed process or a clean close.

use std::fmt;
use std::ops::AddAssign;
use std::sync::Arc;

use fastrand::Rng;
use passerelle_conformance::disk::SimulatedDisk;
use passerelle_journal::log::{self, Core, LogSettings, OpenError};
use passerelle_journal::{AppendError, Entry, Position, ReadError, Receipt, Stored};

use crate::model::{Answered, Append, Model, Tail};
use crate::workload::{Style, Workload};

/// What was done and checked, so that no run is silently empty.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) cuts: u64,
    pub(crate) cuts_in_recovery: u64,
    pub(crate) restarts: u64,
    pub(crate) closes: u64,
    pub(crate) acknowledged: u64,
    pub(crate) checked: u64,
    pub(crate) whole: u64,
    pub(crate) torn: u64,
    pub(crate) gone: u64,
    pub(crate) trimmed: u64,
    pub(crate) most_segments: u64,
    pub(crate) refused: u64,
    pub(crate) failures: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.cuts += other.cuts;
        self.cuts_in_recovery += other.cuts_in_recovery;
        self.restarts += other.restarts;
        self.closes += other.closes;
        self.acknowledged += other.acknowledged;
        self.checked += other.checked;
        self.whole += other.whole;
        self.torn += other.torn;
        self.gone += other.gone;
        self.trimmed += other.trimmed;
        self.most_segments = self.most_segments.max(other.most_segments);
        self.refused += other.refused;
        self.failures += other.failures;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cuts, cuts_in_recovery, restarts, closes, acknowledged, checked, whole, torn, gone, .. } = self;
        let Self { trimmed, most_segments, refused, failures, .. } = self;
        writeln!(
            formatter,
            "{cuts} power cuts ({cuts_in_recovery} during recovery), {restarts} restarts, {closes} clean closes"
        )?;
        writeln!(formatter, "{acknowledged} records acknowledged, {checked} read back and compared, {trimmed} segments' trims")?;
        writeln!(formatter, "writes in flight: {whole} found whole, {torn} in part, {gone} not at all")?;
        write!(formatter, "at most {most_segments} segments; {refused} appends refused for room, {failures} failures of the disk")
    }
}

/// A journal, its disk, and what it must have.
pub(crate) struct World {
    pub(crate) disk: SimulatedDisk,
    pub(crate) model: Model,
    pub(crate) counts: Counts,
    pub(crate) rng: Rng,
    pub(crate) workload: Workload,
    /// What is up to here was durable before something else was written: damage in it must be noticed.
    pub(crate) settled: Position,
    /// Retention is at work.
    pub(crate) trims: bool,
    settings: LogSettings,
}

/// The engine at work. It ends with the power, or with the process.
pub(crate) type Alive<T> = Option<T>;

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let window = if rng.bool() { 20 } else { 100_000 };
        Self {
            disk: SimulatedDisk::new(rng.u64(..)),
            model: Model::new(window),
            counts: Counts::default(),
            workload: Workload::new(Style::draw(&mut rng)),
            settings: LogSettings { segment_bytes: 64 << 10, dedupe_keys: window, ..LogSettings::default() },
            settled: Position(0),
            trims: true,
            rng,
        }
    }

    /// The same journal on another disk.
    pub(crate) fn fork(&self, disk: SimulatedDisk) -> Self {
        Self {
            disk,
            model: self.model.clone(),
            counts: Counts::default(),
            rng: self.rng.clone(),
            workload: self.workload.clone(),
            settings: self.settings.clone(),
            ..*self
        }
    }

    pub(crate) fn settings(&self) -> LogSettings {
        self.settings.clone()
    }

    /// Opens and checks everything. `None` when the disk did not let it: the power is cut, or it fails.
    pub(crate) fn open(&mut self) -> Alive<Core> {
        match Core::open(Arc::new(self.disk.clone()), self.settings.clone()) {
            Ok(core) => self.check(&core).then_some(core),
            Err(OpenError::Disk(_)) if self.disk.is_cut() => {
                self.counts.cuts_in_recovery += 1;
                None
            }
            Err(OpenError::Disk(_)) if self.disk.has_failed() => {
                self.counts.failures += 1;
                None
            }
            Err(error) => panic!("cannot be opened: {error}"),
        }
    }

    /// Opens on a disk that may be too full for it.
    pub(crate) fn try_open(&mut self) -> Alive<Core> {
        match Core::open(Arc::new(self.disk.clone()), self.settings.clone()) {
            Ok(core) => self.check(&core).then_some(core),
            Err(OpenError::Disk(_)) => None,
            Err(error) => panic!("cannot be opened: {error}"),
        }
    }

    /// The laws of a recovery. Whether the disk let us see.
    fn check(&mut self, core: &Core) -> bool {
        let Some(found) = self.read_all(core) else { return false };
        self.counts.checked += found.len() as u64;
        match self.model.recovered(found) {
            Tail::Clean => {}
            Tail::Whole => self.counts.whole += 1,
            Tail::Part => self.counts.torn += 1,
            Tail::Gone => self.counts.gone += 1,
        }
        assert_eq!(core.reader().durable().borrow().position, self.model.last(), "what is said to be durable");
        for key in self.model.keys() {
            let Some(history) = self.seen(core.reader().history(&key)) else { return false };
            self.model.history(&key, history);
        }
        true
    }

    pub(crate) fn read_all(&mut self, core: &Core) -> Alive<Vec<Stored>> {
        let reader = core.reader();
        let mut all = Vec::new();
        let mut from = reader.first();
        // Each read looks at 64 KiB at least: small pages only of small journals.
        let bytes = if self.model.last() < Position(20) { 1 } else { [2_000, 50_000, 1 << 20][self.rng.usize(..3)] };
        loop {
            let page = self.seen(reader.read(from, bytes))?;
            let Some(last) = page.last() else { return Some(all) };
            from = last.position.next();
            all.extend(page);
        }
    }

    /// A result of reading, `None` if the disk failed.
    fn seen<T>(&mut self, result: Result<T, ReadError>) -> Alive<T> {
        match result {
            Ok(value) => Some(value),
            Err(ReadError::Disk(_)) if self.disk.is_cut() => None,
            Err(ReadError::Disk(_)) if self.disk.has_failed() => {
                self.counts.failures += 1;
                None
            }
            Err(error) => panic!("cannot be read: {error}"),
        }
    }

    /// Writes and checks the answers. `None` when the power is gone meanwhile.
    pub(crate) fn write(&mut self, core: &mut Core, appends: Vec<Append>) -> Alive<()> {
        self.model.submit(&appends);
        let (appends, receipts): (Vec<_>, Vec<Receipt>) = appends
            .into_iter()
            .map(|entries| {
                let (answer, receipt) = Receipt::open();
                (log::Append { entries, answer }, receipt)
            })
            .unzip();
        core.write(appends);
        let answers: Vec<Answered> = receipts.into_iter().map(Receipt::wait).collect();
        self.counts.refused += answers.iter().filter(|answer| matches!(answer, Err(AppendError::Full(_)))).count() as u64;
        let failed = answers.iter().any(|answer| matches!(answer, Err(AppendError::Failed(_))));
        let before = self.model.last();
        let written = self.model.answered(answers);
        if written > 0 {
            self.settled = before;
        }
        self.counts.acknowledged += written;
        if failed {
            assert!(self.disk.is_cut() || self.disk.has_failed(), "failed on a disk that is well");
            self.stays_failed(core);
            return None;
        }
        (!self.disk.is_cut()).then_some(())
    }

    /// After a failure nothing is acknowledged, and the disk is not asked again.
    fn stays_failed(&mut self, core: &mut Core) {
        self.counts.failures += u64::from(!self.disk.is_cut());
        let before = self.disk.operations();
        let (answer, receipt) = Receipt::open();
        let entry = Entry { data: "after the failure".into(), step: None, fingerprint: None };
        core.write(vec![log::Append { entries: vec![entry], answer }]);
        let answer = receipt.wait();
        assert!(matches!(answer, Err(AppendError::Failed(_))), "{answer:?} after a failure");
        core.mark();
        assert!(core.reader().durable().borrow().failed.is_some(), "the failure is told");
        assert_eq!(self.disk.operations(), before, "nothing is written or synced after a failure");
    }

    /// One step of a life, whatever comes.
    pub(crate) fn step(&mut self, core: &mut Core) -> Alive<()> {
        match self.rng.u8(..20) {
            0 | 1 => core.mark(),
            2 | 3 => core.prepare(),
            4 => self.read_some(core)?,
            5 if self.trims => self.trim(core)?,
            _ => {
                let batch = self.workload.batch(&self.model, &mut self.rng);
                self.write(core, batch)?;
            }
        }
        (!self.disk.is_cut()).then_some(())
    }

    fn read_some(&mut self, core: &Core) -> Alive<()> {
        let reader = core.reader();
        let from = Position(self.rng.u64(reader.first().0..=self.model.last().0 + 1));
        let bytes = self.rng.usize(1..20_000);
        let page = self.seen(reader.read(from, bytes))?;
        assert_eq!(page.is_empty(), from > self.model.last(), "something is read from {from} on");
        for (index, stored) in page.iter().enumerate() {
            assert_eq!(stored.position.0, from.0 + index as u64);
            assert_eq!(&stored.entry, self.model.record(stored.position), "record {}", stored.position);
        }
        self.counts.checked += page.len() as u64;
        if let Some(key) = self.rng.choice(self.model.keys()) {
            let history = self.seen(reader.history(&key))?;
            self.model.history(&key, history);
        }
        Some(())
    }

    /// Snapshots for all keys, then gives up what is before some position, as retention does.
    pub(crate) fn trim(&mut self, core: &mut Core) -> Alive<()> {
        let snapshots = self.workload.snapshots(&self.model, &mut self.rng);
        self.write(core, vec![snapshots])?;
        let position = Position(self.rng.u64(1..=self.model.trimmable().0.max(1)));
        self.model.trim(position);
        let before = core.reader().first();
        let first = match core.trim(position) {
            Ok(first) => first,
            Err(_) if self.disk.is_cut() => return None,
            Err(error) if self.disk.has_failed() => {
                self.counts.failures += 1;
                assert!(!error.to_string().is_empty());
                return Some(());
            }
            Err(error) => panic!("cannot be trimmed: {error}"),
        };
        assert!(first <= position.max(before), "trimmed to {first}, asked for {position}");
        self.counts.trimmed += u64::from(first > before);
        Some(())
    }

    /// A whole life: opens, works for so many steps, until then or until the power is cut.
    pub(crate) fn live(&mut self, steps: usize) {
        let Some(mut core) = self.open() else { return };
        for _ in 0..steps {
            if self.step(&mut core).is_none() {
                return;
            }
        }
        let segments = self.disk.files().iter().filter(|name| name.ends_with(".log") && !name.starts_with("free")).count();
        self.counts.most_segments = self.counts.most_segments.max(segments as u64);
        if self.rng.u8(..4) == 0 {
            core.close();
            self.counts.closes += 1;
        }
    }

    /// The power fails, if it has not, and comes back.
    pub(crate) fn power_cut(&mut self, seed: u64) {
        self.counts.cuts += 1;
        self.disk = self.disk.power_cut(seed);
    }

    /// The end of a life: the disk as the next one finds it.
    pub(crate) fn die(&mut self) {
        let seed = self.rng.u64(..);
        // What struck may also have been the end of the process alone.
        if self.rng.u8(..5) == 0 {
            self.counts.restarts += 1;
            self.disk = self.disk.restart(seed);
        } else {
            self.power_cut(seed);
        }
        if self.rng.u8(..4) == 0 {
            let file = self.rng.choice(self.disk.files());
            self.workload.own = file.and_then(|name| self.disk.content(&name)).unwrap_or_default();
        }
    }
}
