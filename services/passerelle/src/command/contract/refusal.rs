//! Why a version is refused, as people read it on a terminal.

use std::fmt::Write;

use passerelle_proto::bus::v1;
use prost::Message;
use tonic::Status;

/// Name of the detail that tells why a version is refused.
const INCOMPATIBILITY: &str = "passerelle.bus.v1.Incompatibility";

/// The detail, if a status has it.
pub(super) fn of_status(status: &Status) -> Option<v1::Incompatibility> {
    let details = tonic_types::pb::Status::decode(status.details()).ok()?.details;
    let detail = details.into_iter().find(|detail| detail.type_url.rsplit('/').next() == Some(INCOMPATIBILITY))?;
    v1::Incompatibility::decode(detail.value.as_slice()).ok()
}

/// All that is broken, and the ways to go on.
pub(super) fn text(refusal: &v1::Incompatibility) -> String {
    let (contract, total) = (&refusal.contract, refusal.total);
    let changes = if total == 1 { "incompatible change" } else { "incompatible changes" };
    let mut text = format!("{contract}: {total} {changes}\n");
    refusal.breaches.iter().for_each(|one| text += &breach(one));
    let listed = u32::try_from(refusal.breaches.len()).unwrap_or(u32::MAX);
    if total > listed {
        let _ = writeln!(text, "and {} more: passerelle contract diff {contract} FILE lists all", total - listed);
    }
    let _ = write!(
        text,
        "An intended break: give the new contract a package of its own (v2), beside this one;\n\
         or say why, and it is let in, logged and marked: passerelle contract add … --override \"REASON\""
    );
    text
}

/// One broken rule: place, rule, what changed, who is hurt, what to do.
pub(super) fn breach(breach: &v1::Breach) -> String {
    let v1::Breach { rule, element, old, new, file, line, column, against_version, way_out, used_by } = breach;
    let place = match (file.as_str(), line) {
        ("", _) => String::new(),
        (file, 0) => format!("{file}: "),
        (file, line) => format!("{file}:{line}:{column}: "),
    };
    let mut text = format!("{place}{rule}\n  {element}: {old}, now {new}\n");
    if *against_version > 0 {
        let _ = writeln!(text, "  promised by version {against_version}");
    }
    used_by.iter().for_each(|used| {
        let _ = writeln!(text, "  used by {}", consumer(used));
    });
    let _ = writeln!(text, "  what to do: {way_out}");
    text
}

/// `channel web: 1,204 calls of /bank.v1.Accounts/Inquire, the last 3 min ago`.
pub(super) fn consumer(used: &v1::Consumer) -> String {
    let ago = match used.since_last.map_or(0, |since| since.seconds) {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3_600),
    };
    let calls = grouped(used.calls);
    let what = if used.calls == 1 { "call" } else { "calls" };
    let field =
        used.field.map(|v1::FieldUse { sampled, present }| format!("; the field was in {present} of {sampled} looked into"));
    format!("channel {}: {calls} {what} of {}, the last {ago} ago{}", used.channel, used.method, field.unwrap_or_default())
}

/// `1204` as `1,204`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_rule_place_change_consumers_and_the_way_out() {
        let used = v1::Consumer {
            channel: "web".to_owned(),
            method: "/bank.v1.Accounts/Move".to_owned(),
            calls: 1_204,
            since_last: Some(prost_types::Duration { seconds: 190, nanos: 0 }),
            field: Some(v1::FieldUse { sampled: 19, present: 12 }),
        };
        let breach = v1::Breach {
            rule: "FIELD_SAME_TYPE".to_owned(),
            element: "field amount (3) of bank.v1.Transfer".to_owned(),
            old: "type int64".to_owned(),
            new: "type string".to_owned(),
            file: "bank/v1/transfer.proto".to_owned(),
            line: 12,
            column: 3,
            against_version: 2,
            way_out: "leave the field as it was".to_owned(),
            used_by: vec![used],
        };
        let refusal = v1::Incompatibility { contract: "bank.v1".to_owned(), breaches: vec![breach], total: 3 };
        expect_test::expect![[r#"
            bank.v1: 3 incompatible changes
            bank/v1/transfer.proto:12:3: FIELD_SAME_TYPE
              field amount (3) of bank.v1.Transfer: type int64, now type string
              promised by version 2
              used by channel web: 1,204 calls of /bank.v1.Accounts/Move, the last 3 min ago; the field was in 12 of 19 looked into
              what to do: leave the field as it was
            and 2 more: passerelle contract diff bank.v1 FILE lists all
            An intended break: give the new contract a package of its own (v2), beside this one;
            or say why, and it is let in, logged and marked: passerelle contract add … --override "REASON""#]]
        .assert_eq(&text(&refusal));
    }

    #[test]
    fn calls_are_written_in_groups_of_three() {
        assert_eq!([0, 12, 999, 1_000, 1_234_567].map(grouped), ["0", "12", "999", "1,000", "1,234,567"]);
    }
}
