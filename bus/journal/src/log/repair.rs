//! Cutting a damaged journal where the damage begins, with what is cut kept beside it.

use std::io;

use crate::Position;
use crate::storage::{File, Folder};

use super::check::{Report, report};
use super::meta::Meta;
use super::segment::Head;
use super::store::STRIDE;
use super::survey::{Cut, Fault, Survey};
use super::{OpenError, listing, names};

/// What a repair does, or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// How the journal was found.
    pub found: Report,
    /// What is done, in words, in order. Empty: nothing is to be done.
    pub steps: Vec<String>,
    /// Records from here on are lost, those that were acknowledged included. What had followed them (views, subscriptions) is to be
    /// made anew, because their positions are given again.
    pub lost_from: Option<Position>,
}

/// Cuts the journal at the first damage. The cut part is kept beside it, in files named `damaged-…`; whole records before it are
/// never touched, nor is what an earlier repair kept. With `dry_run` it only says what it would do. Ended early, it can be run again.
pub fn repair(folder: &dyn Folder, dry_run: bool) -> Result<Repair, OpenError> {
    let _lock = listing::lock(folder)?;
    let survey = Survey::make(folder, &mut drop)?;
    let mut repair = Repair { found: report(&survey), steps: Vec::new(), lost_from: None };
    for fault in &survey.faults {
        let last = matches!(fault, Fault::Cut(..));
        match fault {
            Fault::Meta(damage) if survey.identity.is_none() => return Err(OpenError::Damaged(damage.clone())),
            Fault::Beginning(damage, _) if survey.bases.is_empty() => return Err(OpenError::Damaged(damage.clone())),
            Fault::Meta(_) => repair.make_meta(folder, &survey, dry_run)?,
            Fault::Beginning(_, first) => repair.move_beginning(folder, *first, dry_run)?,
            Fault::Head(_, head) => repair.write_head(folder, &survey, *head, dry_run)?,
            Fault::Cut(damage, cut) => {
                repair.lost_from = damage.position;
                repair.cut(folder, &survey, *cut, dry_run)?;
            }
        }
        // What follows a cut is set aside with it.
        if last {
            break;
        }
    }
    Ok(repair)
}

impl Repair {
    fn make_meta(&mut self, folder: &dyn Folder, survey: &Survey, dry_run: bool) -> Result<(), OpenError> {
        let first = survey.bases.first().copied().unwrap_or(1);
        self.steps.push(format!("write {} anew, from the heads of the segments", names::META));
        if !dry_run {
            Meta::create(folder, survey.identity, first)?;
        }
        Ok(())
    }

    fn move_beginning(&mut self, folder: &dyn Folder, first: u64, dry_run: bool) -> Result<(), OpenError> {
        self.steps.push(format!("let the journal begin with record {first}"));
        if !dry_run && let Some(mut meta) = Meta::read(folder)? {
            meta.first = first;
            meta.write()?;
        }
        Ok(())
    }

    fn write_head(&mut self, folder: &dyn Folder, survey: &Survey, head: Head, dry_run: bool) -> Result<(), OpenError> {
        let name = names::segment(head.base);
        self.steps.push(format!("write the head of {name} anew"));
        if let (false, Some(identity)) = (dry_run, survey.identity) {
            head.write(identity, &*folder.open(&name)?)?;
        }
        Ok(())
    }

    fn cut(&mut self, folder: &dyn Folder, survey: &Survey, Cut { base, offset }: Cut, dry_run: bool) -> Result<(), OpenError> {
        let there = folder.names()?;
        let (name, aside) = (names::segment(base), free(&there, base, offset));
        self.steps.push(format!("copy {name} from byte {offset} on to {aside}"));
        // From the newest one on, so that what is left never has a hole.
        let later = survey.bases.iter().copied().filter(|other| *other > base).rev();
        let later: Vec<_> = later.map(|other| (names::segment(other), free(&there, other, 0))).collect();
        self.steps.extend(later.iter().map(|(name, aside)| format!("rename {name} to {aside}")));
        self.steps.push(format!("fill {name} from byte {offset} on with zeros"));
        if dry_run {
            return Ok(());
        }
        let file = folder.open(&name)?;
        copy(folder, &*file, offset, &aside)?;
        for (name, aside) in &later {
            folder.rename(name, aside)?;
        }
        // It speaks of what is cut, and could be taken for that of the segment when it is full again.
        match folder.remove(&names::index(base)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        folder.sync_names()?;
        zero(&*file, offset)?;
        Ok(())
    }
}

/// A name for what is cut out. What is there under another one may be of an earlier repair, or of this one, which was ended early.
fn free(there: &[String], base: u64, offset: u64) -> String {
    let mut time = 1;
    loop {
        let name = names::damaged(base, offset, time);
        if !there.contains(&name) {
            return name;
        }
        time += 1;
    }
}

/// Copies the rest of a file.
fn copy(folder: &dyn Folder, file: &dyn File, mut offset: u64, name: &str) -> io::Result<()> {
    match folder.remove(names::COPYING) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let copy = folder.create(names::COPYING)?;
    let mut bytes = vec![0; STRIDE];
    let mut at = 0;
    loop {
        let read = file.read_at(offset, &mut bytes)?;
        if read == 0 {
            break;
        }
        copy.write_at(at, &bytes[..read])?;
        (at, offset) = (at + read as u64, offset + read as u64);
    }
    copy.sync()?;
    folder.rename(names::COPYING, name)?;
    folder.sync_names()
}

fn zero(file: &dyn File, mut offset: u64) -> io::Result<()> {
    let (length, zeros) = (file.length()?, vec![0; STRIDE]);
    while offset < length {
        let more = zeros.len().min((length - offset) as usize);
        file.write_at(offset, &zeros[..more])?;
        offset += more as u64;
    }
    file.sync()
}
