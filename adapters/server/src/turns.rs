//! Turns of those who take what is received: one at a time, and the newest one wins.

use tokio::sync::{Mutex, watch};
use tonic::Status;

/// Whose turn it is.
pub(crate) struct Turns {
    newest: watch::Sender<u64>,
    /// Held by the one that runs.
    stage: std::sync::Arc<Mutex<()>>,
}

impl Default for Turns {
    fn default() -> Self {
        Self { newest: watch::Sender::new(0), stage: std::sync::Arc::default() }
    }
}

/// One turn.
pub(crate) struct Turn {
    number: u64,
    newest: watch::Receiver<u64>,
    stage: std::sync::Arc<Mutex<()>>,
}

impl Turns {
    /// Ends the turn before.
    pub(crate) fn next(&self) -> Turn {
        let mut number = 0;
        self.newest.send_modify(|newest| {
            *newest += 1;
            number = *newest;
        });
        Turn { number, newest: self.newest.subscribe(), stage: self.stage.clone() }
    }
}

impl Turn {
    /// Runs when the turn before has ended, and until the next one begins.
    pub(crate) async fn run(mut self, work: impl Future<Output = Result<(), Status>>) -> Result<(), Status> {
        let stage = self.stage.clone();
        let number = self.number;
        tokio::select! {
            biased;
            _ = self.newest.wait_for(|newest| *newest != number) => Err(Status::aborted("another stream has taken over")),
            ended = async {
                let _stage = stage.lock().await;
                work.await
            } => ended,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_turn_ends_the_first_before_it_begins() {
        let turns = Turns::default();
        let first = tokio::spawn(turns.next().run(std::future::pending()));
        tokio::task::yield_now().await;
        let second = turns.next().run(async { Ok(()) });
        assert!(second.await.is_ok());
        assert_eq!(first.await.unwrap().unwrap_err().code(), tonic::Code::Aborted);
    }
}
