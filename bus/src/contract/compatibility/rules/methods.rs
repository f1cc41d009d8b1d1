//! What services keep: their methods, with their types, streams and promise of idempotency.

use super::super::Comparison;
use super::super::finding::{Finding, Touches};
use super::super::rule::Rule;
use super::super::schema::{Method, Place, Service};
use super::messages::or_file;

pub(super) fn check(comparison: &mut Comparison<'_>) {
    let (old, new) = (comparison.old, comparison.new);
    for (name, was) in &old.services {
        let Some(is) = new.services.get(name) else { continue };
        for method in was.methods.values() {
            match is.methods.get(&method.name) {
                None => {
                    let place = is.site.place.as_ref();
                    comparison.add(finding(is, method, Rule::RpcNoDelete, ["there", "gone"].map(str::to_owned), place));
                }
                Some(now) => pair(comparison, is, method, now),
            }
        }
    }
}

fn finding(service: &Service, method: &Method, rule: Rule, [old, new]: [String; 2], place: Option<&Place>) -> Finding {
    Finding {
        rule,
        element: format!("method {} of {}", method.name, service.site.full_name),
        old,
        new,
        place: or_file(place.cloned(), &service.site),
        touches: Touches::Method(format!("/{}/{}", service.site.full_name, method.name)),
    }
}

fn pair(comparison: &mut Comparison<'_>, service: &Service, was: &Method, is: &Method) {
    let mut compare = |rule, old: String, new: String, place: &Option<Place>| {
        if old != new {
            comparison.add(finding(service, is, rule, [old, new], place.as_ref()));
        }
    };
    let request = |method: &Method| format!("request {}", method.input);
    let response = |method: &Method| format!("response {}", method.output);
    let up = |method: &Method| streaming("client", method.client_streaming);
    let down = |method: &Method| streaming("server", method.server_streaming);
    let level = |method: &Method| format!("idempotency_level {}", level(method.idempotency));
    compare(Rule::RpcSameRequestType, request(was), request(is), &is.input_place);
    compare(Rule::RpcSameResponseType, response(was), response(is), &is.output_place);
    compare(Rule::RpcSameClientStreaming, up(was), up(is), &is.place);
    compare(Rule::RpcSameServerStreaming, down(was), down(is), &is.place);
    compare(Rule::RpcSameIdempotencyLevel, level(was), level(is), &is.idempotency_place);
}

fn streaming(side: &str, streams: bool) -> String {
    format!("the {side} sends {}", if streams { "a stream" } else { "one message" })
}

fn level(number: i32) -> String {
    match number {
        0 => "IDEMPOTENCY_UNKNOWN".to_owned(),
        1 => "NO_SIDE_EFFECTS".to_owned(),
        2 => "IDEMPOTENT".to_owned(),
        other => other.to_string(),
    }
}
