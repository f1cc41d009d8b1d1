//! Messages become an entry of the journal: the record is put together from the bytes that came.

use std::hash::Hasher;
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use passerelle_journal::{Entry, Fingerprint};
use passerelle_proto::bus::v1::Record;
use prost::Message;
use siphasher::sip128::{Hasher128, SipHasher13};

use super::message::{Fault, Identity, check};

/// Records are laid into blocks, one allocation for many: the first one of this size, each further one of those written together
/// twice as large, up to the second size.
const BLOCK_BYTES: [usize; 2] = [1024, 64 * 1024];
/// More than the key and the length of one field take.
const FIELD_ROOM: usize = 16;
/// Number of `Record.events`.
const EVENTS: u32 = 7;

/// Makes entries of messages.
pub(super) struct Records {
    key: [u8; 16],
    block: BytesMut,
    next_block: usize,
    /// `Record.time`, encoded.
    time: Vec<u8>,
}

impl Records {
    /// `key` is for the fingerprints: nobody who does not know it can make two messages that are taken for one.
    pub(super) fn new(key: [u8; 16]) -> Self {
        Self { key, block: BytesMut::new(), next_block: 0, time: Vec::new() }
    }

    /// The records that follow are written together, at `now`.
    pub(super) fn begin(&mut self, now: SystemTime) {
        // What is left of the last block is given up: of many streams that rest it would be much.
        self.block = BytesMut::new();
        self.next_block = BLOCK_BYTES[0];
        self.time.clear();
        // The bytes of a record are those of its fields, one after another.
        self.time.extend(Record { time: Some(now.into()), ..Record::default() }.encode_to_vec());
    }

    /// One record of these messages; the fault says which of them is wrong.
    pub(super) fn entry(&mut self, messages: &[Bytes]) -> Result<Entry, (usize, Fault)> {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        for (index, message) in messages.iter().enumerate() {
            let Identity { id, source } = check(message).map_err(|fault| (index, fault))?;
            for part in [source, id] {
                // With its length: "ab" and "c" are not "a" and "bc".
                hasher.write_u64(part.len() as u64);
                hasher.write(part.as_bytes());
            }
        }
        let fingerprint = Fingerprint(hasher.finish128().as_u128());
        let length = self.time.len() + messages.iter().map(|message| message.len() + FIELD_ROOM).sum::<usize>();
        if self.block.capacity() < length {
            self.block = BytesMut::with_capacity(length.max(self.next_block));
            self.next_block = (self.next_block * 2).min(BLOCK_BYTES[1]);
        }
        self.block.extend_from_slice(&self.time);
        for message in messages {
            prost::encoding::bytes::encode(EVENTS, message, &mut self.block);
        }
        Ok(Entry { data: self.block.split().freeze(), step: None, fingerprint: Some(fingerprint) })
    }
}
