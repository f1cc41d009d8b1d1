//! What is read and what is refused, as tables.

use expect_test::{Expect, expect};

use super::{Copybook, Item, PictureKind};
use crate::layout::picture;

/// The items of a text, one a line, or the error.
fn check(source: &str, expected: Expect) {
    let read = Copybook::parse("t.cpy", source).map(|copybook| {
        let mut out = String::new();
        copybook.records().iter().for_each(|record| print(record, 0, &mut out));
        out
    });
    expected.assert_eq(&read.unwrap_or_else(|error| error.to_string()));
}

/// The same with the source in fixed format, from column 8.
fn check_entries(entries: &str, expected: Expect) {
    let source: String = entries.lines().map(|line| format!("       {line}\n")).collect();
    check(&source, expected);
}

fn print(item: &Item, depth: usize, out: &mut String) {
    let mut line =
        format!("{:indent$}{:02} {} {}", "", item.level, item.name, picture(item), indent = depth * 2).trim_end().to_owned();
    if let Some(occurs) = &item.occurs {
        line += &format!(" occurs {}..{}", occurs.minimum, occurs.maximum);
        if let Some(counter) = &occurs.depending_on {
            line +=
                &format!(" by {}", std::iter::once(&counter.name).chain(&counter.of).cloned().collect::<Vec<_>>().join(" of "));
        }
    }
    if let Some(target) = &item.redefines {
        line += &format!(" redefines {target}");
    }
    for (flag, name) in [(item.synchronized, "sync"), (item.justified_right, "just"), (item.blank_when_zero, "blank when zero")] {
        line += &if flag { format!(" {name}") } else { String::new() };
    }
    if let Some(value) = &item.value {
        line += &format!(" = {value:?}");
    }
    out.push_str(&line);
    out.push('\n');
    for condition in &item.conditions {
        out.push_str(&format!("{:indent$}88 {} {:?}\n", "", condition.name, condition.values, indent = depth * 2 + 2));
    }
    item.children.iter().for_each(|child| print(child, depth + 1, out));
}

#[test]
fn pictures_say_digits_scale_and_sign() {
    let table = [
        ("X(3)", "text 3"),
        ("A(2)X9(2)", "text 5"),
        ("9(4)", "4 digits, scale 0"),
        ("S9(4)", "4 digits, scale 0, signed"),
        ("S9(11)V99", "13 digits, scale 2, signed"),
        ("V9(3)", "3 digits, scale 3"),
        ("9(5)V", "5 digits, scale 0"),
        ("PPP9(5)", "5 digits, scale 8"),
        ("VPP9", "1 digits, scale 3"),
        ("SPP99999", "5 digits, scale 7, signed"),
        ("S99999PPP", "5 digits, scale -3, signed"),
        ("9(38)", "38 digits, scale 0"),
    ];
    let say = |text: &str| match super::picture::Picture::parse(text).map(|picture| picture.kind) {
        Ok(PictureKind::Text { characters }) => format!("text {characters}"),
        Ok(PictureKind::Number { digits, scale, signed }) => {
            format!("{digits} digits, scale {scale}{}", if signed { ", signed" } else { "" })
        }
        Err(error) => format!("{}: {}", error.at, error.message),
    };
    for (text, expected) in &table {
        assert_eq!(say(text), *expected, "{text}");
    }
    let refused = [
        "",
        "9(",
        "9(0)",
        "9(x)",
        "XS",
        "9S",
        "SS9",
        "9V9V9",
        "P",
        "9P9",
        "P9P",
        "9V9P",
        "PV9",
        "9(39)",
        "9(30)P(9)",
        "Q",
        "9(4294967296)",
        "é",
    ];
    let all: String = refused.iter().map(|text| format!("{text:12} {}\n", say(text))).collect();
    expect![[r#"
                     0: no symbols
        9(           0: a parenthesis is not closed
        9(0)         0: a repetition must be a whole number from 1
        9(x)         0: a repetition must be a whole number from 1
        XS           1: `S` cannot stand with X or A
        9S           1: S must stand once and first
        SS9          1: S must stand once and first
        9V9V9        3: V must stand once, and not between P and the digits
        P            0: no digit
        9P9          2: digits cannot stand behind P
        P9P          2: P must stand at one end of the digits, outside of the decimals
        9V9P         3: P must stand at one end of the digits, outside of the decimals
        PV9          1: V must stand once, and not between P and the digits
        9(39)        0: more than 38 digits
        9(30)P(9)    0: more than 38 digits
        Q            0: `Q` is no picture symbol (known: X A 9 S V P)
        9(4294967296) 0: a repetition must be a whole number from 1
        é            0: `é` is no picture symbol (known: X A 9 S V P)
    "#]]
    .assert_eq(&all);
}

#[test]
fn what_is_not_read_yet_is_named_with_its_place_and_a_way_out() {
    let table = [
        "01 A PIC Z(5)9.",
        "01 A PIC 9(6).99-.",
        "01 A PIC N(4).",
        "01 A COMP-1.",
        "01 A PIC 9(4) COMP-6.",
        "01 A USAGE POINTER.",
        "01 A PIC X VALUE N'AB'.",
        "01 A. 05 B PIC X. 66 C RENAMES B.",
        "78 MAX VALUE 5.",
        "COPY OTHER REPLACING ==A== BY ==B==.",
        "01 A. COPY OTHER.",
        "01 :TAG:-A PIC X.",
        "01 A. 05 :TAG:-B PIC X.",
        "01 A. EXEC SQL INCLUDE B END-EXEC.",
        "01 A PIC X VALUE MAX-LEN.",
        "01 A LIKE B.",
        "01 A PIC 9(19) COMP.",
    ];
    let say = |text: &&str| format!("{text}\n  {}\n", Copybook::parse("t.cpy", &format!("       {text}\n")).unwrap_err());
    expect![[r#"
        01 A PIC Z(5)9.
          t.cpy:1:17: picture Z(5)9: edited pictures are not read yet: describe the item as X characters
        01 A PIC 9(6).99-.
          t.cpy:1:21: picture 9(6).99-: edited pictures are not read yet: describe the item as X characters
        01 A PIC N(4).
          t.cpy:1:17: picture N(4): national, DBCS and UTF-8 pictures are not read yet: describe the item as X characters, two a character for N and G
        01 A COMP-1.
          t.cpy:1:13: COMP-1 is not read yet: describe the item as X characters
        01 A PIC 9(4) COMP-6.
          t.cpy:1:22: COMP-6 is not read yet: describe the item as X characters
        01 A USAGE POINTER.
          t.cpy:1:13: POINTER is not read yet: describe the item as X characters
        01 A PIC X VALUE N'AB'.
          t.cpy:1:25: N'…' literals are not read yet: write the bytes as X'…'
        01 A. 05 B PIC X. 66 C RENAMES B.
          t.cpy:1:26: RENAMES (level 66) is not read yet: leave the entry out, or describe it with REDEFINES
        78 MAX VALUE 5.
          t.cpy:1:8: constants (level 78) are not read yet: write the number where it is used
        COPY OTHER REPLACING ==A== BY ==B==.
          t.cpy:1:8: COPY is not read yet: put the text in its place, or give the copybook itself
        01 A. COPY OTHER.
          t.cpy:1:14: COPY is not read yet: put the text in its place, or give the copybook itself
        01 :TAG:-A PIC X.
          t.cpy:1:11: a COPY REPLACING placeholder: put the replaced text in its place, this crate does not copy yet
        01 A. 05 :TAG:-B PIC X.
          t.cpy:1:17: a COPY REPLACING placeholder: put the replaced text in its place, this crate does not copy yet
        01 A. EXEC SQL INCLUDE B END-EXEC.
          t.cpy:1:14: EXEC SQL INCLUDE is not read yet: put the text in its place, or give the copybook itself
        01 A PIC X VALUE MAX-LEN.
          t.cpy:1:25: `MAX-LEN` is no literal: constants by name are not read yet, write their value
        01 A LIKE B.
          t.cpy:1:13: `LIKE` is no clause of a data description entry that is read here
        01 A PIC 9(19) COMP.
          t.cpy:1:8: A: binary items of more than 18 digits are not read
    "#]].assert_eq(&table.iter().map(say).collect::<String>());
}

#[test]
fn wrong_texts_are_refused_with_their_place() {
    let table = [
        "",
        "garbage",
        "       hello world.",
        "       01 A PIC.",
        "       01 A PIC X",
        "       01 A PIC X 05 B PIC X.",
        "       50 A PIC X.",
        "       01 A.",
        "       01 A PIC X. 05 B PIC X.",
        "       01 A. 05 B PIC X COMP.",
        "       01 A. 05 B PIC X. 05 D PIC X. 05 C REDEFINES B PIC X.",
        "       01 A. 05 C REDEFINES B PIC X.",
        "       01 A. 05 B PIC X OCCURS 0.",
        "       01 A. 05 B PIC X OCCURS 5 TO 2 DEPENDING ON C.",
        "       01 A. 05 B PIC X OCCURS 1 TO 2.",
        "       01 A OCCURS 5 PIC X.",
        "       01 A PIC X VALUE 'abc.",
        "       01 A PIC X VALUE X'C'.",
        "       01 A PIC X VALUE.",
        "       77 A. 05 B PIC X.",
        "       88 A VALUE 1.",
        "       01 A PIC X. 88 B.",
        "       01 A. 05 B PIC X BLANK WHEN ZERO.",
        "       01 A. 05 B PIC 9 JUST.",
        "       01 A. 05 B PIC 9 COMP BLANK WHEN ZERO.",
        "       01 A PIC 9 SIGN.",
        "       01 A PIC 99 SIGN LEADING SEPARATE.",
    ];
    let say = |text: &&str| match Copybook::parse("t.cpy", text) {
        Ok(_) => format!("{text}\n  read\n"),
        Err(error) => format!("{text}\n  {error}\n"),
    };
    expect![[r#"

          t.cpy:1:1: no data description: a copybook begins with a level number such as 01
        garbage
          t.cpy:1:1: a data description entry was expected: a level number such as 05, a name, and clauses
               hello world.
          t.cpy:1:8: a data description entry was expected: a level number such as 05, a name, and clauses
               01 A PIC.
          t.cpy:1:16: picture : no symbols
               01 A PIC X
          read
               01 A PIC X 05 B PIC X.
          t.cpy:1:19: a number where a clause may begin: is the period missing before it, or cut off behind column 72?
               50 A PIC X.
          t.cpy:1:8: level 50 does not exist: levels are 01 to 49, 77 and 88
               01 A.
          t.cpy:1:8: A: neither PICTURE nor subordinate items
               01 A PIC X. 05 B PIC X.
          t.cpy:1:8: A: an item with subordinate items cannot have a PICTURE: check the level numbers
               01 A. 05 B PIC X COMP.
          t.cpy:1:14: B: this USAGE needs a numeric picture
               01 A. 05 B PIC X. 05 D PIC X. 05 C REDEFINES B PIC X.
          t.cpy:1:8: C (line 1) redefines B, which must stand right before it at the same level
               01 A. 05 C REDEFINES B PIC X.
          t.cpy:1:8: C (line 1) redefines B, which must stand right before it at the same level
               01 A. 05 B PIC X OCCURS 0.
          t.cpy:1:25: OCCURS needs a number from 1, and TO a number that is not less
               01 A. 05 B PIC X OCCURS 5 TO 2 DEPENDING ON C.
          t.cpy:1:25: OCCURS needs a number from 1, and TO a number that is not less
               01 A. 05 B PIC X OCCURS 1 TO 2.
          t.cpy:1:25: OCCURS … TO needs DEPENDING ON
               01 A OCCURS 5 PIC X.
          t.cpy:1:8: A: OCCURS cannot stand at level 01 or 77: put the table into a group
               01 A PIC X VALUE 'abc.
          t.cpy:1:25: the literal is not closed on its line: close it, or continue it with `-` in column 7
               01 A PIC X VALUE X'C'.
          t.cpy:1:25: X'…' needs pairs of hexadecimal digits
               01 A PIC X VALUE.
          t.cpy:1:24: VALUE needs a literal
               77 A. 05 B PIC X.
          t.cpy:1:8: A: neither PICTURE nor subordinate items
               88 A VALUE 1.
          t.cpy:1:8: level 88 needs an item before it
               01 A PIC X. 88 B.
          t.cpy:1:24: level 88 needs VALUE
               01 A. 05 B PIC X BLANK WHEN ZERO.
          t.cpy:1:14: B: BLANK WHEN ZERO needs a numeric picture
               01 A. 05 B PIC 9 JUST.
          t.cpy:1:14: B: JUSTIFIED is for text
               01 A. 05 B PIC 9 COMP BLANK WHEN ZERO.
          t.cpy:1:14: B: BLANK WHEN ZERO needs USAGE DISPLAY
               01 A PIC 9 SIGN.
          t.cpy:1:23: SIGN needs a name
               01 A PIC 99 SIGN LEADING SEPARATE.
          t.cpy:1:8: A: SIGN needs a picture with S
    "#]]
    .assert_eq(&table.iter().map(say).collect::<String>());
}

#[test]
fn clauses_come_in_any_order_and_groups_hand_down_usage_and_sign() {
    check_entries(
        "01 REC.
  05 GRP USAGE COMP-3.
    10 A PIC S9(5).
    10 B PIC S9(5) BINARY.
    10 PIC 9(3).
  05 SIGN IS LEADING SEPARATE CHARACTER.
    10 C PIC S99.
    10 D PIC 99.
    10 E PIC S99 TRAILING.
  05 F VALUE ZERO SYNC PIC S9(9) USAGE IS COMPUTATIONAL-5.
  05 G PIC X(5) JUSTIFIED RIGHT VALUE SPACES.
  05 H PIC 9(5) BLANK WHEN ZEROES.
  05 T OCCURS 1 TO 9 TIMES DEPENDING ON B OF GRP
     ASCENDING KEY IS K INDEXED BY I J.
    10 K PIC X.
  05 U REDEFINES G.
    10 FILLER PIC XX.",
        expect!["t.cpy:1:8: U (line 16) redefines G, which must stand right before it at the same level"],
    );
    check_entries(
        "01 REC.
  05 G PIC X(5) VALUE 'it''s'.
  05 U REDEFINES G PIC X.
  05 V REDEFINES G PIC 9 OCCURS 5 DEPENDING ON G.
    88 EVEN VALUES ARE 0 2 THRU 4, 6 8.
    88 LOW VALUE LOW-VALUES WHEN SET TO FALSE 'X'.
    88 HEX VALUE X'00FF' ALL 'ab' -1.5.
  77 W PIC X EXTERNAL.",
        expect![[r#"
            01 REC
              05 G X(5) = Text("it's")
              05 U X redefines G
              05 V 9 occurs 1..5 by G redefines G
                88 EVEN [One(Number { unscaled: 0, scale: 0 }), Range(Number { unscaled: 2, scale: 0 }, Number { unscaled: 4, scale: 0 }), One(Number { unscaled: 6, scale: 0 }), One(Number { unscaled: 8, scale: 0 })]
                88 LOW [One(LowValues)]
                88 HEX [One(Bytes([0, 255])), One(All("ab")), One(Number { unscaled: -15, scale: 1 })]
            77 W X
        "#]],
    );
}

#[test]
fn the_reference_format_is_found_out() {
    // Sequence numbers, remarks from column 73, comments, debugging lines, tabs, continued literals and words.
    check(
        "000100* remark 01 X PIC X.
000200 01  REC.                                                         REMARK01
000300/    new page
000400\t   05  A   PIC X(3) VALUE 'AB
000500-              'C'.
000600D    05  DEBUG-ONLY PIC X.
000700     05  LONG-
000800-    NAME PIC X. *> a remark with 'an open quote
000900     05  B
001000         PIC 9.                                                   00000010
",
        expect![[r#"
            01 REC
              05 A X(3) = Text("AB                                   C")
              05 LONG-NAME X
              05 B 9
        "#]],
    );
    check(
        "*> free format
01 REC.
  05 A PIC X. *> behind
05 B
  PIC X.
",
        expect![[r#"
            01 REC
              05 A X
              05 B X
        "#]],
    );
    check(
        "      >>SOURCE FORMAT IS FREE\n 05 A PIC X.\n",
        expect![[r#"
        05 A X
    "#]],
    );
    check(
        "\u{feff}       01 A PIC X.\r\n\u{1a}",
        expect![[r#"
        01 A X
    "#]],
    );
}

#[test]
fn fragments_get_a_record_around_them() {
    check_entries(
        "05 ONE.\n  10 A PIC X.",
        expect![[r#"
        05 ONE
          10 A X
    "#]],
    );
    check_entries(
        "05 A PIC X.\n05 B REDEFINES A PIC 9.",
        expect![[r#"
        01 T
          05 A X
          05 B 9 redefines A
    "#]],
    );
    check_entries(
        "05 A PIC X OCCURS 3.",
        expect![[r#"
        01 T
          05 A X occurs 3..3
    "#]],
    );
}

#[test]
fn a_program_gives_its_records_and_leaves_aside_what_it_cannot_read() {
    let program = "       IDENTIFICATION DIVISION.
       PROGRAM-ID. P.
       AUTHOR. J. O'BRIEN.
       DATA DIVISION.
       FILE SECTION.
       FD F RECORDING MODE F.
       01 F-REC PIC X(80).
       WORKING-STORAGE SECTION.
       01 W-EDIT PIC Z(5)9.
          05 ODD PIC X.
       COPY CONSTANTS.
       01 W-COPIED.
       COPY OTHER.
       01 W-EMPTY.
       01 W-GOOD. 05 A PIC X.
       EXEC SQL BEGIN DECLARE SECTION END-EXEC.
       LINKAGE SECTION.
       01 DFHCOMMAREA. 05 B PIC X.
       77 C PIC 9.
       PROCEDURE DIVISION.
           MOVE 'O' TO C.
";
    check(
        program,
        expect![[r#"
        01 F-REC X(80)
        01 W-GOOD
          05 A X
        01 DFHCOMMAREA
          05 B X
        77 C 9
    "#]],
    );
    let copybook = Copybook::parse("p.cob", program).unwrap();
    assert_eq!(copybook.record(None).unwrap().name, "DFHCOMMAREA");
    let say = |name: &str| copybook.record(Some(name)).unwrap_err().to_string() + "\n";
    expect![[r#"
        W-EDIT: p.cob:9:22: picture Z(5)9: edited pictures are not read yet: describe the item as X characters
        W-COPIED: p.cob:13:8: COPY is not read yet: put the text in its place, or give the copybook itself
        W-EMPTY: p.cob:14:8: W-EMPTY: neither PICTURE nor subordinate items
        NOWHERE: no such record (there are: F-REC, W-GOOD, DFHCOMMAREA, C)
    "#]]
    .assert_eq(&["W-EDIT", "W-COPIED", "W-EMPTY", "nowhere"].map(say).concat());
}
