//! What is decided in the bench: a contact of a customer, whose contacts are counted.

use std::convert::Infallible;

use bytes::Bytes;
use passerelle_bus::keyed::{Context, Decider, Decision};

/// Customers that get in touch in turn, by chance. All of them fit the memory of the keyed runner.
pub(crate) const CUSTOMERS: u64 = 30_000;
/// Bytes of a contact's content.
const CONTENT_BYTES: usize = 1024;
/// Bytes of what is known of a customer besides the count.
const PROFILE_BYTES: usize = 64;

/// What is known of a customer.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Customer {
    #[prost(uint64, tag = "1")]
    pub(crate) contacts: u64,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) profile: Vec<u8>,
}

/// A customer got in touch.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Contacted {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) content: Bytes,
}

/// How many contacts there were.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Counted {
    #[prost(uint64, tag = "1")]
    pub(crate) contacts: u64,
}

/// Takes every contact.
#[derive(Debug)]
pub(crate) struct Contacts;

impl Decider for Contacts {
    type State = Customer;
    type Event = Contacted;
    type Command = Bytes;
    type Answer = Counted;
    type Refusal = Infallible;

    const KIND: &'static str = "customers";

    fn decide(&self, state: &Customer, content: &Bytes, _: &Context<'_>) -> Result<Decision<Self>, Infallible> {
        let contacted = Contacted { content: content.clone() };
        Ok(Decision::new(vec![contacted], Counted { contacts: state.contacts + 1 }))
    }

    fn evolve(&self, state: &mut Customer, event: &Contacted) {
        state.contacts += 1;
        state.profile = event.content[..PROFILE_BYTES].to_vec();
    }

    fn due(&self, _: &str) -> Bytes {
        Bytes::new()
    }

    fn event_type(_: &Contacted) -> &'static str {
        "passerelle.bench.v1.Contacted"
    }
}

/// The contacts of one run: which customer, the command's idempotency key, the content.
#[derive(Debug)]
pub(crate) struct Source {
    content: Bytes,
}

impl Source {
    pub(crate) fn new() -> Self {
        Self { content: vec![b'x'; CONTENT_BYTES].into() }
    }

    /// The contact of that number. The same number is the same contact: both sides get the same ones.
    pub(crate) fn contact(&self, number: u64) -> (String, String, Bytes) {
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (format!("customer-{}", (mixed >> 32) % CUSTOMERS), format!("{mixed:016x}"), self.content.clone())
    }
}
