//! Thousands of callbacks while the daemon is killed again and again: no step lost, none done twice, no promise forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use passerelle_proto::backoffice::callback::v1::sit_response::What as Shown;
use passerelle_proto::customer::v1::callback::Status as Progress;
use passerelle_proto::customer::v1::callbacks_client::CallbacksClient;
use passerelle_proto::customer::v1::request_callback_request::When;
use passerelle_proto::customer::v1::{Callback, ListCallbacksRequest, RequestCallbackRequest};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::Status;
use tonic::transport::Channel;

use super::office::{Adviser, connected, wish, world_of};

const ADVISERS: usize = 48;
/// Wishes on their way at the same time.
const IN_FLIGHT: usize = 96;
const LINES: usize = 40;
const LINE: &str = "capacity: 100\nslot_seconds: 5\nring_seconds: 30\nsearch_seconds: 1\nlease_seconds: 3600\nsearches: 1000";
/// How long the last life may go on without one more call before something is called forgotten.
const PATIENCE: Duration = Duration::from_secs(30);
const OPEN: [Progress; 4] = [Progress::Requested, Progress::Promised, Progress::Calling, Progress::Accepted];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callbacks_are_each_called_once_through_random_kills() {
    storm(2_000, 200).await;
}

/// The same for longer: `cargo test -p passerelle-system twenty_thousand -- --ignored`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn twenty_thousand_callbacks_are_each_called_once_through_random_kills() {
    storm(20_000, 1_600).await;
}

/// A life ends after at most `longest_life` calls, whatever has been promised by then.
async fn storm(callbacks: usize, longest_life: usize) {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let book = Arc::new(Book::new(callbacks));
    let lines: Vec<String> = (0..LINES).map(|number| format!("line-{number}")).collect();
    let mut world = world_of(&lines, LINE);
    let mut lives = 0;
    let begun = Instant::now();
    while book.called() < callbacks {
        lives += 1;
        let daemon = world.serve();
        let until = (book.called() + random.usize(1..=longest_life)).min(callbacks);
        let mut life = live(&book, &connected(&daemon).await);
        book.until_called(until).await;
        book.over.store(true, Ordering::Relaxed);
        world = daemon.kill();
        // Each of them meets its end with the daemon, and says what it could not do.
        while life.join_next().await.is_some() {}
        book.over.store(false, Ordering::Relaxed);
    }
    println!("{callbacks} called in {lives} lives and {:?}; not at once: {:?}", begun.elapsed(), book.refusals());
    let daemon = world.serve();
    let channel = connected(&daemon).await;
    let life = live(&book, &channel);
    let open = made_good(&book, &channel).await;
    assert!(open.is_empty(), "seed {seed}: promises are not made good, such as {:?}", open.first());
    book.check(&channel).await.unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
    println!("all told after {:?}", begun.elapsed());
    drop(life);
}

/// Customers who ask and advisers who answer, until the daemon is gone.
fn live(book: &Arc<Book>, channel: &Channel) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for number in 0..ADVISERS {
        let (book, channel) = (book.clone(), channel.clone());
        tasks.spawn(async move {
            // Ends with the daemon.
            let _ = advise(&book, &channel, &format!("adviser {number}")).await;
        });
    }
    for _ in 0..IN_FLIGHT {
        let (book, channel) = (book.clone(), channel.clone());
        tasks.spawn(async move {
            while let Some(customer) = book.next() {
                match ask(&channel, &customer).await {
                    Ok(id) => book.promise(customer, id),
                    Err(status) => {
                        book.put_back(customer, &status);
                        if book.is_over() {
                            return;
                        }
                    }
                }
            }
        });
    }
    tasks
}

async fn ask(channel: &Channel, customer: &str) -> Result<String, Status> {
    let number: usize = customer.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap();
    let request =
        RequestCallbackRequest { line: format!("line-{}", number % LINES), ..wish(customer, When::AsSoonAsPossible(true)) };
    let response = CallbacksClient::new(channel.clone()).request_callback(request).await?.into_inner();
    Ok(response.callback.unwrap().callback_id)
}

async fn advise(book: &Book, channel: &Channel, name: &str) -> Result<(), Status> {
    let mut adviser = Adviser::sit(channel, name).await?;
    loop {
        match adviser.shown().await? {
            Shown::Offered(offered) => adviser.accept(&offered.call.unwrap().callback_id).await,
            Shown::Connected(connected) => {
                let id = connected.call.unwrap().callback_id;
                book.told(&id, name, connected.resumed);
                adviser.report(&id).await;
            }
            Shown::Seated(_) | Shown::Withdrawn(_) | Shown::Closed(_) => {}
        }
    }
}

/// Waits until nothing is open any more; some of what still is when nothing goes on.
async fn made_good(book: &Book, channel: &Channel) -> Vec<Callback> {
    let mut turn = tokio::time::interval(Duration::from_millis(200));
    let (mut called, mut since) = (0, Instant::now());
    loop {
        turn.tick().await;
        let mut open = Vec::new();
        for status in OPEN {
            let request = ListCallbacksRequest { status: status.into(), page_size: 10, ..Default::default() };
            open.extend(list(channel, request).await.0);
        }
        if called != book.called() {
            (called, since) = (book.called(), Instant::now());
        }
        if open.is_empty() || since.elapsed() > PATIENCE {
            return open;
        }
    }
}

async fn list(channel: &Channel, request: ListCallbacksRequest) -> (Vec<Callback>, String) {
    let client = CallbacksClient::new(channel.clone());
    let page = client.max_decoding_message_size(64 << 20).list_callbacks(request).await.unwrap().into_inner();
    (page.callbacks, page.next_page_token)
}

/// What customers and advisers know.
struct Book {
    /// How many are asked for.
    callbacks: usize,
    inner: Mutex<Inner>,
    /// How many were called.
    called: watch::Sender<usize>,
    /// The daemon is being killed.
    over: AtomicBool,
}

#[derive(Default)]
struct Inner {
    /// Customers who still have to ask.
    waiting: Vec<String>,
    /// What was acknowledged: the callback of each customer.
    promises: BTreeMap<String, String>,
    /// Who was told to call, and how often as if it were new.
    told: BTreeMap<String, (BTreeSet<String>, usize)>,
    /// How often nothing was acknowledged, by the status.
    refusals: BTreeMap<String, usize>,
}

impl Book {
    fn new(callbacks: usize) -> Self {
        let waiting = (0..callbacks).map(|number| format!("customer {number}")).collect();
        let (inner, over) = (Mutex::new(Inner { waiting, ..Inner::default() }), AtomicBool::new(false));
        Self { callbacks, inner, called: watch::Sender::new(0), over }
    }

    fn next(&self) -> Option<String> {
        self.inner.lock().unwrap().waiting.pop()
    }

    /// The wish was not acknowledged: it is to be asked again.
    fn put_back(&self, customer: String, status: &Status) {
        let mut inner = self.inner.lock().unwrap();
        inner.waiting.push(customer);
        *inner.refusals.entry(format!("{:?}", status.code())).or_default() += 1;
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn promise(&self, customer: String, id: String) {
        self.inner.lock().unwrap().promises.insert(customer, id);
    }

    fn told(&self, id: &str, adviser: &str, resumed: bool) {
        let mut inner = self.inner.lock().unwrap();
        let (advisers, times) = inner.told.entry(id.to_owned()).or_default();
        advisers.insert(adviser.to_owned());
        *times += usize::from(!resumed);
        self.called.send_replace(inner.told.len());
    }

    fn refusals(&self) -> BTreeMap<String, usize> {
        self.inner.lock().unwrap().refusals.clone()
    }

    fn called(&self) -> usize {
        *self.called.borrow()
    }

    async fn until_called(&self, count: usize) {
        let _ = self.called.subscribe().wait_for(|called| *called >= count).await;
    }

    /// Compares with what is on disk.
    async fn check(&self, channel: &Channel) -> Result<(), String> {
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
        let inner = self.inner.lock().unwrap();
        if seen.len() != self.callbacks {
            return Err(format!("{} callbacks are on disk, {} were asked for", seen.len(), self.callbacks));
        }
        if let Some(forgotten) = inner.promises.keys().find(|customer| !seen.contains_key(*customer)) {
            return Err(format!("{forgotten} is forgotten"));
        }
        // All of them, whether or not their acknowledgement came through.
        for (customer, callback) in &seen {
            let id = &callback.callback_id;
            let another = inner.promises.get(customer).is_some_and(|promised| promised != id);
            let reached: Vec<&str> =
                callback.attempts.iter().filter(|a| !a.adviser.is_empty()).map(|a| a.adviser.as_str()).collect();
            let (advisers, times) = inner.told.get(id).ok_or_else(|| format!("nobody was told to call {customer}"))?;
            let told: Vec<&str> = advisers.iter().map(String::as_str).collect();
            if another || callback.status() != Progress::Reached || reached != told || *times > 1 {
                return Err(format!("{customer}: on disk {reached:?}, told {told:?} {times} times: {}", callback.explanation));
            }
        }
        Ok(())
    }
}
