//! The message that is routed: an order, as generated code has it, of about any size.

use std::collections::HashMap;

use prost::Message;
use prost_reflect::{DescriptorPool, MessageDescriptor};

/// `bench.orders.v1.Order`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Order {
    #[prost(string, tag = "1")]
    pub(super) id: String,
    #[prost(message, optional, tag = "2")]
    pub(super) customer: Option<Customer>,
    #[prost(message, repeated, tag = "3")]
    pub(super) lines: Vec<Line>,
    #[prost(string, tag = "4")]
    pub(super) symbol: String,
    #[prost(map = "string, string", tag = "5")]
    pub(super) labels: HashMap<String, String>,
    #[prost(int64, tag = "6")]
    pub(super) total_cents: i64,
}

/// `bench.orders.v1.Customer`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Customer {
    #[prost(string, tag = "1")]
    pub(super) id: String,
    #[prost(string, tag = "2")]
    pub(super) segment: String,
    #[prost(string, tag = "3")]
    pub(super) name: String,
}

/// `bench.orders.v1.Line`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Line {
    #[prost(string, tag = "1")]
    pub(super) sku: String,
    #[prost(int32, tag = "2")]
    pub(super) quantity: i32,
    #[prost(int64, tag = "3")]
    pub(super) price_cents: i64,
    #[prost(string, tag = "4")]
    pub(super) text: String,
}

/// An order of about so many bytes, in lines of about a hundred.
pub(super) fn order(symbol: &str, bytes: usize) -> Order {
    let mut order = Order {
        id: "order-4711".to_owned(),
        customer: Some(Customer { id: "c-17".to_owned(), segment: "gold".to_owned(), name: "A. Customer".to_owned() }),
        symbol: symbol.to_owned(),
        total_cents: 129_900,
        ..Order::default()
    };
    for number in 0.. {
        if order.encoded_len() + 50 >= bytes {
            break;
        }
        let text = "a line of the order, with the words that people write there, no more".to_owned();
        order.lines.push(Line { sku: format!("sku-{number:06}"), quantity: number % 7 + 1, price_cents: 1_999, text });
    }
    order
}

/// The same type, as the bus knows it.
pub(super) fn descriptor() -> MessageDescriptor {
    let pool = DescriptorPool::from_file_descriptor_set(files()).expect("protox links what it compiles");
    pool.get_message_by_name("bench.orders.v1.Order").expect("the contract has an order")
}

/// The contract.
pub(super) fn files() -> prost_types::FileDescriptorSet {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/route");
    protox::compile(["orders.proto"], [folder]).expect("the contract compiles")
}
