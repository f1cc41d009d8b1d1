//! Settings as people write them, right and wrong; each wrong one with the very words they read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use proptest::prelude::*;

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

/// Each wrong input with the words it is answered with.
#[track_caller]
fn check<'a>(cases: impl IntoIterator<Item = (&'a str, String)>, expected: Expect) {
    let answers: Vec<String> = cases.into_iter().map(|(input, answer)| format!("{input:?}\n  {answer}\n")).collect();
    expected.assert_eq(&answers.concat());
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
    let file =
        AdapterFile { adapter: "mainframe".into(), file: loaded.folder().join("sub/mainframe.yaml"), policy: Policy::default() };
    assert_eq!(endpoint("accounts"), &Endpoint::Adapter(file));
}

#[test]
fn a_file_that_is_not_settings_is_refused_with_line_and_column() {
    let cases = [
        "listn: a",
        "limits:\n  message_byte: 5",
        "listen: 7400",
        "listen:",
        "listen: [",
        "limits: { deadline_ms: soon }",
        "limits: { connections: -1 }",
        "limits: { connections: 5000000000 }",
        "log: { format: xml }",
        "log: { level: loud }",
        "tls: { certificate: a.pem }",
        "listen: 127.0.0.1:1\nlisten: 127.0.0.1:2",
        "- listen",
        "listen",
        "log:\n\tlevel: info",
        "log: {}\n---\nlog: {}",
        "telemetry: { sample_ratio: half }",
        "log: { level: *somewhere }",
        "\u{0}",
    ];
    check(
        cases.map(|yaml| (yaml, refused(yaml, &[]))),
        expect![[r#"
            "listn: a"
              P0002 passerelle.yaml:1:1: listn: unknown field `listn`, expected one of listen, tls, admin, data_dir, journal, workers, log, telemetry, limits, channels, drain, callback, handoff, deliveries, compatibility, routes, translations, endpoints
            "limits:\n  message_byte: 5"
              P0002 passerelle.yaml:2:3: limits.message_byte: unknown field `message_byte`, expected one of message_bytes, metadata_bytes, streams_per_connection, connections, deadline_ms, handshake_ms
            "listen: 7400"
              P0002 passerelle.yaml:1:9: listen: `7400` is no IP address with a port; write for example 127.0.0.1:7400, 0.0.0.0:7400 or [::]:7400
            "listen:"
              P0002 passerelle.yaml:1:7: listen: the value is missing
            "listen: ["
              P0002 passerelle.yaml:1:9: listen: expected text; put it in quotes if it begins with [ or {
            "limits: { deadline_ms: soon }"
              P0002 passerelle.yaml:1:24: limits.deadline_ms: expected a whole number within the allowed range
            "limits: { connections: -1 }"
              P0002 passerelle.yaml:1:24: limits.connections: expected a whole number within the allowed range
            "limits: { connections: 5000000000 }"
              P0002 passerelle.yaml:1:24: limits.connections: expected a whole number within the allowed range
            "log: { format: xml }"
              P0002 passerelle.yaml:1:16: log.format: unknown variant `xml`, expected one of human, json
            "log: { level: loud }"
              P0002 passerelle.yaml:1:15: log.level: `loud` is no log level (levels are error, warn, info, debug and trace); write for example info or info,passerelle_bus=debug
            "tls: { certificate: a.pem }"
              P0002 passerelle.yaml:1:8: tls: missing field `key`
            "listen: 127.0.0.1:1\nlisten: 127.0.0.1:2"
              P0002 passerelle.yaml:2:1: `listen` stands here twice
            "- listen"
              P0002 passerelle.yaml:1:1: expected `key: value` lines below
            "listen"
              P0002 passerelle.yaml:1:1: expected `key: value` lines below
            "log:\n\tlevel: info"
              P0002 passerelle.yaml:2:2: a tab indents here; YAML takes spaces only
            "log: {}\n---\nlog: {}"
              P0002 passerelle.yaml:3:1: a second document begins here (`---`), settings are one
            "telemetry: { sample_ratio: half }"
              P0002 passerelle.yaml:1:28: telemetry.sample_ratio: expected a number
            "log: { level: *somewhere }"
              P0002 passerelle.yaml:1:15: log: alias references unknown anchor
            "\0"
              P0002 passerelle.yaml:1:1: unexpected character: `\u{0}'
        "#]],
    );
}

#[test]
fn an_endpoint_that_makes_no_sense_is_refused_with_what_would() {
    let cases = [
        "{}",
        "{ addresses: [], adapter: mainframe }",
        "{ addresses: [] }",
        "{ addresses: [cards] }",
        "{ addresses: http://a:1 }",
        "{ addresses: [http://a:1], file: a.yaml }",
        "{ addresses: [http://a:1, https://b:1] }",
        "{ addresses: [https://b:1] }",
        "{ addresses: [http://b:1], tls: { ca: ca.pem } }",
        "{ addresses: [https://b:1], tls: { ca: ca.pem, key: key.pem } }",
        "{ adapter: mainframe }",
        "{ adapter: mainframe, file: a.yaml, connections: 2 }",
        "{ addresses: [http://a:1], contract: { } }",
        "{ addresses: [http://a:1], contract: { reflection: true, image: a.binpb } }",
        "{ addresses: [http://a:1], contract: { include: [a] } }",
        "{ adress: [http://a:1] }",
    ];
    check(
        cases.map(|fields| (fields, refused(&format!("endpoints:\n  cards: {fields}\n"), &[]))),
        expect![[r#"
            "{}"
              P0002 passerelle.yaml:2:10: endpoints.cards: an endpoint needs `addresses` (a server that speaks gRPC) or `adapter` and `file`
            "{ addresses: [], adapter: mainframe }"
              P0002 passerelle.yaml:2:10: endpoints.cards: `addresses` and `adapter` exclude each other: a back office is called as it is, or through an adapter
            "{ addresses: [] }"
              P0002 passerelle.yaml:2:10: endpoints.cards: `addresses` is empty: name at least one, for example http://127.0.0.1:50051
            "{ addresses: [cards] }"
              P0002 passerelle.yaml:2:24: endpoints.cards.addresses[0]: `cards` does not begin with http:// or https://; write for example http://127.0.0.1:50051
            "{ addresses: http://a:1 }"
              P0002 passerelle.yaml:2:23: endpoints.cards.addresses: expected a list: [one, two]
            "{ addresses: [http://a:1], file: a.yaml }"
              P0002 passerelle.yaml:2:10: endpoints.cards: `file` belongs to `adapter`, this endpoint has `addresses`
            "{ addresses: [http://a:1, https://b:1] }"
              P0002 passerelle.yaml:2:10: endpoints.cards: `addresses` mixes http and https; use one of them for all
            "{ addresses: [https://b:1] }"
              P0002 passerelle.yaml:2:10: endpoints.cards: https addresses need `tls: { ca: FILE }`, the authority that signed the server's certificate
            "{ addresses: [http://b:1], tls: { ca: ca.pem } }"
              P0002 passerelle.yaml:2:10: endpoints.cards: `tls` is given but the addresses begin with http://; write https:// or leave `tls` out
            "{ addresses: [https://b:1], tls: { ca: ca.pem, key: key.pem } }"
              P0002 passerelle.yaml:2:10: endpoints.cards: `tls.certificate` and `tls.key` need each other
            "{ adapter: mainframe }"
              P0002 passerelle.yaml:2:10: endpoints.cards: `adapter` needs `file`, the adapter's own settings
            "{ adapter: mainframe, file: a.yaml, connections: 2 }"
              P0002 passerelle.yaml:2:10: endpoints.cards: `connections` belongs to an endpoint with `addresses`; an adapter takes its own from its `file`
            "{ addresses: [http://a:1], contract: { } }"
              P0002 passerelle.yaml:2:47: endpoints.cards.contract: a contract comes from exactly one of `reflection: true`, `proto: [FILE]` and `image: FILE`
            "{ addresses: [http://a:1], contract: { reflection: true, image: a.binpb } }"
              P0002 passerelle.yaml:2:47: endpoints.cards.contract: a contract comes from exactly one of `reflection: true`, `proto: [FILE]` and `image: FILE`
            "{ addresses: [http://a:1], contract: { include: [a] } }"
              P0002 passerelle.yaml:2:47: endpoints.cards.contract: `include` belongs to `proto`
            "{ adress: [http://a:1] }"
              P0002 passerelle.yaml:2:12: endpoints.cards.adress: unknown field `adress`, expected one of addresses, tls, contract, connections, connect_timeout_ms, resolve_ms, health_check, outlier, adapter, file, policy
        "#]],
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
    let cases = [
        "listen: 127.0.0.1:1\nadmin:\n  listen: 127.0.0.1:1\nlimits:\n  message_bytes: 5\n  metadata_bytes: 9999999\nworkers: 0",
        "telemetry: { otlp_endpoint: https://a:4317, sample_ratio: 1.5 }",
        "endpoints:\n  cards:\n    addresses: [http://a:1]\n    connections: 65",
        "telemetry: { sample_ratio: .nan }",
    ];
    check(
        cases.map(|yaml| (yaml, refused(yaml, &[]))),
        expect![[r#"
            "listen: 127.0.0.1:1\nadmin:\n  listen: 127.0.0.1:1\nlimits:\n  message_bytes: 5\n  metadata_bytes: 9999999\nworkers: 0"
              P0003 passerelle.yaml:7:1: workers: 0 is out of range, 1 to 1024
            passerelle.yaml:5:3: limits.message_bytes: 5 is out of range, 1024 to 1073741824
            passerelle.yaml:6:3: limits.metadata_bytes: 9999999 is out of range, 1024 to 1048576
            passerelle.yaml:3:3: admin.listen: 127.0.0.1:1 is already `listen`; the two ports must differ
            "telemetry: { otlp_endpoint: https://a:4317, sample_ratio: 1.5 }"
              P0003 passerelle.yaml:1:45: telemetry.sample_ratio: 1.5 is out of range, 0 to 1
            passerelle.yaml:1:14: telemetry.otlp_endpoint: https is not supported here; send to a collector beside Passerelle over http://
            "endpoints:\n  cards:\n    addresses: [http://a:1]\n    connections: 65"
              P0003 passerelle.yaml:4:5: endpoints.cards.connections: 65 is out of range, 1 to 64
            "telemetry: { sample_ratio: .nan }"
              P0003 passerelle.yaml:1:14: telemetry.sample_ratio: expected a finite number
        "#]],
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
        ("PASSERELLE_ADMIN", "http://127.0.0.1:7401"),
        ("PASSERELLE_ADDRESS", "http://127.0.0.1:7400"),
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
    let cases = [
        ("PASSERELLE_LISTN", "127.0.0.1:1"),
        ("PASSERELLE_LIMITS_DEADLINE_MS", "5"),
        ("PASSERELLE_LIMITS__DEADLINE", "5"),
        ("PASSERELLE_LIMITS", "5"),
        ("PASSERELLE_LISTEN__PORT", "5"),
        ("PASSERELLE_LIMITS__DEADLINE_MS", "yes"),
        ("PASSERELLE_LIMITS__CONNECTIONS", "-1"),
        ("PASSERELLE_LIMITS__CONNECTIONS", "5000000000"),
        ("PASSERELLE_LIMITS__CONNECTIONS", "0"),
        ("PASSERELLE_LISTEN", "7400"),
        ("PASSERELLE_LOG__FORMAT", "xml"),
        ("PASSERELLE_TELEMETRY__SAMPLE_RATIO", "half"),
        ("PASSERELLE_TELEMETRY__SAMPLE_RATIO", "NaN"),
        ("PASSERELLE_TLS__KEY", "a.pem"),
        ("PASSERELLE_ENDPOINTS__CARDS__ADAPTER", "mainframe"),
        ("PASSERELLE_ENDPOINTS__CARDS__ADDRESSES", "http://a:1,b"),
        ("PASSERELLE_ENDPOINTS__1ST__FILE", "a"),
        ("PASSERELLE_", "a"),
    ];
    let file = "endpoints:\n  cards: { addresses: [http://a:1] }\n";
    let answers = cases.map(|(variable, value)| (value, refused(file, &[(variable, value)])));
    check(
        answers,
        expect![[r#"
            "127.0.0.1:1"
              P0004 PASSERELLE_LISTN: listn: unknown field `listn`, expected one of listen, tls, admin, data_dir, journal, workers, log, telemetry, limits, channels, drain, callback, handoff, deliveries, compatibility, routes, translations, endpoints; two underscores go one level down
            "5"
              P0004 PASSERELLE_LIMITS_DEADLINE_MS: limits_deadline_ms: unknown field `limits_deadline_ms`, expected one of listen, tls, admin, data_dir, journal, workers, log, telemetry, limits, channels, drain, callback, handoff, deliveries, compatibility, routes, translations, endpoints; two underscores go one level down
            "5"
              P0004 PASSERELLE_LIMITS__DEADLINE: limits.deadline: unknown field `deadline`, expected one of message_bytes, metadata_bytes, streams_per_connection, connections, deadline_ms, handshake_ms; two underscores go one level down
            "5"
              P0004 PASSERELLE_LIMITS: limits: a group of fields has no value of its own; set one below it: two underscores go one level down
            "5"
              P0004 PASSERELLE_LISTEN__PORT: listen.port: there is nothing below a value, `port` is one level too far
            "yes"
              P0004 PASSERELLE_LIMITS__DEADLINE_MS: limits.deadline_ms: `yes` is no whole number, 0 or more
            "-1"
              P0004 PASSERELLE_LIMITS__CONNECTIONS: limits.connections: `-1` is no whole number, 0 or more
            "5000000000"
              P0004 PASSERELLE_LIMITS__CONNECTIONS: limits.connections: invalid type: 64-bit unsigned integer `5000000000`, expected an unsigned 32 bit integer for key `limits.connections`
            "0"
              P0003 PASSERELLE_LIMITS__CONNECTIONS: limits.connections: 0 is out of range, 1 to 1000000
            "7400"
              P0004 PASSERELLE_LISTEN: listen: `7400` is no IP address with a port; write for example 127.0.0.1:7400, 0.0.0.0:7400 or [::]:7400
            "xml"
              P0004 PASSERELLE_LOG__FORMAT: log.format: `xml` is none of human, json
            "half"
              P0004 PASSERELLE_TELEMETRY__SAMPLE_RATIO: telemetry.sample_ratio: `half` is no number
            "NaN"
              P0003 PASSERELLE_TELEMETRY__SAMPLE_RATIO: telemetry.sample_ratio: expected a finite number
            "a.pem"
              P0004 PASSERELLE_TLS__KEY: tls: missing configuration field "tls.certificate"
            "mainframe"
              P0004 PASSERELLE_ENDPOINTS__CARDS__ADAPTER: endpoints.cards: `addresses` and `adapter` exclude each other: a back office is called as it is, or through an adapter
            "http://a:1,b"
              P0004 PASSERELLE_ENDPOINTS__CARDS__ADDRESSES: endpoints.cards.addresses[1]: `b` does not begin with http:// or https://; write for example http://127.0.0.1:50051
            "a"
              P0004 PASSERELLE_ENDPOINTS__1ST__FILE: endpoints.1st: `1st` is no endpoint name: up to 63 small letters, digits and hyphens, a letter first (card-disputes)
            "a"
              P0004 PASSERELLE_: unknown field ``, expected one of listen, tls, admin, data_dir, journal, workers, log, telemetry, limits, channels, drain, callback, handoff, deliveries, compatibility, routes, translations, endpoints; two underscores go one level down
        "#]],
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

proptest! {
    /// Words that settings are made of, in any order: most are refused, none may panic or hang.
    #[test]
    fn whatever_stands_in_the_file_is_read_or_refused(words in proptest::collection::vec(prop_oneof![
        Just("listen"), Just("endpoints"), Just("limits"), Just("deadline_ms"), Just("addresses"), Just("contract"), Just("tls"),
        Just(": "), Just(":\n  "), Just("\n"), Just("\n  "), Just("- "), Just("{"), Just("}"), Just("["), Just("]"), Just(", "),
        Just("&a "), Just("*a"), Just("!!str "), Just("'"), Just("\""), Just("|\n"), Just("#"), Just("\t"), Just("\u{fffe}"),
        Just("127.0.0.1:1"), Just("http://a:1"), Just("-1"), Just("1e400"), Just("0x7f"), Just("~"), Just("<<: "), Just("---\n"),
    ], 0..24)) {
        let yaml = words.concat();
        if let Err(error) = loaded(&yaml, &[]) {
            prop_assert!(!error.to_string().is_empty());
        }
        let _ = place::locate(&yaml, "endpoints.listen[1].tls");
    }

    #[test]
    fn whatever_stands_in_a_variable_is_read_or_refused(name in "(LISTEN|LIMITS|ENDPOINTS|TLS|_|__|A|1|é){1,6}", value in ".{0,12}") {
        let _ = loaded("", &[(&format!("PASSERELLE_{name}"), &value)]);
    }
}

#[test]
fn a_policy_is_read_and_the_rest_of_it_has_defaults() {
    let yaml = "
channels: { names: [web, branch], value_key: x-value }
endpoints:
  accounts:
    addresses: ['http://127.0.0.1:1']
    policy:
      concurrency: 8
      rate: { per_second: 25 }
      hours: { time_zone: Europe/Paris, open: { monday: ['06:00-22:00'] }, closed: ['2026-12-25'] }
      batch_windows:
        - { name: interest, time_zone: Europe/Paris, during: { monday: ['12:00-13:00'] }, concurrency: 0 }
      breaker: { calls: 0 }
      methods:
        - { name: bank.v1.Accounts/Search, cost: 5 }
";
    let settings = loaded(yaml, &[("PASSERELLE_ENDPOINTS__ACCOUNTS__POLICY__QUEUE_CALLS", "7")]).unwrap().settings;
    let endpoint = &settings.endpoints[&EndpointName::try_from("accounts".to_owned()).unwrap()];
    let policy = endpoint.policy().resolved();
    assert_eq!((policy.envelope.limits.concurrency, policy.envelope.queue_calls), (8, 7));
    assert_eq!(policy.envelope.limits.rate, Some(passerelle_bus::call::Rate { per_second: 25.0, burst: 3 }));
    assert_eq!(policy.envelope.queue_wait.as_secs(), 5);
    assert_eq!((policy.breaker.calls, policy.breaker.share), (0, 0.5));
    assert_eq!(policy.methods["bank.v1.Accounts/Search"].cost, 5);
    assert_eq!(policy.envelope.batch_windows[0].limits.concurrency, 0);
    assert_eq!(settings.channels.resolved().value_key, "x-value");
}

#[test]
fn a_policy_that_cannot_be_meant_is_refused() {
    let policies = [
        "concurrency: 0",
        "rate: { per_second: 0 }",
        "breaker: { share: 1.5 }",
        "retry: { attempts: 6 }",
        "retry: { codes: [OK] }",
        "rate: { burst: 3 }",
        "hours: { time_zone: Mars, open: { monday: ['06:00-22:00'] } }",
        "hours: { time_zone: UTC, open: {} }",
        "batch_windows: [{ name: night, time_zone: UTC, concurrency: 1, during: { monday: ['06:00-09:00', '08:00-10:00'] } }]",
        "methods: [{ name: Search, cost: 2 }]",
        "methods: [{ name: bank.v1.Accounts/Search, cost: 0 }]",
        "methods: [{ name: b.A/S }, { name: /b.A/S }]",
        "methods: [{ name: b.A/S, read_only: false, share: { tolerance_ms: 0 } }]",
        "methods: [{ name: b.A/S, idempotent: false, hedge: { delay_ms: 9 } }]",
        "methods: [{ name: b.A/S, share: { tolerance_ms: 0, vary: [a b] } }]",
        "methods: [{ name: b.A/S, share: { vary: [a] } }]",
        "methods: [{ name: b.A/S, hedge: { delay_ms: 9, attempts: 1 } }]",
    ];
    let yaml = |policy| format!("endpoints:\n  bank:\n    addresses: ['http://127.0.0.1:1']\n    policy: {{ {policy} }}\n");
    let channels = ["names: [other]", "names: ['']", "value_key: Big", "value_key: grpc-value", "usual_value: 10"];
    let refusals = policies.map(|policy| (policy, refused(&yaml(policy), &[]))).into_iter();
    let channels = channels.map(|channels| (channels, refused(&format!("channels: {{ {channels} }}"), &[])));
    check(
        refusals.chain(channels),
        expect![[r#"
            "concurrency: 0"
              P0003 passerelle.yaml:4:15: endpoints.bank.policy.concurrency: 0 is out of range, 1 to 1000000
            "rate: { per_second: 0 }"
              P0003 passerelle.yaml:4:23: endpoints.bank.policy.rate.per_second: 0 is out of range, 0.01 to 1000000
            "breaker: { share: 1.5 }"
              P0003 passerelle.yaml:4:26: endpoints.bank.policy.breaker.share: 1.5 is out of range, 0.01 to 1
            "retry: { attempts: 6 }"
              P0003 passerelle.yaml:4:24: endpoints.bank.policy.retry.attempts: 6 is out of range, 1 to 5
            "retry: { codes: [OK] }"
              P0002 passerelle.yaml:4:32: endpoints.bank.policy.retry.codes[0]: unknown variant `OK`, expected one of UNAVAILABLE, RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNKNOWN
            "rate: { burst: 3 }"
              P0002 passerelle.yaml:4:23: endpoints.bank.policy.rate: missing field `per_second`
            "hours: { time_zone: Mars, open: { monday: ['06:00-22:00'] } }"
              P0002 passerelle.yaml:4:35: endpoints.bank.policy.hours.time_zone: `Mars` is no time zone of the IANA database; write for example Europe/Paris or UTC
            "hours: { time_zone: UTC, open: {} }"
              P0004 passerelle.yaml:4:15: endpoints.bank.policy.hours: missing configuration field "endpoints.bank.policy.hours.open"
            "batch_windows: [{ name: night, time_zone: UTC, concurrency: 1, during: { monday: ['06:00-09:00', '08:00-10:00'] } }]"
              P0003 passerelle.yaml:4:88: endpoints.bank.policy.batch_windows[0].during.monday: 08:00-10:00 begins before 06:00-09:00 ends; write hours in order, without overlap
            "methods: [{ name: Search, cost: 2 }]"
              P0003 passerelle.yaml:4:27: endpoints.bank.policy.methods[0].name: `Search` is no method; write its full name: bank.v1.Accounts/Inquire
            "methods: [{ name: bank.v1.Accounts/Search, cost: 0 }]"
              P0003 passerelle.yaml:4:58: endpoints.bank.policy.methods[0].cost: 0 is out of range, 1 to 10000
            "methods: [{ name: b.A/S }, { name: /b.A/S }]"
              P0003 passerelle.yaml:4:44: endpoints.bank.policy.methods[1].name: `b.A/S` stands here twice
            "methods: [{ name: b.A/S, read_only: false, share: { tolerance_ms: 0 } }]"
              P0003 passerelle.yaml:4:58: endpoints.bank.policy.methods[0].share: only for methods that read and change nothing, and this one is declared otherwise
            "methods: [{ name: b.A/S, idempotent: false, hedge: { delay_ms: 9 } }]"
              P0003 passerelle.yaml:4:59: endpoints.bank.policy.methods[0].hedge: only for methods that read and change nothing, and this one is declared otherwise
            "methods: [{ name: b.A/S, share: { tolerance_ms: 0, vary: [a b] } }]"
              P0003 passerelle.yaml:4:73: endpoints.bank.policy.methods[0].share.vary[0]: `a b` is no name of metadata: small letters, digits and hyphens (accept-language)
            "methods: [{ name: b.A/S, share: { vary: [a] } }]"
              P0002 passerelle.yaml:4:49: endpoints.bank.policy.methods[0].share: missing field `tolerance_ms`
            "methods: [{ name: b.A/S, hedge: { delay_ms: 9, attempts: 1 } }]"
              P0003 passerelle.yaml:4:62: endpoints.bank.policy.methods[0].hedge.attempts: 1 is out of range, 2 to 5
            "names: [other]"
              P0003 passerelle.yaml:1:13: channels.names: `other` is no channel's name: 1 to 64 letters, digits, `-`, `_` and `.`, and not `other`
            "names: ['']"
              P0003 passerelle.yaml:1:13: channels.names: `` is no channel's name: 1 to 64 letters, digits, `-`, `_` and `.`, and not `other`
            "value_key: Big"
              P0002 passerelle.yaml:1:24: channels.value_key: `Big` is no metadata key: small letters, digits, `-`, `_` and `.`, neither grpc-… nor …-bin
            "value_key: grpc-value"
              P0002 passerelle.yaml:1:24: channels.value_key: `grpc-value` is no metadata key: small letters, digits, `-`, `_` and `.`, neither grpc-… nor …-bin
            "usual_value: 10"
              P0003 passerelle.yaml:1:13: channels.usual_value: 10 is out of range, 0 to 9
        "#]],
    );
}
