//! Finds the method that a person means.

use prost_reflect::{Kind, MethodDescriptor};

/// Services that reflection lists but that are no contract; found only when asked for by name.
pub(super) const BUILT_IN: [&str; 3] =
    ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];
/// Names offered in place of one that does not exist.
const MAX_OFFERED: usize = 5;
/// How alike two names must be to be offered (Jaro-Winkler; 1 is the same).
const ALIKE: f64 = 0.75;

/// The option by which a method says how far the work has got when it answers.
const ACKNOWLEDGES: &str = "passerelle.acknowledges";

/// No method, or several.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unclear {
    #[error("no method {wanted}{}", offer(.alike))]
    None { wanted: String, alike: Vec<String> },
    #[error("{wanted} may mean {}; write more of it", among.join(" or "))]
    Several { wanted: String, among: Vec<String> },
}

fn offer(alike: &[String]) -> String {
    if alike.is_empty() {
        return ": no contract is registered yet (passerelle contract add --help)".to_owned();
    }
    format!("; there is {}; passerelle call --show lists all", alike.join(", "))
}

/// `package.Service/Method`.
pub(super) fn name(method: &MethodDescriptor) -> String {
    format!("{}/{}", method.parent_service().full_name(), method.name())
}

/// Whether `wanted`, if it names a service, may name that one.
pub(super) fn may_mean(wanted: &str, service: &str) -> bool {
    let wanted = wanted.trim_start_matches('/');
    wanted.split_once('/').is_some_and(|(wanted, _)| ends(service, wanted))
}

/// The one method whose name is `wanted` or ends in it, at the beginning of a word.
pub(super) fn find(methods: &[MethodDescriptor], wanted: &str) -> Result<MethodDescriptor, Unclear> {
    let wanted = wanted.trim_start_matches('/');
    if let Some(exact) = methods.iter().find(|method| name(method) == wanted || method.full_name() == wanted) {
        return Ok(exact.clone());
    }
    let found: Vec<_> = methods.iter().filter(|method| ends(&name(method), wanted) || ends(method.full_name(), wanted)).collect();
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(Unclear::None { wanted: wanted.to_owned(), alike: alike(methods, wanted) }),
        several => {
            Err(Unclear::Several { wanted: wanted.to_owned(), among: several.iter().map(|method| name(method)).collect() })
        }
    }
}

fn ends(whole: &str, end: &str) -> bool {
    whole.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with(['.', '/']))
}

fn alike(methods: &[MethodDescriptor], wanted: &str) -> Vec<String> {
    let own = wanted.rsplit(['/', '.']).next().unwrap_or(wanted).to_lowercase();
    let likeness = |method: &MethodDescriptor| strsim::jaro_winkler(&method.name().to_lowercase(), &own);
    let mut found: Vec<_> =
        methods.iter().map(|method| (likeness(method), name(method))).filter(|(likeness, _)| *likeness >= ALIKE).collect();
    found.sort_by(|left, right| right.0.total_cmp(&left.0).then_with(|| left.1.cmp(&right.1)));
    if found.is_empty() {
        found = methods.iter().map(|method| (0.0, name(method))).collect();
        found.sort_by(|left, right| left.1.cmp(&right.1));
    }
    found.into_iter().take(MAX_OFFERED).map(|(_, name)| name).collect()
}

/// All methods, one a line.
pub(super) fn listed(methods: &[MethodDescriptor]) -> String {
    if methods.is_empty() {
        return "nothing can be called: no contract is registered (passerelle contract add --help)\n".to_owned();
    }
    let width = methods.iter().map(|method| name(method).len()).max().unwrap_or_default();
    let promise = |method: &MethodDescriptor| acknowledges(method).map(|level| format!("  ({level})")).unwrap_or_default();
    let line = |method: &MethodDescriptor| format!("{:<width$}  {}{}\n", name(method), shape(method), promise(method));
    let mut lines: Vec<_> = methods.iter().map(line).collect();
    lines.sort();
    lines.concat()
}

/// `Asked -> stream Told`.
pub(super) fn shape(method: &MethodDescriptor) -> String {
    let stream = |streaming| if streaming { "stream " } else { "" };
    let (up, down) = (stream(method.is_client_streaming()), stream(method.is_server_streaming()));
    format!("{up}{} -> {down}{}", method.input().full_name(), method.output().full_name())
}

/// How far the work has got when the method answers, where its contract says so (`passerelle.acknowledges`).
pub(super) fn acknowledges(method: &MethodDescriptor) -> Option<String> {
    let extension = method.parent_pool().get_extension_by_name(ACKNOWLEDGES)?;
    let number = method.options().get_extension(&extension).as_enum_number().filter(|level| *level > 0)?;
    let Kind::Enum(levels) = extension.kind() else { return None };
    Some(levels.get_value(number)?.name().to_owned())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::command::call::request::tests::methods;

    const TEXT: &str = "syntax = \"proto3\"; package bank.v1; message M {} \
        service Accounts { rpc Inquire(M) returns (M); rpc Close(M) returns (stream M); } \
        service Cards { rpc Inquire(M) returns (M); rpc Block(stream M) returns (M); }";

    fn found(wanted: &str, expected: Expect) {
        let outcome = find(&methods(TEXT), wanted);
        expected.assert_eq(&outcome.map_or_else(|error| error.to_string(), |method| name(&method)));
    }

    #[test]
    fn a_method_is_found_by_any_end_that_only_it_has() {
        found("bank.v1.Accounts/Close", expect!["bank.v1.Accounts/Close"]);
        found("/bank.v1.Accounts/Close", expect!["bank.v1.Accounts/Close"]);
        found("bank.v1.Accounts.Close", expect!["bank.v1.Accounts/Close"]);
        found("Accounts/Inquire", expect!["bank.v1.Accounts/Inquire"]);
        found("Cards.Inquire", expect!["bank.v1.Cards/Inquire"]);
        found("Block", expect!["bank.v1.Cards/Block"]);
    }

    #[test]
    fn where_nothing_is_registered_that_is_said() {
        let error = find(&[], "Inquire").unwrap_err();
        expect!["no method Inquire: no contract is registered yet (passerelle contract add --help)"]
            .assert_eq(&error.to_string());
    }

    #[test]
    fn what_is_unclear_is_answered_with_what_there_is() {
        found("Inquire", expect!["Inquire may mean bank.v1.Accounts/Inquire or bank.v1.Cards/Inquire; write more of it"]);
        found("lose", expect!["no method lose; there is bank.v1.Accounts/Close; passerelle call --show lists all"]);
        found(
            "Cards/inquires",
            expect![
                "no method Cards/inquires; there is bank.v1.Accounts/Inquire, bank.v1.Cards/Inquire; passerelle call --show lists all"
            ],
        );
        found(
            "Zzz",
            expect![
                "no method Zzz; there is bank.v1.Accounts/Close, bank.v1.Accounts/Inquire, bank.v1.Cards/Block, bank.v1.Cards/Inquire; passerelle call --show lists all"
            ],
        );
    }

    #[test]
    fn what_a_method_promises_is_listed_with_it() {
        let pool = prost_reflect::DescriptorPool::decode(passerelle_proto::DESCRIPTORS).unwrap();
        let journal = pool.get_service_by_name("passerelle.bus.v1.Journal").unwrap();
        expect![[r#"
            passerelle.bus.v1.Journal/Acknowledge    passerelle.bus.v1.AcknowledgeRequest -> passerelle.bus.v1.AcknowledgeResponse  (DURABLE)
            passerelle.bus.v1.Journal/Publish        passerelle.bus.v1.PublishRequest -> passerelle.bus.v1.PublishResponse  (DURABLE)
            passerelle.bus.v1.Journal/PublishStream  stream passerelle.bus.v1.PublishStreamRequest -> stream passerelle.bus.v1.PublishStreamResponse  (DURABLE)
            passerelle.bus.v1.Journal/Subscribe      passerelle.bus.v1.SubscribeRequest -> stream passerelle.bus.v1.SubscribeResponse
        "#]]
        .assert_eq(&listed(&journal.methods().collect::<Vec<_>>()));
    }

    #[test]
    fn methods_are_listed_with_their_streams() {
        expect![[r#"
            bank.v1.Accounts/Close    bank.v1.M -> stream bank.v1.M
            bank.v1.Accounts/Inquire  bank.v1.M -> bank.v1.M
            bank.v1.Cards/Block       stream bank.v1.M -> bank.v1.M
            bank.v1.Cards/Inquire     bank.v1.M -> bank.v1.M
        "#]]
        .assert_eq(&listed(&methods(TEXT)));
    }
}
