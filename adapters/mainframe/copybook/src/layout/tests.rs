//! Layouts, as tables.

use expect_test::{Expect, expect};

use super::{Layout, Placement};
use crate::Copybook;

fn check(entries: &str, expected: Expect) {
    let source: String = entries.lines().map(|line| format!("       {line}\n")).collect();
    let copybook = Copybook::parse("t.cpy", &source).unwrap();
    let layout = Layout::of(copybook.record(None).unwrap());
    expected.assert_eq(&layout.map_or_else(|error| error.to_string(), |layout| layout.to_string()));
}

#[test]
fn usages_have_their_lengths() {
    check(
        "01 R.
05 A PIC S9(4) COMP.
05 B PIC 9(5) BINARY.
05 C PIC 9(10) COMP-5.
05 D PIC S9(4) COMP-3.
05 E PIC S9(5) COMP-3.
05 F PIC S9(3)V9.
05 G PIC S9(3) SIGN TRAILING SEPARATE.
05 H PIC PPP9(2).",
        expect![[r#"
            offset length  item
                 0     30  01 R
                 0      2    05 A S9(4) COMP
                 2      4    05 B 9(5) COMP
                 6      8    05 C 9(10) COMP-5
                14      3    05 D S9(4) COMP-3
                17      3    05 E S9(5) COMP-3
                20      4    05 F S9(3)V9
                24      4    05 G S9(3) SIGN TRAILING SEPARATE
                28      2    05 H PPP9(2)
            30 bytes
        "#]],
    );
}

#[test]
fn what_redefines_lies_on_what_it_redefines_and_the_longest_counts() {
    check(
        "01 R.
05 A PIC X(2).
05 B REDEFINES A PIC X(7).
05 C REDEFINES A.
  10 D PIC X.
  10 E REDEFINES D PIC X(3).
  10 F PIC X.
05 G PIC X.",
        expect![[r#"
            offset length  item
                 0      8  01 R
                 0      2    05 A X(2)
                 0      7    05 B X(7) redefines A
                 0      4    05 C redefines A
                 0      1      10 D X
                 0      3      10 E X(3) redefines D
                 3      1      10 F X
                 7      1    05 G X
            8 bytes
        "#]],
    );
}

#[test]
fn what_follows_a_variable_table_slides() {
    check(
        "01 R.
05 N PIC 99.
05 T OCCURS 0 TO 5 DEPENDING ON N.
  10 M PIC 9.
  10 U OCCURS 1 TO 3 DEPENDING ON M PIC X(2).
05 Z PIC X.
05 L OCCURS 2.
  10 K PIC X.",
        expect![[r#"
            offset length  item
                 0     40  01 R
                 0      2    05 N 99
                 2      7    05 T x5 occurs 0 to 5 depending on N
                 2      1      10 M 9
                 3      2      10 U x3 X(2) occurs 1 to 3 depending on M
                37+     1    05 Z X
                38+     1    05 L x2
                38+     1      10 K X
            5 to 40 bytes; + lies further in front when the table before it is not full
        "#]],
    );
}

#[test]
fn synchronized_items_get_slack_bytes() {
    // The sizes are those that GnuCOBOL gives: 25 and 26 bytes.
    check(
        "01 R.
05 A PIC X.
05 B PIC S9(4) COMP SYNC.
05 C PIC X.
05 D PIC S9(9) COMP SYNC.
05 E PIC X.
05 F PIC S9(18) COMP SYNC.
05 G PIC X.",
        expect![[r#"
            offset length  item
                 0     25  01 R
                 0      1    05 A X
                 2      2    05 B S9(4) COMP
                 4      1    05 C X
                 8      4    05 D S9(9) COMP
                12      1    05 E X
                16      8    05 F S9(18) COMP
                24      1    05 G X
            25 bytes
        "#]],
    );
    check(
        "01 R.
05 A PIC X.
05 T OCCURS 3.
  10 B PIC X.
  10 C PIC S9(9) COMP SYNC.
  10 D PIC X.
05 E PIC X.",
        expect![[r#"
            offset length  item
                 0     26  01 R
                 0      1    05 A X
                 1      8    05 T x3
                 1      1      10 B X
                 4      4      10 C S9(9) COMP
                 8      1      10 D X
                25      1    05 E X
            26 bytes
        "#]],
    );
}

#[test]
fn records_without_a_layout_say_why() {
    check(
        "01 R.\n05 T OCCURS 0 TO 5 DEPENDING ON N PIC X.",
        expect!["T (line 2): DEPENDING ON N: no such item in this record: the counter must lie in the record it counts for"],
    );
    check(
        "01 R.\n05 N PIC X.\n05 T OCCURS 0 TO 5 DEPENDING ON N PIC X.",
        expect!["T (line 3): DEPENDING ON N: a counter must be a number without decimals"],
    );
    check(
        "01 R.\n05 T OCCURS 0 TO 5 DEPENDING ON N PIC X.\n05 N PIC 9.",
        expect!["T (line 2): DEPENDING ON N: the counter must lie before the table"],
    );
    check(
        "01 R.\n05 A.\n10 N PIC 9.\n05 B.\n10 N PIC 9.\n05 T OCCURS 0 TO 5 DEPENDING ON N PIC X.",
        expect!["T (line 6): DEPENDING ON N: several items have this name: qualify it with OF"],
    );
    check(
        "01 R.\n05 A OCCURS 2.\n10 N PIC 9.\n05 T OCCURS 0 TO 5 DEPENDING ON N PIC X.",
        expect!["T (line 4): DEPENDING ON N: the counter lies in another table, which would take a subscript"],
    );
    check(
        "01 R.\n05 N PIC 9.\n05 T OCCURS 0 TO 5 DEPENDING ON N PIC X.\n05 S PIC 9(4) COMP SYNC.",
        expect!["S (line 4): SYNCHRONIZED behind OCCURS DEPENDING ON has no fixed slack bytes: put the item before the table"],
    );
    check(
        "01 R.\n05 N PIC 9.\n05 T.\n10 U OCCURS 0 TO 5 DEPENDING ON N PIC X.\n05 S REDEFINES T PIC X.",
        expect!["S (line 5): redefines an item with OCCURS DEPENDING ON, which has no fixed place"],
    );
    check(
        "01 R.\n05 T OCCURS 9999999.\n10 U PIC X(9999999).",
        expect!["T (line 2): the record is longer than 33554432 bytes here"],
    );
}

#[test]
fn items_are_found_by_name_path_or_groups_around_them() {
    let source = "       01 R.\n       05 A. 10 N PIC X. 10 B. 15 N PIC X.\n       05 C. 10 N PIC X. 10 N PIC X.\n";
    let copybook = Copybook::parse("t.cpy", source).unwrap();
    let placement = Placement::of(copybook.record(None).unwrap()).unwrap();
    let say = |name: &str| match placement.find(name) {
        Ok(id) => format!("{name}: {}\n", placement.nodes[id].path),
        Err(error) => format!("{error}\n"),
    };
    expect![[r#"
        a: A
        a.n: A.N
        B.N: A.B.N
        R.B.N: A.B.N
        n: several items have this name, say which: A.N, A.B.N, C.N, C.N#2
        C.N#2: C.N#2
        X: no such item in R (there are: R, A, N, B, C)
        B.A: no such item in R (there are: R, A, N, B, C)
    "#]]
    .assert_eq(&["a", "a.n", "B.N", "R.B.N", "n", "C.N#2", "X", "B.A"].map(say).concat());
}
