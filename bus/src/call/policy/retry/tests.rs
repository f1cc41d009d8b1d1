//! Retries as data: what failed how in, pauses out.

use std::sync::Arc;

use super::super::breaker::Verdict;
use super::super::settings::{BreakerSettings, ChannelSettings, EnvelopeSettings, Limits, PolicySettings, Rate};
use super::*;
use crate::keyed::clock::Manual;

fn policy(settings: PolicySettings) -> Policy {
    Policy::new("accounts", settings, Arc::new(ChannelSettings::default()), Arc::new(Manual::at_seconds(0)))
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
}

fn pauses(policy: &Policy, asked: &[(&'static str, &str)], deadline: Option<u64>, answers: &[(Code, Option<&str>)]) -> Vec<u128> {
    let now = Instant::now();
    let deadline = deadline.map(|millis| now + Duration::from_millis(millis));
    let Some(mut retries) = policy.retry.claim(policy, 1, &mut headers(asked), deadline) else { return Vec::new() };
    let after = |(code, pushback): &(Code, Option<&str>)| {
        let answer = pushback.map(|text| headers(&[("grpc-retry-pushback-ms", text)])).unwrap_or_default();
        retries.after(*code, Pushback::of(&answer), now, 0.5).map(|pause| pause.as_millis())
    };
    answers.iter().map_while(after).collect()
}

fn retry(attempts: u32) -> PolicySettings {
    PolicySettings { retry: RetrySettings { attempts, ..RetrySettings::default() }, ..PolicySettings::default() }
}

const DOWN: (Code, Option<&str>) = (Code::Unavailable, None);

#[test]
fn pauses_grow_and_end_with_the_attempts_the_deadline_or_another_outcome() {
    let four = || policy(retry(4));
    assert_eq!(pauses(&four(), &[], None, &[DOWN; 9]), [50, 100, 200]);
    assert_eq!(pauses(&four(), &[], Some(120), &[DOWN; 9]), [50, 100]);
    assert_eq!(pauses(&four(), &[], None, &[DOWN, (Code::Internal, None), DOWN]), [50]);
    assert_eq!(pauses(&policy(retry(1)), &[], None, &[DOWN]), [0; 0]);
    let long = RetrySettings { attempts: 6, longest_backoff: Duration::from_millis(120), ..RetrySettings::default() };
    let long = policy(PolicySettings { retry: RetrySettings { tokens: 100, ..long }, ..PolicySettings::default() });
    assert_eq!(pauses(&long, &[], None, &[DOWN; 9]), [50, 100, 120, 120, 120]);
}

#[test]
fn a_back_office_names_its_own_time_or_wants_not_to_be_asked() {
    let pushback = |text| (Code::Unavailable, Some(text));
    let five = || policy(retry(5));
    assert_eq!(pauses(&five(), &[], None, &[DOWN, pushback("700"), DOWN, DOWN]), [50, 700, 50, 100]);
    for text in ["-1", "soon", ""] {
        assert_eq!(pauses(&five(), &[], None, &[DOWN, pushback(text), DOWN]), [50], "{text}");
    }
}

#[test]
fn what_others_tried_or_claimed_is_not_tried_again() {
    let four = || policy(retry(4));
    assert_eq!(pauses(&four(), &[("grpc-previous-rpc-attempts", "2")], None, &[DOWN; 9]), [50]);
    assert_eq!(pauses(&four(), &[("passerelle-retry-budget", "0")], None, &[DOWN; 9]), [0; 0]);
    assert_eq!(pauses(&four(), &[("passerelle-retry-budget", "1")], None, &[DOWN; 9]), [50]);
    let mut next_hop = HeaderMap::new();
    let first = four();
    let mut retries = first.retry.claim(&first, 1, &mut next_hop, None).unwrap();
    retries.after(Code::Unavailable, Pushback::None, Instant::now(), 0.0).unwrap();
    retries.tell(&mut next_hop);
    assert_eq!(next_hop, headers(&[("passerelle-retry-budget", "0"), ("grpc-previous-rpc-attempts", "1")]));
    assert!(four().retry.claim(&first, 1, &mut next_hop, None).is_none(), "retries never multiply");
}

#[test]
fn many_failures_throttle_all_calls_of_an_endpoint() {
    let policy = policy(retry(2));
    let retried = (0..20).filter(|_| !pauses(&policy, &[], None, &[DOWN]).is_empty()).count();
    assert_eq!(retried, 4);
    (0..200).for_each(|_| policy.retry.succeeded());
    assert_eq!(pauses(&policy, &[], None, &[DOWN]), [50]);
}

#[test]
fn a_retry_needs_a_token_of_the_envelope_like_any_call() {
    let limits = Limits { concurrency: 9, rate: Some(Rate { per_second: 0.01, burst: 1 }) };
    let policy = policy(PolicySettings { envelope: EnvelopeSettings { limits, ..EnvelopeSettings::default() }, ..retry(4) });
    assert_eq!(pauses(&policy, &[], None, &[DOWN; 3]), [50]);
}

#[test]
fn nothing_is_tried_again_while_probes_find_out_if_the_back_office_is_well() {
    let breaker = BreakerSettings { calls: 1, open: Duration::ZERO, ..BreakerSettings::default() };
    let policy = policy(PolicySettings { breaker, ..retry(4) });
    policy.breaker.ended(Instant::now(), Verdict::Bad, false);
    assert!(policy.breaker.look(Instant::now()).is_ok(), "a probe may go");
    assert_eq!(pauses(&policy, &[], None, &[DOWN; 3]), [0; 0]);
}
