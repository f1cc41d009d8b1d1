//! Which operation fails, and how.

use std::io;

/// What is asked of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Reading from a file.
    Read,
    /// Writing to a file.
    Write,
    /// Making a file's content durable.
    Sync,
    /// Making a file.
    Create,
    /// Giving another name.
    Rename,
    /// Removing a name.
    Remove,
    /// Making names durable.
    SyncNames,
}

/// How an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `EIO`.
    Broken,
    /// `ENOSPC`.
    NoRoom,
}

impl Fault {
    /// The error as Linux numbers it.
    pub(super) fn error(self) -> io::Error {
        io::Error::from_raw_os_error(match self {
            Self::Broken => 5,
            Self::NoRoom => 28,
        })
    }
}

/// Faults to come, and what has been counted.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    pub(super) operations: u64,
    pub(super) cut_at: Option<u64>,
    pub(super) dead: bool,
    pub(super) struck: bool,
    pub(super) once: Vec<(Operation, u64, Fault)>,
}

/// What an operation that begins is to do.
pub(super) enum Verdict {
    /// Its work.
    Proceed,
    /// Its work, of which nothing is told: the power fails meanwhile.
    Cut,
    /// Fail.
    Fail(Fault),
}

impl Faults {
    /// An operation begins.
    pub(super) fn begin(&mut self, operation: Operation) -> io::Result<Verdict> {
        if self.dead {
            return Err(power());
        }
        if operation != Operation::Read {
            self.operations += 1;
            if self.cut_at.is_some_and(|at| self.operations > at) {
                self.dead = true;
                return Ok(Verdict::Cut);
            }
        }
        let fault = self.due(operation);
        self.struck |= fault.is_some();
        Ok(fault.map_or(Verdict::Proceed, Verdict::Fail))
    }

    /// Counts down the faults asked for this kind of operation; the one whose time has come.
    fn due(&mut self, operation: Operation) -> Option<Fault> {
        let due = self.once.iter().position(|(of, left, _)| *of == operation && *left == 0);
        for (_, left, _) in self.once.iter_mut().filter(|(of, ..)| *of == operation) {
            *left = left.saturating_sub(1);
        }
        due.map(|index| self.once.swap_remove(index).2)
    }
}

/// The error of everything after a cut.
pub(super) fn power() -> io::Error {
    io::Error::other("the power is cut")
}
