//! What lies behind the last valid block: nothing, a torn write, or the rest of a damaged journal.

use crate::Position;

use super::label::long;
use super::record::{HEAD, Head};
use super::walk::{Stop, Walk};
use super::{Damage, names};

/// What was found there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// No record that could belong there.
    Clean,
    /// Whole records of the very batch that the first invalid one belongs to: it was never acknowledged.
    Torn { records: u64 },
    /// A record that was written when the first invalid one was durable already.
    Damaged { by: u64 },
}

/// Looks through the rest of the segment for whole records, wherever they may begin.
///
/// A record says which ones were durable before it was written (all before its batch). So what the first invalid one is, a torn write
/// or a damaged record, can be told from what follows.
pub(super) fn examine(walk: &mut Walk, capacity: u64) -> Result<Tail, Stop> {
    let (position, epoch) = (walk.position, walk.epoch);
    let mut records = 0;
    let mut at = walk.offset;
    while at + HEAD as u64 <= capacity {
        let chunk = walk.window.rest(at, HEAD)?;
        let Some(last) = chunk.len().checked_sub(HEAD) else { break };
        // What is not later than the first invalid one (zeros, what a recycled file held) is passed over at once.
        let positions = chunk[16..].chunks_exact(8).map(|bytes| long(bytes, 0));
        for (step, _) in positions.enumerate().take(last / 8 + 1).filter(|(_, found)| *found >= position) {
            let from = step * 8;
            let plausible = Head::parse(&chunk[from..]).is_some_and(|head| head.stamp.epoch >= epoch);
            if plausible && let Some(block) = walk.block(at + from as u64)? {
                let stamp = block.stamp();
                // The record that should be here lies behind: then what is damaged here is a mark, durable before it.
                let displaced = stamp.position == position && !block.is_mark();
                if stamp.batch > position || displaced {
                    return Ok(Tail::Damaged { by: stamp.batch });
                }
                records += u64::from(!block.is_mark());
            }
        }
        at += (last - last % 8 + 8) as u64;
    }
    Ok(if records > 0 { Tail::Torn { records } } else { Tail::Clean })
}

/// The damage that a walk stands before.
pub(super) fn damage(base: u64, walk: &Walk, by: u64) -> Damage {
    Damage {
        file: names::segment(base),
        offset: walk.offset,
        position: Some(Position(walk.position)),
        why: format!("no whole record, though it was durable before record {by} was written"),
    }
}
