//! Patterns that are wrong, and what is said of them.

use expect_test::{Expect, expect};

use super::Set;
use crate::route::Sources;
use crate::written::Text;

fn told(patterns: &str, expected: Expect) {
    let text = format!("patterns:\n{patterns}");
    let read = Sources::read(vec![Text { name: "a.yaml".to_owned(), text }]);
    let told = match read.and_then(|sources| Set::compile(&sources)) {
        Ok(set) => format!("{} patterns", set.names().len()),
        Err(refused) => refused.to_string(),
    };
    expected.assert_eq(&told);
}

#[test]
fn what_is_wrong_with_a_pattern_is_told_with_its_place() {
    told("  - { name: a, from: x, tap: { to: y } }", expect!["1 patterns"]);
    told(
        "  - { name: a, from: x }",
        expect![
            "a.yaml:2:13: pattern a: it needs one of `aggregate`, `split`, `resequence`, `tap`, `recipients`, `scatter_gather`, `request_reply`, `detour`, and only one"
        ],
    );
    told(
        "  - { name: a, from: x, tap: { to: y }, detour: { to: y, through: z } }",
        expect![
            "a.yaml:2:13: pattern a: it needs one of `aggregate`, `split`, `resequence`, `tap`, `recipients`, `scatter_gather`, `request_reply`, `detour`, and only one"
        ],
    );
    told(
        "  - { name: a/b, from: [], tap: { to: '*' } }",
        expect![[r#"
        a.yaml:2:13: pattern a/b: a pattern's name has 1 to 50 letters, digits, `-`, `_` and `.`
        a.yaml:2:24: pattern a/b: from: it needs a type
        a.yaml:2:13: pattern a/b: tap.to: a type has 1 to 256 bytes, and no `*`"#]],
    );
    told(
        "  - { name: a, from: x, tap: { to: y } }\n  - { name: a, from: x, tap: { to: y } }",
        expect!["a.yaml:3:13: pattern a: a.yaml:2:13 has the same name"],
    );
    told(
        "  - { name: a, from: a*b, when: kind = 1, tap: { to: y } }",
        expect![[r#"
        a.yaml:2:22: pattern a: from: `a*b` has a `*` that is not at its end; only a final one is understood
        a.yaml:2:33: pattern a: when: `kind` is not known here; known are id, source, type, subject, customer, channel, reason, contract, correlation_id, causation_id, priority, sequence_number, sequence_size, data"#]],
    );
    told(
        "  - { name: a, from: x, recipients: { list: 'for x in' } }",
        expect![[r#"
        a.yaml:2:45: pattern a: recipients.list: expected a value, at line 1, column 9
          for x in
                  ^"#]],
    );
    told(
        "  - { name: a, from: x, aggregate: { by: id, count: parts, until: data.a, within_seconds: 0, limits: { messages: 1001 }, incomplete: publish, publish: { type: '' } } }",
        expect![[r#"
            a.yaml:2:53: pattern a: aggregate.count: `parts` is not known here; known are id, source, type, subject, customer, channel, reason, contract, correlation_id, causation_id, priority, sequence_number, sequence_size, data
            a.yaml:2:67: pattern a: aggregate.until: `data` is not known here; known are parts, count, last, complete
            a.yaml:2:13: pattern a: aggregate.within_seconds: 0 seconds, 1 to 2592000 are taken
            a.yaml:2:13: pattern a: aggregate.limits: 1 to 1000 messages and 1 to 524288 bytes are taken
            a.yaml:2:13: pattern a: aggregate.publish.type: a type has 1 to 256 bytes, and no `*`"#]],
    );
    told(
        "  - { name: a, from: x, aggregate: { by: id, publish: { type: y } } }",
        expect!["a.yaml:2:46: patterns[0].aggregate: missing field `incomplete`"],
    );
    told(
        "  - { name: a, from: x, scatter_gather: { to: [], answers: given, within_seconds: 1, incomplete: publish, publish: { type: z } } }",
        expect!["a.yaml:2:13: pattern a: scatter_gather.to: 0 types, 1 to 100 are taken"],
    );
}
