//! `passerelle publish` and `passerelle tail` against a running bus.

use expect_test::{Expect, expect};
use passerelle_peers::Run;
use passerelle_system::{Daemon, World};

fn publish(daemon: &Daemon, arguments: &[&str]) -> Run {
    World::default().run(&[&["publish", "--address", &daemon.address()], arguments].concat())
}

/// All that is shown until the end.
fn tail(daemon: &Daemon, arguments: &[&str]) -> Run {
    World::default().run(&[&["tail", "--stop-at-end", "--address", &daemon.address()], arguments].concat())
}

#[track_caller]
fn printed(run: &Run, expected: Expect) {
    assert!(run.status.success(), "{run:?}");
    expected.assert_eq(&run.stdout);
}

#[test]
fn what_is_published_is_followed() {
    let daemon = World::default().settings("").serve();
    let follower = World::start(&["tail", "--json", "--from", "start", "--address", &daemon.address()]);
    let filled = ["--type", "shop.basket.filled", "--id", "1", "--source", "/web/shop", "--data", r#"{"basket": 7}"#];
    printed(&publish(&daemon, &filled), expect!["position 1, DURABLE\n"]);
    printed(&publish(&daemon, &filled), expect!["position 1, DURABLE, published before\n"]);
    printed(&publish(&daemon, &["--type", "a", "--acknowledge", "accepted"]), expect!["ACCEPTED\n"]);

    let shown = follower
        .line_after(r#"{"position":1,"specversion":"1.0","id":"1","source":"/web/shop","type":"shop.basket.filled","time":""#);
    assert!(shown.ends_with(r#"Z","datacontenttype":"application/json","data":{"basket":7}}"#), "{shown}");
    let mut follower = follower;
    follower.line_after(r#"{"position":2,"#);
    follower.interrupt();
    assert!(follower.wait().success(), "Ctrl-C is how a follower is meant to end");
}

#[test]
fn lines_are_published_one_by_one_or_as_a_stream_and_once_however_often() {
    let daemon = World::default().settings("").serve();
    let line = |id: u32| format!("{{\"id\":\"{id}\",\"source\":\"/s\",\"type\":\"t\",\"data\":{id}}}\n");
    let lines: String = (1..=3).map(line).collect();
    let send = |arguments: &[&str], lines: &str| {
        World::default().run_with(&[&["publish", "--address", &daemon.address()], arguments].concat(), lines)
    };
    printed(
        &send(&[], &lines),
        expect![[r#"
            position 1, DURABLE
            position 2, DURABLE
            position 3, DURABLE
        "#]],
    );
    let many: String = (1..=2000).map(line).collect();
    printed(&send(&["--stream"], &many), expect!["2000 messages DURABLE, up to position 2000\n"]);

    let all = tail(&daemon, &["--json", "--from", "start"]);
    let numbers: Vec<&str> = all.stdout.lines().filter_map(|line| line.rsplit_once(r#""data":"#)?.1.strip_suffix('}')).collect();
    assert_eq!(numbers, (1..=2000).map(|number| number.to_string()).collect::<Vec<_>>());

    let broken = send(&["--stream"], &format!("{}{{\"id\": 5}}\n", line(2001)));
    assert_eq!(broken.status.code(), Some(2), "{broken:?}");
    assert_eq!(broken.stdout, "1 message DURABLE, position 2001\n");
    assert!(broken.stderr.contains("line 2 of standard input: invalid type"), "{broken:?}");
    let again = World::default().run_with(&["publish", "--stream", "--address", &daemon.address()], &all.stdout);
    printed(&again, expect!["2000 messages DURABLE, up to position 2000\n"]);
}

#[test]
fn a_line_for_people_has_no_personal_data_unless_asked_for() {
    let daemon = World::default().settings("").serve();
    let line = r#"{"id":"1","source":"/web","type":"shop.left","subject":"b-7","time":"2026-01-31T12:00:00Z","customer":"4711","datacontenttype":"text/plain","data":"call me"}"#;
    World::default().run_with(&["publish", "--address", &daemon.address()], line);
    let line = |run: Run| Run { stdout: run.stdout.trim_start().to_owned(), ..run };
    printed(
        &line(tail(&daemon, &["--from", "start"])),
        expect!["1  2026-01-31T12:00:00Z  shop.left  /web  b-7  7 bytes of text/plain\n"],
    );
    printed(
        &line(tail(&daemon, &["--from", "start", "--show-data"])),
        expect!["1  2026-01-31T12:00:00Z  shop.left  /web  b-7  7 bytes of text/plain  customer 4711  call me\n"],
    );
}

#[test]
fn filters_show_what_fits() {
    let daemon = World::default().settings("").serve();
    for (kind, source, channel) in [("shop.a", "/web", "web"), ("shop.b", "/web", "mobile"), ("bank.a", "/branch", "branch")] {
        publish(&daemon, &["--type", kind, "--source", source, "--channel", channel]);
    }
    let cases: [(&[&str], &str); 6] = [
        (&[], "1 2 3"),
        (&["--type", "shop.*"], "1 2"),
        (&["--type", "shop.*", "--channel", "web"], "1"),
        (&["--type", "shop.a", "--type", "bank.*"], "1 3"),
        (&["--source", "/branch"], "3"),
        (&["--subject", "x"], ""),
    ];
    for (filter, expected) in cases {
        let shown = tail(&daemon, &[&["--from", "start"], filter].concat());
        let positions: Vec<&str> = shown.stdout.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(positions.join(" "), expected, "{filter:?}: {shown:?}");
    }
}

#[test]
fn a_durable_name_goes_on_where_it_stopped_also_over_a_restart() {
    let mut daemon = World::default().settings("").serve();
    let ids = |run: &Run| {
        run.stdout
            .lines()
            .filter_map(|line| Some(line.split_once(r#""id":""#)?.1.split_once('"')?.0))
            .collect::<Vec<_>>()
            .join(" ")
    };
    for id in ["a", "b", "c"] {
        publish(&daemon, &["--type", "t", "--id", id]);
    }
    let next = ["--name", "billing", "--json", "--count", "2"];
    assert_eq!(ids(&tail(&daemon, &next)), "a b");
    daemon = daemon.restart();
    publish(&daemon, &["--type", "t", "--id", "d"]);
    assert_eq!(ids(&tail(&daemon, &next)), "c d");
    daemon = daemon.kill().serve();
    assert_eq!(ids(&tail(&daemon, &next)), "");
    assert_eq!(ids(&tail(&daemon, &["--name", "other", "--json"])), "a b c d");
}

#[test]
fn bad_input_says_what_is_wrong_and_the_way_out() {
    let daemon = World::default().settings("").serve();
    let here = daemon.address();
    let cases: [(&[&str], i32, &str); 11] = [
        (
            &["publish", "--address", &here, "--type", "a\tb"],
            1,
            "INVALID_ARGUMENT: message 0 (counted from 0): type has a control character",
        ),
        (&["publish", "--address", &here, "--type", "t", "--id", ""], 1, "id is missing; source and id name a message"),
        (&["publish", "--address", &here, "--type", "t", "--data", "@no-such-file"], 2, "--data @no-such-file: No such file"),
        (&["publish", "--address", &here, "--stream", "--type", "t"], 2, "cannot be used with"),
        (&["publish", "--address", &here, "--type", "t", "--acknowledge", "effected"], 2, "[possible values: accepted, durable]"),
        (&["publish", "--address", "http://127.0.0.1:1", "--type", "t"], 1, "P0012"),
        (&["tail", "--address", &here, "--from", "9"], 1, "OUT_OF_RANGE: position 9 is not written yet, the last one is 0"),
        (&["tail", "--address", &here, "--from", "soon"], 2, "write start, end, or a position such as 1042"),
        (&["tail", "--address", &here, "--name", "a b"], 1, "durable_name: 1 to 128 letters, digits"),
        (&["tail", "--address", &here, "--type", "a*b"], 1, "filter.types: value 0 has a `*` that is not at its end"),
        (&["tail", "--address", &here, "--name", "a", "--from", "start"], 2, "cannot be used with"),
    ];
    for (arguments, code, expected) in cases {
        let run = World::default().run(arguments);
        assert_eq!(run.status.code(), Some(code), "{arguments:?}: {run:?}");
        assert!(run.stderr.contains(expected), "{arguments:?}: {run:?}");
        assert!(run.stdout.is_empty(), "{arguments:?}: {run:?}");
    }
    let large = "x".repeat(1 << 20);
    let run = World::default().run_with(&["publish", "--address", &here, "--type", "t", "--data", "-"], &large);
    assert!(run.stderr.contains("bytes, at most 1048576 are taken; leave larger bodies where they are"), "{run:?}");
}

#[test]
fn what_the_journal_promises_is_shown_with_its_methods() {
    let daemon = World::default().settings("").serve();
    let listed = World::default().run(&["call", "--show", "--address", &daemon.address()]);
    assert!(listed.stdout.contains("PublishResponse  (DURABLE)"), "{listed:?}");
    let shown = World::default().run(&["call", "Journal/Publish", "--show", "--address", &daemon.address()]);
    assert!(shown.stdout.contains("\nanswers when it is DURABLE: in the journal, on disk; no crash loses it\n"), "{shown:?}");
}
