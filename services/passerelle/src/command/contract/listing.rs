//! Contracts as people read them on a terminal.

use std::fmt::Write;

use passerelle_proto::bus::v1;
use passerelle_proto::bus::v1::contract_binding::To;
use passerelle_proto::bus::v1::contract_source::From as Origin;

/// One line for each version.
pub(super) fn table(contracts: &[v1::Contract]) -> String {
    if contracts.is_empty() {
        return "no contract is registered; passerelle contract add --help shows how\n".to_owned();
    }
    let mut rows = vec![["CONTRACT", "METHODS", "SERVED BY", "FROM", "REGISTERED"].map(str::to_owned)];
    rows.extend(contracts.iter().map(|contract| {
        let older = if contract.routed { "" } else { " (older)" };
        let broken = if contract.overridden.is_some() { " (incompatible, let in)" } else { "" };
        let drifted = if contract.drift.is_some() { " (DRIFTED)" } else { "" };
        let methods: usize = contract.services.iter().map(|service| service.methods.len()).sum();
        let name = format!("{}@{}{older}{broken}{drifted}", contract.name, contract.version);
        [name, methods.to_string(), binding(contract), source(contract), registered_at(contract)]
    }));
    aligned(&rows, "")
}

/// All there is to know of a contract without its messages.
pub(super) fn contract(contract: &v1::Contract, consumers: &[v1::Consumer]) -> String {
    let routed = if contract.routed { "the newest, calls go to it" } else { "an older version, calls do not go to it" };
    let mut text = format!("{}@{}: {routed}\n", contract.name, contract.version);
    let facts = [
        ["served by".to_owned(), binding(contract)],
        ["from".to_owned(), source(contract)],
        ["registered".to_owned(), registered_at(contract)],
        ["digest".to_owned(), contract.digest.clone()],
    ];
    text += &aligned(&facts, "  ");
    if let Some(overridden) = &contract.overridden {
        let _ = writeln!(text, "\nincompatible with the version before, let in by an operator: {}", overridden.reason);
        overridden.broken.iter().for_each(|broken| text += &format!("  {broken}\n"));
    }
    if let Some(drift) = &contract.drift {
        text += &drifted(contract, drift);
    }
    for service in &contract.services {
        let _ = writeln!(text, "\nservice {}", service.name);
        let rows: Vec<_> = service.methods.iter().map(row).collect();
        text += &aligned(&rows, "  ");
    }
    if !consumers.is_empty() {
        text += "\nused by (since the bus started)\n";
        consumers.iter().for_each(|used| text += &format!("  {}\n", super::refusal::consumer(used)));
    }
    text
}

/// What the contract's server says by now, and what can be done.
fn drifted(contract: &v1::Contract, drift: &v1::ContractDrift) -> String {
    let seen = drift.seen_at.map(|at| prost_types::Timestamp { nanos: 0, ..at }.to_string()).unwrap_or_default();
    let address = &drift.address;
    let mut text = format!("\nDRIFTED: {address} says something else since {seen}; calls go on as registered\n");
    match drift.broken.is_empty() {
        true => {
            text += &format!("  it is compatible; to take it in: passerelle contract add {} --reflect {address}\n", contract.name)
        }
        false => drift.broken.iter().for_each(|broken| text += &format!("  {broken}\n")),
    }
    text
}

fn row(method: &v1::Method) -> [String; 4] {
    let stream = |streaming, name: &str| if streaming { format!("stream {name}") } else { name.to_owned() };
    let request = stream(method.client_streaming, &method.request_type);
    let response = stream(method.server_streaming, &method.response_type);
    [method.path.clone(), kind(method).to_owned(), format!("{request} -> {response}"), idempotency(method).to_owned()]
}

/// How many messages go each way.
pub(super) fn kind(method: &v1::Method) -> &'static str {
    match (method.client_streaming, method.server_streaming) {
        (false, false) => "unary",
        (true, false) => "client streaming",
        (false, true) => "server streaming",
        (true, true) => "bidirectional streaming",
    }
}

/// What the contract says about calling twice; nothing if it says nothing.
pub(super) fn idempotency(method: &v1::Method) -> &'static str {
    match method.idempotency() {
        v1::Idempotency::Unknown => "",
        v1::Idempotency::NoSideEffects => "only reads",
        v1::Idempotency::Idempotent => "may be called again",
    }
}

/// Who serves the contract.
pub(super) fn binding(contract: &v1::Contract) -> String {
    match contract.binding.as_ref().and_then(|binding| binding.to.as_ref()) {
        None => "nobody yet".to_owned(),
        Some(To::Endpoint(name)) => format!("endpoint {name}"),
        Some(To::Addresses(addresses)) => addresses.address.join(", "),
    }
}

fn source(contract: &v1::Contract) -> String {
    match contract.source.as_ref().and_then(|source| source.from.as_ref()) {
        None => String::new(),
        Some(Origin::Upload(what)) => what.clone(),
        Some(Origin::Reflection(address)) => format!("reflection of {address}"),
        Some(Origin::Settings(place)) => format!("settings, {place}"),
        Some(Origin::Adapter(endpoint)) => format!("adapter at endpoint {endpoint}"),
    }
}

fn registered_at(contract: &v1::Contract) -> String {
    // To the second; the rest is noise to people.
    let seconds = contract.registered_at.map(|at| prost_types::Timestamp { nanos: 0, ..at });
    seconds.map(|at| at.to_string()).unwrap_or_default()
}

/// Rows with their columns one below another.
pub(in crate::command) fn aligned<const COLUMNS: usize>(rows: &[[String; COLUMNS]], indent: &str) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<_> = (0..COLUMNS).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "{indent}{}", cells.join("  ").trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn sample() -> v1::Contract {
        let method = |name: &str, client_streaming, idempotency: v1::Idempotency| v1::Method {
            name: name.to_owned(),
            path: format!("/bank.v1.Accounts/{name}"),
            request_type: "bank.v1.Asked".to_owned(),
            response_type: "bank.v1.Told".to_owned(),
            client_streaming,
            server_streaming: false,
            idempotency: idempotency.into(),
        };
        let methods =
            vec![method("Inquire", false, v1::Idempotency::NoSideEffects), method("Put", true, v1::Idempotency::Unknown)];
        v1::Contract {
            name: "bank.v1".to_owned(),
            version: 2,
            routed: true,
            digest: "00ff".to_owned(),
            source: Some(v1::ContractSource { from: Some(Origin::Upload("accounts.proto".to_owned())) }),
            registered_at: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 5 }),
            binding: Some(v1::ContractBinding { to: Some(To::Endpoint("bank".to_owned())) }),
            services: vec![v1::Service { name: "bank.v1.Accounts".to_owned(), methods }],
            overridden: None,
            drift: None,
        }
    }

    #[test]
    fn contracts_are_listed_one_a_line() {
        let older = v1::Contract { version: 1, routed: false, binding: None, ..sample() };
        expect![[r#"
            CONTRACT           METHODS  SERVED BY      FROM            REGISTERED
            bank.v1@1 (older)  2        nobody yet     accounts.proto  2023-11-14T22:13:20Z
            bank.v1@2          2        endpoint bank  accounts.proto  2023-11-14T22:13:20Z
        "#]]
        .assert_eq(&table(&[older, sample()]));
        expect![[r#"
            no contract is registered; passerelle contract add --help shows how
        "#]]
        .assert_eq(&table(&[]));
    }

    #[test]
    fn a_contract_is_shown_with_its_methods() {
        expect![[r#"
            bank.v1@2: the newest, calls go to it
              served by   endpoint bank
              from        accounts.proto
              registered  2023-11-14T22:13:20Z
              digest      00ff

            service bank.v1.Accounts
              /bank.v1.Accounts/Inquire  unary             bank.v1.Asked -> bank.v1.Told         only reads
              /bank.v1.Accounts/Put      client streaming  stream bank.v1.Asked -> bank.v1.Told
        "#]]
        .assert_eq(&contract(&sample(), &[]));
    }
}
