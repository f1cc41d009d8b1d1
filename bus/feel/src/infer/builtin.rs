//! What built-in functions give.

use std::sync::Arc;

use crate::number::Number;

use super::{Shape, Span};

/// What a function gives for such arguments.
pub(super) fn given(name: &str, arguments: &[Shape]) -> Shape {
    let first = arguments.first().unwrap_or(&Shape::Unknown);
    let whole = || Shape::Number(Span::whole(Some(Number::ZERO), None));
    match name {
        "not" | "contains" | "starts with" | "ends with" | "matches" | "all" | "any" | "list contains" | "odd" | "even"
        | "is" | "before" | "after" | "meets" | "met by" | "overlaps" | "overlaps before" | "overlaps after" | "finishes"
        | "finished by" | "includes" | "during" | "starts" | "started by" | "coincides" => Shape::Boolean,
        "string" => match first {
            Shape::Text(_) => first.clone(),
            _ => Shape::TEXT,
        },
        "substring" | "upper case" | "lower case" | "substring before" | "substring after" | "replace" | "string join"
        | "day of week" | "month of year" => Shape::TEXT,
        "string length" | "count" | "day of year" | "week of year" => whole(),
        "floor" | "ceiling" if arguments.len() == 1 => rounded(first),
        "floor" | "ceiling" | "decimal" | "round up" | "round down" | "round half up" | "round half down" => {
            let to_whole = |span: &Span| span.high.is_some_and(|scale| scale <= Number::ZERO);
            match arguments.get(1) {
                Some(Shape::Number(scale)) if to_whole(scale) => rounded(first),
                _ => Shape::NUMBER,
            }
        }
        "abs" => match first {
            Shape::Number(span) => Shape::Number(span.greatest(span.negated())),
            other => other.clone(),
        },
        "modulo" => match (first, arguments.get(1)) {
            (Shape::Number(a), Some(Shape::Number(b))) if b.low.is_some_and(|low| low > Number::ZERO) => {
                Shape::Number(Span { whole: a.whole && b.whole, low: Some(Number::ZERO), high: b.high })
            }
            _ => Shape::NUMBER,
        },
        "number" | "sqrt" | "log" | "exp" | "random number" | "mean" | "median" | "stddev" => Shape::NUMBER,
        "sum" | "product" => match items(arguments) {
            Shape::Number(span) => Shape::Number(Span { whole: span.whole, ..Span::ANY }),
            _ => Shape::NUMBER,
        },
        "min" | "max" => bound(name == "min", arguments),
        "mode" => Shape::list(items(arguments)),
        "split" => Shape::list(Shape::TEXT),
        "index of" => Shape::list(whole()),
        "sublist" | "remove" | "reverse" | "distinct values" | "sort" => Shape::list(first.item()),
        "append" | "insert before" => {
            let more = if name == "append" { &arguments[1.min(arguments.len())..] } else { &arguments[2.min(arguments.len())..] };
            Shape::list(more.iter().cloned().fold(first.item(), Shape::or))
        }
        "concatenate" | "union" => Shape::list(arguments.iter().map(Shape::item).reduce(Shape::or).unwrap_or(Shape::Unknown)),
        "flatten" | "list replace" => Shape::list(Shape::Unknown),
        "get value" => match (first, arguments.get(1)) {
            (Shape::Map(value), _) => (**value).clone(),
            (Shape::Record(schema), Some(Shape::Text(Some(words)))) if words.len() == 1 => {
                schema.entry(&words[0]).unwrap_or(Shape::Unknown)
            }
            _ => Shape::Unknown,
        },
        "get entries" => {
            let value = if let Shape::Map(value) = first { (**value).clone() } else { Shape::Unknown };
            Shape::list(Shape::Context(Arc::new(vec![("key".into(), Shape::TEXT), ("value".into(), value)])))
        }
        "context" | "context put" | "context merge" => Shape::Map(Arc::new(Shape::Unknown)),
        "date" | "today" => Shape::Date,
        "time" => Shape::Time,
        "date and time" | "now" => Shape::DateTime,
        "years and months duration" => Shape::Months,
        // Of a text that is not known, nobody knows which sort it is.
        _ => Shape::Unknown,
    }
}

fn rounded(of: &Shape) -> Shape {
    match of {
        Shape::Number(span) => Shape::Number(span.rounded()),
        _ => Shape::Number(Span::whole(None, None)),
    }
}

/// All values that a function over a list, or over its arguments, looks at.
fn items(arguments: &[Shape]) -> Shape {
    match arguments {
        [list @ Shape::List(_)] => list.item(),
        [] => Shape::Unknown,
        many => many.iter().cloned().reduce(Shape::or).unwrap_or(Shape::Unknown),
    }
}

/// The least or the greatest.
fn bound(least: bool, arguments: &[Shape]) -> Shape {
    let spans: Option<Vec<Span>> =
        arguments.iter().map(|argument| if let Shape::Number(span) = argument { Some(*span) } else { None }).collect();
    match spans.and_then(|spans| spans.into_iter().reduce(|a, b| if least { a.least(b) } else { a.greatest(b) })) {
        Some(span) => Shape::Number(span),
        None => items(arguments),
    }
}
