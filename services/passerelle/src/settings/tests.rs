//! Settings as people write them, right and wrong; each wrong one with the very words they read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};

use super::*;

fn loaded(yaml: &str, environment: &[(&str, &str)]) -> Result<Loaded, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("passerelle.yaml");
    std::fs::write(&path, yaml).unwrap();
    let environment: BTreeMap<_, _> = environment.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    load(Some(&path), &environment)
}

/// The error's code and words, with the temporary folder left out.
fn refused(yaml: &str, environment: &[(&str, &str)]) -> String {
    let error = loaded(yaml, environment).expect_err(yaml);
    let words = error.to_string();
    let words: Vec<&str> = words.lines().map(|line| line.find("passerelle.yaml:").map_or(line, |at| &line[at..])).collect();
    format!("{} {}", error.code(), words.join("\n"))
}

#[track_caller]
fn check(yaml: &str, environment: &[(&str, &str)], expected: Expect) {
    expected.assert_eq(&refused(yaml, environment));
}

#[test]
fn an_empty_file_means_the_defaults() {
    for yaml in ["", "# nothing\n", "{}\n", "---\n"] {
        let settings = loaded(yaml, &[]).unwrap().settings;
        assert_eq!(Settings { data_dir: "passerelle-data".into(), ..settings.clone() }, Settings::default(), "{yaml:?}");
        assert!(settings.data_dir.is_absolute());
    }
}

#[test]
fn the_sample_is_right_and_says_the_defaults() {
    let sample = include_str!("../../../../deploy/passerelle.yaml");
    let settings = loaded(sample, &[]).unwrap().settings;
    assert_eq!(Settings { data_dir: "passerelle-data".into(), ..settings }, Settings::default());
    // Its commented endpoints are right too.
    let endpoints: Vec<&str> =
        sample.lines().filter_map(|line| line.strip_prefix("# ").filter(|line| line.starts_with(' '))).collect();
    let yaml = format!("endpoints:\n{}\n", endpoints.join("\n"));
    assert_eq!(loaded(&yaml, &[]).unwrap().settings.endpoints.len(), 2, "{yaml}");
}

#[test]
fn both_forms_of_endpoint_are_read_and_their_paths_start_at_the_file() {
    let yaml = "
endpoints:
  cards:
    addresses: [https://127.0.0.1:1, 'https://[::1]:2']
    tls: { ca: ca.pem, server_name: cards.example }
    contract: { proto: [a.proto], include: [/protos] }
  accounts:
    adapter: mainframe
    file: sub/mainframe.yaml
";
    let loaded = loaded(yaml, &[]).unwrap();
    let endpoint = |name: &str| &loaded.settings.endpoints[&EndpointName::try_from(name.to_owned()).unwrap()];
    let Endpoint::Remote(cards) = endpoint("cards") else { panic!("cards is remote") };
    assert_eq!(cards.tls.ca, Some(loaded.folder().join("ca.pem")));
    let proto = Contract::Proto { files: vec![loaded.folder().join("a.proto")], include: vec![PathBuf::from("/protos")] };
    assert_eq!((cards.contract.as_ref(), cards.connections, cards.connect_timeout_ms), (Some(&proto), 1, 2000));
    let file = AdapterFile { adapter: "mainframe".into(), file: loaded.folder().join("sub/mainframe.yaml") };
    assert_eq!(endpoint("accounts"), &Endpoint::Adapter(file));
}

#[test]
fn a_file_that_is_not_settings_is_refused_with_line_and_column() {
    check(
        "listn: a\n",
        &[],
        expect![[
            r#"P0002 passerelle.yaml:1:1: listn: unknown field `listn`, expected one of listen, tls, admin, data_dir, workers, log, telemetry, limits, drain, endpoints"#
        ]],
    );
    check(
        "limits:\n  message_byte: 5\n",
        &[],
        expect![[
            r#"P0002 passerelle.yaml:2:3: limits.message_byte: unknown field `message_byte`, expected one of message_bytes, metadata_bytes, streams_per_connection, connections, deadline_ms, handshake_ms"#
        ]],
    );
    check(
        "listen: 7400\n",
        &[],
        expect![[
            r#"P0002 passerelle.yaml:1:9: listen: `7400` is no IP address with a port; write for example 127.0.0.1:7400, 0.0.0.0:7400 or [::]:7400"#
        ]],
    );
    check("listen:\n", &[], expect![[r#"P0002 passerelle.yaml:1:7: listen: the value is missing"#]]);
    check(
        "listen: [\n",
        &[],
        expect![[r#"P0002 passerelle.yaml:1:9: listen: expected text; put it in quotes if it begins with [ or {"#]],
    );
    check(
        "limits: { deadline_ms: soon }\n",
        &[],
        expect![[r#"P0002 passerelle.yaml:1:24: limits.deadline_ms: expected a whole number within the allowed range"#]],
    );
    check(
        "limits: { connections: -1 }\n",
        &[],
        expect![[r#"P0002 passerelle.yaml:1:24: limits.connections: expected a whole number within the allowed range"#]],
    );
    check(
        "limits: { connections: 5000000000 }\n",
        &[],
        expect![[r#"P0002 passerelle.yaml:1:24: limits.connections: expected a whole number within the allowed range"#]],
    );
    check("workers: 0\n", &[], expect![[r#"P0003 passerelle.yaml:1:1: workers: 0 is out of range, 1 to 1024"#]]);
    check(
        "log: { format: xml }\n",
        &[],
        expect![[r#"P0002 passerelle.yaml:1:16: log.format: unknown variant `xml`, expected one of human, json"#]],
    );
    check(
        "log: { level: loud }\n",
        &[],
        expect![[
            r#"P0002 passerelle.yaml:1:15: log.level: `loud` is no log level (levels are error, warn, info, debug and trace); write for example info or info,passerelle_bus=debug"#
        ]],
    );
    check("tls: { certificate: a.pem }\n", &[], expect![[r#"P0002 passerelle.yaml:1:8: tls: missing field `key`"#]]);
    check(
        "listen: 127.0.0.1:1\nlisten: 127.0.0.1:2\n",
        &[],
        expect![[r#"P0002 passerelle.yaml:2:1: `listen` stands here twice"#]],
    );
    check("- listen\n", &[], expect![[r#"P0002 passerelle.yaml:1:1: expected `key: value` lines below"#]]);
    check("listen\n", &[], expect![[r#"P0002 passerelle.yaml:1:1: expected `key: value` lines below"#]]);
    check(
        "log:\n\tlevel: info\n",
        &[],
        expect![[r#"P0002 passerelle.yaml:2:2: tabs disallowed within this context (block indentation)"#]],
    );
    check(
        "log: {}\n---\nlog: {}\n",
        &[],
        expect![[r#"P0002 passerelle.yaml:3:1: a second document begins here (`---`), settings are one"#]],
    );
    check(
        "telemetry: { sample_ratio: half }\n",
        &[],
        expect![[r#"P0002 passerelle.yaml:1:28: telemetry.sample_ratio: expected a number"#]],
    );
    check("\u{0}", &[], expect![[r#"P0002 passerelle.yaml:1:1: unexpected character: `\u{0}'"#]]);
}

#[test]
fn an_endpoint_that_makes_no_sense_is_refused_with_what_would() {
    let endpoint = |fields: &str| format!("endpoints:\n  cards: {fields}\n");
    let check = |fields: &str, expected: Expect| check(&endpoint(fields), &[], expected);
    check(
        "{}",
        expect![[
            r#"P0002 passerelle.yaml:2:10: endpoints.cards: an endpoint needs `addresses` (a server that speaks gRPC) or `adapter` and `file`"#
        ]],
    );
    check(
        "{ addresses: [], adapter: mainframe }",
        expect![[
            r#"P0002 passerelle.yaml:2:10: endpoints.cards: `addresses` and `adapter` exclude each other: a back office is called as it is, or through an adapter"#
        ]],
    );
    check(
        "{ addresses: [] }",
        expect![[
            r#"P0002 passerelle.yaml:2:10: endpoints.cards: `addresses` is empty: name at least one, for example http://127.0.0.1:50051"#
        ]],
    );
    check(
        "{ addresses: [cards] }",
        expect![[
            r#"P0002 passerelle.yaml:2:24: endpoints.cards.addresses[0]: `cards` does not begin with http:// or https://; write for example http://127.0.0.1:50051"#
        ]],
    );
    check(
        "{ addresses: http://a:1 }",
        expect![[r#"P0002 passerelle.yaml:2:23: endpoints.cards.addresses: expected a list: [one, two]"#]],
    );
    check(
        "{ addresses: [http://a:1], file: a.yaml }",
        expect![[r#"P0002 passerelle.yaml:2:10: endpoints.cards: `file` belongs to `adapter`, this endpoint has `addresses`"#]],
    );
    check(
        "{ addresses: [http://a:1, https://b:1] }",
        expect![[r#"P0002 passerelle.yaml:2:10: endpoints.cards: `addresses` mixes http and https; use one of them for all"#]],
    );
    check(
        "{ addresses: [https://b:1] }",
        expect![[
            r#"P0002 passerelle.yaml:2:10: endpoints.cards: https addresses need `tls: { ca: FILE }`, the authority that signed the server's certificate"#
        ]],
    );
    check(
        "{ addresses: [http://b:1], tls: { ca: ca.pem } }",
        expect![[
            r#"P0002 passerelle.yaml:2:10: endpoints.cards: `tls` is given but the addresses begin with http://; write https:// or leave `tls` out"#
        ]],
    );
    check(
        "{ addresses: [https://b:1], tls: { ca: ca.pem, key: key.pem } }",
        expect![[r#"P0002 passerelle.yaml:2:10: endpoints.cards: `tls.certificate` and `tls.key` need each other"#]],
    );
    check(
        "{ adapter: mainframe }",
        expect![[r#"P0002 passerelle.yaml:2:10: endpoints.cards: `adapter` needs `file`, the adapter's own settings"#]],
    );
    check(
        "{ adapter: mainframe, file: a.yaml, connections: 2 }",
        expect![[
            r#"P0002 passerelle.yaml:2:10: endpoints.cards: `connections` belongs to an endpoint with `addresses`; an adapter takes its own from its `file`"#
        ]],
    );
    check(
        "{ addresses: [http://a:1], contract: { } }",
        expect![[
            r#"P0002 passerelle.yaml:2:47: endpoints.cards.contract: a contract comes from exactly one of `reflection: true`, `proto: [FILE]` and `image: FILE`"#
        ]],
    );
    check(
        "{ addresses: [http://a:1], contract: { reflection: true, image: a.binpb } }",
        expect![[
            r#"P0002 passerelle.yaml:2:47: endpoints.cards.contract: a contract comes from exactly one of `reflection: true`, `proto: [FILE]` and `image: FILE`"#
        ]],
    );
    check(
        "{ addresses: [http://a:1], contract: { include: [a] } }",
        expect![[r#"P0002 passerelle.yaml:2:47: endpoints.cards.contract: `include` belongs to `proto`"#]],
    );
    check(
        "{ adress: [http://a:1] }",
        expect![[
            r#"P0002 passerelle.yaml:2:12: endpoints.cards.adress: unknown field `adress`, expected one of addresses, tls, contract, connections, connect_timeout_ms, adapter, file"#
        ]],
    );
}

#[test]
fn an_endpoint_has_a_name_fit_for_logs() {
    for name in ["Cards", "cards_eu", "1st", "", "a.b", "é", &"a".repeat(64)] {
        let words = refused(&format!("endpoints:\n  '{name}': {{ adapter: a, file: b }}\n"), &[]);
        assert!(words.contains("is no endpoint name"), "{words}");
    }
    assert!(loaded(&format!("endpoints: {{ {}: {{ adapter: a, file: b }} }}\n", "a".repeat(63)), &[]).is_ok());
}

#[test]
fn values_that_cannot_be_are_refused_all_at_once() {
    check(
        "listen: 127.0.0.1:1\nadmin:\n  listen: 127.0.0.1:1\nlimits:\n  message_bytes: 5\n  metadata_bytes: 9999999\ndrain: { grace_ms: 99999999 }\n",
        &[],
        expect![[r#"
            P0003 passerelle.yaml:5:3: limits.message_bytes: 5 is out of range, 1024 to 1073741824
            passerelle.yaml:6:3: limits.metadata_bytes: 9999999 is out of range, 1024 to 1048576
            passerelle.yaml:7:10: drain.grace_ms: 99999999 is out of range, 0 to 3600000
            passerelle.yaml:3:3: admin.listen: 127.0.0.1:1 is already `listen`; the two ports must differ"#]],
    );
    check(
        "telemetry: { otlp_endpoint: https://a:4317, sample_ratio: 1.5 }\n",
        &[],
        expect![[r#"
        P0003 passerelle.yaml:1:45: telemetry.sample_ratio: 1.5 is out of range, 0 to 1
        passerelle.yaml:1:14: telemetry.otlp_endpoint: https is not supported here; send to a collector beside Passerelle over http://"#]],
    );
    check(
        "endpoints:\n  cards:\n    addresses: [http://a:1]\n    connections: 65\n",
        &[],
        expect![[r#"P0003 passerelle.yaml:4:5: endpoints.cards.connections: 65 is out of range, 1 to 64"#]],
    );
}

#[test]
fn the_environment_goes_before_the_file() {
    let environment = [
        ("PASSERELLE_LISTEN", "127.0.0.1:9"),
        ("PASSERELLE_LIMITS__DEADLINE_MS", "5"),
        ("PASSERELLE_TELEMETRY__SERVICE_NAME", "007"),
        ("PASSERELLE_TELEMETRY__SAMPLE_RATIO", "0.5"),
        ("PASSERELLE_ENDPOINTS__CARD_DISPUTES__ADDRESSES", "http://a:1, http://b:2"),
        ("PASSERELLE_ENDPOINTS__NEW__ADAPTER", "mainframe"),
        ("PASSERELLE_ENDPOINTS__NEW__FILE", "new.yaml"),
        ("PASSERELLE_TLS__CERTIFICATE", "a.pem"),
        ("PASSERELLE_TLS__KEY", "b.pem"),
        ("PASSERELLE_DATA_DIR", ""),
        ("PASSERELLE_SETTINGS", "elsewhere"),
        ("PASSERELLE_SERVICE_HOST", "10.0.0.1"),
        ("OTHER", "x"),
    ];
    let yaml = "listen: 127.0.0.1:1\nlimits: { deadline_ms: 1, connections: 7 }\nendpoints:\n  card-disputes: { addresses: [http://c:3], connections: 4 }\n";
    let settings = loaded(yaml, &environment).unwrap().settings;
    assert_eq!(settings.listen.to_string(), "127.0.0.1:9");
    assert_eq!((settings.limits.deadline_ms, settings.limits.connections), (5, 7));
    assert_eq!((settings.telemetry.service_name.as_str(), settings.telemetry.sample_ratio), ("007", 0.5));
    assert!(settings.data_dir.ends_with("passerelle-data"));
    let tls = settings.tls.unwrap();
    assert!(tls.certificate.is_absolute() && tls.certificate.ends_with("a.pem"));
    let Some(Endpoint::Remote(cards)) = settings.endpoints.values().next() else { panic!("card-disputes is remote") };
    let addresses: Vec<String> = cards.addresses.iter().map(ToString::to_string).collect();
    assert_eq!((addresses.join(" ").as_str(), cards.connections), ("http://a:1 http://b:2", 4));
    assert_eq!(settings.endpoints.len(), 2);
}

#[test]
fn a_wrong_variable_is_named() {
    let file = "endpoints:\n  cards: { addresses: [http://a:1] }\n";
    let check = |name: &str, value: &str, expected: Expect| check(file, &[(name, value)], expected);
    check(
        "PASSERELLE_LISTN",
        "127.0.0.1:1",
        expect![[
            r#"P0004 PASSERELLE_LISTN: listn: unknown field `listn`, expected one of listen, tls, admin, data_dir, workers, log, telemetry, limits, drain, endpoints; two underscores go one level down"#
        ]],
    );
    check(
        "PASSERELLE_LIMITS_DEADLINE_MS",
        "5",
        expect![[
            r#"P0004 PASSERELLE_LIMITS_DEADLINE_MS: limits_deadline_ms: unknown field `limits_deadline_ms`, expected one of listen, tls, admin, data_dir, workers, log, telemetry, limits, drain, endpoints; two underscores go one level down"#
        ]],
    );
    check(
        "PASSERELLE_LIMITS__DEADLINE",
        "5",
        expect![[
            r#"P0004 PASSERELLE_LIMITS__DEADLINE: limits.deadline: unknown field `deadline`, expected one of message_bytes, metadata_bytes, streams_per_connection, connections, deadline_ms, handshake_ms; two underscores go one level down"#
        ]],
    );
    check(
        "PASSERELLE_LIMITS",
        "5",
        expect![[
            r#"P0004 PASSERELLE_LIMITS: limits: a group of fields has no value of its own; set one below it: two underscores go one level down"#
        ]],
    );
    check(
        "PASSERELLE_LISTEN__PORT",
        "5",
        expect![[r#"P0004 PASSERELLE_LISTEN__PORT: listen.port: there is nothing below a value, `port` is one level too far"#]],
    );
    check(
        "PASSERELLE_LIMITS__DEADLINE_MS",
        "yes",
        expect![[r#"P0004 PASSERELLE_LIMITS__DEADLINE_MS: limits.deadline_ms: `yes` is no whole number, 0 or more"#]],
    );
    check(
        "PASSERELLE_LIMITS__CONNECTIONS",
        "-1",
        expect!["P0004 PASSERELLE_LIMITS__CONNECTIONS: limits.connections: `-1` is no whole number, 0 or more"],
    );
    check(
        "PASSERELLE_LIMITS__CONNECTIONS",
        "0",
        expect![[r#"P0003 PASSERELLE_LIMITS__CONNECTIONS: limits.connections: 0 is out of range, 1 to 1000000"#]],
    );
    check("PASSERELLE_WORKERS", "0", expect!["P0003 PASSERELLE_WORKERS: workers: 0 is out of range, 1 to 1024"]);
    check(
        "PASSERELLE_LISTEN",
        "7400",
        expect![[
            r#"P0004 PASSERELLE_LISTEN: listen: `7400` is no IP address with a port; write for example 127.0.0.1:7400, 0.0.0.0:7400 or [::]:7400"#
        ]],
    );
    check("PASSERELLE_LOG__FORMAT", "xml", expect!["P0004 PASSERELLE_LOG__FORMAT: log.format: `xml` is none of human, json"]);
    check(
        "PASSERELLE_TLS__KEY",
        "a.pem",
        expect![[r#"P0004 PASSERELLE_TLS__KEY: tls: missing configuration field "tls.certificate""#]],
    );
    check(
        "PASSERELLE_ENDPOINTS__CARDS__ADAPTER",
        "mainframe",
        expect![[
            r#"P0004 PASSERELLE_ENDPOINTS__CARDS__ADAPTER: endpoints.cards: `addresses` and `adapter` exclude each other: a back office is called as it is, or through an adapter"#
        ]],
    );
    check(
        "PASSERELLE_ENDPOINTS__CARDS__ADDRESSES",
        "http://a:1,b",
        expect![
            "P0004 PASSERELLE_ENDPOINTS__CARDS__ADDRESSES: endpoints.cards.addresses[1]: `b` does not begin with http:// or https://; write for example http://127.0.0.1:50051"
        ],
    );
    check(
        "PASSERELLE_ENDPOINTS__1ST__FILE",
        "a",
        expect![[
            r#"P0004 PASSERELLE_ENDPOINTS__1ST__FILE: endpoints.1st: `1st` is no endpoint name: up to 63 small letters, digits and hyphens, a letter first (card-disputes)"#
        ]],
    );
    check(
        "PASSERELLE_",
        "a",
        expect![[
            r#"P0004 PASSERELLE_: unknown field ``, expected one of listen, tls, admin, data_dir, workers, log, telemetry, limits, drain, endpoints; two underscores go one level down"#
        ]],
    );
}

#[test]
fn a_file_that_is_not_there_is_named_with_what_to_do() {
    let error = load(Some(Path::new("/nowhere/p.yaml")), &BTreeMap::new()).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the settings file /nowhere/p.yaml");
    let error = Error::Missing { usual: "passerelle.yaml".into() };
    expect![[r#"there is no settings file passerelle.yaml here: name one with --settings FILE, or begin with `passerelle reference sample > passerelle.yaml`"#]].assert_eq(&error.to_string());
}

#[test]
fn a_file_of_bytes_or_of_gigabytes_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.yaml");
    std::fs::write(&path, b"\xff\xfe\x00").unwrap();
    assert!(matches!(load(Some(&path), &BTreeMap::new()), Err(Error::Unreadable { .. })));
    std::fs::File::create(&path).unwrap().set_len(1 << 33).unwrap();
    assert!(matches!(load(Some(&path), &BTreeMap::new()), Err(Error::Unreadable { .. })));
    assert!(matches!(load(Some(folder.path()), &BTreeMap::new()), Err(Error::Unreadable { .. })));
}
