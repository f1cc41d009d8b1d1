//! Reading all of a journal, to say what is there and what is damaged.

use std::sync::Arc;

use crate::storage::{File, Folder};
use crate::{Position, Stored};

use super::listing::Listing;
use super::meta::{Identity, Meta};
use super::segment::{HEADER, Head};
use super::store::STRIDE;
use super::tail::{self, Tail};
use super::walk::{Walk, Window};
use super::{Damage, OpenError, names};

/// What a repair can do something about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// The journal's own file.
    Meta(Damage),
    /// The head of a segment, not its records.
    Head(Damage, Head),
    /// The oldest segments; this one is the first that is left.
    Beginning(Damage, u64),
    /// From here on nothing can be read for certain.
    Cut(Damage, Cut),
}

/// Where a segment stops being whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) base: u64,
    pub(super) offset: u64,
}

impl Fault {
    pub(super) fn damage(&self) -> &Damage {
        match self {
            Self::Meta(damage) | Self::Head(damage, _) | Self::Beginning(damage, _) | Self::Cut(damage, _) => damage,
        }
    }
}

/// One segment as it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) base: u64,
    /// Position after its last whole record before any damage.
    pub(super) next: u64,
    /// Bytes up to there.
    pub(super) end: u64,
    /// Records of a torn write behind it.
    pub(super) torn: u64,
}

/// Everything found.
pub(super) struct Survey {
    pub(super) identity: Option<Identity>,
    pub(super) bases: Vec<u64>,
    pub(super) segments: Vec<Found>,
    pub(super) faults: Vec<Fault>,
}

impl Survey {
    /// Reads every segment and shows every record that follows the one before; stops showing at the first cut, not reading.
    pub(super) fn make(folder: &dyn Folder, show: &mut dyn FnMut(Stored)) -> Result<Self, OpenError> {
        let listing = Listing::read(folder)?;
        let meta = Meta::read(folder)?;
        let mut survey = Self { identity: None, bases: listing.bases.clone(), segments: Vec::new(), faults: Vec::new() };
        match meta {
            Some(meta) => {
                survey.identity = Some(meta.identity);
                survey.bases = listing.kept(meta.first);
                survey.look_at_beginning(&meta);
            }
            None => survey.look_for_identity(folder)?,
        }
        let Some(identity) = survey.identity else { return Ok(survey) };
        let mut whole = true;
        for at in 0..survey.bases.len() {
            let (base, next) = (survey.bases[at], survey.bases.get(at + 1).copied());
            let fault = survey.read_segment(folder, identity, [Some(base), next], &mut |stored| {
                if whole {
                    show(stored);
                }
            })?;
            whole &= fault.is_none();
            survey.faults.extend(fault);
        }
        Ok(survey)
    }

    fn look_at_beginning(&mut self, meta: &Meta) {
        let begins = self.bases.first().copied();
        if begins == Some(meta.first) || (begins.is_none() && meta.epoch == 0) {
            return;
        }
        let why = begins
            .map_or("no segment is left".into(), |base| format!("the file is missing, the oldest one begins with record {base}"));
        let damage = Damage { file: names::segment(meta.first), offset: 0, position: Some(Position(meta.first)), why };
        self.faults.push(Fault::Beginning(damage, begins.unwrap_or(meta.first)));
    }

    /// Without its own file, a journal is known by the heads of its segments.
    fn look_for_identity(&mut self, folder: &dyn Folder) -> Result<(), OpenError> {
        if self.bases.is_empty() {
            return Ok(());
        }
        for base in &self.bases {
            let file = folder.open(&names::segment(*base))?;
            self.identity = self.identity.or(Head::read(&*file)?.map(|(_, identity)| identity));
        }
        let why = "it is missing or damaged, though there are segments".into();
        self.faults.push(Fault::Meta(Damage { file: names::META.into(), offset: 0, position: None, why }));
        Ok(())
    }

    fn read_segment(
        &mut self,
        folder: &dyn Folder,
        identity: Identity,
        [base, next]: [Option<u64>; 2],
        show: &mut dyn FnMut(Stored),
    ) -> Result<Option<Fault>, OpenError> {
        let base = base.unwrap_or_default();
        let file: Arc<dyn File> = folder.open(&names::segment(base))?;
        let length = file.length()?;
        match Head::expect(&*file, base, identity) {
            Ok(_) => {}
            // Its records prove themselves.
            Err(OpenError::Damaged(damage)) => self.faults.push(Fault::Head(damage, Head { base, epoch: 1, capacity: length })),
            Err(error) => return Err(error),
        }
        let mut walk = Walk::new(Window::new(file, length, STRIDE), identity.seed(), HEADER, base, 1);
        while let Some((_, block)) = walk.next()? {
            if !block.is_mark() {
                show(block.stored());
            }
            if next.is_some_and(|next| walk.position >= next) {
                break;
            }
        }
        let mut found = Found { base, next: walk.position, end: walk.offset, torn: 0 };
        let cut = Cut { base, offset: walk.offset };
        let fault = match next {
            Some(next) if walk.position == next => None,
            Some(next) => {
                let why = format!("no whole record, though the next segment begins with record {next}");
                let position = Some(Position(walk.position));
                let damage = Damage { file: names::segment(base), offset: walk.offset, position, why };
                Some(Fault::Cut(damage, cut))
            }
            None => match tail::examine(&mut walk, length)? {
                Tail::Clean => None,
                Tail::Torn { records } => {
                    found.torn = records;
                    None
                }
                Tail::Damaged { by } => Some(Fault::Cut(tail::damage(base, &walk, by), cut)),
            },
        };
        self.segments.push(found);
        Ok(fault)
    }
}
