//! How a record lies in a segment.
//!
//! Little-endian, 8-byte aligned:
//!
//! | at | length | |
//! | --- | --- | --- |
//! | 0 | 4 | CRC32C of everything after it, padding left out, seeded with the journal's identity |
//! | 4 | 4 | length of the data |
//! | 8 | 4 | epoch: how often the journal had been opened |
//! | 12 | 2 | flags |
//! | 14 | 2 | length of the key |
//! | 16 | 8 | position |
//! | 24 | 8 | batch: position of the first record written with this one. All before it were durable before this was written |
//! | 32 | 1 | compression: 0, none |
//! | 33 | 1 | encryption: 0, none |
//! | 34 | 2 | 0 |
//! | 36 | 4 | which key it is encrypted with: 0 |
//! | 40 | 8 | sequence, when it has a key |
//! | | 16 | fingerprint, when it has one |
//! | | | key, data, padding |

use std::sync::Arc;

use bytes::Bytes;

use crate::{Entry, Fingerprint, KeyStep, Position, Stored};

use super::label::{long, longest, word};

/// Length of what comes before the optional parts; that of a mark.
pub(super) const HEAD: usize = 40;

const KEYED: u16 = 1;
const FINGERPRINTED: u16 = 2;
const SNAPSHOT: u16 = 4;
const MARK: u16 = 8;

/// Where and when a record is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) epoch: u32,
    pub(super) position: u64,
    pub(super) batch: u64,
}

/// How many bytes an entry takes in a segment.
pub(super) fn length(entry: &Entry) -> u64 {
    let key = entry.step.as_ref().map_or(0, |step| 8 + step.key.len());
    let fingerprint = entry.fingerprint.map_or(0, |_| 16);
    (HEAD + key + fingerprint + entry.data.len()).next_multiple_of(8) as u64
}

/// Puts a record at the end of the buffer.
pub(super) fn encode(buffer: &mut Vec<u8>, seed: u32, stamp: Stamp, entry: &Entry) {
    let snapshot = if entry.step.as_ref().is_some_and(|step| step.snapshot) { SNAPSHOT } else { 0 };
    let flags = entry.step.as_ref().map_or(0, |_| KEYED) | entry.fingerprint.map_or(0, |_| FINGERPRINTED) | snapshot;
    let key = entry.step.as_ref().map_or("", |step| &step.key);
    let start = buffer.len();
    buffer.reserve(length(entry) as usize);
    buffer.extend_from_slice(&head(stamp, flags, key.len(), entry.data.len()));
    if let Some(step) = &entry.step {
        buffer.extend_from_slice(&step.sequence.to_le_bytes());
    }
    if let Some(Fingerprint(fingerprint)) = entry.fingerprint {
        buffer.extend_from_slice(&fingerprint.to_le_bytes());
    }
    buffer.extend_from_slice(key.as_bytes());
    buffer.extend_from_slice(&entry.data);
    finish(buffer, seed, start);
}

/// Puts a mark at the end of the buffer: all before `position` is durable. It has no position of its own.
pub(super) fn encode_mark(buffer: &mut Vec<u8>, seed: u32, epoch: u32, position: u64) {
    let start = buffer.len();
    buffer.extend_from_slice(&head(Stamp { epoch, position, batch: position }, MARK, 0, 0));
    finish(buffer, seed, start);
}

fn head(stamp: Stamp, flags: u16, key: usize, data: usize) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[4..8].copy_from_slice(&(data as u32).to_le_bytes());
    head[8..12].copy_from_slice(&stamp.epoch.to_le_bytes());
    head[12..14].copy_from_slice(&flags.to_le_bytes());
    head[14..16].copy_from_slice(&(key as u16).to_le_bytes());
    head[16..24].copy_from_slice(&stamp.position.to_le_bytes());
    head[24..32].copy_from_slice(&stamp.batch.to_le_bytes());
    head
}

fn finish(buffer: &mut Vec<u8>, seed: u32, start: usize) {
    let crc = crc32c::crc32c_append(seed, &buffer[start + 4..]);
    buffer[start..start + 4].copy_from_slice(&crc.to_le_bytes());
    buffer.resize(start + (buffer.len() - start).next_multiple_of(8), 0);
}

/// The fixed part of a record, as it was found: plausible, not proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    crc: u32,
    data: usize,
    flags: u16,
    key: usize,
    later: bool,
    pub(super) stamp: Stamp,
}

impl Head {
    /// `None` when these cannot be the first bytes of a record.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..HEAD)?;
        let head = Self {
            crc: word(bytes, 0),
            data: word(bytes, 4) as usize,
            flags: word(bytes, 12) as u16,
            key: (word(bytes, 12) >> 16) as usize,
            later: long(bytes, 32) != 0,
            stamp: Stamp { epoch: word(bytes, 8), position: long(bytes, 16), batch: long(bytes, 24) },
        };
        let limits = head.data <= Entry::LARGEST && head.key <= KeyStep::LONGEST_KEY;
        let numbers = head.stamp.batch >= 1 && head.stamp.batch <= head.stamp.position && head.stamp.epoch >= 1;
        (limits && numbers).then_some(head)
    }

    fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    fn key_at(&self) -> usize {
        HEAD + if self.has(KEYED) { 8 } else { 0 } + if self.has(FINGERPRINTED) { 16 } else { 0 }
    }

    fn unpadded(&self) -> usize {
        self.key_at() + self.key + self.data
    }

    /// Length of the whole record, padding included.
    pub(super) fn length(&self) -> usize {
        self.unpadded().next_multiple_of(8)
    }
}

/// Why bytes are no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Invalid {
    /// Not as it was written, or never written.
    Damaged,
    /// Whole, but written in a way that this version does not know.
    Newer,
}

/// A whole record or mark: its checksum is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    bytes: Bytes,
    head: Head,
}

impl Block {
    /// The record that `bytes` begin with.
    pub(super) fn decode(bytes: Bytes, seed: u32) -> Result<Self, Invalid> {
        let head = Head::parse(&bytes).ok_or(Invalid::Damaged)?;
        let body = bytes.get(4..head.unpadded()).ok_or(Invalid::Damaged)?;
        if crc32c::crc32c_append(seed, body) != head.crc {
            return Err(Invalid::Damaged);
        }
        if head.later || head.flags & !(KEYED | FINGERPRINTED | SNAPSHOT | MARK) != 0 {
            return Err(Invalid::Newer);
        }
        let block = Self { bytes, head };
        // Keys are written from strings: others would be another program's.
        std::str::from_utf8(block.key_bytes()).map_err(|_| Invalid::Damaged)?;
        Ok(block)
    }

    pub(super) fn stamp(&self) -> Stamp {
        self.head.stamp
    }

    pub(super) fn is_mark(&self) -> bool {
        self.head.has(MARK)
    }

    pub(super) fn length(&self) -> u64 {
        self.head.length() as u64
    }

    fn key_bytes(&self) -> &[u8] {
        &self.bytes[self.head.key_at()..self.head.key_at() + self.head.key]
    }

    pub(super) fn key(&self) -> Option<&str> {
        if self.head.has(KEYED) { std::str::from_utf8(self.key_bytes()).ok() } else { None }
    }

    pub(super) fn sequence(&self) -> u64 {
        if self.head.has(KEYED) { long(&self.bytes, HEAD) } else { 0 }
    }

    pub(super) fn is_snapshot(&self) -> bool {
        self.head.has(SNAPSHOT)
    }

    pub(super) fn fingerprint(&self) -> Option<Fingerprint> {
        let at = self.head.key_at() - 16;
        self.head.has(FINGERPRINTED).then(|| Fingerprint(longest(&self.bytes, at)))
    }

    /// As readers get it; the data shares the bytes that it was read into.
    pub(super) fn stored(&self) -> Stored {
        let step = self.key().map(|key| KeyStep { key: Arc::from(key), sequence: self.sequence(), snapshot: self.is_snapshot() });
        let data = self.bytes.slice(self.head.unpadded() - self.head.data..self.head.unpadded());
        let entry = Entry { data, step, fingerprint: self.fingerprint() };
        Stored { position: Position(self.stamp().position), entry }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SEED: u32 = 0x5eed;

    fn entries() -> impl Strategy<Value = Entry> {
        let data = proptest::collection::vec(any::<u8>(), 0..600);
        let step = proptest::option::of(("[a-zé/]{0,40}", 1..u64::MAX, any::<bool>()));
        (data, step, proptest::option::of(any::<u128>())).prop_map(|(data, step, fingerprint)| Entry {
            data: data.into(),
            step: step.map(|(key, sequence, snapshot)| KeyStep { key: key.into(), sequence, snapshot }),
            fingerprint: fingerprint.map(Fingerprint),
        })
    }

    fn stamps() -> impl Strategy<Value = Stamp> {
        (1..u32::MAX, 1..u64::MAX)
            .prop_flat_map(|(epoch, position)| (1..=position).prop_map(move |batch| Stamp { epoch, position, batch }))
    }

    proptest! {
        #[test]
        fn a_record_is_read_as_it_was_written(entry in entries(), stamp in stamps(), before in 0..4_usize) {
            let mut buffer = vec![9; before * 8];
            encode(&mut buffer, SEED, stamp, &entry);
            prop_assert_eq!((buffer.len() - before * 8) as u64, length(&entry));
            let block = Block::decode(Bytes::from(buffer).slice(before * 8..), SEED).expect("it is whole");
            prop_assert_eq!(block.stamp(), stamp);
            prop_assert_eq!(block.length(), length(&entry));
            prop_assert_eq!(block.stored(), Stored { position: Position(stamp.position), entry });
        }

        #[test]
        fn a_flipped_bit_is_noticed(entry in entries(), stamp in stamps(), bit in any::<prop::sample::Index>()) {
            let mut buffer = Vec::new();
            encode(&mut buffer, SEED, stamp, &entry);
            let unpadded = Head::parse(&buffer).expect("it is a head").unpadded();
            let bit = bit.index(unpadded * 8);
            buffer[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(Block::decode(buffer.into(), SEED), Err(Invalid::Damaged));
        }

        #[test]
        fn a_cut_record_is_none(entry in entries(), stamp in stamps(), cut in any::<prop::sample::Index>()) {
            let mut buffer = Vec::new();
            encode(&mut buffer, SEED, stamp, &entry);
            buffer.truncate(cut.index(Head::parse(&buffer).expect("it is a head").unpadded()));
            prop_assert_eq!(Block::decode(buffer.into(), SEED), Err(Invalid::Damaged));
        }

        #[test]
        fn any_bytes_are_answered(mut bytes in proptest::collection::vec(any::<u8>(), 0..300), small in any::<bool>(), seal in any::<bool>()) {
            if small && bytes.len() > HEAD {
                // So that lengths and numbers become plausible ones.
                for at in [5, 6, 7, 13, 15, 17, 18, 19, 20, 21, 22, 23, 25, 26, 27, 28, 29, 30, 31] {
                    bytes[at] = 0;
                }
            }
            if let (true, Some(head)) = (seal, Head::parse(&bytes))
                && let Some(body) = bytes.get(4..head.unpadded())
            {
                let crc = crc32c::crc32c_append(SEED, body);
                bytes[..4].copy_from_slice(&crc.to_le_bytes());
            }
            if let Ok(block) = Block::decode(bytes.into(), SEED) {
                block.stored();
            }
        }
    }

    #[test]
    fn a_mark_is_told_from_a_record() {
        let mut buffer = Vec::new();
        encode_mark(&mut buffer, SEED, 3, 12);
        assert_eq!(buffer.len(), HEAD);
        let block = Block::decode(buffer.into(), SEED).expect("it is whole");
        assert!(block.is_mark());
        assert_eq!(block.stamp(), Stamp { epoch: 3, position: 12, batch: 12 });
    }

    #[test]
    fn what_a_later_version_compresses_or_encrypts_is_told_from_damage() {
        for at in [32, 33, 36] {
            let mut buffer = Vec::new();
            encode_mark(&mut buffer, SEED, 3, 12);
            buffer[at] = 1;
            let crc = crc32c::crc32c_append(SEED, &buffer[4..]);
            buffer[..4].copy_from_slice(&crc.to_le_bytes());
            assert_eq!(Block::decode(buffer.into(), SEED), Err(Invalid::Newer));
        }
    }

    #[test]
    fn another_journals_record_is_none() {
        let mut buffer = Vec::new();
        encode_mark(&mut buffer, SEED, 3, 12);
        assert_eq!(Block::decode(buffer.into(), SEED + 1), Err(Invalid::Damaged));
    }

    #[test]
    fn zeros_are_no_record() {
        assert_eq!(Block::decode(Bytes::from_static(&[0; 4096]), 0), Err(Invalid::Damaged));
    }
}
