//! The two threads of a log: one writes, one prepares what the writer needs next.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::Core;
use super::queue::{Next, Queue, Request, Work};

/// The writer has nothing to do for so long: time to mark what it wrote.
const IDLE: Duration = Duration::from_millis(20);

/// Starts both; the receiver becomes true when everything is written and the folder let go.
pub(super) fn start(core: Core, queue: Arc<Queue>) -> io::Result<(JoinHandle<()>, watch::Receiver<bool>)> {
    let (ended, end) = watch::channel(false);
    let store = core.store();
    let preparer = thread::Builder::new().name("journal-prepare".into()).spawn(move || store.yard.attend())?;
    let writer = thread::Builder::new().name("journal-write".into()).spawn(move || {
        let closing = Closing { queue, ended };
        write(core, &closing.queue, preparer);
    })?;
    Ok((writer, end))
}

/// Whatever ends the writer, nobody waits for it any more.
struct Closing {
    queue: Arc<Queue>,
    ended: watch::Sender<bool>,
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.queue.abandon();
        self.ended.send_replace(true);
    }
}

fn write(mut core: Core, queue: &Queue, preparer: JoinHandle<()>) {
    let mut pace = Pace::default();
    loop {
        match queue.take((!core.rests()).then_some(IDLE), pace.gather()) {
            Next::Idle => {
                core.mark();
                core.rest(true);
            }
            Next::Closed => break,
            Next::Work(Work { appends, bytes, requests, settled }) => {
                core.rest(false);
                let (count, began) = (appends.iter().map(|append| append.entries.len()).sum(), Instant::now());
                core.write(appends);
                pace.note(count, began.elapsed());
                queue.give_back(bytes);
                for (request, answered) in requests {
                    let answer = match request {
                        Request::Trim(position) => core.trim(position),
                        Request::Begin => core.begin_segment(),
                    };
                    // Whoever asked may have gone.
                    let _ = answered.send(answer);
                }
                // Dropping them tells those who wait.
                drop(settled);
            }
        }
    }
    core.mark();
    core.store().yard.close();
    // A preparer that panicked has told so.
    let _ = preparer.join();
}

/// How many entries come together lately.
///
/// Those who were answered by one batch ask again a moment later, one after the other: the first of them would get a batch of its own,
/// and all others wait for two syncs. So the writer waits for three quarters of the most of late, for a quarter of what writing takes at most.
#[derive(Default)]
struct Pace {
    most: usize,
    took: Duration,
}

impl Pace {
    fn note(&mut self, count: usize, took: Duration) {
        (self.most, self.took) = (count.max(self.most - self.most.div_ceil(8)), took);
    }

    fn gather(&self) -> (usize, Duration) {
        (self.most * 3 / 4, self.took / 4)
    }
}
