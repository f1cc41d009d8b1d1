//! Values: one elementary item between its bytes and its protobuf value.

use super::decimal;
use super::error::Rule;
use super::literal::Matcher;
use super::number::{NotANumber, Number};
use super::plan::{Form, Presence, Value};
use super::text::Text;
use crate::layout::Node;
use crate::message::Kind;
use crate::syntax::ConditionValue;
use crate::wire::{self, put_varint, unzigzag, zigzag};
use crate::{Encoding, InvalidNumeric, LayoutError};

/// How an item is read and written as a field of that kind.
pub(super) fn compile(node: &Node<'_>, kind: &Kind, encoding: &Encoding) -> Result<Value, LayoutError> {
    let number = || Number::of(node.item, encoding).ok_or_else(|| LayoutError::new(node.label(), "the item is no number"));
    Ok(match kind {
        Kind::Bytes | Kind::Message(_) => Value::Bytes,
        Kind::Text => Value::Text(Text::new(encoding.code_page, node.item.justified_right)),
        Kind::Integer { signed: true, .. } => Value::Number { number: number()?, form: Form::Signed },
        Kind::Integer { signed: false, .. } => Value::Number { number: number()?, form: Form::Unsigned },
        Kind::Decimal => Value::Number { number: number()?, form: Form::Decimal },
        Kind::Digits => Value::Number { number: number()?, form: Form::Digits },
        Kind::Enum(model) => {
            let conditions = node.item.conditions.iter().zip(&model.values).map(|(condition, value)| {
                let literals = condition.values.iter().map(|value| match value {
                    ConditionValue::One(value) => (value, None),
                    ConditionValue::Range(from, to) => (from, Some(to)),
                });
                Matcher::new(node.item, node.length, literals, encoding)
                    .map(|matcher| (value.number, matcher))
                    .map_err(|message| LayoutError::new(node.label(), format!("level 88 {}: {message}", condition.name)))
            });
            Value::Enum(conditions.collect::<Result<_, _>>()?)
        }
    })
}

/// A protobuf value as it stands in a message.
#[derive(Debug, Clone, Copy)]
pub(super) enum WireValue<'m> {
    Varint(u64),
    Bytes(&'m [u8]),
}

impl Value {
    /// Appends the field, with its tag unless it is packed.
    pub(super) fn read(
        &self,
        bytes: &[u8],
        number: u32,
        presence: Presence,
        invalid: InvalidNumeric,
        out: &mut Vec<u8>,
    ) -> Result<(), Rule> {
        match self {
            Value::Text(text) => {
                let trimmed = text.trim(bytes);
                if trimmed.is_empty() && presence == Presence::Implicit {
                    return Ok(());
                }
                delimited(number, out, |out| text.read(trimmed, out))
            }
            Value::Bytes => delimited(number, out, |out| {
                out.extend_from_slice(bytes);
                Ok(())
            }),
            Value::Number { number: shape, form } => match numeric(shape, bytes, presence, invalid)? {
                Some(value) => shape.append(value, *form, number, presence, out),
                None => Ok(()),
            },
            Value::Enum(conditions) => {
                let found = conditions.iter().find(|(_, matcher)| matcher.holds(bytes));
                let value = found
                    .map(|(value, _)| *value)
                    .ok_or("a value that no level 88 entry names: add one, or do not make it an enum")?;
                put_number(value.into(), number, presence, out);
                Ok(())
            }
        }
    }

    /// Writes a field's value over all of `out`.
    pub(super) fn write(&self, value: WireValue<'_>, out: &mut [u8]) -> Result<(), Rule> {
        match (self, value) {
            (Value::Text(text), WireValue::Bytes(bytes)) => text.write(utf8(bytes)?, out),
            (Value::Bytes, WireValue::Bytes(bytes)) if bytes.len() == out.len() => {
                out.copy_from_slice(bytes);
                Ok(())
            }
            (Value::Bytes, WireValue::Bytes(bytes)) => {
                Err(format!("{} bytes, and the item has exactly {}", bytes.len(), out.len()).into())
            }
            (Value::Number { number, form: Form::Unsigned }, WireValue::Varint(value)) => number.write(value.into(), out),
            (Value::Number { number, form: Form::Signed }, WireValue::Varint(value)) => number.write(unzigzag(value).into(), out),
            (Value::Number { number, form: Form::Decimal }, WireValue::Bytes(bytes)) => {
                number.write(decimal::parse(utf8(bytes)?, number.scale)?, out)
            }
            (Value::Number { number, form: Form::Digits }, WireValue::Bytes(bytes)) => {
                number.write(decimal::parse(utf8(bytes)?, 0)?, out)
            }
            (Value::Enum(conditions), WireValue::Varint(value)) => {
                let found = conditions.iter().find(|(number, _)| u64::from(*number) == value);
                found.ok_or("an enum value that is not set or not known")?.1.write(out)
            }
            _ => Err("a value of another type".into()),
        }
    }

    /// Whether leaving the field out means a value that it does not have.
    pub(super) fn needs_value(&self) -> bool {
        matches!(self, Value::Enum(_))
    }
}

/// The value of a numeric item; none when it is blank and to be left out.
fn numeric(number: &Number, bytes: &[u8], presence: Presence, invalid: InvalidNumeric) -> Result<Option<i128>, Rule> {
    match number.read(bytes) {
        Ok(value) => Ok(Some(value)),
        Err(NotANumber::Wrong(rule)) => Err(rule),
        Err(NotANumber::Blank) if number.blank_is_zero(bytes) => Ok(Some(0)),
        Err(NotANumber::Blank) => match invalid {
            InvalidNumeric::Error => {
                Err("a number of spaces or low-values: `invalid_numeric` says what else to make of it".into())
            }
            InvalidNumeric::Absent if presence == Presence::Implicit => Ok(None),
            InvalidNumeric::Zero | InvalidNumeric::Absent => Ok(Some(0)),
        },
    }
}

impl Number {
    fn append(&self, value: i128, form: Form, number: u32, presence: Presence, out: &mut Vec<u8>) -> Result<(), Rule> {
        match form {
            // Items of at most 18 digits: eight bytes hold them, signed or not.
            Form::Unsigned => put_number(value as u64, number, presence, out),
            Form::Signed => put_number(zigzag(value as i64), number, presence, out),
            Form::Decimal => {
                return delimited(number, out, |out| {
                    decimal::format(value, self.scale, out);
                    Ok(())
                });
            }
            Form::Digits => {
                return delimited(number, out, |out| {
                    decimal::digits(value, self.digits as usize, out);
                    Ok(())
                });
            }
        }
        Ok(())
    }
}

fn put_number(value: u64, number: u32, presence: Presence, out: &mut Vec<u8>) {
    match presence {
        Presence::Implicit if value == 0 => return,
        Presence::Packed => {}
        Presence::Implicit | Presence::Always => put_varint(out, u64::from(number) << 3),
    }
    put_varint(out, value);
}

fn delimited(number: u32, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<(), Rule>) -> Result<(), Rule> {
    put_varint(out, u64::from(number) << 3 | u64::from(wire::LENGTH));
    out.push(0);
    let mark = out.len();
    write(out)?;
    wire::put_length_before(out, mark);
    Ok(())
}

fn utf8(bytes: &[u8]) -> Result<&str, Rule> {
    std::str::from_utf8(bytes).map_err(|_| "text that is not UTF-8".into())
}
