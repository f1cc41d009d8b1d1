//! The recipient list, the wire tap and the detour: copies of messages, by what they say, always, or as an operator has it.

use passerelle_feel::Value;
use passerelle_proto::bus::v1::Message;

use super::Refusal;
use super::rule::{Rule, name, values};
use super::step::Step;

/// Recipients of one message.
const MOST: usize = 100;
/// Bytes of a type.
const LONGEST_TYPE: usize = 256;

/// A recipient list, compiled.
#[derive(Debug)]
pub(super) struct Recipients {
    pub(super) list: Rule,
}

/// A wire tap.
#[derive(Debug)]
pub(super) struct Tap {
    pub(super) to: String,
}

/// A detour.
#[derive(Debug)]
pub(super) struct Detour {
    pub(super) to: String,
    pub(super) through: String,
}

impl Detour {
    pub(super) fn take(&self, step: &mut Step<'_>, message: &Message, is_on: bool) -> Result<(), Refusal> {
        give(step, message, std::slice::from_ref(if is_on { &self.through } else { &self.to }))
    }
}

impl Recipients {
    pub(super) fn take(&self, step: &mut Step<'_>, message: &Message) -> Result<(), Refusal> {
        let value = self.list.value(&values(message), step.now).map_err(|why| Refusal(format!("its `list`: {why}")))?;
        let Value::List(items) = value else {
            return Err(Refusal(format!("its `list` comes to {}, not to a list", value.type_name())));
        };
        if items.len() > MOST {
            return Err(Refusal(format!("it has {} recipients, at most {MOST} are taken", items.len())));
        }
        let mut types: Vec<String> = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let r#type = name(item, LONGEST_TYPE).map_err(|why| Refusal(format!("recipient {}: {why}", index + 1)))?;
            if !types.contains(&r#type) {
                types.push(r#type);
            }
        }
        give(step, message, &types)
    }
}

impl Tap {
    pub(super) fn take(&self, step: &mut Step<'_>, message: &Message) -> Result<(), Refusal> {
        give(step, message, std::slice::from_ref(&self.to))
    }
}

/// A copy for each of these types.
fn give(step: &mut Step<'_>, message: &Message, types: &[String]) -> Result<(), Refusal> {
    let copies: Vec<Message> = types.iter().enumerate().map(|(index, to)| step.follow(message, to, index)).collect();
    if !step.publish(copies) {
        return Err(Refusal(format!("its {} copies are larger than a record may be", types.len())));
    }
    step.pass();
    Ok(())
}
