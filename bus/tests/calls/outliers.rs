//! One of several servers does worse than the others: it gets no calls for a while, and calls again when it is well.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use h2::RecvStream;
use http::Request;
use passerelle_bus::call::{AddressState, FailurePercentage, OutlierSettings, PolicySettings, RemoteSettings, SuccessRate};

use super::addresses::{named, until_ready};
use super::bus::{Bus, UNARY, reached, settings};
use super::caller::{Caller, message, soon};
use super::office::{Office, Respond, head, outcome, read_all};

/// Answers that it is ill, at once, for as long as it is.
struct Patient {
    office: Office,
    ill: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
}

impl Patient {
    async fn start() -> Self {
        let (ill, calls) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
        let (is_ill, counted) = (ill.clone(), calls.clone());
        let office = Office::start(move |request: Request<RecvStream>, mut respond: Respond| {
            let code = if is_ill.load(Ordering::SeqCst) { 14 } else { 0 };
            counted.fetch_add(1, Ordering::SeqCst);
            async move {
                read_all(&mut request.into_body()).await.unwrap();
                let mut stream = respond.send_response(head(), false).unwrap();
                if code == 0 {
                    stream.send_data(message(0), false).unwrap();
                }
                stream.send_trailers(outcome(code)).unwrap();
            }
        })
        .await;
        Self { office, ill, calls }
    }
}

fn quick(interval: Duration) -> OutlierSettings {
    OutlierSettings { interval, base_ejection_time: Duration::from_secs(3), ..OutlierSettings::default() }
}

async fn bus_before(patient: &Patient, well: &Office, outlier: OutlierSettings) -> Bus {
    let settings = RemoteSettings { outlier, ..settings(&[patient.office.address, well.address]) };
    let bus = Bus::start(reached(&settings, PolicySettings::default())).await;
    until_ready(&bus, 2).await;
    bus
}

async fn codes(caller: &Caller, calls: usize) -> BTreeMap<i32, usize> {
    let mut codes = BTreeMap::new();
    for _ in 0..calls {
        *codes.entry(caller.call(UNARY, message(1)).await.code()).or_default() += 1;
    }
    codes
}

#[tokio::test]
async fn a_server_that_fails_is_left_alone_in_place_of_the_whole_and_comes_back() {
    let (patient, well) = (Patient::start().await, Office::start(named("well")).await);
    let bus = bus_before(&patient, &well, quick(Duration::from_millis(200))).await;
    let caller = Caller::connect(bus.address).await;
    // Half of the calls fail, which would open the breaker after twenty.
    let seen = codes(&caller, 100).await;
    assert!(seen[&14] <= 20 && seen[&0] >= 80 && seen.len() == 2, "{seen:?}");
    let status = bus.status().await.addresses.into_iter().find(|address| address.state == AddressState::Ejected).unwrap();
    assert!(status.reason.contains("calls failed; it is looked at again in"), "{}", status.reason);

    patient.ill.store(false, Ordering::SeqCst);
    let before = patient.calls.load(Ordering::SeqCst);
    let mut beat = tokio::time::interval(Duration::from_millis(5));
    soon(async {
        while patient.calls.load(Ordering::SeqCst) == before {
            beat.tick().await;
            assert_eq!(codes(&caller, 1).await, BTreeMap::from([(0, 1)]));
        }
    })
    .await;
    assert_eq!(bus.ready_addresses().await, 2);
}

#[tokio::test]
async fn an_ejected_server_is_better_than_none() {
    let (patient, well) = (Patient::start().await, Office::start(named("well")).await);
    let bus = bus_before(&patient, &well, quick(Duration::from_secs(600))).await;
    let caller = Caller::connect(bus.address).await;
    codes(&caller, 60).await;
    assert_eq!(codes(&caller, 20).await, BTreeMap::from([(0, 20)]));
    patient.ill.store(false, Ordering::SeqCst);
    let before = patient.calls.load(Ordering::SeqCst);
    drop(well);
    soon(async {
        while patient.calls.load(Ordering::SeqCst) < before + 10 {
            codes(&caller, 1).await;
        }
    })
    .await;
}

#[tokio::test]
async fn nothing_is_ejected_where_it_is_switched_off() {
    let (patient, well) = (Patient::start().await, Office::start(named("well")).await);
    let off = OutlierSettings {
        success_rate: SuccessRate { enforcement_percentage: 0, ..SuccessRate::default() },
        failure_percentage: FailurePercentage { enforcement_percentage: 0, ..FailurePercentage::default() },
        ..quick(Duration::from_millis(100))
    };
    let bus = bus_before(&patient, &well, off).await;
    let seen = codes(&Caller::connect(bus.address).await, 60).await;
    assert!(seen[&14] > 30, "the breaker opens, and everyone suffers: {seen:?}");
    assert_eq!(bus.ready_addresses().await, 2);
}
