//! Single items both ways.

use expect_test::{Expect, expect};

use super::{bytes, codec, hex};
use crate::{BinaryRange, ByteOrder, CodePage, Encoding, InvalidNumeric};

/// What a field of these bytes is, and the bytes it is written back as when they differ.
fn one(clauses: &str, encoding: &Encoding, given: &str) -> String {
    let codec = codec(&format!("01 R.\n05 F {clauses}."), "", encoding);
    let json = match codec.decode_json(&bytes(given)) {
        Ok(json) => json,
        Err(error) => return format!("{clauses} {given}: {error}\n"),
    };
    let back = codec.encode_json(&json).map_or_else(|error| error.to_string(), |record| hex(&record));
    let back = if back == given { String::new() } else { format!(" written {back}") };
    format!("{clauses} {given}: {}{back}\n", json.get("f").unwrap_or(&serde_json::Value::Null))
}

fn check(encoding: &Encoding, table: &[(&str, &[&str])], expected: Expect) {
    let lines = table.iter().flat_map(|(clauses, values)| values.iter().map(move |value| one(clauses, encoding, value)));
    expected.assert_eq(&lines.collect::<String>());
}

#[test]
fn packed_digits_are_numbers() {
    let table: [(&str, &[&str]); 6] = [
        (
            "PIC S9(5) COMP-3",
            &[
                "12345C", "12345D", "00000C", "00000D", "12345A", "12345B", "12345E", "12345F", "123451", "1A345C", "404040",
                "000000",
            ],
        ),
        ("PIC S9(4) COMP-3", &["01234D", "11234D"]),
        ("PIC 9(3) COMP-3", &["123F", "123C", "123D"]),
        ("PIC S9(11)V99 COMP-3", &["0000001234567D", "9999999999999C", "0000000000005D"]),
        ("PIC 9(19) COMP-3", &["9999999999999999999F"]),
        ("PIC S9(38) COMP-3", &["099999999999999999999999999999999999999D"]),
    ];
    check(
        &Encoding::default(),
        &table,
        expect![[r#"
        PIC S9(5) COMP-3 12345C: 12345
        PIC S9(5) COMP-3 12345D: -12345
        PIC S9(5) COMP-3 00000C: null
        PIC S9(5) COMP-3 00000D: null written 00000C
        PIC S9(5) COMP-3 12345A: 12345 written 12345C
        PIC S9(5) COMP-3 12345B: -12345 written 12345D
        PIC S9(5) COMP-3 12345E: 12345 written 12345C
        PIC S9(5) COMP-3 12345F: 12345 written 12345C
        PIC S9(5) COMP-3 123451: F at offset 0, 3 bytes: packed sign X'1' is none of A to F
        PIC S9(5) COMP-3 1A345C: F at offset 0, 3 bytes: X'A' is no digit
        PIC S9(5) COMP-3 404040: F at offset 0, 3 bytes: a number of spaces or low-values: `invalid_numeric` says what else to make of it
        PIC S9(5) COMP-3 000000: F at offset 0, 3 bytes: a number of spaces or low-values: `invalid_numeric` says what else to make of it
        PIC S9(4) COMP-3 01234D: -1234
        PIC S9(4) COMP-3 11234D: F at offset 0, 3 bytes: packed digits beyond its picture
        PIC 9(3) COMP-3 123F: 123
        PIC 9(3) COMP-3 123C: 123 written 123F
        PIC 9(3) COMP-3 123D: F at offset 0, 2 bytes: a minus sign, and the picture has no S
        PIC S9(11)V99 COMP-3 0000001234567D: "-12345.67"
        PIC S9(11)V99 COMP-3 9999999999999C: "99999999999.99"
        PIC S9(11)V99 COMP-3 0000000000005D: "-0.05"
        PIC 9(19) COMP-3 9999999999999999999F: "9999999999999999999"
        PIC S9(38) COMP-3 099999999999999999999999999999999999999D: "-99999999999999999999999999999999999999"
    "#]],
    );
}

#[test]
fn zoned_digits_are_numbers() {
    let table: [(&str, &[&str]); 9] = [
        ("PIC 9(3)", &["F0F0F7", "F0F0C7", "F0F0D7", "F0C0F7", "F0FAF0", "404040", "000000", "4040F7", "F1F2"]),
        ("PIC S9(3)", &["F1F2C3", "F1F2D3", "F1F2F3", "F1F2A3", "F1F2B3", "F1F2E3", "F1F203", "F0F0D0"]),
        ("PIC S9(3) SIGN LEADING", &["D1F2F3", "C1F2F3", "F1F2D3"]),
        ("PIC S9(3) SIGN LEADING SEPARATE", &["4EF1F2F3", "60F1F2F3", "40F1F2F3", "F1F2F360"]),
        ("PIC S9(3) SIGN TRAILING SEPARATE", &["F1F2F34E", "F1F2F360"]),
        ("PIC S9(3)V9(4)", &["F0F0F1F2F5F0D0"]),
        ("PIC PPP9(2)", &["F1F2"]),
        ("PIC S9(2)PPP", &["F1D2", "F0C0"]),
        ("PIC 9(3) BLANK WHEN ZERO", &["404040", "F0F0F0", "F0F0F1"]),
    ];
    check(
        &Encoding::default(),
        &table,
        expect![[r#"
            PIC 9(3) F0F0F7: 7
            PIC 9(3) F0F0C7: 7 written F0F0F7
            PIC 9(3) F0F0D7: F at offset 0, 3 bytes: a minus sign, and the picture has no S
            PIC 9(3) F0C0F7: F at offset 0, 3 bytes: a byte that is no digit
            PIC 9(3) F0FAF0: F at offset 0, 3 bytes: X'A' is no digit
            PIC 9(3) 404040: F at offset 0, 3 bytes: a number of spaces or low-values: `invalid_numeric` says what else to make of it
            PIC 9(3) 000000: F at offset 0, 3 bytes: a number of spaces or low-values: `invalid_numeric` says what else to make of it
            PIC 9(3) 4040F7: F at offset 0, 3 bytes: a byte that is no digit
            PIC 9(3) F1F2: R at offset 0, 3 bytes: the record has 2 bytes, 1 too few
            PIC S9(3) F1F2C3: 123
            PIC S9(3) F1F2D3: -123
            PIC S9(3) F1F2F3: 123 written F1F2C3
            PIC S9(3) F1F2A3: 123 written F1F2C3
            PIC S9(3) F1F2B3: -123 written F1F2D3
            PIC S9(3) F1F2E3: 123 written F1F2C3
            PIC S9(3) F1F203: F at offset 0, 3 bytes: zoned sign X'0' is none of A to F
            PIC S9(3) F0F0D0: null written F0F0C0
            PIC S9(3) SIGN LEADING D1F2F3: -123
            PIC S9(3) SIGN LEADING C1F2F3: 123
            PIC S9(3) SIGN LEADING F1F2D3: F at offset 0, 3 bytes: a byte that is no digit
            PIC S9(3) SIGN LEADING SEPARATE 4EF1F2F3: 123
            PIC S9(3) SIGN LEADING SEPARATE 60F1F2F3: -123
            PIC S9(3) SIGN LEADING SEPARATE 40F1F2F3: F at offset 0, 4 bytes: a sign character that is neither + nor -
            PIC S9(3) SIGN LEADING SEPARATE F1F2F360: F at offset 0, 4 bytes: a sign character that is neither + nor -
            PIC S9(3) SIGN TRAILING SEPARATE F1F2F34E: 123
            PIC S9(3) SIGN TRAILING SEPARATE F1F2F360: -123
            PIC S9(3)V9(4) F0F0F1F2F5F0D0: "-1.2500"
            PIC PPP9(2) F1F2: "0.00012"
            PIC S9(2)PPP F1D2: "-12000"
            PIC S9(2)PPP F0C0: "0"
            PIC 9(3) BLANK WHEN ZERO 404040: null
            PIC 9(3) BLANK WHEN ZERO F0F0F0: null written 404040
            PIC 9(3) BLANK WHEN ZERO F0F0F1: 1
        "#]],
    );
    let ascii: [(&str, &[&str]); 3] = [
        ("PIC S9(3)", &["31327B", "313243", "31327D", "31324C", "313273", "313233", "313261"]),
        ("PIC S9(3) SIGN TRAILING SEPARATE", &["3132332B", "3132332D"]),
        ("PIC 9(3)", &["313233", "F1F2F3", "202020"]),
    ];
    check(
        &Encoding { code_page: CodePage::Ascii, ..Encoding::default() },
        &ascii,
        expect![[r#"
        PIC S9(3) 31327B: 120
        PIC S9(3) 313243: 123
        PIC S9(3) 31327D: -120
        PIC S9(3) 31324C: -123
        PIC S9(3) 313273: -123 written 31324C
        PIC S9(3) 313233: 123 written 313243
        PIC S9(3) 313261: F at offset 0, 3 bytes: a last digit that carries no sign
        PIC S9(3) SIGN TRAILING SEPARATE 3132332B: 123
        PIC S9(3) SIGN TRAILING SEPARATE 3132332D: -123
        PIC 9(3) 313233: 123
        PIC 9(3) F1F2F3: F at offset 0, 3 bytes: a byte that is no digit
        PIC 9(3) 202020: F at offset 0, 3 bytes: a number of spaces or low-values: `invalid_numeric` says what else to make of it
    "#]],
    );
}

#[test]
fn binary_bytes_are_numbers_and_values_beyond_the_picture_are_kept() {
    let table: [(&str, &[&str]); 7] = [
        ("PIC S9(4) COMP", &["0001", "FFFF", "8000", "270F"]),
        ("PIC 9(4) COMP", &["FFFF"]),
        ("PIC S9(9) COMP", &["80000000", "00000001"]),
        ("PIC 9(9) COMP", &["FFFFFFFF"]),
        ("PIC S9(18) COMP", &["7FFFFFFFFFFFFFFF", "8000000000000000"]),
        ("PIC 9(18) COMP-5", &["FFFFFFFFFFFFFFFF"]),
        ("PIC S9(7)V99 COMP", &["FFFFFF85"]),
    ];
    check(
        &Encoding::default(),
        &table,
        expect![[r#"
        PIC S9(4) COMP 0001: 1
        PIC S9(4) COMP FFFF: -1
        PIC S9(4) COMP 8000: -32768 written F at offset 0, 2 bytes: too large for the 4 digits of its picture
        PIC S9(4) COMP 270F: 9999
        PIC 9(4) COMP FFFF: 65535 written F at offset 0, 2 bytes: too large for the 4 digits of its picture
        PIC S9(9) COMP 80000000: -2147483648 written F at offset 0, 4 bytes: too large for the 9 digits of its picture
        PIC S9(9) COMP 00000001: 1
        PIC 9(9) COMP FFFFFFFF: 4294967295 written F at offset 0, 4 bytes: too large for the 9 digits of its picture
        PIC S9(18) COMP 7FFFFFFFFFFFFFFF: "9223372036854775807" written F at offset 0, 8 bytes: too large for the 18 digits of its picture
        PIC S9(18) COMP 8000000000000000: "-9223372036854775808" written F at offset 0, 8 bytes: too large for the 18 digits of its picture
        PIC 9(18) COMP-5 FFFFFFFFFFFFFFFF: "18446744073709551615"
        PIC S9(7)V99 COMP FFFFFF85: "-1.23"
    "#]],
    );
    let little = Encoding { binary: ByteOrder::Little, binary_range: BinaryRange::Full, ..Encoding::default() };
    check(
        &little,
        &[("PIC S9(4) COMP", &["0080", "0100"]), ("PIC S9(9) COMP-5", &["FEFFFFFF"])],
        expect![[r#"
        PIC S9(4) COMP 0080: -32768
        PIC S9(4) COMP 0100: 1
        PIC S9(9) COMP-5 FEFFFFFF: -2
    "#]],
    );
}

#[test]
fn text_is_trimmed_padded_and_translated() {
    let french = Encoding { code_page: CodePage::Ibm1147, ..Encoding::default() };
    let table: [(&str, &[&str]); 3] = [
        ("PIC X(4)", &["C1C24040", "C1C20000", "40C14040", "00000000", "40404040", "C1009F15"]),
        ("PIC X(4) JUST", &["4040C1C2", "C1C24040"]),
        ("PIC A(2)", &["C07C"]),
    ];
    check(
        &french,
        &table,
        expect![[r#"
        PIC X(4) C1C24040: "AB"
        PIC X(4) C1C20000: "AB" written C1C24040
        PIC X(4) 40C14040: " A"
        PIC X(4) 00000000: null written 40404040
        PIC X(4) 40404040: null
        PIC X(4) C1009F15: "A\u0000€"
        PIC X(4) JUST 4040C1C2: "AB"
        PIC X(4) JUST C1C24040: "AB  "
        PIC A(2) C07C: "éà"
    "#]],
    );
    check(
        &Encoding { code_page: CodePage::Ascii, ..french },
        &[("PIC X(3)", &["414220", "41E920"])],
        expect![[r#"
        PIC X(3) 414220: "AB"
        PIC X(3) 41E920: F at offset 0, 3 bytes: byte 2 of the text is no character of ascii
    "#]],
    );
}

#[test]
fn blank_numbers_are_what_the_host_says() {
    for (invalid_numeric, expected) in [
        (
            InvalidNumeric::Zero,
            expect![[r#"
        PIC 9(2)V9 404040: "0.0" written F0F0F0
        PIC 9(2)V9 000000: "0.0" written F0F0F0
        PIC 9(2)V9 40F0F0: F at offset 0, 3 bytes: a byte that is no digit
        PIC S9(5) COMP-3 404040: null written 00000C
        PIC S9(5) COMP-3 000000: null written 00000C
        PIC 9(2) OCCURS 2 F1F24040: [12,0] written F1F2F0F0
    "#]],
        ),
        (
            InvalidNumeric::Absent,
            expect![[r#"
        PIC 9(2)V9 404040: null written F0F0F0
        PIC 9(2)V9 000000: null written F0F0F0
        PIC 9(2)V9 40F0F0: F at offset 0, 3 bytes: a byte that is no digit
        PIC S9(5) COMP-3 404040: null written 00000C
        PIC S9(5) COMP-3 000000: null written 00000C
        PIC 9(2) OCCURS 2 F1F24040: [12,0] written F1F2F0F0
    "#]],
        ),
    ] {
        let encoding = Encoding { invalid_numeric, ..Encoding::default() };
        let table: [(&str, &[&str]); 3] = [
            ("PIC 9(2)V9", &["404040", "000000", "40F0F0"]),
            ("PIC S9(5) COMP-3", &["404040", "000000"]),
            ("PIC 9(2) OCCURS 2", &["F1F24040"]),
        ];
        check(&encoding, &table, expected);
    }
}

#[test]
fn identities_keep_their_zeros() {
    let codec = codec(
        "01 R.\n05 CUST-ID PIC 9(6).\n05 SEQ-NO PIC S9(3).\n05 BIN-NO PIC 9(4) COMP.\n05 RATE PIC 9V9.",
        "{SEQ-NO: {as: string}}",
        &Encoding::default(),
    );
    let json = codec.decode_json(&bytes("F0F0F0F0F4F2 F0F0D7 0007 F1F5")).unwrap();
    assert_eq!(json, serde_json::json!({"binNo": 7, "custId": "000042", "rate": "1.5", "seqNo": "-007"}));
    assert_eq!(hex(&codec.encode_json(&json).unwrap()), "F0F0F0F0F4F2F0F0D70007F1F5");
    assert_eq!(hex(&codec.encode_json(&serde_json::json!({"custId": "42"})).unwrap()), "F0F0F0F0F4F2F0F0C00000F0F0");
}
