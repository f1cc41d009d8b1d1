//! One file: what is read, what is on the platter, and what lies between.

use super::SECTOR;

/// A file's content, twice.
#[derive(Debug, Clone, Default)]
pub(super) struct Inode {
    /// As read: the page cache.
    pub(super) cache: Vec<u8>,
    /// As found after a cut, if nothing of `pending` makes it.
    pub(super) durable: Vec<u8>,
    /// What was written since the last sync, in order.
    pub(super) pending: Vec<Write>,
}

/// Whole sectors as they were after one write.
#[derive(Debug, Clone)]
pub(super) struct Write {
    /// Where the first begins.
    pub(super) offset: usize,
    /// Their content; only the last sector of the file may be short.
    pub(super) bytes: Vec<u8>,
}

impl Inode {
    /// A file whose content is durable.
    pub(super) fn at_rest(content: Vec<u8>) -> Self {
        Self { cache: content.clone(), durable: content, pending: Vec::new() }
    }

    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let end = offset + bytes.len();
        // Where the file grows past a hole, the hole is written as well: its zeros are as uncertain as the rest.
        let begin = offset.min(self.cache.len()) / SECTOR * SECTOR;
        if end > self.cache.len() {
            self.cache.resize(end, 0);
        }
        self.cache[offset..end].copy_from_slice(bytes);
        let end = end.next_multiple_of(SECTOR).min(self.cache.len());
        self.pending.push(Write { offset: begin, bytes: self.cache[begin..end].to_vec() });
    }

    /// Everything written is on disk.
    pub(super) fn sync(&mut self) {
        for write in std::mem::take(&mut self.pending) {
            put(&mut self.durable, write.offset, &write.bytes);
        }
    }

    /// What a read finds once clean pages were evicted: the disk's content, with what is still to be written.
    pub(super) fn evict(&mut self) {
        let mut content = self.durable.clone();
        for write in &self.pending {
            put(&mut content, write.offset, &write.bytes);
        }
        self.cache = content;
    }

    pub(super) fn flip(&mut self, offset: usize, mask: u8) -> bool {
        let mut there = false;
        for content in [&mut self.cache, &mut self.durable] {
            if let Some(byte) = content.get_mut(offset) {
                *byte ^= mask;
                there = true;
            }
        }
        there
    }
}

/// Writes into a content, which grows where it must.
pub(super) fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if end > content.len() {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(bytes);
}
