//! What the sample does not have: streams both ways, failures, callers who leave, and a limit on calls.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use passerelle_adapter::{Context, Rejection, Secret, SecretError, SecretRef, Secrets};
use passerelle_adapter_server::Limits;
use prost::Message;

use super::*;
use crate::{Requests, Responses};

/// Every sort of method; its messages are numbers (`google.protobuf.Int64Value`).
struct Probe {
    /// Told by `stay` that it has begun.
    begun: mpsc::SyncSender<()>,
    saw_the_end: AtomicBool,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Settings {}

impl Adapter for Probe {
    type Settings = Settings;
    const KIND: &'static str = "tests/probe";
    const LIMITS: Limits = Limits { message_bytes: 4096, calls: 2, first_credits: 2 };
    const HEALTH: fn(&Self) -> Health = |_| panic!("hunter2");
    const LOOK_UP: Option<crate::LookUp<Self>> = Some(|probe, _| match probe.saw_the_end.load(Ordering::SeqCst) {
        true => Ok(Lookup::Done(i64::encode_to_vec(&7).into())),
        false => Ok(Lookup::NotDone),
    });

    fn open(_: &str, _: Settings) -> Result<Self, OpenError> {
        Err(OpenError("it is made by the tests".to_owned()))
    }
}

impl Probe {
    fn add(&self, requests: Requests<i64>, _: &crate::Call) -> Result<i64, Fault> {
        requests.sum()
    }

    fn echo(&self, requests: Requests<i64>, _: &crate::Call, responses: Responses<i64>) -> Result<(), Fault> {
        requests.into_iter().try_for_each(|request| responses.send(request?))
    }

    fn count(&self, end: i64, _: &crate::Call, responses: Responses<i64>) -> Result<(), Fault> {
        (0..end).try_for_each(|number| responses.send(number))?;
        Err(Fault::unknown("no further"))
    }

    fn fail(&self, _: i64, _: &crate::Call) -> Result<i64, Fault> {
        panic!("hunter2")
    }

    /// Until nobody waits for it any more.
    fn stay(&self, _: i64, call: &crate::Call) -> Result<i64, Fault> {
        self.begun.send(()).unwrap();
        let ended = call.wait(std::future::pending::<i64>());
        self.saw_the_end.store(true, Ordering::SeqCst);
        ended
    }
}

struct NoSecrets;

impl Secrets for NoSecrets {
    fn find(&self, _: &SecretRef) -> Result<Secret, SecretError> {
        Err(SecretError("there are none".to_owned()))
    }
}

fn kind() -> Typed<Probe> {
    let contract = Contract::new("probe.v1", &[])
        .takes_stream("probe.v1.Probe/Add", true, Probe::add)
        .streams("probe.v1.Probe/Echo", true, Probe::echo)
        .gives_stream("probe.v1.Probe/Count", true, Probe::count)
        .unary("probe.v1.Probe/Fail", false, Probe::fail)
        .unary("probe.v1.Probe/Stay", false, Probe::stay);
    Typed::new("what the library can do", vec![contract])
}

/// The probe, open, and what tells that `stay` has begun.
fn probe() -> (Open<Probe>, mpsc::Receiver<()>) {
    let (begun, waiting) = mpsc::sync_channel(8);
    let (kind, probe) = (kind(), Probe { begun, saw_the_end: AtomicBool::new(false) });
    let (descriptor, carrier) = (kind.descriptor(&probe), Carrier::new(Probe::LIMITS.calls));
    (Open { adapter: Arc::new(probe), descriptor, methods: kind.methods.clone(), carrier }, waiting)
}

fn call(method: &str, key: &str, numbers: &[i64]) -> Call {
    let numbers: Vec<_> = numbers.iter().map(|number| Ok(number.encode_to_vec().into())).collect();
    let context = Context { idempotency_key: Some(key.to_owned()).filter(|key| !key.is_empty()), ..Context::default() };
    Call { method: format!("probe.v1.Probe/{method}"), messages: Messages::many(Numbers(numbers.into_iter())), context }
}

/// A request, number by number.
struct Numbers(std::vec::IntoIter<Result<bytes::Bytes, Fault>>);

impl futures_core::Stream for Numbers {
    type Item = Result<bytes::Bytes, Fault>;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.next())
    }
}

/// All that is answered, and the fault that ends it.
async fn ask(probe: &Open<Probe>, call: Call) -> (Vec<i64>, Option<Fault>) {
    let mut numbers = Vec::new();
    let mut answer = match port(probe).call(call).await {
        Ok(answer) => answer,
        Err(fault) => return (numbers, Some(fault)),
    };
    while let Some(message) = answer.next().await {
        match message {
            Ok(message) => numbers.push(i64::decode(message).unwrap()),
            Err(fault) => return (numbers, Some(fault)),
        }
    }
    (numbers, None)
}

fn port(probe: &Open<Probe>) -> &dyn passerelle_adapter::Adapter {
    probe
}

#[tokio::test]
async fn streams_go_both_ways() {
    let (probe, _) = probe();
    assert_eq!(ask(&probe, call("Add", "", &[1, 2, 39])).await, (vec![42], None));
    assert_eq!(ask(&probe, call("Add", "", &[])).await, (vec![0], None));
    assert_eq!(ask(&probe, call("Echo", "", &[3, 1, 2])).await, (vec![3, 1, 2], None));
    assert_eq!(ask(&probe, call("Count", "", &[3])).await, (vec![0, 1, 2], Some(Fault::unknown("no further"))));
}

#[tokio::test]
async fn wrong_requests_are_refused() {
    let (probe, _) = probe();
    for (numbers, why) in [(&[][..], "the request has no message"), (&[1, 2], "the request has several messages")] {
        let (_, fault) = ask(&probe, call("Count", "", numbers)).await;
        let Some(Fault::Rejected { reason: Rejection::Invalid, message }) = fault else { panic!("{fault:?}") };
        assert!(message.starts_with(why), "{message}");
    }
    for method in ["Count", "Add"] {
        let garbage = Call { messages: Messages::one(vec![0xff; 9]), ..call(method, "", &[]) };
        let (_, fault) = ask(&probe, garbage).await;
        let refused = Fault::rejected(Rejection::Invalid, format!("the message is not what probe.v1.Probe/{method} takes"));
        assert_eq!(fault, Some(refused));
    }
    let (_, fault) = ask(&probe, call("Nothing", "", &[1])).await;
    assert!(matches!(&fault, Some(Fault::Unimplemented { message }) if message.contains("probe.v1.Probe/Add, ")), "{fault:?}");
}

#[tokio::test]
async fn a_panic_is_unknown_and_keeps_its_words_to_itself() {
    let (probe, _) = probe();
    let (_, fault) = ask(&probe, call("Fail", "", &[1])).await;
    assert!(matches!(&fault, Some(Fault::Unknown { message }) if !message.contains("hunter2")), "{fault:?}");
    let health = port(&probe).health().await;
    assert!(matches!(&health, Health::Down { reason } if !reason.contains("hunter2")), "{health:?}");
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_ends_and_what_became_of_it_is_told_then() {
    let (probe, begun) = probe();
    let stay = port(&probe).call(call("Stay", "k", &[1])).await.unwrap();
    begun.recv().unwrap();
    let other = port(&probe).call(call("Count", "other", &[1])).await.unwrap();
    let (_, refused) = ask(&probe, call("Count", "", &[1])).await;
    assert!(matches!(refused, Some(Fault::Throttled { .. })), "two are in flight: {refused:?}");
    drop((stay, other));
    // It waits for the function to end, which sees that nobody waits.
    assert_eq!(port(&probe).lookup("k").await, Ok(Lookup::Done(7_i64.encode_to_vec().into())));
    port(&probe).drain(Duration::from_secs(10)).await;
    assert_eq!(ask(&probe, call("Add", "k", &[1])).await, (vec![1], None), "places and keys are free again");
}

#[tokio::test]
async fn settings_are_read_and_described() {
    let opening = |text: &str| Opening {
        endpoint: "tests".to_owned(),
        path: PathBuf::from("settings"),
        text: text.to_owned(),
        secrets: Arc::new(NoSecrets),
    };
    assert_eq!(kind().settings_schema()["additionalProperties"], false);
    for (text, told) in [("{}", "it is made by the tests"), (r#"{"size": 1}"#, "unknown setting `size` (there are: )")] {
        assert_eq!(kind().open(opening(text)).await.err().unwrap().to_string(), told);
    }
}
