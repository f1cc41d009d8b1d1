//! The splitter: a message for each element of a list, with its number.

use passerelle_feel::Value;
use passerelle_proto::bus::v1::Message;

use super::Refusal;
use super::aggregate::with_data;
use super::rule::{Rule, values, values_with};
use super::state::size;
use super::step::Step;
use super::written::Bounds;

/// A splitter, compiled.
#[derive(Debug)]
pub(super) struct Split {
    pub(super) list: Rule,
    pub(super) bounds: Bounds,
    pub(super) r#type: String,
    pub(super) data: Option<Rule>,
}

impl Split {
    pub(super) fn take(&self, step: &mut Step<'_>, message: &Message) -> Result<(), Refusal> {
        let value = self.list.value(&values(message), step.now).map_err(|why| Refusal(format!("its `list`: {why}")))?;
        let Value::List(items) = value else {
            return Err(Refusal(format!("its `list` comes to {}, not to a list", value.type_name())));
        };
        let (count, most) = (items.len(), self.bounds.messages as usize);
        if count > most {
            return Err(Refusal(format!("its list has {count} elements, at most {most} are taken")));
        }
        let mut all = Vec::with_capacity(count);
        let mut bytes = 0;
        for (index, item) in items.iter().enumerate() {
            let one = self.one(step, message, item, index, count)?;
            bytes += size(&one);
            all.push(one);
        }
        let most = self.bounds.bytes as usize;
        if bytes > most || !step.publish(all) {
            return Err(Refusal(format!("its elements are {bytes} bytes together, at most {most} are taken")));
        }
        step.pass();
        Ok(())
    }

    fn one(&self, step: &Step<'_>, message: &Message, item: &Value, index: usize, count: usize) -> Result<Message, Refusal> {
        let made = self.data.as_ref().map(|rule| rule.value(&values_with(message, item), step.now));
        let made = made.transpose().map_err(|why| Refusal(format!("the data of element {}: {why}", index + 1)))?;
        let mut one = with_data(step.follow(message, &self.r#type, index), made.as_ref().unwrap_or(item));
        one.sequence_number = index as u64 + 1;
        one.sequence_size = count as u64;
        Ok(one)
    }
}
