//! Codecs of small records, for the tables beside this file.

mod items;
mod refusals;

use super::Codec;
use crate::{ContractBuilder, Copybook, Encoding, Fields, Item, Lock, MessageModel, MessageRules};

fn record(entries: &str) -> Item {
    let source: String = entries.lines().map(|line| format!("       {line}\n")).collect();
    Copybook::parse("t.cpy", &source).unwrap().records()[0].clone()
}

/// A codec for all of a record.
fn codec(entries: &str, fields: &str, encoding: &Encoding) -> Codec {
    let record = record(entries);
    let fields: Fields = if fields.is_empty() { Fields::new() } else { serde_saphyr::from_str(fields).unwrap() };
    let model = MessageModel::build("M", &record, &MessageRules::default(), &fields).unwrap();
    let contract = ContractBuilder::new("t", "T", Lock::default()).operation("O", &model, &empty()).finish().unwrap();
    Codec::compile(&record, contract.request("O").unwrap(), encoding).unwrap()
}

fn empty() -> MessageModel {
    MessageModel::build("Empty", &record("01 E PIC X."), &MessageRules::default(), &Fields::new()).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
