//! The callbacks of a storm: customers who ask, advisers who call, and what both know.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use passerelle_proto::backoffice::callback::v1::sit_response::What as Shown;
use passerelle_proto::customer::v1::callback::Status as Progress;
use passerelle_proto::customer::v1::callbacks_client::CallbacksClient;
use passerelle_proto::customer::v1::request_callback_request::When;
use passerelle_proto::customer::v1::{Callback, ListCallbacksRequest, RequestCallbackRequest};
use tokio::task::JoinSet;
use tonic::Status;
use tonic::transport::Channel;

use super::LINES;
use super::tally::Tally;
use crate::callback::office::{Adviser, wish};

const ADVISERS: usize = 48;
/// Wishes on their way at the same time.
const IN_FLIGHT: usize = 96;
/// How long the last life may go on without one more call before something is called forgotten.
const PATIENCE: Duration = Duration::from_secs(30);
const OPEN: [Progress; 4] = [Progress::Requested, Progress::Promised, Progress::Calling, Progress::Accepted];

/// What customers and advisers know.
pub(super) struct Callbacks {
    /// How many are asked for.
    count: usize,
    book: Mutex<Book>,
    tally: Arc<Tally>,
}

#[derive(Default)]
struct Book {
    /// Customers who still have to ask.
    waiting: Vec<String>,
    /// What was acknowledged: the callback of each customer.
    promises: BTreeMap<String, String>,
    /// Who was told to call, and how often as if it were new.
    told: BTreeMap<String, (BTreeSet<String>, usize)>,
}

impl Callbacks {
    pub(super) fn new(count: usize, tally: Arc<Tally>) -> Arc<Self> {
        let waiting = (0..count).map(|number| format!("customer {number}")).collect();
        Arc::new(Self { count, book: Mutex::new(Book { waiting, ..Book::default() }), tally })
    }

    /// Customers who ask and advisers who answer, until the daemon is gone.
    pub(super) fn live(self: &Arc<Self>, channel: &Channel, life: &mut JoinSet<()>) {
        for number in 0..ADVISERS {
            let (callbacks, channel) = (self.clone(), channel.clone());
            life.spawn(async move {
                // Ends with the daemon.
                let _ = callbacks.advise(&channel, &format!("adviser {number}")).await;
            });
        }
        for _ in 0..IN_FLIGHT {
            let (callbacks, channel) = (self.clone(), channel.clone());
            life.spawn(async move {
                while !callbacks.tally.is_over()
                    && let Some(customer) = callbacks.next()
                {
                    match ask(&channel, &customer).await {
                        Ok(id) => callbacks.promise(customer, id),
                        Err(status) => callbacks.put_back(customer, &status),
                    }
                }
            });
        }
    }

    async fn advise(&self, channel: &Channel, name: &str) -> Result<(), Status> {
        let mut adviser = Adviser::sit(channel, name).await?;
        loop {
            match adviser.shown().await? {
                Shown::Offered(offered) => adviser.accept(&offered.call.unwrap().callback_id).await,
                Shown::Connected(connected) => {
                    let id = connected.call.unwrap().callback_id;
                    self.told(&id, name, connected.resumed);
                    adviser.report(&id).await;
                }
                Shown::Seated(_) | Shown::Withdrawn(_) | Shown::Closed(_) => {}
            }
        }
    }

    fn next(&self) -> Option<String> {
        self.book.lock().unwrap().waiting.pop()
    }

    /// The wish was not acknowledged: it is to be asked again.
    fn put_back(&self, customer: String, status: &Status) {
        self.tally.refused(status);
        self.book.lock().unwrap().waiting.push(customer);
    }

    fn promise(&self, customer: String, id: String) {
        self.book.lock().unwrap().promises.insert(customer, id);
    }

    fn told(&self, id: &str, adviser: &str, resumed: bool) {
        let mut book = self.book.lock().unwrap();
        let before = book.told.len();
        let (advisers, times) = book.told.entry(id.to_owned()).or_default();
        advisers.insert(adviser.to_owned());
        *times += usize::from(!resumed);
        if book.told.len() > before {
            self.tally.one_more();
        }
    }

    /// Waits until nothing is open any more.
    pub(super) async fn made_good(&self, channel: &Channel) -> Result<(), String> {
        let mut turn = tokio::time::interval(Duration::from_millis(200));
        let (mut called, mut since) = (0, Instant::now());
        loop {
            turn.tick().await;
            let mut open = Vec::new();
            for status in OPEN {
                let request = ListCallbacksRequest { status: status.into(), page_size: 10, ..Default::default() };
                open.extend(list(channel, request).await.0);
            }
            let now = self.book.lock().unwrap().told.len();
            if called != now {
                (called, since) = (now, Instant::now());
            }
            match open.first() {
                None => return Ok(()),
                Some(open) if since.elapsed() > PATIENCE => return Err(format!("a promise is not made good: {open:?}")),
                Some(_) => {}
            }
        }
    }

    /// Compares with what is on disk.
    pub(super) async fn check(&self, channel: &Channel) -> Result<(), String> {
        let mut request = ListCallbacksRequest { page_size: 500, ..Default::default() };
        let mut seen = BTreeMap::new();
        loop {
            let (page, next) = list(channel, request.clone()).await;
            seen.extend(page.into_iter().map(|callback| (callback.customer.clone(), callback)));
            if next.is_empty() {
                break;
            }
            request.page_token = next;
        }
        let book = self.book.lock().unwrap();
        if seen.len() != self.count {
            return Err(format!("{} callbacks are on disk, {} were asked for", seen.len(), self.count));
        }
        if let Some(forgotten) = book.promises.keys().find(|customer| !seen.contains_key(*customer)) {
            return Err(format!("{forgotten} is forgotten"));
        }
        // All of them, whether or not their acknowledgement came through.
        for (customer, callback) in &seen {
            let id = &callback.callback_id;
            let another = book.promises.get(customer).is_some_and(|promised| promised != id);
            let reached: Vec<&str> =
                callback.attempts.iter().filter(|a| !a.adviser.is_empty()).map(|a| a.adviser.as_str()).collect();
            let (advisers, times) = book.told.get(id).ok_or_else(|| format!("nobody was told to call {customer}"))?;
            let told: Vec<&str> = advisers.iter().map(String::as_str).collect();
            if another || callback.status() != Progress::Reached || reached != told || *times > 1 {
                return Err(format!("{customer}: on disk {reached:?}, told {told:?} {times} times: {}", callback.explanation));
            }
        }
        Ok(())
    }
}

async fn ask(channel: &Channel, customer: &str) -> Result<String, Status> {
    let number: usize = customer.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap();
    let request =
        RequestCallbackRequest { line: format!("line-{}", number % LINES), ..wish(customer, When::AsSoonAsPossible(true)) };
    let response = CallbacksClient::new(channel.clone()).request_callback(request).await?.into_inner();
    Ok(response.callback.unwrap().callback_id)
}

async fn list(channel: &Channel, request: ListCallbacksRequest) -> (Vec<Callback>, String) {
    let client = CallbacksClient::new(channel.clone());
    let page = client.max_decoding_message_size(64 << 20).list_callbacks(request).await.unwrap().into_inner();
    (page.callbacks, page.next_page_token)
}
