//! Copybooks, data and expected values of the Cobrix project, where its corpus is at hand: nothing of it is kept here.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::path::{Path, PathBuf};

use passerelle_copybook::{
    CodePage, Codec, ContractBuilder, Copybook, Encoding, Fields, Item, Layout, Lock, MessageModel, MessageRules, Probe,
    ProbeValue, TrailingBytes,
};
use serde_json::Value;

/// The corpus, in a folder called `shared` beside the project or above it.
fn corpus() -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/corpora/cobrix"))
        .find(|path| path.is_dir());
    if found.is_none() {
        println!("SKIPPED: the Cobrix corpus is not here");
    }
    found
}

fn copybook(corpus: &Path, name: &str) -> Copybook {
    let text = std::fs::read_to_string(corpus.join(name)).unwrap();
    Copybook::parse(name, &text).unwrap()
}

fn codec(record: &Item, rules: &str, fields: &str, encoding: &Encoding) -> Codec {
    let rules: MessageRules = serde_saphyr::from_str(&format!("{{copybook: c, {rules}}}")).unwrap();
    let fields: Fields = serde_saphyr::from_str(&format!("{{{fields}}}")).unwrap();
    let model = MessageModel::build("M", record, &rules, &fields).unwrap();
    let empty = Copybook::parse("e", "       01 E PIC X.\n").unwrap();
    let empty = MessageModel::build("E", &empty.records()[0], &MessageRules::default(), &Fields::new()).unwrap();
    let contract = ContractBuilder::new("c", "S", Lock::default()).operation("O", &model, &empty).finish().unwrap();
    Codec::compile(record, contract.request("O").unwrap(), encoding).unwrap()
}

fn expected(corpus: &Path, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(corpus.join(name)).unwrap();
    serde_json::Deserializer::from_str(&text).into_iter().collect::<Result<_, _>>().unwrap()
}

/// All that is expected must be there; what is not shown is passed over.
fn compare(expected: &Value, ours: Option<&Value>, path: &str, hidden: &[&str]) -> usize {
    match (expected, ours) {
        (Value::Object(expected), ours) => {
            let fields = expected.iter().filter(|(name, _)| !hidden.contains(&name.as_str()));
            fields
                .map(|(name, value)| {
                    compare(value, ours.and_then(|ours| ours.get(json_name(name))), &format!("{path}.{name}"), hidden)
                })
                .sum()
        }
        (Value::Array(expected), ours) => {
            let none = Vec::new();
            let ours = ours.and_then(Value::as_array).unwrap_or(&none);
            assert_eq!(ours.len(), expected.len(), "{path}");
            expected.iter().zip(ours).map(|(one, other)| compare(one, Some(other), path, hidden)).sum()
        }
        (Value::Number(number), ours) => {
            let text = ours.map_or_else(|| "0".to_owned(), |ours| ours.as_str().map_or_else(|| ours.to_string(), str::to_owned));
            assert_eq!(text.parse::<f64>().ok(), number.as_f64(), "{path}");
            1
        }
        (Value::String(text), ours) => {
            assert_eq!(ours.and_then(Value::as_str).unwrap_or_default(), text.trim_end(), "{path}");
            1
        }
        (other, _) => panic!("{path}: {other}"),
    }
}

/// `COMPANY_NAME` is `companyName`.
fn json_name(name: &str) -> String {
    let mut words = name.split('_').map(str::to_ascii_lowercase);
    let first = words.next().unwrap_or_default();
    words.fold(first, |all, word| all + &word[..1].to_ascii_uppercase() + &word[1..])
}

/// Records with a record descriptor word of four bytes before each, the length in its third byte (and fourth, low byte first).
fn with_descriptor_words(data: &[u8]) -> Vec<&[u8]> {
    let mut rest = data;
    let mut records = Vec::new();
    while let [_, _, low, high, behind @ ..] = rest {
        let (record, next) = behind.split_at(usize::from(*low) | usize::from(*high) << 8);
        records.push(record);
        rest = next;
    }
    records
}

/// Decodes, compares, and encodes again: nothing must be lost on the way.
fn check(codec: &Codec, records: &[&[u8]], expected: &[Value], hidden: &[&str]) -> usize {
    assert!(!expected.is_empty() && expected.len() <= records.len());
    let pairs = expected.iter().zip(records);
    pairs
        .map(|(expected, record)| {
            let ours = codec.decode_json(record).unwrap();
            let again = codec.encode_json(&ours).unwrap();
            assert_eq!(codec.decode_json(&again).unwrap(), ours);
            compare(expected, Some(&ours), "", hidden)
        })
        .sum()
}

const COBRIX_COLUMNS: [&str; 5] = ["File_Id", "Record_Id", "Record_Byte_Length", "Seg_Id0", "Seg_Id1"];

#[test]
fn transactions_of_fixed_length() {
    let Some(corpus) = corpus() else { return };
    let copybook = copybook(&corpus, "test3_copybook.cob");
    let codec = codec(copybook.record(None).unwrap(), "", "", &Encoding { code_page: CodePage::Ibm037, ..Encoding::default() });
    let data = std::fs::read(corpus.join("test3_data/TRAN2.AUG31.DATA.dat")).unwrap();
    let records: Vec<&[u8]> = data.chunks(45).collect();
    assert_eq!(check(&codec, &records, &expected(&corpus, "test3_expected/test3_trim_right.txt"), &[]), 60 * 6);
    records.iter().for_each(|record| assert!(codec.decode(record).is_ok()));
}

#[test]
fn accounts_in_a_variable_table_with_room_for_all() {
    let Some(corpus) = corpus() else { return };
    let copybook = copybook(&corpus, "test1_copybook.cob");
    let record = copybook.record(None).unwrap();
    let encoding = Encoding { trailing_bytes: TrailingBytes::Unused, ..Encoding::default() };
    let codec = codec(record, "exclude: [COMPANY-ID-STR, ACCOUNT-TYPE-X]", "COMPANY-ID-NUM: {as: integer}", &encoding);
    let data = std::fs::read(corpus.join("test1_data/example.bin")).unwrap();
    let records: Vec<&[u8]> = data.chunks(Layout::of(record).unwrap().maximum_length()).collect();
    let hidden = ["COMPANY_ID_STR", "ACCOUNT_TYPE_X", "NUMBER_OF_ACCTS"];
    assert!(check(&codec, &records, &expected(&corpus, "test1_expected/test1.txt"), &hidden) > 60);
}

#[test]
fn companies_and_contacts_told_apart_by_a_segment() {
    let Some(corpus) = corpus() else { return };
    let copybook = copybook(&corpus, "test5_copybook.cob");
    let fields = "STATIC-DETAILS: {when: SEGMENT-ID = 'C'}, CONTACTS: {when: SEGMENT-ID = 'P'}, \
        TAXPAYER-STR: {when: TAXPAYER-TYPE = 'A'}, TAXPAYER-NUM: {when: TAXPAYER-TYPE = 'N', as: integer}";
    let codec =
        codec(copybook.record(None).unwrap(), "", fields, &Encoding { code_page: CodePage::Ibm037, ..Encoding::default() });
    let data = std::fs::read(corpus.join("test5_data/COMP.DETAILS.SEP30.DATA.dat")).unwrap();
    let mut expected = expected(&corpus, "test5_expected/test5c.txt");
    for record in &mut expected {
        // Cobrix shows both items of the storage; ours is the one that the type names.
        if let Some(payer) = record.pointer_mut("/STATIC_DETAILS/TAXPAYER").and_then(Value::as_object_mut) {
            let other = if payer["TAXPAYER_TYPE"] == "A" { "TAXPAYER_NUM" } else { "TAXPAYER_STR" };
            payer.remove(other);
        }
    }
    let records = with_descriptor_words(&data);
    assert!(check(&codec, &records, &expected, &COBRIX_COLUMNS) > 200);
    records.iter().for_each(|record| assert!(codec.decode(record).is_ok()));
}

#[test]
fn three_segments_of_one_length() {
    let Some(corpus) = corpus() else { return };
    let copybook = copybook(&corpus, "test16_fix_len_segments.cob");
    let fields = "COMPANY: {when: SEGMENT-ID = 'C'}, PERSON: {when: SEGMENT-ID = 'P'}, PO-BOX: {when: SEGMENT-ID = 'B'}";
    let codec =
        codec(copybook.record(None).unwrap(), "", fields, &Encoding { code_page: CodePage::Ibm037, ..Encoding::default() });
    let data = std::fs::read(corpus.join("test16_data/ENTITY.DB.AUG12.DATA.FIX.LEN.dat")).unwrap();
    let expected = expected(&corpus, "test16_expected/test16.txt");
    let records: Vec<&[u8]> = data.chunks(data.len() / expected.len().max(1)).collect();
    assert!(check(&codec, &records, &expected, &[]) > 100);
}

#[test]
fn a_variable_table_within_a_variable_table() {
    let Some(corpus) = corpus() else { return };
    let copybook = copybook(&corpus, "test21_copybook.cob");
    let codec = codec(copybook.record(None).unwrap(), "", "", &Encoding { code_page: CodePage::Ascii, ..Encoding::default() });
    let data = std::fs::read(corpus.join("test21_data/data.dat")).unwrap();
    let mut rest = &data[..];
    let records: Vec<&[u8]> = [1, 2, 4, 6, 5]
        .map(|length| {
            let (record, next) = rest.split_at(length);
            rest = next;
            record
        })
        .to_vec();
    let expected: Vec<Value> =
        expected(&corpus, "test21_expected/test21.txt").into_iter().map(|record| record["RECORD"].clone()).collect();
    check(&codec, &records, &expected, &["COUNT", "INNER_COUNT"]);
}

/// Name, value and bytes of every field of a line in which Cobrix shows the bytes too, the value as it is written.
fn fields(line: &str) -> Vec<(String, String, String)> {
    let parts: Vec<(&str, &str)> =
        line.trim_matches(['{', '}']).split(",\"").filter_map(|part| part.trim_start_matches('"').split_once("\":")).collect();
    parts
        .iter()
        .filter_map(|(name, value)| {
            let bytes = parts.iter().find(|(debug, _)| debug.strip_suffix("_debug") == Some(*name))?.1;
            Some(((*name).to_owned(), value.trim_matches('"').to_owned(), bytes.trim_matches('"').to_owned()))
        })
        .collect()
}

/// A decimal number without zeros that say nothing: digits and exponent of ten.
fn canonical(number: &str) -> (String, i64) {
    let (mantissa, exponent) = number.split_once(['E', 'e']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let sign = if digits.starts_with('-') { "-" } else { "" };
    let significant = digits.trim_start_matches('-').trim_start_matches('0');
    let kept = significant.trim_end_matches('0');
    let exponent = exponent.parse::<i64>().unwrap() - fraction.len() as i64 + (significant.len() - kept.len()) as i64;
    if kept.is_empty() { (String::new(), 0) } else { (format!("{sign}{kept}"), exponent) }
}

#[test]
fn every_type_of_field_that_is_read() {
    let Some(corpus) = corpus() else { return };
    let text = std::fs::read_to_string(corpus.join("test24_copybook.cob")).unwrap();
    // Each entry becomes a record of its own, so that those which are not read yet do not hide the others.
    let entries: String = text.lines().filter(|line| !line.contains('*')).collect::<Vec<_>>().join("\n");
    let mut read = std::collections::BTreeMap::new();
    for entry in entries.split(".\n").filter_map(|entry| entry.trim_start().strip_prefix("10 ")) {
        let source = format!("       01 {}.\n", entry.split_whitespace().collect::<Vec<_>>().join("\n          "));
        if let Ok(copybook) = Copybook::parse("field", &source) {
            let record = &copybook.records()[0];
            read.insert(record.name.replace('-', "_"), Probe::compile(record, &record.name, &Encoding::default()).unwrap());
        }
    }
    let lines = std::fs::read_to_string(corpus.join("test24_expected/test24.txt")).unwrap();
    let (mut checked, mut seen) = (0, std::collections::BTreeSet::new());
    for (name, value, hex) in lines.lines().flat_map(fields) {
        let Some(probe) = read.get(&name) else { continue };
        let nibbles: Vec<u8> = hex.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
        let bytes: Vec<u8> = nibbles.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        match probe.read(&bytes).unwrap_or_else(|error| panic!("{name} {hex} {value}: {error}")) {
            ProbeValue::Number { unscaled, scale } => {
                assert_eq!(canonical(&format!("{unscaled}E{}", -scale)), canonical(&value), "{name} {hex}")
            }
            ProbeValue::Text(text) => assert_eq!(text, value, "{name} {hex}"),
        }
        checked += 1;
        seen.insert(name);
    }
    assert!(checked > 2000 && seen.len() > 100, "{checked} values of {} fields", seen.len());
}
