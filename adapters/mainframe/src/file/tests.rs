//! Files that cannot be used, and what their writers are told.

use std::path::Path;

use expect_test::{Expect, expect};

use super::File;

const GOOD: &str = r#"
adapter: mainframe
contract: { package: bank.accounts.v1, service: AccountInquiry, lock: accounts.lock.yaml }
hosts:
  paris:
    transport: ims_connect
    endpoints: ["ims1.bank:9999", "ims2.bank:9999"]
    irm: { datastore: IMSP, sync_level: confirm }
    credentials: { user: "${env:IMS_USER}", password: "${file:/run/secrets/ims}" }
    pool: { max: 4 }
  branch:
    transport: tcp
    endpoints: ["127.0.0.1:24711"]
    framing: { length_bytes: 2 }
codec: { code_page: ibm1147 }
operations:
  InquireAccounts:
    host: paris
    trancode: ACCTINQ
    request:  { copybook: ACCTINQ.cpy, include: [CA-CUSTNO], set: { CA-FUNCTION: "INQ1" } }
    response: { copybook: ACCTINQ.cpy, exclude: [CA-RETCODE] }
    errors:
      - { when: "CA-RETCODE < 0", status: FAILED_PRECONDITION }
    timeout_ms: 3000
    idempotent: true
"#;

fn check(from: &str, to: &str, expected: Expect) {
    assert!(GOOD.contains(from), "{from}");
    let text = GOOD.replacen(from, to, 1);
    let problem = File::parse(Path::new("accounts.yaml"), &text).map(|_| "no problem".to_owned());
    expected.assert_eq(&problem.unwrap_or_else(|error| error.to_string()));
}

#[test]
fn a_good_file_is_read() {
    let file = File::parse(Path::new("accounts.yaml"), GOOD).unwrap();
    let operation = &file.operations["InquireAccounts"];
    assert_eq!(operation.referenced.line(), 18);
    assert_eq!(file.host_of(&operation.value), Some("paris"));
    assert_eq!(file.hosts["paris"].value.pool.idle_ms, 60_000);
}

#[test]
fn what_is_not_built_is_refused_with_what_is() {
    check(
        "    pool: { max: 4 }",
        "    tls: { verify: false }",
        expect![
            "accounts.yaml:10:12: hosts.paris.tls.verify: unknown field `verify`, expected one of ca, certificate, key, server_name"
        ],
    );
    check(
        "pool: { max: 4 }",
        "limits: { in_flight: 32 }",
        expect![
            "accounts.yaml:10:5: hosts.paris.limits: unknown field `limits`, expected one of transport, endpoints, tls, framing, irm, credentials, pool, connect_timeout_ms, response_limit_bytes"
        ],
    );
    check(
        "idempotent: true",
        "cache: { ttl_ms: 5000 }",
        expect![
            "accounts.yaml:25:5: operations.InquireAccounts.cache: unknown field `cache`, expected one of host, trancode, request, response, fields, errors, timeout_ms, idempotent"
        ],
    );
    check(
        "transport: tcp",
        "transport: mq",
        expect!["accounts.yaml:12:16: hosts.branch.transport: unknown variant `mq`, expected one of tcp, ims_connect"],
    );
    check(
        "sync_level: confirm",
        "commit_mode: cm0",
        expect!["accounts.yaml:8:42: hosts.paris.irm.commit_mode: unknown variant `cm0`, expected one of cm1"],
    );
    check(
        "code_page: ibm1147",
        "code_page: ibm930",
        expect![
            "accounts.yaml:15:21: codec.code_page: unknown variant `ibm930`, expected one of ibm037, ibm297, ibm500, ibm1047, ibm1140, ibm1147, latin1, ascii"
        ],
    );
    check(
        "datastore: IMSP",
        "datastore: IMSP, id: \"*IRMREQ*\"",
        expect!["accounts.yaml:8:33: hosts.paris.irm.id: unknown variant `*IRMREQ*`, expected one of *SAMPLE*, *SAMPL1*"],
    );
    check(
        "FAILED_PRECONDITION",
        "INTERNAL",
        expect![
            "accounts.yaml:23:43: operations.InquireAccounts.errors[0].status: unknown variant `INTERNAL`, expected one of INVALID_ARGUMENT, ABORTED, NOT_FOUND, PERMISSION_DENIED, FAILED_PRECONDITION, RESOURCE_EXHAUSTED, UNAVAILABLE"
        ],
    );
    check(
        "adapter: mainframe",
        "adapter: documents",
        expect!["accounts.yaml:2:10: adapter: unknown variant `documents`, expected one of mainframe"],
    );
}

#[test]
fn mistakes_are_told_with_their_place() {
    check("host: paris", "host: pariss", expect!["accounts.yaml:18:11: unknown host `pariss`, hosts has: branch, paris"]);
    check(
        "    host: paris\n",
        "",
        expect!["accounts.yaml:18:5: operation InquireAccounts: say which host runs it with `host:`, one of: branch, paris"],
    );
    check(
        "trancode: ACCTINQ",
        "trancode: acctinq",
        expect![
            "accounts.yaml:18:5: operation InquireAccounts: trancode: `acctinq` is no z/OS name: at most 8 of A-Z, 0-9, @, # and $"
        ],
    );
    check("    trancode: ACCTINQ\n", "", expect!["accounts.yaml:18:5: operation InquireAccounts: its host needs a `trancode`"]);
    check(
        "timeout_ms: 3000",
        "timeout_ms: 3s",
        expect![
            "accounts.yaml:24:17: operations.InquireAccounts.timeout_ms: expected a whole number from 0 to 18446744073709551615"
        ],
    );
    check(
        "timeout_ms: 3000",
        "timeout_ms: 0",
        expect!["accounts.yaml:18:5: operation InquireAccounts: timeout_ms must be from 1 to 3600000"],
    );
    check(
        "InquireAccounts:",
        "inquire-accounts:",
        expect![
            "accounts.yaml:18:5: operation inquire-accounts: the name becomes a gRPC method: a capital letter, then letters and digits (`InquireAccounts`)"
        ],
    );
    check(
        "127.0.0.1:24711",
        "127.0.0.1",
        expect!["accounts.yaml:12:5: host branch: `127.0.0.1` is no address: write `name:port`"],
    );
    check(
        "[\"127.0.0.1:24711\"]",
        "[]",
        expect!["accounts.yaml:12:5: host branch: endpoints is empty: write at least one `name:port`"],
    );
    check(
        "length_bytes: 2",
        "length_bytes: 3",
        expect!["accounts.yaml:12:5: host branch: framing.length_bytes is 3, it may be 2 or 4"],
    );
    check(
        "framing: { length_bytes: 2 }",
        "irm: { datastore: IMSP }",
        expect!["accounts.yaml:12:5: host branch: irm and credentials belong to `transport: ims_connect`, this host is `tcp`"],
    );
    check(
        "    irm: { datastore: IMSP, sync_level: confirm }\n",
        "",
        expect!["accounts.yaml:6:5: host paris: an ims_connect host needs `irm: { datastore: … }`"],
    );
    check(
        "datastore: IMSP",
        "datastore: IMSPARIS1",
        expect!["accounts.yaml:6:5: host paris: irm.datastore: `IMSPARIS1` is no z/OS name: at most 8 of A-Z, 0-9, @, # and $"],
    );
    check(
        "datastore: IMSP",
        "datastore: IMSP, arch: 2",
        expect!["accounts.yaml:6:5: host paris: irm.arch is 2, it may be 0 or 1"],
    );
    check(
        "datastore: IMSP",
        "datastore: IMSP, client_prefix: PASS",
        expect!["accounts.yaml:6:5: host paris: irm.client_prefix takes 1 to 3 characters"],
    );
    check(
        "max: 4",
        "max: 0",
        expect!["accounts.yaml:6:5: host paris: pool.max, pool.idle_ms and connect_timeout_ms must be above 0"],
    );
    check("max: 4", "max: 70000", expect!["accounts.yaml:10:18: hosts.paris.pool.max: expected a whole number from 0 to 65535"]);
    check("    transport: tcp\n", "", expect!["accounts.yaml:13:5: hosts.branch: missing field `transport`"]);
    check("  branch:", "  paris:", expect!["accounts.yaml:11:3: `paris` is written twice"]);
    check("hosts:", "hosts: [", expect!["accounts.yaml:4:8: hosts: expected mapping start"]);
}

#[test]
fn a_secret_in_clear_is_refused_and_not_repeated() {
    check(
        "${file:/run/secrets/ims}",
        "hunter2",
        expect![
            "accounts.yaml:9:55: hosts.paris.credentials.password: a secret is written as ${env:NAME} or ${file:PATH}, never in clear"
        ],
    );
    check(
        "\"${file:/run/secrets/ims}\"",
        "[hunter2]",
        expect!["accounts.yaml:9:55: hosts.paris.credentials.password: expected string scalar"],
    );
}

#[test]
fn the_schema_knows_every_key() {
    let schema = File::schema().to_string();
    for key in ["transport", "endpoints", "framing", "irm", "trancode", "timeout_ms", "idempotent", "when", "code_page"] {
        assert!(schema.contains(&format!("\"{key}\"")), "{key}");
    }
}
