//! What messages show of records, and which rules are refused.

use expect_test::{Expect, expect};

use super::{Fields, Kind, Message, MessageModel, MessageRules, models};
use crate::Copybook;

const RECORD: &str = "       01 REC.
       05 REC-KIND PIC X.
          88 IS-PERSON VALUE 'P'.
       05 REC-NO PIC 9(5).
       05 REC-DETAIL PIC X(20).
       05 REC-PERSON REDEFINES REC-DETAIL.
          10 NAME PIC X(10).
          10 BORN PIC 9(8).
       05 REC-COMPANY REDEFINES REC-DETAIL.
          10 NAME PIC X(15).
       05 REC-N PIC 9.
       05 REC-ROW OCCURS 0 TO 5 DEPENDING ON REC-N.
          10 A PIC X.
          10 FILLER PIC X.
          10 FILLER.
             15 B PIC 9.
";

fn build(rules: &str, fields: &str) -> Result<MessageModel, String> {
    let copybook = Copybook::parse("t.cpy", RECORD).unwrap();
    let rules: MessageRules =
        serde_saphyr::from_str(&format!("{{copybook: t.cpy, {rules}}}")).map_err(|error| error.to_string())?;
    let fields: Fields = serde_saphyr::from_str(&format!("{{{fields}}}")).map_err(|error| error.to_string())?;
    let record = copybook.record(None).unwrap();
    models("Op", (record, &rules), (record, &rules), &fields).map(|(request, _)| request).map_err(|error| error.to_string())
}

fn print(message: &Message, depth: usize, out: &mut String) {
    for field in &message.fields {
        let oneof = field.oneof.map_or(String::new(), |oneof| format!(" in {}", message.oneofs[oneof]));
        let repeated = if field.repeated { "repeated " } else { "" };
        out.push_str(&format!("{:indent$}{repeated}{} {}{oneof}\n", "", field.kind.type_name(), field.name, indent = depth * 2));
        if let Kind::Message(inner) = &field.kind {
            print(inner, depth + 1, out);
        }
    }
}

fn check(rules: &str, fields: &str, expected: Expect) {
    let said = build(rules, fields).map_or_else(
        |error| error,
        |model| {
            let mut out = String::new();
            print(&model.message, 0, &mut out);
            out
        },
    );
    expected.assert_eq(&said);
}

#[test]
fn messages_show_what_is_included_and_not_excluded() {
    check(
        "include: [REC-NO, B]",
        "",
        expect![[r#"
        string rec_no
        repeated RecRow rec_row
          uint32 b
    "#]],
    );
    check(
        "exclude: [REC-DETAIL, REC-COMPANY, REC-ROW.A]",
        "",
        expect![[r#"
        string rec_kind
        string rec_no
        RecPerson rec_person
          string name
          uint32 born
        repeated RecRow rec_row
          uint32 b
    "#]],
    );
    check(
        "include: [REC-PERSON], exclude: [BORN]",
        "",
        expect![[r#"
        RecPerson rec_person
          string name
    "#]],
    );
    check(
        "exclude: [REC-DETAIL, REC-PERSON, REC-COMPANY], strip_prefix: REC-, set: {REC-NO: 7}",
        "",
        expect![[r#"
        string kind
        repeated Row row
          string a
          uint32 b
    "#]],
    );
}

#[test]
fn storage_that_is_shared_needs_a_decision() {
    check(
        "",
        "",
        expect![
            "REC-DETAIL (line 5): REC-DETAIL, REC-PERSON, REC-COMPANY share their storage: choose one with `pick:`, several with `when:`, or exclude all but one"
        ],
    );
    check(
        "",
        "REC-DETAIL: {pick: REC-COMPANY}",
        expect![[r#"
        string rec_kind
        string rec_no
        RecCompany rec_company
          string name
        repeated RecRow rec_row
          string a
          uint32 b
    "#]],
    );
    check(
        "",
        "REC-DETAIL: {pick: REC-DETAIL}",
        expect![[r#"
        string rec_kind
        string rec_no
        string rec_detail
        repeated RecRow rec_row
          string a
          uint32 b
    "#]],
    );
    check(
        "",
        "REC-DETAIL: {pick: REC-ROW}",
        expect!["REC-DETAIL (line 5): pick: REC-ROW does not share its storage (there are: REC-DETAIL, REC-PERSON, REC-COMPANY)"],
    );
    check(
        "",
        "REC-PERSON: {when: IS-PERSON}, REC-COMPANY: {when: 'REC-KIND in [\"C\", \"D\"]'}, REC-DETAIL: {when: otherwise}",
        expect![[r#"
        string rec_kind
        string rec_no
        RecPerson rec_person in rec_detail_variant
          string name
          uint32 born
        RecCompany rec_company in rec_detail_variant
          string name
        string rec_detail in rec_detail_variant
        repeated RecRow rec_row
          string a
          uint32 b
    "#]],
    );
    check(
        "",
        "REC-PERSON: {when: REC-KIND = 'P'}",
        expect![[r#"
        string rec_kind
        string rec_no
        RecPerson rec_person in rec_detail_variant
          string name
          uint32 born
        repeated RecRow rec_row
          string a
          uint32 b
    "#]],
    );
    for when in [
        "REC-KIND",
        "REC-KIND is P",
        "REC-KIND = P",
        "NOWHERE = 'P'",
        "REC-PERSON = 'P'",
        "REC-ROW.A = 'P'",
        "REC-KIND in []",
        "REC-KIND in ['P'",
        "= 'P'",
        "''",
        "\"",
    ] {
        let said = build("", &format!("REC-PERSON: {{when: {}}}", serde_json::to_string(when).unwrap())).unwrap_err();
        assert!(said.contains("REC-PERSON (line 6): when: "), "{said}");
    }
}

#[test]
fn names_are_valid_and_unique() {
    let record = "       01 R.
       05 A-B PIC X.
       05 A_B PIC X.
       05 AB PIC X.
       05 1ST-LINE PIC X.
       05 MESSAGE PIC X.
       05 G-A. 10 X PIC X.
       05 G_A. 10 X PIC X.
       05 T PIC X.
          88 T-ON VALUE '1'.
          88 ON VALUE '2'.
          88 UNSPECIFIED VALUE '3'.
       05 $$$ PIC X.
";
    let copybook = Copybook::parse("t.cpy", record).unwrap();
    let fields: Fields = serde_saphyr::from_str("{T: {enum: true}, AB: {name: a_b}}").unwrap();
    let model = MessageModel::build("M", &copybook.records()[0], &MessageRules::default(), &fields).unwrap();
    let mut out = String::new();
    print(&model.message, 0, &mut out);
    if let Some(Kind::Enum(model)) =
        model.message.fields.iter().map(|field| &field.kind).find(|kind| matches!(kind, Kind::Enum(_)))
    {
        out.push_str(&format!("{} {:?}\n", model.unspecified, model.values.iter().map(|value| &value.name).collect::<Vec<_>>()));
    }
    expect![[r#"
        string a_b_2
        string a_b_3
        string a_b
        string f_1st_line
        string message
        GA g_a
          string x
        GA_2 g_a_2
          string x
        T t
        string field
        T_UNSPECIFIED ["T_ON", "T_ON_2", "T_UNSPECIFIED_2"]
    "#]]
    .assert_eq(&out);
}

#[test]
fn rules_that_do_not_fit_are_refused() {
    let table = [
        ("include: [NOWHERE]", ""),
        ("include: [NAME]", ""),
        ("include: [REC-N]", ""),
        ("set: {REC-N: 3}", ""),
        ("set: {REC-ROW: 3}", ""),
        ("unknown: 3", ""),
        ("include: [REC-NO]", "NOWHERE: {name: x}"),
        ("include: [REC-NO]", "REC-NO: {nam: x}"),
        ("include: [REC-NO]", "REC-NO: {name: 1x}"),
        ("include: [REC-NO, REC-KIND]", "REC-NO: {name: x}, REC-KIND: {name: X_}"),
        ("include: [REC-NO, REC-KIND]", "REC-NO: {name: x}, REC-KIND: {name: x}"),
        ("include: [REC-NO]", "REC-NO: {enum: true}"),
        ("include: [REC-KIND]", "REC-KIND: {enum: true, type: kind}"),
        ("include: [REC-KIND]", "REC-KIND: {as: integer}"),
        ("include: [REC-ROW]", "REC-ROW: {as: decimal}"),
        ("include: [REC-NO]", "REC-NO: {as: number}"),
    ];
    let say = |(rules, fields): &(&str, &str)| {
        format!(
            "{rules}; {fields}\n  {}\n",
            build(rules, fields).map_or_else(|error| error.lines().next().unwrap_or_default().to_owned(), |_| "taken".to_owned())
        )
    };
    expect![[r#"
        include: [NOWHERE]; 
          NOWHERE: no such item in REC (there are: REC, REC-KIND, REC-NO, REC-DETAIL, REC-PERSON, NAME, BORN, REC-COMPANY, REC-N, REC-ROW, A, B)
        include: [NAME]; 
          NAME: several items have this name, say which: REC-PERSON.NAME, REC-COMPANY.NAME
        include: [REC-N]; 
          REC-N: this counter is set and read with its table: include the table
        set: {REC-N: 3}; 
          REC-N (line 11): this counter is set with its table and takes no constant
        set: {REC-ROW: 3}; 
          REC-ROW (line 12): a constant needs an elementary item, not a group
        unknown: 3; 
          error: line 1 column 19: unknown field `unknown`, expected one of copybook, record, include, exclude, set, strip_prefix
        include: [REC-NO]; NOWHERE: {name: x}
          NOWHERE: no such item in REC (there are: REC, REC-KIND, REC-NO, REC-DETAIL, REC-PERSON, NAME, BORN, REC-COMPANY, REC-N, REC-ROW, A, B)
        include: [REC-NO]; REC-NO: {nam: x}
          error: line 1 column 11: unknown field `nam`, expected one of name, type, as, enum, pick, when
        include: [REC-NO]; REC-NO: {name: 1x}
          REC-NO (line 4): name: `1x` is no protobuf field name such as `customer_id`
        include: [REC-NO, REC-KIND]; REC-NO: {name: x}, REC-KIND: {name: X_}
          taken
        include: [REC-NO, REC-KIND]; REC-NO: {name: x}, REC-KIND: {name: x}
          REC-NO (line 4): name: `x` is already in use in this message
        include: [REC-NO]; REC-NO: {enum: true}
          REC-NO (line 4): `enum: true` needs level 88 entries
        include: [REC-KIND]; REC-KIND: {enum: true, type: kind}
          REC-KIND (line 2): type: `kind` is no name of a protobuf type such as `AccountType`
        include: [REC-KIND]; REC-KIND: {as: integer}
          REC-KIND (line 2): text can be shown `as: string` or `as: bytes`
        include: [REC-ROW]; REC-ROW: {as: decimal}
          REC-ROW (line 12): a group can be shown `as: string` or `as: bytes` only, and only if its length is fixed
        include: [REC-NO]; REC-NO: {as: number}
          error: line 1 column 15: unknown variant `number`, expected one of string, bytes, integer, decimal
    "#]].assert_eq(&table.iter().map(say).collect::<String>());
}
