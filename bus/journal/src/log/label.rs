//! The 64 bytes that say what a file is: kind, format, journal, epoch and two numbers, with their checksum.

use super::OpenError;

/// Length of a label.
pub(super) const LABEL: usize = 64;

/// The format that this version writes, and the newest that it reads.
const FORMAT: u32 = 1;

/// What a label says.
///
/// On disk, little-endian: kind (8 bytes), format (4), epoch (4), journal (16), two numbers (8 each), zeros (12), CRC32C of all that (4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) kind: [u8; 8],
    pub(super) epoch: u32,
    pub(super) journal: [u8; 16],
    pub(super) numbers: [u64; 2],
}

impl Label {
    pub(super) fn encode(&self) -> [u8; LABEL] {
        let mut bytes = [0; LABEL];
        bytes[..8].copy_from_slice(&self.kind);
        bytes[8..12].copy_from_slice(&FORMAT.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.journal);
        bytes[32..40].copy_from_slice(&self.numbers[0].to_le_bytes());
        bytes[40..48].copy_from_slice(&self.numbers[1].to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// `None`: there is no whole label of that kind. A later format keeps kind, format and checksum where they are.
    pub(super) fn decode(kind: [u8; 8], bytes: &[u8; LABEL]) -> Result<Option<Self>, OpenError> {
        if bytes[..8] != kind || word(bytes, 60) != crc32c::crc32c(&bytes[..60]) {
            return Ok(None);
        }
        let format = word(bytes, 8);
        if format != FORMAT {
            return Err(OpenError::NewerVersion(format!("its files have format {format}, this version knows {FORMAT}")));
        }
        let mut journal = [0; 16];
        journal.copy_from_slice(&bytes[16..32]);
        Ok(Some(Self { kind, epoch: word(bytes, 12), journal, numbers: [long(bytes, 32), long(bytes, 40)] }))
    }
}

/// The little-endian `u32` at `at`; the caller has seen to it that it is inside.
#[inline]
pub(super) fn word(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

/// The same for `u64`.
#[inline]
pub(super) fn long(bytes: &[u8], at: usize) -> u64 {
    let mut long = [0; 8];
    long.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(long)
}

/// The same for `u128`.
#[inline]
pub(super) fn longest(bytes: &[u8], at: usize) -> u128 {
    let mut longest = [0; 16];
    longest.copy_from_slice(&bytes[at..at + 16]);
    u128::from_le_bytes(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELLED: Label = Label { kind: *b"PASS-XXX", epoch: 7, journal: [3; 16], numbers: [1, u64::MAX] };

    #[test]
    fn a_label_is_read_as_it_was_written() {
        assert_eq!(Label::decode(*b"PASS-XXX", &LABELLED.encode()), Ok(Some(LABELLED)));
        assert_eq!(Label::decode(*b"PASS-YYY", &LABELLED.encode()), Ok(None));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        for bit in 0..LABEL * 8 {
            let mut bytes = LABELLED.encode();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Label::decode(*b"PASS-XXX", &bytes), Ok(None), "bit {bit}");
        }
    }

    #[test]
    fn a_later_format_is_told_from_damage() {
        let mut bytes = LABELLED.encode();
        bytes[8] = 2;
        let crc = crc32c::crc32c(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_le_bytes());
        let error = Label::decode(*b"PASS-XXX", &bytes).expect_err("format 2 is not known");
        assert_eq!(
            error.to_string(),
            "the journal was written by a newer version: its files have format 2, this version knows 1; start that version or a later one"
        );
    }
}
