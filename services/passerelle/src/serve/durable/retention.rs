//! Retention: the oldest records are given up when the journal is larger or older than wanted, after what lives was carried over.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use passerelle_bus::keyed::Carried;
use passerelle_bus::pattern::Patterns;
use passerelle_journal::log::{Kept, Log};
use passerelle_journal::{Journal, Position, ReadError};
use passerelle_proto::bus::v1::Record;
use passerelle_services::customer::{callback, handoff};
use passerelle_services::{KeepError, delivery, journal};
use prost::Message as _;
use tokio::time::sleep;

use super::{Durable, measures};

/// How often the age of what is kept is looked at, and a failure tried again.
const EVERY: Duration = Duration::from_secs(60);

/// A segment that is hardly written would keep its records far too long: another one is begun when its first record has reached this
/// part of the age, so that what is kept is at most so much older than said.
const PART_OF_AGE: u32 = 8;

/// What is to be kept. Nothing set: everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Retention {
    /// Most bytes of all segments together.
    pub(crate) bytes: Option<u64>,
    /// Records older than this are given up.
    pub(crate) age: Option<Duration>,
}

impl Retention {
    /// Where to cut: the first position of a segment, all before it being more than is to be kept and not `needed` any more. `written` says
    /// when a record was written.
    fn cut(
        &self,
        kept: &[Kept],
        now: SystemTime,
        needed: Option<Position>,
        written: impl Fn(Position) -> Result<Option<SystemTime>, ReadError>,
    ) -> Result<Option<Position>, ReadError> {
        let mut bytes: u64 = kept.iter().map(|segment| segment.bytes).sum();
        let oldest = self.age.and_then(|age| now.checked_sub(age));
        let mut cut = None;
        for (segment, next) in kept.iter().zip(kept.iter().skip(1)) {
            let too_large = self.bytes.is_some_and(|most| bytes > most);
            // All of it is too old when the last record is.
            let too_old = || match oldest {
                Some(oldest) => Ok(written(Position(next.first.0 - 1))?.is_some_and(|written| written <= oldest)),
                None => Ok(false),
            };
            let is_needed = needed.is_some_and(|needed| needed < next.first);
            if is_needed || (!too_large && !too_old()?) {
                break;
            }
            bytes -= segment.bytes;
            cut = Some(next.first);
        }
        Ok(cut)
    }

    /// Whether what is written from now on is to be in a segment of its own, the first record of the newest one being of that time.
    fn begins_anew(&self, first: SystemTime, now: SystemTime) -> bool {
        self.age.is_some_and(|age| first.checked_add(age / PART_OF_AGE).is_some_and(|due| due <= now))
    }
}

impl Durable {
    /// Gives up what is not to be kept, whenever there is something; never returns unless everything is to be kept.
    pub(crate) async fn retain(self: Arc<Self>) {
        if self.retention == Retention::default() {
            return;
        }
        let mut newest = self.log.newest();
        let mut rest_until = 0;
        loop {
            // At a start what a crash has cut is taken up first: a thing that is carried over looks as if it had gone on.
            tokio::select! {
                Ok(()) = newest.changed() => {}
                () = sleep(EVERY) => {}
            }
            loop {
                let rests = self.log.stats().bytes < rest_until;
                match self.give_up_old(rests).await {
                    Ok(None) => break,
                    Ok(Some(given_up)) if given_up.pays() => {}
                    // Carrying over is writing, too: a journal smaller than what lives in it would be written again and again.
                    Ok(Some(GivenUp { carried, .. })) => rest_until = self.log.stats().bytes + carried.bytes,
                    Err(error) => {
                        measures::retention_failed();
                        tracing::warn!(%error, "old records of the journal cannot be given up for now");
                        sleep(EVERY).await;
                        break;
                    }
                }
            }
        }
    }

    /// Gives up what is too much (unless that `rests`) or too old, if something is; otherwise sees to it that what is written can be given
    /// up in time.
    async fn give_up_old(&self, rests: bool) -> Result<Option<GivenUp>, KeepError> {
        let (log, mut retention, needed) = (self.log.clone(), self.retention, self.needed());
        if rests {
            // What is too old is carried over once in that age, however much it is.
            retention.bytes = None;
        }
        let looked = tokio::task::spawn_blocking(move || {
            let (kept, now) = (log.kept(), SystemTime::now());
            if let Some(before) = retention.cut(&kept, now, needed, |position| written(&log, position))? {
                return only_known_kinds(&log, before).map(|()| Due::Cut(before));
            }
            let first = kept.last().map_or(Ok(None), |newest| written(&log, newest.first))?;
            Ok(if first.is_some_and(|first| retention.begins_anew(first, now)) { Due::Begin } else { Due::Nothing })
        });
        let before = match looked.await?? {
            Due::Cut(before) => before,
            Due::Begin => return Ok(self.log.begin_segment().await.map(|_| None)?),
            Due::Nothing => return Ok(None),
        };
        let bytes = self.log.kept().iter().filter(|segment| segment.first < before).map(|segment| segment.bytes).sum();
        let carried = self.carry_over(before).await?;
        // Or after a power cut the views would miss what was given up.
        self.projection.secure(Position(before.0 - 1)).await?;
        let first = self.log.trim(before).await?;
        measures::trimmed(carried);
        let Carried { snapshots, bytes: carried_bytes } = carried;
        tracing::info!(first_position = first.0, bytes, snapshots, carried_bytes, "old records of the journal were given up");
        Ok(Some(GivenUp { bytes, carried }))
    }

    /// Has everything that lives written down again where it could not be known without records before `before`.
    async fn carry_over(&self, before: Position) -> Result<Carried, KeepError> {
        let patterns = async { Ok(self.patterns.keep(before).await?) };
        let (subscriptions, deliveries, patterns, callbacks, handoffs) = tokio::try_join!(
            self.journal.keep(before),
            self.deliveries.keep(before),
            patterns,
            self.callbacks.keep(before),
            self.handoffs.keep(before)
        )?;
        Ok(subscriptions + deliveries + patterns + callbacks + handoffs)
    }

    /// The oldest record that a delivery or a pattern has still to read.
    fn needed(&self) -> Option<Position> {
        [self.deliveries.oldest(), self.patterns.oldest()].into_iter().flatten().min()
    }
}

/// What there is to do.
enum Due {
    /// Give up all before.
    Cut(Position),
    /// Begin another segment.
    Begin,
    Nothing,
}

/// What one round has come to.
struct GivenUp {
    /// Of the segments that are gone.
    bytes: u64,
    carried: Carried,
}

impl GivenUp {
    /// Whether the journal is so much smaller that there may be another round at once.
    fn pays(&self) -> bool {
        self.carried.bytes <= self.bytes / 2
    }
}

/// When the record there was written; `None`: there is none yet.
fn written(log: &Log, position: Position) -> Result<Option<SystemTime>, ReadError> {
    let page = log.read(position, 0)?;
    let record = page.first().and_then(|stored| Record::decode(stored.entry.data.clone()).ok());
    Ok(record.and_then(|record| SystemTime::try_from(record.time?).ok()))
}

/// What only a newer version knows would not be carried over.
fn only_known_kinds(log: &Log, before: Position) -> Result<(), KeepError> {
    let known: BTreeSet<&str> = [&journal::KINDS[..], &delivery::KINDS, &Patterns::KINDS, &callback::KINDS, &handoff::KINDS]
        .concat()
        .into_iter()
        .collect();
    let mut from = log.first();
    while from < before {
        let page = log.keys(from, before)?;
        for key in page.keys {
            let kind = key.split_once('/').map_or(&*key, |(kind, _)| kind);
            if !known.contains(kind) {
                return Err(format!("the journal holds things of the kind {kind}, which this version does not know").into());
            }
        }
        from = page.next;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// Segments of 4 MiB that begin at 1, 101, 201, …, each record written at the second of its position.
    fn cut(retention: Retention, segments: u64, now: u64) -> Option<u64> {
        let kept: Vec<_> = (0..segments).map(|number| Kept { first: Position(1 + 100 * number), bytes: 4 * MIB }).collect();
        let written = |position: Position| Ok(Some(second(position.0)));
        retention.cut(&kept, second(now), None, written).unwrap().map(|position| position.0)
    }

    fn second(number: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(number)
    }

    #[test]
    fn as_many_of_the_oldest_segments_go_as_are_too_much_and_never_the_newest() {
        let keep = |bytes| Retention { bytes: Some(bytes), age: None };
        let cases = [(20 * MIB, None), (19 * MIB, Some(101)), (16 * MIB, Some(101)), (8 * MIB, Some(301)), (0, Some(401))];
        for (bytes, expected) in cases {
            assert_eq!(cut(keep(bytes), 5, 0), expected, "{bytes}");
        }
        assert_eq!(cut(keep(0), 1, 0), None);
    }

    #[test]
    fn what_is_still_to_be_delivered_stays() {
        let retention = Retention { bytes: Some(0), age: None };
        let kept: Vec<_> = (0..5).map(|number| Kept { first: Position(1 + 100 * number), bytes: 4 * MIB }).collect();
        let cut =
            |needed| retention.cut(&kept, second(0), Some(Position(needed)), |_| Ok(None)).unwrap().map(|position| position.0);
        let cases = [(1, None), (100, None), (101, Some(101)), (250, Some(201)), (9_999, Some(401))];
        for (needed, expected) in cases {
            assert_eq!(cut(needed), expected, "{needed}");
        }
    }

    #[test]
    fn a_segment_goes_when_all_of_it_is_too_old() {
        let keep = |seconds| Retention { bytes: None, age: Some(Duration::from_secs(seconds)) };
        let cases = [(500, None), (401, None), (400, Some(101)), (250, Some(201)), (0, Some(401)), (501, None)];
        for (seconds, expected) in cases {
            assert_eq!(cut(keep(seconds), 5, 500), expected, "{seconds}");
        }
        let both = Retention { bytes: Some(16 * MIB), age: Some(Duration::from_secs(250)) };
        assert_eq!(cut(both, 5, 500), Some(201), "whichever is reached first");
        assert_eq!(cut(Retention::default(), 5, 500), None);
    }

    #[test]
    fn another_segment_is_begun_long_before_the_newest_is_too_old() {
        let keep = |age: Option<u64>| Retention { bytes: Some(0), age: age.map(Duration::from_secs) };
        let cases = [(None, false), (Some(809), false), (Some(800), true), (Some(0), true), (Some(u64::MAX), false)];
        for (age, expected) in cases {
            assert_eq!(keep(age).begins_anew(second(400), second(500)), expected, "{age:?}");
        }
        assert!(!keep(Some(8)).begins_anew(second(600), second(500)), "the clock was set back");
    }
}
