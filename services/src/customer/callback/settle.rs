//! Places carried between callbacks and slots: taken for what is sought, given back for what is not needed any more.
//!
//! One callback is settled by one task at a time, so a place is never given back before it was taken for the last time.

use passerelle_bus::calendar::Slot;
use passerelle_bus::keyed::Failure;
use passerelle_journal::Position;
use passerelle_proto::bus::v1::CallbackState;

use super::decide::{Command, OpenLine, Refusal, SlotCommand, slot_key, unix_seconds};
use super::service::{Callbacks, Inner};
use super::table;

/// Slots tried in one go; the timer goes on after that.
const MOST_STEPS: usize = 200;
/// Slots looked at with one question to the table.
const PAGE: usize = 200;
const SECONDS_OF_DAY: i64 = 86_400;

impl Callbacks {
    /// Brings a callback to rest, even if whoever waits for it goes away. The position is that of the last record, if there was one.
    pub(super) async fn settled(&self, id: &str) -> Result<(CallbackState, Option<Position>), Failure<Refusal>> {
        let (inner, id) = (self.0.clone(), id.to_owned());
        let settling = tokio::spawn(async move { inner.settle(&id).await });
        settling.await.unwrap_or(Err(Failure::Closed))
    }
}

impl Inner {
    async fn settle(&self, id: &str) -> Result<(CallbackState, Option<Position>), Failure<Refusal>> {
        let _turn = self.turn(id).lock().await;
        let mut position = None;
        for _ in 0..MOST_STEPS {
            let state = self.state(id).await?;
            let line = state.wish.as_ref().map(|wish| wish.line.as_str()).unwrap_or_default();
            let command = if let Some(slot) = state.releasing.first() {
                self.slot(line, *slot, SlotCommand::GiveBack(id.to_owned())).await?;
                Command::Released(*slot)
            } else if state.sought != 0 {
                match self.slot(line, state.sought, SlotCommand::Take(id.to_owned())).await? {
                    true => Command::Held(state.sought),
                    false => Command::Full { slot: state.sought, next: self.next(&state).await? },
                }
            } else {
                return Ok((state, position));
            };
            position = Some(self.command(id, command).await?.position);
        }
        Ok((self.state(id).await?, position))
    }

    /// Whether the callback has a place after it.
    async fn slot(&self, line: &str, start: i64, command: SlotCommand) -> Result<bool, Failure<Refusal>> {
        let done = self.slots.command(&slot_key(line, start), None, command).await;
        done.map(|done| done.answer.held).map_err(|failure| match failure {
            Failure::Refused(never) => match never {},
            Failure::Busy => Failure::Busy,
            Failure::Closed => Failure::Closed,
            Failure::Journal(error) => Failure::Journal(error),
            Failure::Conflict { last } => Failure::Conflict { last },
            Failure::Unreadable(error) => Failure::Unreadable(error),
            Failure::Damaged { position, why } => Failure::Damaged { position, why },
            Failure::Behind(why) => Failure::Behind(why),
        })
    }

    /// Where to look next for a place, after the slot that was sought.
    async fn next(&self, state: &CallbackState) -> Result<Option<i64>, Failure<Refusal>> {
        let line = self.line_of(state).filter(|_| state.or_later);
        let Some(line) = line else { return Ok(None) };
        let name = state.wish.as_ref().map(|wish| wish.line.clone()).unwrap_or_default();
        let free = self.free_slots(&name, line, state.sought + 1, 1).await.map_err(Failure::Behind)?;
        Ok(free.first().map(|(slot, _)| slot.start))
    }

    /// Slots from now on that begin at `from` or later, have a place, and are not beyond the horizon; with the places left.
    pub(super) async fn free_slots(
        &self,
        name: &str,
        line: &OpenLine,
        from: i64,
        count: usize,
    ) -> Result<Vec<(Slot, u32)>, String> {
        let mut free = Vec::new();
        let mut from = from;
        loop {
            let page = self.slots_from(name, line, from, PAGE).await?;
            let Some((last, _)) = page.last().copied() else { return Ok(free) };
            free.extend(page.into_iter().filter(|(_, places)| *places > 0).take(count - free.len()));
            if free.len() >= count {
                return Ok(free);
            }
            from = last.start + 1;
        }
    }

    /// Slots as [`free_slots`](Self::free_slots), with the full ones.
    pub(super) async fn slots_from(
        &self,
        name: &str,
        line: &OpenLine,
        from: i64,
        count: usize,
    ) -> Result<Vec<(Slot, u32)>, String> {
        let now = unix_seconds(self.clock.now());
        let horizon = now + i64::from(line.line.horizon_days) * SECONDS_OF_DAY;
        let slots = line.calendar.slots(now.max(from.saturating_sub(i64::from(line.line.slot_seconds))));
        let slots: Vec<Slot> =
            slots.skip_while(|slot| slot.start < from).take_while(|slot| slot.start <= horizon).take(count).collect();
        let (Some(first), Some(last)) = (slots.first(), slots.last()) else { return Ok(Vec::new()) };
        let (name, first, last) = (name.to_owned(), first.start, last.start);
        let read = self.projection.read(move |connection| table::taken(connection, &name, first, last)).await;
        let taken = read.map_err(|error| error.to_string())?;
        let places = |slot: Slot| line.line.capacity.saturating_sub(taken.get(&slot.start).copied().unwrap_or_default());
        Ok(slots.into_iter().map(|slot| (slot, places(slot))).collect())
    }
}
