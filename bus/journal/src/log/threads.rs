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
                let (count, began) = (appends.iter().map(|append| append.entries.len()).sum::<usize>(), Instant::now());
                core.write(appends);
                pace.note(count + queue.entries(), began.elapsed());
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

/// How many entries are under way lately: in a batch, and behind it.
///
/// Half of them are best written together: while the disk has these, those who were answered before ask again, and the next half is there when
/// the disk is free. Answered one after the other they would each get a batch of their own; all together they would leave the disk idle until
/// they have asked again. So the writer waits for half of them, for a quarter of what writing takes at most.
#[derive(Default)]
struct Pace {
    under_way: usize,
    took: Duration,
}

impl Pace {
    fn note(&mut self, under_way: usize, took: Duration) {
        (self.under_way, self.took) = (under_way.max(self.under_way - self.under_way.div_ceil(8)), took);
    }

    fn gather(&self) -> (usize, Duration) {
        (self.under_way / 2, self.took / 4)
    }
}
