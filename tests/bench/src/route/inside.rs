//! What routing costs in the process: fields read off the wire beside decoding, and a set of ten thousand routes.

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use http::{HeaderMap, HeaderName};
use passerelle_bus::contract::{Binding, CHANNEL_HEADER, Image, MemoryStore, Registration, Registry, Source};
use passerelle_bus::keyed::clock::Manual;
use passerelle_bus::route::{Set, Sources, Surroundings, Trial};
use passerelle_bus::written::Text;
use prost::Message as _;
use prost_reflect::DynamicMessage;

use super::order::{self, Order, order};
use super::say;

/// The method whose calls are routed.
const METHOD: &str = "bench.orders.v1.Orders/Place";
/// How long each measurement lasts.
const LASTING: Duration = Duration::from_millis(500);
const ROUTES: usize = 10_000;

/// Three fields in one condition: one in a message, two on top, one of them behind all lines.
const THREE_FIELDS: &str = "request.customer.segment = \"silver\" or request.symbol = \"NONE\" or request.total_cents < 0";

/// Measures and prints.
pub(super) fn run() {
    let registry = registry();
    peek(&registry);
    many(&registry);
}

fn peek(registry: &Registry) {
    let route = format!("from: {METHOD}\nroutes:\n  - {{ name: three, when: '{THREE_FIELDS}' }}\n");
    let set = set(registry, route);
    let rules = set.rules(&format!("/{METHOD}")).expect("the method has routes");
    let message = order("IBM", 10 * 1024).encode_to_vec();
    let descriptor = order::descriptor();
    let metadata = HeaderMap::new();
    let trial = Trial { metadata: &metadata, received: SystemTime::UNIX_EPOCH, message: &message };
    let routed = nanoseconds(|| drop(black_box(rules.taken_by(&trial))));
    let reflected = nanoseconds(|| drop(black_box(DynamicMessage::decode(descriptor.clone(), message.as_slice()))));
    let generated = nanoseconds(|| drop(black_box(Order::decode(message.as_slice()))));
    println!("A message of {} bytes: three of its fields read and compared, beside decoding it.", message.len());
    println!("| | ns | ours/theirs |\n| --- | ---: | ---: |");
    println!("| Passerelle: three fields read, a condition over them evaluated | {routed:.0} | |");
    println!("| prost-reflect: decoded | {reflected:.0} | 1/{:.1} |", reflected / routed);
    println!("| prost, generated code: decoded | {generated:.0} | 1/{:.1} |", generated / routed);
    println!("\n| bar | reached | |\n| --- | ---: | --- |");
    let times = reflected / routed;
    say("three fields of 10 KiB to decoding them (prost-reflect)", &format!("{times:.1} ×"), "at least 20 ×", times >= 20.0);
}

fn many(registry: &Registry) {
    let mut text = format!("from: {METHOD}\nroutes:\n");
    for number in 0..ROUTES {
        let condition = match number % 2 {
            0 => format!("channel = \"web\" and request.symbol = \"S{number}\""),
            _ => format!("starts with(request.symbol, \"P{number}-\") and request.total_cents > 100"),
        };
        let _ = writeln!(text, "  - {{ name: r{number}, when: '{condition}', to: {{ endpoint: other }} }}");
    }
    let began = Instant::now();
    let set = set(registry, text);
    let loaded = began.elapsed();
    let rules = set.rules(&format!("/{METHOD}")).expect("the method has routes");
    let metadata = HeaderMap::from_iter([(HeaderName::from_static(CHANNEL_HEADER), "web".parse().expect("a header"))]);
    let message = order("S9998", 1024).encode_to_vec();
    let trial = Trial { metadata: &metadata, received: SystemTime::UNIX_EPOCH, message: &message };
    assert_eq!(rules.taken_by(&trial).expect("a message"), ["r9998"]);
    let with = nanoseconds(|| drop(black_box(rules.taken_by(&trial))));
    let without = nanoseconds(|| drop(black_box(rules.explain(&trial))));
    println!("\n{ROUTES} routes of one method, half by equality, half by how a field begins; the call is of the last but one.");
    println!("| | |\n| --- | ---: |");
    println!("| read, compiled and indexed | {:.0} ms |", loaded.as_secs_f64() * 1_000.0);
    println!("| a call finds its route | {with:.0} ns |");
    println!("| all conditions evaluated, without the index | {without:.0} ns |");
    println!("\n| bar | reached | |\n| --- | ---: | --- |");
    say("10,000 routes loaded", &format!("{:.2} s", loaded.as_secs_f64()), "at most 1 s", loaded <= Duration::from_secs(1));
}

/// Of one run, on average, once it is warm.
fn nanoseconds(mut work: impl FnMut()) -> f64 {
    let mut spin = |lasting: Duration| {
        let (began, mut runs) = (Instant::now(), 0_u32);
        while began.elapsed() < lasting {
            (0..10).for_each(|_| work());
            runs += 10;
        }
        began.elapsed().as_nanos() as f64 / f64::from(runs)
    };
    spin(LASTING / 5);
    spin(LASTING)
}

fn registry() -> Registry {
    let registry = Registry::open(Arc::new(MemoryStore::default())).expect("an empty store opens");
    let image = Image::decode(order::files().encode_to_vec()).expect("a contract");
    let registration = Registration {
        name: None,
        image,
        source: Source::Upload("orders.proto".to_owned()),
        binding: Some(Binding::Endpoint("one".to_owned())),
        override_reason: None,
        at: SystemTime::UNIX_EPOCH,
    };
    registry.add(registration).expect("a first contract is taken in");
    registry
}

fn set(registry: &Registry, text: String) -> Set {
    let sources = Sources::read(vec![Text { name: "orders.yaml".to_owned(), text }]).unwrap_or_else(|error| panic!("{error}"));
    let around = Surroundings {
        snapshot: &registry.snapshot(),
        endpoints: &["one", "other"].map(str::to_owned),
        channel_key: &HeaderName::from_static(CHANNEL_HEADER),
        clock: Arc::new(Manual::at_seconds(0)),
    };
    Set::compile(&sources, &around).unwrap_or_else(|error| panic!("{error}"))
}
