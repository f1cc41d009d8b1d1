//! gRPC's length-prefixed messages: measured in passing for the pass-through, taken apart for adapters.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// One byte for the compression flag, four for the length, big-endian.
pub(super) const PREFIX_BYTES: usize = 5;

/// A message is longer than the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message of {length} bytes is over the limit of {limit} bytes")]
pub struct TooLarge {
    /// What the prefix announces.
    pub length: u32,
    /// What is allowed.
    pub limit: u32,
}

/// Follows the prefixes of a passing byte stream without keeping anything of it.
#[derive(Debug)]
pub(super) struct Measure {
    limit: u32,
    prefix: [u8; PREFIX_BYTES],
    prefix_bytes: usize,
    left_in_message: u32,
    messages: u64,
}

impl Measure {
    pub(super) fn new(limit: u32) -> Self {
        Self { limit, prefix: [0; PREFIX_BYTES], prefix_bytes: 0, left_in_message: 0, messages: 0 }
    }

    /// Takes the next bytes of the stream into account.
    pub(super) fn pass(&mut self, mut bytes: &[u8]) -> Result<(), TooLarge> {
        while !bytes.is_empty() {
            let in_message = bytes.len().min(self.left_in_message as usize);
            self.left_in_message -= in_message as u32;
            bytes = &bytes[in_message..];
            let in_prefix = bytes.len().min(PREFIX_BYTES - self.prefix_bytes);
            self.prefix[self.prefix_bytes..][..in_prefix].copy_from_slice(&bytes[..in_prefix]);
            self.prefix_bytes += in_prefix;
            bytes = &bytes[in_prefix..];
            if self.prefix_bytes == PREFIX_BYTES {
                self.prefix_bytes = 0;
                self.left_in_message = length(&self.prefix, self.limit)?;
                self.messages += 1;
            }
        }
        Ok(())
    }

    /// Messages that were begun so far.
    pub(super) fn messages(&self) -> u64 {
        self.messages
    }

    /// Whether the stream may end here.
    pub(super) fn is_between_messages(&self) -> bool {
        self.left_in_message == 0 && self.prefix_bytes == 0
    }
}

fn length(prefix: &[u8; PREFIX_BYTES], limit: u32) -> Result<u32, TooLarge> {
    let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]);
    if length > limit { Err(TooLarge { length, limit }) } else { Ok(length) }
}

/// What the prefix at the beginning of a stream says of the first message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Announced {
    pub(super) compressed: bool,
    /// Its bytes, with the prefix.
    pub(super) framed: usize,
}

/// Reads the prefix, if all of it is there.
pub(super) fn announced(bytes: &[u8], limit: u32) -> Result<Option<Announced>, TooLarge> {
    let prefix = bytes.first_chunk::<PREFIX_BYTES>();
    prefix
        .map(|prefix| Ok(Announced { compressed: prefix[0] != 0, framed: PREFIX_BYTES + length(prefix, limit)? as usize }))
        .transpose()
}

/// One message taken off the wire.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) compressed: bool,
    pub(super) message: Bytes,
}

/// Collects bytes until a message is whole. Holds one message at most, up to the limit.
#[derive(Debug)]
pub(super) struct Deframer {
    limit: u32,
    buffer: BytesMut,
}

impl Deframer {
    pub(super) fn new(limit: u32) -> Self {
        Self { limit, buffer: BytesMut::new() }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, or `None` when more bytes are needed.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, TooLarge> {
        let Some(prefix) = self.buffer.first_chunk::<PREFIX_BYTES>() else {
            return Ok(None);
        };
        let compressed = prefix[0] != 0;
        let length = length(prefix, self.limit)? as usize;
        if self.buffer.len() < PREFIX_BYTES + length {
            return Ok(None);
        }
        self.buffer.advance(PREFIX_BYTES);
        Ok(Some(Frame { compressed, message: self.buffer.split_to(length).freeze() }))
    }

    /// Whether the stream may end here.
    pub(super) fn is_between_messages(&self) -> bool {
        self.buffer.is_empty()
    }
}

/// A message with its prefix, uncompressed.
pub(super) fn frame(message: &[u8]) -> Result<Bytes, TooLarge> {
    let Ok(length) = u32::try_from(message.len()) else {
        return Err(TooLarge { length: u32::MAX, limit: u32::MAX });
    };
    let mut bytes = BytesMut::with_capacity(PREFIX_BYTES + message.len());
    bytes.put_u8(0);
    bytes.put_u32(length);
    bytes.put_slice(message);
    Ok(bytes.freeze())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_cut_of_the_stream_gives_the_same_messages(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8),
            cuts in prop::collection::vec(1_usize..20, 1..50),
        ) {
            let stream: Vec<u8> = messages.iter().flat_map(|message| frame(message).unwrap()).collect();
            let (mut measure, mut deframer, mut seen) = (Measure::new(40), Deframer::new(40), Vec::new());
            let (mut rest, mut cuts) = (stream.as_slice(), cuts.iter().cycle());
            while !rest.is_empty() {
                let (chunk, after) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
                rest = after;
                measure.pass(chunk).unwrap();
                deframer.push(chunk);
                while let Some(frame) = deframer.next().unwrap() {
                    seen.push(frame.message.to_vec());
                }
            }
            prop_assert!(deframer.is_between_messages() && measure.is_between_messages());
            prop_assert_eq!(measure.messages(), messages.len() as u64);
            prop_assert_eq!(seen, messages);
        }
    }

    #[test]
    fn a_message_over_the_limit_is_refused_at_its_prefix_wherever_it_comes() {
        let mut stream = frame(&[1; 10]).unwrap().to_vec();
        stream.extend([0, 0, 0, 0, 11]);
        let refused = TooLarge { length: 11, limit: 10 };
        let mut measure = Measure::new(10);
        assert_eq!(measure.pass(&stream[..18]), Ok(()));
        assert_eq!(measure.pass(&stream[18..]), Err(refused));
        let mut deframer = Deframer::new(10);
        deframer.push(&stream);
        assert_eq!(deframer.next().unwrap().unwrap().message.len(), 10);
        assert_eq!(deframer.next(), Err(refused));
        assert!(!deframer.is_between_messages());
        for (length, ends) in [(0, true), (4, false), (5, false), (14, false), (15, true)] {
            let mut cut = Measure::new(10);
            cut.pass(&stream[..length]).unwrap();
            assert_eq!(cut.is_between_messages(), ends, "{length}");
        }
    }
}
