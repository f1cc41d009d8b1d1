//! A stream of messages, each a record; acknowledged as the disk takes them.

use std::collections::VecDeque;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, Stream, StreamExt};
use passerelle_journal::{AppendError, Entry, Journal, Outcome, Receipt};
use passerelle_proto::bus::v1::PublishStreamResponse;
use tonic::{Status, Streaming};

use super::request::PublishStreamRequest;
use super::{Service, record, refusal};

/// What is ready is handed over together, up to this many messages or bytes: the journal begins to write before a stream that always has
/// more has been read to its end.
const CHUNK_MESSAGES: usize = 32;
const CHUNK_BYTES: usize = 512 * 1024;

impl Service {
    /// Writes what comes, and answers with how far it is on disk.
    pub(super) fn publish_stream(&self, requests: Streaming<PublishStreamRequest>) -> Publishing {
        let mut stopping = self.settings.stopping.clone();
        Publishing {
            requests,
            records: record::Records::new(self.settings.fingerprint_key),
            stopping: async move { drop(stopping.wait_for(|stop| *stop).await) }.boxed(),
            journal: self.journal.clone(),
            now: self.settings.now,
            read: 0,
            chunk: Vec::new(),
            appending: None,
            waiting: VecDeque::new(),
            said: PublishStreamResponse::default(),
            end: None,
        }
    }
}

/// Reads, writes and answers in one task, and waits for nothing of these before it does the others: messages are taken in while
/// the disk writes the ones before. What bounds it is the journal's queue: while that is full, nothing is read.
pub(super) struct Publishing {
    requests: Streaming<PublishStreamRequest>,
    records: record::Records,
    stopping: BoxFuture<'static, ()>,
    journal: Arc<dyn Journal>,
    now: fn() -> SystemTime,
    /// Messages taken in.
    read: u64,
    /// Those of them that are not on their way to the journal.
    chunk: Vec<Entry>,
    /// The chunk before, which waits for room in the journal's queue.
    appending: Option<BoxFuture<'static, Result<Receipt, AppendError>>>,
    /// Chunks that the journal has, the oldest first.
    waiting: VecDeque<BoxFuture<'static, Result<Vec<Outcome>, AppendError>>>,
    /// What the client has been told.
    said: PublishStreamResponse,
    /// How it ends when everything before is acknowledged. Nothing more is read.
    end: Option<Result<(), Status>>,
}

impl Stream for Publishing {
    type Item = Result<PublishStreamResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if self.settle(context) {
                return Poll::Ready(Some(Ok(self.said)));
            }
            if let Some(appending) = &mut self.appending {
                let appended = ready!(appending.poll_unpin(context));
                self.appending = None;
                match appended {
                    Ok(receipt) => self.waiting.push_back(receipt.durable().boxed()),
                    // Those before it are on their way all the same.
                    Err(error) => self.end = Some(Err(refusal::of_append(&error))),
                }
                continue;
            }
            self.read(context);
            if !self.chunk.is_empty() {
                self.append();
                continue;
            }
            if self.end.is_none() || !self.waiting.is_empty() {
                return Poll::Pending;
            }
            let end = self.end.replace(Ok(()));
            return Poll::Ready(end.and_then(Result::err).map(Err));
        }
    }
}

impl Publishing {
    /// Counts what has become durable since; whether there is something to tell.
    fn settle(&mut self, context: &mut Context<'_>) -> bool {
        let before = self.said.acknowledged;
        while let Some(Poll::Ready(settled)) = self.waiting.front_mut().map(|oldest| oldest.poll_unpin(context)) {
            self.waiting.pop_front();
            match settled {
                Ok(outcomes) => outcomes.iter().for_each(|outcome| self.count(outcome)),
                Err(error) => self.fail(&error),
            }
        }
        self.said.acknowledged > before
    }

    fn count(&mut self, outcome: &Outcome) {
        // A record without a key is never out of sequence.
        if let Outcome::Written(position) | Outcome::Repeated(position) = outcome {
            self.said.acknowledged += 1;
            self.said.position = self.said.position.max(position.0);
        }
    }

    /// A chunk was not written: what comes after it must not be acknowledged, for acknowledgements are cumulative.
    fn fail(&mut self, error: &AppendError) {
        self.end = Some(Err(refusal::of_append(error)));
        self.waiting.clear();
        self.appending = None;
        self.chunk.clear();
    }

    /// Takes in what is ready.
    fn read(&mut self, context: &mut Context<'_>) {
        if self.end.is_some() {
            return;
        }
        if self.stopping.poll_unpin(context).is_ready() {
            self.end = Some(Err(refusal::stopping()));
            return;
        }
        let mut bytes = 0;
        while self.chunk.len() < CHUNK_MESSAGES && bytes < CHUNK_BYTES && self.end.is_none() {
            match self.requests.poll_next_unpin(context) {
                Poll::Pending => return,
                Poll::Ready(None) => self.end = Some(Ok(())),
                Poll::Ready(Some(Err(status))) => self.end = Some(Err(status)),
                Poll::Ready(Some(Ok(request))) => bytes += self.take(request),
            }
        }
    }

    /// Takes in one message; how many bytes its record has.
    fn take(&mut self, request: PublishStreamRequest) -> usize {
        if self.chunk.is_empty() {
            self.records.begin((self.now)());
        }
        match self.records.entry(&[request.message]) {
            Ok(entry) => {
                let bytes = entry.data.len();
                self.read += 1;
                self.chunk.push(entry);
                bytes
            }
            Err((_, fault)) => {
                self.end = Some(Err(refusal::of_message(self.read, &fault)));
                0
            }
        }
    }

    fn append(&mut self) {
        // The next one is likely to be as long.
        let next = Vec::with_capacity(self.chunk.len());
        let chunk = mem::replace(&mut self.chunk, next);
        let journal = self.journal.clone();
        self.appending = Some(async move { journal.append(chunk).await }.boxed());
    }
}
