//! Every call is counted once, with its outcome.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use passerelle_bus::call::observe::{CALL_DURATION, DEADLINE_EXCESS};

use super::bus::{BOTH, Bus, DOWNLOAD, UNARY, UPLOAD};
use super::caller::{Caller, begun, message, next, request, soon, with};
use super::office::{Office, echo, head, read_all};

/// Counts what is recorded, by method and status, or by endpoint.
#[derive(Clone, Default)]
struct Counts(Arc<Mutex<BTreeMap<String, usize>>>);

struct Counted(String, Counts);

impl HistogramFn for Counted {
    fn record(&self, _: f64) {
        *self.1.0.lock().unwrap().entry(self.0.clone()).or_default() += 1;
    }
}

impl Recorder for Counts {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        assert!([CALL_DURATION, DEADLINE_EXCESS].contains(&key.name()));
        let late = (key.name() == DEADLINE_EXCESS).then_some("late");
        let labels: Vec<_> = late.into_iter().chain(key.labels().map(metrics::Label::value)).collect();
        Histogram::from_arc(Arc::new(Counted(labels.join(" "), self.clone())))
    }
}

#[tokio::test]
async fn each_call_is_counted_once_with_its_outcome() {
    let counts = Counts::default();
    // For this thread; the test runs on one.
    let _recording = metrics::set_default_local_recorder(&counts);
    let office = Office::start(|request, mut respond| async move {
        match request.uri().path() {
            UNARY => echo(request, respond).await,
            UPLOAD => {
                let _ = read_all(&mut request.into_body()).await;
                std::future::poll_fn(|context| respond.poll_reset(context)).await.unwrap();
            }
            _ => {
                let mut stream = respond.send_response(head(), false).unwrap();
                stream.send_data(message(1), false).unwrap();
                std::future::poll_fn(|context| stream.poll_reset(context)).await.unwrap();
            }
        }
    })
    .await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;
    for _ in 0..3 {
        caller.call(UNARY, message(1)).await;
    }
    caller.send(with(request(UNARY), "grpc-timeout", "x"), message(1)).await;
    caller.send(with(request(UPLOAD), "grpc-timeout", "20m"), message(1)).await;
    caller.send(with(request(DOWNLOAD), "grpc-timeout", "20m"), message(1)).await;
    caller.call("/test.Echo/Nothing", message(1)).await;
    let (response, mut stream) = caller.start(request(BOTH)).await;
    let mut body = begun(response).await.into_body();
    next(&mut body).await;
    stream.send_reset(h2::Reason::CANCEL);
    soon(async {
        while bus.in_flight().await != 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let counted: Vec<_> = counts.0.lock().unwrap().iter().map(|(labels, count)| format!("{labels}: {count}")).collect();
    let expected = expect_test::expect![[r#"
        [
            "_OTHER none UNIMPLEMENTED: 1",
            "late office: 2",
            "test.Echo/Both office CANCELLED: 1",
            "test.Echo/Download office DEADLINE_EXCEEDED: 1",
            "test.Echo/Unary office INVALID_ARGUMENT: 1",
            "test.Echo/Unary office OK: 3",
            "test.Echo/Upload office DEADLINE_EXCEEDED: 1",
        ]
    "#]];
    expected.assert_debug_eq(&counted);
}
