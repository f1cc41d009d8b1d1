//! A recorded answer, sent again: its messages in their time, then its outcome.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use prost::Message as _;
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, sleep_until};
use tonic::Status;

use super::Speed;
use super::echo::Echo;
use super::method::{Answer, Call};

/// Where an answer goes.
pub(super) type Caller = Sender<Result<Bytes, Status>>;

/// The caller has left.
#[derive(Debug)]
pub(super) struct Left;

/// One call being answered.
pub(super) struct Player {
    pub(super) began: Instant,
    pub(super) speed: Speed,
    pub(super) caller: Caller,
    pub(super) echo: Echo,
}

impl Player {
    /// The whole answer.
    pub(super) async fn play(&self, call: Arc<Call>) -> Result<(), Left> {
        for answer in &call.answers {
            self.answer(answer).await?;
        }
        self.end(&call).await
    }

    /// One message.
    pub(super) async fn answer(&self, answer: &Answer) -> Result<(), Left> {
        self.wait(answer.after).await?;
        let mut message = answer.message.clone();
        self.echo.speak(&mut message);
        self.send(Ok(message.encode_to_vec().into())).await
    }

    /// The outcome; where the caller left in the recording, he is waited for to leave again.
    pub(super) async fn end(&self, call: &Call) -> Result<(), Left> {
        let Some(status) = &call.status else {
            self.caller.closed().await;
            return Err(Left);
        };
        self.wait(call.ended).await?;
        // Also how OK is sent that has something to say.
        let is_bare = status.code() == tonic::Code::Ok && status.metadata().is_empty();
        if is_bare { Ok(()) } else { self.send(Err(status.clone())).await }
    }

    /// Something of the twin's own.
    pub(super) async fn send(&self, what: Result<Bytes, Status>) -> Result<(), Left> {
        self.caller.send(what).await.map_err(|_| Left)
    }

    async fn wait(&self, after: Duration) -> Result<(), Left> {
        let Some(at) = self.began.checked_add(after).filter(|_| self.speed == Speed::Real) else { return Ok(()) };
        tokio::select! {
            () = sleep_until(at) => Ok(()),
            () = self.caller.closed() => Err(Left),
        }
    }
}
