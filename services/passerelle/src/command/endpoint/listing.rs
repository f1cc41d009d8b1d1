//! Endpoints as people read them on a terminal.

use passerelle_proto::bus::v1;
use passerelle_proto::bus::v1::address::State;
use passerelle_proto::bus::v1::policy::Breaker;
use prost_types::Timestamp;

use crate::command::contract::listing::aligned;

/// One line for each endpoint.
pub(super) fn table(endpoints: &[v1::Endpoint]) -> String {
    if endpoints.is_empty() {
        return "no endpoint is declared; passerelle reference settings shows how\n".to_owned();
    }
    let mut rows = vec![["ENDPOINT", "KIND", "STATE", "IN PROGRESS", "WAITING", "RATE", "SERVES"].map(str::to_owned)];
    rows.extend(endpoints.iter().map(|endpoint| {
        let policy = endpoint.policy.clone().unwrap_or_default();
        let serves = if endpoint.contracts.is_empty() { "nothing yet".to_owned() } else { endpoint.contracts.join(", ") };
        let progress = format!("{} of {}", policy.taken, policy.concurrency);
        [
            endpoint.name.clone(),
            kind(endpoint),
            state(endpoint, &policy),
            progress,
            policy.waiting.to_string(),
            rate(&policy),
            serves,
        ]
    }));
    aligned(&rows, "")
}

/// All there is to know of an endpoint.
pub(super) fn endpoint(endpoint: &v1::Endpoint) -> String {
    let policy = endpoint.policy.clone().unwrap_or_default();
    let mut facts = vec![["serves".to_owned(), endpoint.contracts.join(", ")]];
    facts.push(["in progress".to_owned(), format!("{} of {} places", policy.taken, policy.concurrency)]);
    facts.push(["waiting".to_owned(), policy.waiting.to_string()]);
    facts.push(["rate".to_owned(), rate(&policy)]);
    facts.push(["breaker".to_owned(), breaker(&policy)]);
    facts.push(["a call takes".to_owned(), duration(&policy)]);
    if let Some(reads) = &policy.reads {
        facts.push(["reads".to_owned(), reads_line(reads)]);
    }
    if let Some(v1::policy::Hedges { sent, won, skipped }) = &policy.hedges {
        facts.push(["hedges".to_owned(), format!("{sent} sent, {won} answered first, {skipped} had no room")]);
    }
    if !policy.batch_windows.is_empty() {
        facts.push(["batch windows".to_owned(), policy.batch_windows.join(", ")]);
    }
    let mut text = format!("{}: {}, {}\n{}", endpoint.name, kind(endpoint), state(endpoint, &policy), aligned(&facts, "  "));
    let addresses = endpoint.addresses.iter().map(|address| [place(address), word(address), address.reason.clone()]);
    text += &section("addresses", &addresses.collect::<Vec<_>>());
    let head = ["CHANNEL", "CALLS", "COST", "TURNED AWAY"].map(str::to_owned);
    let usage = policy
        .channels
        .iter()
        .map(|usage| [usage.channel.clone(), usage.calls.to_string(), usage.cost.to_string(), usage.shed.to_string()]);
    let usage: Vec<_> = [head].into_iter().chain(usage).collect();
    text + &section("consumption since the start of the bus", if usage.len() > 1 { &usage } else { &[] })
}

fn section<const COLUMNS: usize>(title: &str, rows: &[[String; COLUMNS]]) -> String {
    if rows.is_empty() { String::new() } else { format!("\n{title}\n{}", aligned(rows, "  ")) }
}

fn kind(endpoint: &v1::Endpoint) -> String {
    if endpoint.adapter.is_empty() { "gRPC".to_owned() } else { format!("adapter {}", endpoint.adapter) }
}

/// Whether it takes calls: as well as its best address, within its hours.
fn state(endpoint: &v1::Endpoint, policy: &v1::Policy) -> String {
    if policy.concurrency == 0 {
        return match policy.opens_at {
            Some(Timestamp { seconds, .. }) => format!("closed until {}", Timestamp { seconds, nanos: 0 }),
            None => "closed for good".to_owned(),
        };
    }
    match policy.breaker() {
        Breaker::Open => return "left alone, it fails".to_owned(),
        Breaker::HalfOpen => return "probed, it failed".to_owned(),
        Breaker::Closed | Breaker::Unspecified => {}
    }
    let best = endpoint.addresses.iter().min_by_key(|address| match address.state() {
        State::Ready => 0,
        State::Degraded => 1,
        State::Connecting | State::Idle => 2,
        State::Ejected => 3,
        State::Draining | State::NotServing | State::Down | State::Unspecified => 4,
    });
    best.map_or("no address".to_owned(), word)
}

/// The address, and which of its servers is meant.
fn place(address: &v1::Address) -> String {
    match address.resolved.as_str() {
        "" => address.address.clone(),
        server => format!("{} ({server})", address.address),
    }
}

fn word(address: &v1::Address) -> String {
    let word = match address.state() {
        State::Ready => "ready",
        State::Degraded => "degraded",
        State::Connecting => "connecting",
        State::Idle => "idle",
        State::Ejected => "ejected",
        State::NotServing => "not serving",
        State::Draining => "draining",
        State::Down => "down",
        State::Unspecified => "unknown",
    };
    word.to_owned()
}

fn rate(policy: &v1::Policy) -> String {
    match &policy.rate {
        None => "any".to_owned(),
        Some(rate) => format!("{} a second, {} at once", rate.per_second, rate.burst),
    }
}

fn breaker(policy: &v1::Policy) -> String {
    let left = policy.left_alone_for.unwrap_or_default();
    match policy.breaker() {
        Breaker::Open => format!("open for {:.1} s more", left.seconds as f64 + f64::from(left.nanos) / 1e9),
        Breaker::HalfOpen => "half-open: a few calls find out if it is well again".to_owned(),
        Breaker::Closed | Breaker::Unspecified => "closed".to_owned(),
    }
}

fn duration(policy: &v1::Policy) -> String {
    match &policy.usual_duration {
        None | Some(prost_types::Duration { seconds: 0, nanos: 0 }) => "not known yet".to_owned(),
        Some(usual) => format!("{:.1} ms, usually", usual.seconds as f64 * 1e3 + f64::from(usual.nanos) / 1e6),
    }
}

fn reads_line(reads: &v1::policy::Reads) -> String {
    let v1::policy::Reads { asked, shared, kept, answers, bytes, most_bytes } = reads;
    let kib = |bytes: &u64| bytes.div_ceil(1024);
    format!(
        "{asked} asked, {shared} shared with a call under way, {kept} from {answers} kept answers, {} of {} KiB",
        kib(bytes),
        kib(most_bytes)
    )
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn bank() -> v1::Endpoint {
        let address = |address: &str, state: State, reason: &str| v1::Address {
            address: address.to_owned(),
            state: state.into(),
            reason: reason.to_owned(),
            resolved: String::new(),
        };
        let usage =
            |channel: &str, calls, shed| v1::policy::ChannelUsage { channel: channel.to_owned(), calls, cost: 2 * calls, shed };
        v1::Endpoint {
            name: "bank".to_owned(),
            kind: v1::endpoint::Kind::Remote.into(),
            adapter: String::new(),
            addresses: vec![
                address("http://10.0.0.7:50051", State::Down, "cannot connect"),
                address("http://10.0.0.8:50051", State::Ready, ""),
                v1::Address {
                    resolved: "10.0.0.9".to_owned(),
                    ..address("http://bank:50051", State::Ejected, "9 of 10 calls failed")
                },
            ],
            contracts: vec!["bank.v1@2".to_owned()],
            in_flight: 12,
            policy: Some(v1::Policy {
                concurrency: 8,
                taken: 8,
                rate: Some(v1::policy::Rate { per_second: 50.0, burst: 5 }),
                waiting: 4,
                batch_windows: vec!["interest".to_owned()],
                opens_at: None,
                usual_duration: Some(prost_types::Duration { seconds: 0, nanos: 12_340_000 }),
                channels: vec![usage("web", 100, 3), usage("other", 1, 0)],
                breaker: Breaker::Closed.into(),
                left_alone_for: None,
                reads: Some(v1::policy::Reads {
                    asked: 40,
                    shared: 15,
                    kept: 45,
                    answers: 12,
                    bytes: 9000,
                    most_bytes: 16 << 20,
                }),
                hedges: Some(v1::policy::Hedges { sent: 9, won: 7, skipped: 2 }),
            }),
        }
    }

    #[test]
    fn endpoints_are_listed_one_a_line() {
        let closed = v1::Policy { opens_at: Some(Timestamp { seconds: 1_700_000_000, nanos: 0 }), ..v1::Policy::default() };
        let host = v1::Endpoint {
            name: "host".to_owned(),
            adapter: "mainframe".to_owned(),
            policy: Some(closed),
            ..v1::Endpoint::default()
        };
        let broken = v1::Policy { concurrency: 8, breaker: Breaker::Open.into(), ..v1::Policy::default() };
        let cards = v1::Endpoint { name: "cards".to_owned(), policy: Some(broken), ..v1::Endpoint::default() };
        expect![[r#"
            ENDPOINT  KIND               STATE                              IN PROGRESS  WAITING  RATE                    SERVES
            bank      gRPC               ready                              8 of 8       4        50 a second, 5 at once  bank.v1@2
            host      adapter mainframe  closed until 2023-11-14T22:13:20Z  0 of 0       0        any                     nothing yet
            cards     gRPC               left alone, it fails               0 of 8       0        any                     nothing yet
        "#]].assert_eq(&table(&[bank(), host, cards]));
        expect![[r#"
            no endpoint is declared; passerelle reference settings shows how
        "#]]
        .assert_eq(&table(&[]));
    }

    #[test]
    fn an_endpoint_is_shown_with_its_policy_and_what_channels_consumed() {
        expect![[r#"
            bank: gRPC, ready
              serves         bank.v1@2
              in progress    8 of 8 places
              waiting        4
              rate           50 a second, 5 at once
              breaker        closed
              a call takes   12.3 ms, usually
              reads          40 asked, 15 shared with a call under way, 45 from 12 kept answers, 9 of 16384 KiB
              hedges         9 sent, 7 answered first, 2 had no room
              batch windows  interest

            addresses
              http://10.0.0.7:50051         down     cannot connect
              http://10.0.0.8:50051         ready
              http://bank:50051 (10.0.0.9)  ejected  9 of 10 calls failed

            consumption since the start of the bus
              CHANNEL  CALLS  COST  TURNED AWAY
              web      100    200   3
              other    1      2     0
        "#]]
        .assert_eq(&endpoint(&bank()));
    }
}
