//! Calls that are tried again, and those that must not be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Request;
use passerelle_adapter::{Adapter, Call, Descriptor, Fault, Health, Messages, async_trait};
use passerelle_bus::call::{Declared, Endpoint, MethodSettings, PolicySettings, RetrySettings};
use tokio::sync::mpsc;

use super::bus::{Bus, DOWNLOAD, UNARY, UPLOAD, nothing_declared, under};
use super::caller::{Caller, message, request, with};
use super::office::{Office, head, outcome, read_all, send_all};

const UNAVAILABLE: i32 = 14;

/// Three quick attempts of all methods but `DOWNLOAD`, which is not declared idempotent.
fn policy() -> PolicySettings {
    let idempotent = |path: &str| {
        (path.trim_start_matches('/').to_owned(), MethodSettings { idempotent: Some(true), ..MethodSettings::default() })
    };
    PolicySettings {
        methods: [UNARY, UPLOAD].map(idempotent).into(),
        retry: RetrySettings { initial_backoff: Duration::from_millis(5), ..RetrySettings::default() },
        ..PolicySettings::default()
    }
}

/// What the back office saw of an attempt: bytes, previous attempts, budget.
type Seen = (usize, Option<String>, Option<String>);

/// A back office that is unavailable so many times, and whether it says so only after it has begun to answer.
async fn flaky(failures: usize, begins: bool) -> (Office, mpsc::UnboundedReceiver<Seen>) {
    let (tell, seen) = mpsc::unbounded_channel();
    let calls = Arc::new(AtomicUsize::new(0));
    let office = Office::start(move |request: Request<h2::RecvStream>, mut respond| {
        let (tell, number) = (tell.clone(), calls.fetch_add(1, Ordering::SeqCst));
        async move {
            let text = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            let said = (text("grpc-previous-rpc-attempts"), text("passerelle-retry-budget"));
            let (bytes, _) = read_all(&mut request.into_body()).await.unwrap();
            tell.send((bytes.len(), said.0, said.1)).unwrap();
            if number < failures && !begins {
                let mut response = head();
                response.headers_mut().extend(outcome(UNAVAILABLE));
                respond.send_response(response, true).unwrap();
                return;
            }
            let mut stream = respond.send_response(head(), false).unwrap();
            if number < failures {
                stream.send_trailers(outcome(UNAVAILABLE)).unwrap();
            } else if send_all(&mut stream, bytes.into(), 16 * 1024).await.is_ok() {
                stream.send_trailers(outcome(0)).unwrap();
            }
        }
    })
    .await;
    (office, seen)
}

fn all(seen: &mut mpsc::UnboundedReceiver<Seen>) -> Vec<Seen> {
    std::iter::from_fn(|| seen.try_recv().ok()).collect()
}

#[tokio::test]
async fn an_idempotent_call_is_tried_again_with_all_that_was_sent() {
    for path in [UNARY, UPLOAD] {
        let (office, mut seen) = flaky(2, false).await;
        let bus = Bus::start(under(&[office.address], policy())).await;
        let answer = Caller::connect(bus.address).await.call(path, message(40_000)).await;
        assert_eq!((answer.code(), answer.body), (0, message(40_000).to_vec()), "{path}");
        let budget = || Some("0".to_owned());
        let attempt = |number: &str| (40_005, Some(number.to_owned()), budget());
        assert_eq!(all(&mut seen), [(40_005, None, budget()), attempt("1"), attempt("2")], "{path}");
    }
}

#[tokio::test]
async fn a_call_that_may_not_is_tried_once() {
    let cases = [
        ("not declared idempotent", DOWNLOAD, 10, false),
        ("its answer has begun", UNARY, 10, true),
        ("too much was sent to be kept", UPLOAD, 70_000, false),
    ];
    for (why, path, size, begins) in cases {
        let (office, mut seen) = flaky(1, begins).await;
        let bus = Bus::start(under(&[office.address], policy())).await;
        assert_eq!(Caller::connect(bus.address).await.call(path, message(size)).await.code(), UNAVAILABLE, "{why}");
        assert_eq!(all(&mut seen).len(), 1, "{why}");
    }
}

#[tokio::test]
async fn what_the_caller_or_another_bus_has_tried_is_counted() {
    for (name, value, attempts) in [("grpc-previous-rpc-attempts", "1", 2), ("passerelle-retry-budget", "0", 1)] {
        let (office, mut seen) = flaky(9, false).await;
        let bus = Bus::start(under(&[office.address], policy())).await;
        let answer = Caller::connect(bus.address).await.send(with(request(UNARY), name, value), message(1)).await;
        assert_eq!((answer.code(), all(&mut seen).len()), (UNAVAILABLE, attempts), "{name}");
    }
}

/// Unavailable so many times, then an echo.
struct Moody {
    descriptor: Descriptor,
    left: AtomicUsize,
    calls: AtomicUsize,
}

#[async_trait]
impl Adapter for Moody {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn call(&self, call: Call) -> Result<Messages, Fault> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        match self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
            Ok(_) => Err(Fault::unavailable("not in the mood")),
            Err(_) => Ok(call.messages),
        }
    }

    async fn health(&self) -> Health {
        Health::Ready
    }

    async fn drain(&self, _grace: Duration) {}
}

#[tokio::test]
async fn an_adapter_is_asked_again_like_a_remote_back_office() {
    for (path, code, calls) in [(UNARY, 0, 3), (DOWNLOAD, UNAVAILABLE, 1)] {
        let descriptor = Descriptor { kind: "moody", contracts: vec![], idempotent: vec![], behind: vec![] };
        let moody = Arc::new(Moody { descriptor, left: AtomicUsize::new(2), calls: AtomicUsize::new(0) });
        let declared = Declared { policy: policy(), ..nothing_declared() };
        let bus = Bus::start(Endpoint::adapter("moody", moody.clone(), declared)).await;
        assert_eq!(Caller::connect(bus.address).await.call(path, message(10)).await.code(), code, "{path}");
        assert_eq!(moody.calls.load(Ordering::SeqCst), calls);
    }
}
