//! `set:` the other way round: whether a request record holds an operation's constants.

use std::collections::BTreeMap;

use passerelle_copybook::{Constant, Encoding, Item};

use super::condition::Condition;
use super::syntax::Expression;
use super::token::{Comparison, Literal, number};

/// The constants of an operation's requests.
#[derive(Debug)]
pub(crate) struct Constants(Condition);

impl Constants {
    pub(crate) fn compile(set: &BTreeMap<String, Constant>, record: &Item, encoding: &Encoding) -> Result<Self, String> {
        let compare = |(field, constant): (&String, &Constant)| {
            let equals = |literal| Expression::Compare { field: field.clone(), comparison: Comparison::Equal, literal };
            match constant {
                Constant::Integer(integer) => Condition::compile(&equals(Literal::integer(*integer)), record, encoding),
                // A number may be written as text, so that its decimals are kept.
                Constant::Text(text) => {
                    let as_text = Condition::compile(&equals(Literal::text(text)), record, encoding);
                    as_text.or_else(|problem| Condition::compile(&equals(number(text).ok_or(problem)?), record, encoding))
                }
            }
        };
        Ok(Self(Condition::And(set.iter().map(compare).collect::<Result<_, _>>()?)))
    }

    pub(crate) fn are_in(&self, record: &[u8]) -> bool {
        self.0.holds(record).unwrap_or(false)
    }
}
