//! The hand-over: files in their order, each kept until it is settled.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::sync::Arc;

use passerelle_adapter::{Fault, Received, Receiving, async_trait};
use passerelle_proto::backoffice::files::v1::FileArrived;
use prost::Message;

use crate::folder::{Folder, LARGEST, Waiting};

/// The full name of what a file becomes.
const ARRIVED: &str = "passerelle.backoffice.files.v1.FileArrived";

/// One hand-over.
pub(crate) struct Incoming {
    folder: Arc<Folder>,
    waiting: VecDeque<Waiting>,
    handed_over: HashMap<String, Waiting>,
}

impl Incoming {
    pub(crate) fn new(folder: Arc<Folder>) -> Self {
        Self { folder, waiting: VecDeque::new(), handed_over: HashMap::new() }
    }

    /// On a thread that may block.
    async fn on_disk<T: Send + 'static>(&self, work: impl FnOnce(&Folder) -> io::Result<T> + Send + 'static) -> Result<T, Fault> {
        let folder = self.folder.clone();
        let done = tokio::task::spawn_blocking(move || work(&folder)).await;
        let done = done.map_err(|_| Fault::unavailable("the look into the folder panicked"))?;
        done.map_err(|error| Fault::unavailable(format!("the folder: {error}")))
    }

    async fn look(&mut self) -> Result<(), Fault> {
        let handed_over: HashSet<String> = self.handed_over.keys().cloned().collect();
        let found = self.on_disk(Folder::look).await?;
        self.waiting = found.into_iter().filter(|waiting| !handed_over.contains(&waiting.id)).collect();
        Ok(())
    }

    async fn set_aside(&self, waiting: Waiting, reason: &str) -> Result<(), Fault> {
        tracing::error!(endpoint = self.folder.endpoint, reason, "a file is set aside");
        self.on_disk(move |folder| folder.set_aside(&waiting)).await
    }
}

#[async_trait]
impl Receiving for Incoming {
    async fn next(&mut self) -> Result<Received, Fault> {
        loop {
            let Some(waiting) = self.waiting.front().cloned() else {
                self.look().await?;
                if self.waiting.is_empty() {
                    tokio::time::sleep(self.folder.look_every).await;
                }
                continue;
            };
            let reading = waiting.clone();
            let content = self
                .on_disk(move |folder| match folder.read(&reading) {
                    // Gone meanwhile: whoever put it there has taken it back.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Err(())),
                    read => read.map(Ok),
                })
                .await?;
            match content {
                Err(()) => {}
                Ok(None) => {
                    let reason = format!("it has more than {LARGEST} bytes");
                    self.set_aside(waiting, &reason).await?;
                }
                Ok(Some(content)) => {
                    // From here on nothing waits, so nothing is lost where the future is dropped.
                    self.waiting.pop_front();
                    return Ok(self.hand_over(waiting, content));
                }
            }
            self.waiting.pop_front();
        }
    }

    async fn taken(&mut self, id: &str) -> Result<(), Fault> {
        match self.handed_over.remove(id) {
            Some(waiting) => self.on_disk(move |folder| folder.take(&waiting)).await,
            None => Ok(()),
        }
    }

    async fn refused(&mut self, id: &str, reason: &str) -> Result<(), Fault> {
        match self.handed_over.remove(id) {
            Some(waiting) => self.set_aside(waiting, reason).await,
            None => Ok(()),
        }
    }
}

impl Incoming {
    fn hand_over(&mut self, waiting: Waiting, content: Vec<u8>) -> Received {
        let name = waiting.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let arrived = FileArrived { name: name.clone(), content: content.into() };
        let received = Received {
            id: waiting.id.clone(),
            kind: ARRIVED.to_owned(),
            subject: name,
            time: Some(waiting.time),
            data: arrived.encode_to_vec().into(),
        };
        self.handed_over.insert(waiting.id.clone(), waiting);
        received
    }
}
