//! What is left of a file's unsynced writes: the modes of a power cut.

use std::collections::HashSet;

use fastrand::Rng;

use super::inode::{Inode, Write, put};
use super::{PAGE, SECTOR};

/// How far the unsynced writes of one file got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// None of them.
    Nothing,
    /// All of them.
    Everything,
    /// The first so many sectors, in the order of writing.
    InOrder(usize),
    /// Each unit of so many bytes on its own: of the versions of it, the chance to get one further is so many in 8.
    Scattered {
        /// A sector or a page.
        unit: usize,
        /// Chance, in eighths.
        eighths: u8,
    },
}

impl Mode {
    /// Any of them, the extremes often.
    fn draw(rng: &mut Rng, sectors: usize) -> Self {
        match rng.u8(..16) {
            0..=2 => Self::Nothing,
            3..=5 => Self::Everything,
            6..=8 => Self::InOrder(rng.usize(..=sectors)),
            9 | 10 => Self::Scattered { unit: PAGE, eighths: 4 },
            11 => Self::Scattered { unit: SECTOR, eighths: 1 },
            12 | 13 => Self::Scattered { unit: SECTOR, eighths: 4 },
            _ => Self::Scattered { unit: SECTOR, eighths: 7 },
        }
    }
}

/// What a cut makes of one sector's next version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Written,
    Torn,
    Lost,
}

/// The content of a file as it may be found after a cut.
pub(super) fn remains(inode: &Inode, rng: &mut Rng) -> Vec<u8> {
    let mut content = inode.durable.clone();
    let sectors: usize = inode.pending.iter().map(|write| write.bytes.len().div_ceil(SECTOR)).sum();
    if sectors == 0 {
        return content;
    }
    let mode = Mode::draw(rng, sectors);
    let mut survivors = Survivors { mode, written: 0, stopped: HashSet::new() };
    for Write { offset, bytes } in &inode.pending {
        for (index, new) in bytes.chunks(SECTOR).enumerate() {
            let at = offset + index * SECTOR;
            match survivors.fate(at, rng) {
                Fate::Written => put(&mut content, at, new),
                Fate::Torn => tear(&mut content, at, new, rng),
                Fate::Lost => {}
            }
        }
    }
    let (old, new) = (inode.durable.len(), inode.cache.len());
    if new > old {
        match rng.u8(..4) {
            0 => content.truncate(old),
            1 => content.resize(new, 0),
            _ => {}
        }
    }
    content
}

/// Decides sector by sector. A version of a sector is on disk only if the one before could have been: versions are cumulative.
struct Survivors {
    mode: Mode,
    written: usize,
    stopped: HashSet<usize>,
}

impl Survivors {
    fn fate(&mut self, at: usize, rng: &mut Rng) -> Fate {
        let unit = match self.mode {
            Mode::Scattered { unit, .. } => unit,
            _ => SECTOR,
        };
        if self.stopped.contains(&(at / unit)) {
            return Fate::Lost;
        }
        let goes_on = match self.mode {
            Mode::Nothing => false,
            Mode::Everything => true,
            Mode::InOrder(sectors) => self.written < sectors,
            // A page's fate is decided at its first sector of a write.
            Mode::Scattered { unit, eighths } => (unit != SECTOR && !at.is_multiple_of(unit)) || rng.u8(..8) < eighths,
        };
        if goes_on {
            self.written += 1;
            return Fate::Written;
        }
        self.stopped.insert(at / unit);
        // The one sector that was under the head; for scattered ones now and then.
        let torn = match self.mode {
            Mode::InOrder(sectors) => self.stopped.len() == 1 && self.written == sectors && rng.bool(),
            Mode::Scattered { .. } => rng.u8(..8) == 0,
            _ => false,
        };
        if torn { Fate::Torn } else { Fate::Lost }
    }
}

/// A sector that was being written: a front part is new; or what was to change is garbage.
fn tear(content: &mut Vec<u8>, at: usize, new: &[u8], rng: &mut Rng) {
    let garbage = rng.u8(..4) == 0;
    let reached = if garbage { new.len() } else { rng.usize(..=new.len()) };
    let mut torn: Vec<u8> =
        content.get(at..).unwrap_or_default().iter().copied().chain(std::iter::repeat(0)).take(new.len()).collect();
    for (old, new) in torn.iter_mut().zip(new).take(reached) {
        if *old != *new {
            *old = if garbage { rng.u8(..) } else { *new };
        }
    }
    put(content, at, &torn);
}
