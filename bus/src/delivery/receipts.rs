//! What a destination has received for good: another message with the same key has no second effect there.

use std::collections::{HashSet, VecDeque};

use passerelle_journal::Position;
use passerelle_projection::rusqlite::{Connection, OptionalExtension, Result, Transaction, params};
use passerelle_projection::{Fold, FoldError};
use passerelle_proto::bus::v1;
use passerelle_proto::bus::v1::delivery_event::Event;
use prost::Message as _;

use super::Ledger;
use crate::keyed::Decider;

/// A hash of a message's key.
pub type Receipt = u128;

/// Bytes of one where it is written down.
const RECEIPT_BYTES: usize = 16;
/// Receipts of one delivery that are kept at most.
const MOST_KEPT: i64 = 1_000_000;

/// The last receipts of one delivery, in memory.
#[derive(Debug)]
pub struct Receipts {
    most: usize,
    known: HashSet<Receipt>,
    order: VecDeque<Receipt>,
    /// Those that are not written down yet.
    fresh: Vec<Receipt>,
    /// Keys of messages that are with the destination.
    in_hand: HashSet<Receipt>,
    is_loaded: bool,
}

/// Whether a message may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admitted {
    /// It may.
    Goes,
    /// One with its key is with the destination at this moment.
    Waits,
    /// One with its key was received.
    Repeats,
}

impl Receipts {
    /// So many at most; the oldest are forgotten first.
    pub(super) fn new(most: usize) -> Self {
        let (known, in_hand) = (HashSet::new(), HashSet::new());
        Self { most, known, order: VecDeque::new(), fresh: Vec::new(), in_hand, is_loaded: false }
    }

    /// Those of former times, the oldest first; until then nothing can be said.
    pub(super) fn load(&mut self, receipts: Vec<Receipt>) {
        receipts.into_iter().for_each(|receipt| self.remember(receipt));
        self.is_loaded = true;
    }

    pub(super) fn is_loaded(&self) -> bool {
        self.is_loaded
    }

    /// Asks for a message. One that goes has to be settled. `is_replay`: somebody wants it to be sent again whatever is known of its key.
    pub(super) fn admit(&mut self, receipt: Receipt, is_replay: bool) -> Admitted {
        if self.known.contains(&receipt) && !is_replay {
            return Admitted::Repeats;
        }
        if self.in_hand.insert(receipt) { Admitted::Goes } else { Admitted::Waits }
    }

    /// A message is with the destination no more; whether it is to be held as received.
    pub(super) fn settle(&mut self, receipt: Receipt, is_received: bool) {
        self.in_hand.remove(&receipt);
        if is_received && !self.known.contains(&receipt) {
            self.remember(receipt);
            self.fresh.push(receipt);
        }
    }

    pub(super) fn has_fresh(&self) -> bool {
        !self.fresh.is_empty()
    }

    /// Those that are to be written down.
    pub(super) fn take_fresh(&mut self) -> Vec<Receipt> {
        std::mem::take(&mut self.fresh)
    }

    fn remember(&mut self, receipt: Receipt) {
        if self.known.insert(receipt) {
            self.order.push_back(receipt);
        }
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// The last ones of a delivery that were written down, the oldest first.
    pub(super) fn written(connection: &Connection, delivery: &str, most: usize) -> Result<Vec<Receipt>> {
        let sql = "SELECT receipts FROM delivery_receipts WHERE delivery = ?1 ORDER BY total DESC";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([delivery])?;
        let mut newest_first = Vec::new();
        while newest_first.len() < most
            && let Some(row) = rows.next()?
        {
            let bytes: Vec<u8> = row.get(0)?;
            let (receipts, _) = bytes.as_chunks::<RECEIPT_BYTES>();
            newest_first.extend(receipts.iter().rev().map(|bytes| Receipt::from_be_bytes(*bytes)));
        }
        newest_first.truncate(most);
        newest_first.reverse();
        Ok(newest_first)
    }
}

/// Table `delivery_receipts`: a row for each record of progress that has receipts; `total` counts them from the beginning.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReceiptFold;

impl Fold for ReceiptFold {
    fn name(&self) -> &'static str {
        "delivery_receipts"
    }

    fn version(&self) -> u32 {
        1
    }

    fn schema(&self) -> String {
        "CREATE TABLE delivery_receipts (
             delivery TEXT NOT NULL, total INTEGER NOT NULL, receipts BLOB NOT NULL, PRIMARY KEY (delivery, total)
         ) WITHOUT ROWID;"
            .to_owned()
    }

    fn published(&self) -> bool {
        false
    }

    fn apply(&mut self, transaction: &Transaction<'_>, _: Position, record: &v1::Record) -> Result<(), FoldError> {
        if record.kind != Ledger::KIND {
            return Ok(());
        }
        for message in &record.events {
            let event = v1::DeliveryEvent::decode(&*message.data).map_err(|error| FoldError::Record(error.to_string()))?;
            let Some(Event::Progressed(progressed)) = event.event else { continue };
            if !progressed.received.is_empty() {
                insert(transaction, &record.key, &progressed.received)?;
            }
        }
        Ok(())
    }
}

fn insert(transaction: &Transaction<'_>, delivery: &str, receipts: &[u8]) -> Result<()> {
    let last = "SELECT total FROM delivery_receipts WHERE delivery = ?1 ORDER BY total DESC LIMIT 1";
    let before: Option<i64> = transaction.prepare_cached(last)?.query_row([delivery], |row| row.get(0)).optional()?;
    let total = before.unwrap_or(0) + (receipts.len() / RECEIPT_BYTES) as i64;
    let insert = "INSERT INTO delivery_receipts VALUES (?1, ?2, ?3)";
    transaction.prepare_cached(insert)?.execute(params![delivery, total, receipts])?;
    let sweep = "DELETE FROM delivery_receipts WHERE delivery = ?1 AND total <= ?2";
    transaction.prepare_cached(sweep)?.execute(params![delivery, total - MOST_KEPT])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_received_is_known_until_so_many_came_after_it() {
        let mut receipts = Receipts::new(2);
        receipts.load(vec![1]);
        assert_eq!(receipts.admit(1, false), Admitted::Repeats);
        assert_eq!(receipts.admit(2, false), Admitted::Goes);
        assert_eq!(receipts.admit(2, false), Admitted::Waits, "the first one is not settled");
        receipts.settle(2, false);
        assert_eq!(receipts.admit(2, false), Admitted::Goes, "it was not received");
        receipts.settle(2, true);
        assert_eq!(receipts.admit(2, false), Admitted::Repeats);
        assert_eq!(receipts.admit(2, true), Admitted::Goes, "somebody wants it");
        receipts.settle(2, true);
        assert_eq!(receipts.take_fresh(), [2], "what is known is not written again");
        assert_eq!(receipts.admit(3, false), Admitted::Goes);
        receipts.settle(3, true);
        assert_eq!(receipts.admit(1, false), Admitted::Goes, "two came after it");
    }
}
