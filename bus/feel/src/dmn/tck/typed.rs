//! Values as test cases write them: `<value xsi:type="xsd:…">`, `<list>`, `<component>`, or nil.

use std::sync::Arc;

use roxmltree::Node;

use crate::dmn::xml::{ReadError, Xml, children};
use crate::temporal::{self, AnyDuration, DateTime, Time};
use crate::value::{Context, Value};

/// The namespace of `xsi:type` and `xsi:nil`.
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Lists and components within each other.
const DEPTH: u32 = 64;

/// The value that an element of `valueType` holds; null where it holds none.
pub(super) fn value(holder: Xml<'_>) -> Result<Value, ReadError> {
    nested(holder, DEPTH)
}

fn nested(holder: Xml<'_>, depth: u32) -> Result<Value, ReadError> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(ReadError::at(holder, format!("values are nested more than {DEPTH} levels deep")));
    };
    if is_nil(holder) {
        return Ok(Value::Null);
    }
    if let Some(single) = children(holder, "value").next() {
        return simple(single);
    }
    if let Some(list) = children(holder, "list").next() {
        if is_nil(list) {
            return Ok(Value::Null);
        }
        return children(list, "item").map(|item| nested(item, depth)).collect::<Result<Vec<_>, _>>().map(Value::list);
    }
    let mut context = Context::default();
    for component in children(holder, "component") {
        let name = component.attribute("name").unwrap_or_default();
        context.set(name.into(), nested(component, depth)?);
    }
    Ok(if context.iter().len() == 0 { Value::Null } else { Value::Context(Arc::new(context)) })
}

fn is_nil(node: Xml<'_>) -> bool {
    matches!(node.attribute((INSTANCE, "nil")), Some("true" | "1"))
}

fn simple(node: Xml<'_>) -> Result<Value, ReadError> {
    if is_nil(node) {
        return Ok(Value::Null);
    }
    let text: String = node.descendants().filter(Node::is_text).filter_map(|part| part.text()).collect();
    let of = node.attribute((INSTANCE, "type")).unwrap_or("string");
    let of = of.rsplit_once(':').map_or(of, |(_, local)| local);
    let trimmed = text.trim();
    let value = match of {
        "string" | "anySimpleType" => return Ok(Value::text(text)),
        "boolean" => match trimmed {
            "true" | "1" => Some(Value::Boolean(true)),
            "false" | "0" => Some(Value::Boolean(false)),
            _ => None,
        },
        "decimal" | "double" | "float" | "integer" | "int" | "long" => trimmed.parse().ok().map(Value::Number),
        "date" => temporal::parse_date(trimmed).map(Value::Date),
        "time" => Time::parse(trimmed).map(|time| Value::Time(time.into())),
        "dateTime" => DateTime::parse(trimmed).map(|moment| Value::DateTime(moment.into())),
        "duration" | "dayTimeDuration" | "yearMonthDuration" => {
            temporal::parse_duration(trimmed).map(|duration| match duration {
                AnyDuration::Months(months) => Value::Months(months),
                AnyDuration::Time(duration) => Value::Duration(duration),
            })
        }
        unknown => return Err(ReadError::at(node, format!("values of type '{unknown}' are not known"))),
    };
    value.ok_or_else(|| ReadError::at(node, format!("this is no {of}")))
}
