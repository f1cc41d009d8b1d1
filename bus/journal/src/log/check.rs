//! Saying how a journal is, without opening it for writing.

use std::fmt;

use crate::storage::Folder;
use crate::{Position, Stored};

use super::survey::Survey;
use super::{Damage, OpenError, listing, names};

/// How a journal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Every segment, oldest first.
    pub segments: Vec<SegmentReport>,
    /// What is damaged, in order. Empty: all is well.
    pub damage: Vec<Damage>,
}

/// How one segment is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentReport {
    /// Its file.
    pub file: String,
    /// Position of its first record.
    pub first: Position,
    /// Whole records, up to the first that is damaged.
    pub records: u64,
    /// Bytes up to there, head included.
    pub bytes: u64,
    /// Whole records behind them of a write that was never acknowledged; the next start cuts them.
    pub torn: u64,
}

/// Reads all of the journal in the folder. Nobody else may have it open. Changes nothing.
pub fn check(folder: &dyn Folder) -> Result<Report, OpenError> {
    let _lock = listing::lock(folder)?;
    Ok(report(&Survey::make(folder, &mut drop)?))
}

/// Shows every record from `from` on, up to the first damage, which is returned. Nobody else may have the journal open.
pub fn dump(folder: &dyn Folder, from: Position, show: &mut dyn FnMut(Stored)) -> Result<Option<Damage>, OpenError> {
    let _lock = listing::lock(folder)?;
    let survey = Survey::make(folder, &mut |stored| {
        if stored.position >= from {
            show(stored);
        }
    })?;
    Ok(survey.faults.first().map(|fault| fault.damage().clone()))
}

pub(super) fn report(survey: &Survey) -> Report {
    let segments = survey.segments.iter().map(|found| SegmentReport {
        file: names::segment(found.base),
        first: Position(found.base),
        records: found.next - found.base,
        bytes: found.end,
        torn: found.torn,
    });
    let damage = survey.faults.iter().map(|fault| fault.damage().clone());
    Report { segments: segments.collect(), damage: damage.collect() }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for SegmentReport { file, first, records, bytes, torn } in &self.segments {
            write!(formatter, "{file}: {records} records from {first} on, {bytes} bytes")?;
            if *torn > 0 {
                write!(formatter, "; {torn} records of a torn write, never acknowledged, are cut at the next start")?;
            }
            writeln!(formatter)?;
        }
        for damage in &self.damage {
            writeln!(formatter, "DAMAGED {damage}")?;
        }
        Ok(())
    }
}
