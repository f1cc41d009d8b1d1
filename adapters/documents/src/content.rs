//! A document's content on its way in: bounded, counted, and compared with what was announced.

use bytes::Bytes;
use data_encoding::HEXLOWER;
use passerelle_adapter::{Fault, Messages};
use passerelle_proto::backoffice::documents::v1::StoreRequest;
use passerelle_proto::backoffice::documents::v1::store_request::What;
use ring::digest;

use crate::wire::{decode, invalid};

/// Largest chunk, in bytes.
const LARGEST_CHUNK: usize = 1 << 20;

/// What the caller said of the content beforehand.
#[derive(Debug, Clone, Default)]
pub(crate) struct Announced {
    /// Its length, in bytes.
    pub(crate) size: Option<u64>,
    /// Its SHA-256 in lower-case hexadecimal.
    pub(crate) sha256: Option<String>,
}

/// What came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// Its length, in bytes.
    pub(crate) size: u64,
    /// Its SHA-256 in lower-case hexadecimal.
    pub(crate) sha256: String,
}

/// The content, chunk by chunk.
pub(crate) struct Content {
    messages: Messages,
    announced: Announced,
    limit: u64,
    size: u64,
    digest: digest::Context,
}

impl Content {
    /// Refuses at once what is announced to be too large.
    pub(crate) fn new(messages: Messages, announced: Announced, limit: u64) -> Result<Self, Fault> {
        if announced.size.is_some_and(|size| size > limit) {
            return Err(too_large(limit));
        }
        Ok(Self { messages, announced, limit, size: 0, digest: digest::Context::new(&digest::SHA256) })
    }

    /// Its length, where it was announced.
    pub(crate) fn announced_size(&self) -> Option<u64> {
        self.announced.size
    }

    /// The next bytes; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        let Some(message) = self.messages.next().await else {
            return Ok(None);
        };
        let Some(What::Chunk(chunk)) = decode::<StoreRequest>(message?)?.what else {
            return Err(invalid("after `start` come chunks only"));
        };
        if chunk.len() > LARGEST_CHUNK {
            return Err(invalid(format!("a chunk has {} bytes, at most {LARGEST_CHUNK} are taken", chunk.len())));
        }
        self.size += chunk.len() as u64;
        if self.size > self.limit {
            return Err(too_large(self.limit));
        }
        if let Some(size) = self.announced.size.filter(|size| self.size > *size) {
            return Err(invalid(format!("the content is longer than the {size} bytes that were announced")));
        }
        self.digest.update(&chunk);
        Ok(Some(chunk))
    }

    /// What has come, if it is what was announced. To be called at the end, before anybody sees it.
    pub(crate) fn received(&self) -> Result<Received, Fault> {
        if let Some(size) = self.announced.size.filter(|size| *size != self.size) {
            return Err(invalid(format!("the content has {} bytes, {size} were announced", self.size)));
        }
        let sha256 = HEXLOWER.encode(self.digest.clone().finish().as_ref());
        if self.announced.sha256.as_ref().is_some_and(|announced| *announced != sha256) {
            return Err(invalid("the content is not what was announced: its sha256 is another"));
        }
        Ok(Received { size: self.size, sha256 })
    }
}

fn too_large(limit: u64) -> Fault {
    invalid(format!("the document is larger than {limit} bytes, the limit of this store"))
}
