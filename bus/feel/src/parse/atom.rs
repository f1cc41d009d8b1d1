//! Values as they are written: literals, names, parentheses, ranges, lists, contexts.

use std::collections::HashSet;
use std::sync::Arc;

use crate::node::Node;
use crate::temporal;
use crate::value::Value;

use super::name::Named;
use super::{NAME_WORK, Parsed, Parser};

impl Parser<'_> {
    pub(super) fn atom(&mut self) -> Parsed<Node> {
        self.space();
        match self.peek() {
            Some('"') => self.string().map(|text| Node::Constant(Value::text(text))),
            Some('@') => self.at_literal(),
            Some(c) if c.is_ascii_digit() || (c == '.' && self.rest()[1..].starts_with(|c: char| c.is_ascii_digit())) => {
                self.number()
            }
            Some('(') => self.parenthesis(),
            Some('[') => self.bracket(),
            Some(']') => {
                self.at += 1;
                let start = self.expression(0)?;
                self.expect("..")?;
                self.range_end(start, false)
            }
            Some('{') => self.context(),
            _ => self.word_or_name(),
        }
    }

    fn word_or_name(&mut self) -> Parsed<Node> {
        let begin = self.at;
        for (word, value) in [("null", Value::Null), ("true", Value::Boolean(true)), ("false", Value::Boolean(false))] {
            if self.word(word) {
                return Ok(Node::Constant(value));
            }
        }
        if self.word("if") {
            return self.conditional();
        }
        if self.word("for") {
            return self.iteration();
        }
        if self.word("some") {
            return self.quantified(false);
        }
        if self.word("every") {
            return self.quantified(true);
        }
        if self.word("function") {
            if self.sign("(") {
                return self.function();
            }
            self.at = begin;
        }
        match self.used()? {
            Named::Node(node) => Ok(node),
            Named::Builtin(function) => Ok(Node::Constant(Value::Function(Arc::new(crate::Function::built_in(function))))),
        }
    }

    fn number(&mut self) -> Parsed<Node> {
        let rest = self.rest();
        let digits = |from: usize| rest[from..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |n| n + from);
        let mut end = digits(0);
        if rest[end..].starts_with('.') && rest[end + 1..].starts_with(|c: char| c.is_ascii_digit()) {
            end = digits(end + 1);
        }
        if rest[end..].starts_with(['e', 'E']) {
            let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
            let to = digits(end + 1 + sign);
            if to > end + 1 + sign {
                end = to;
            }
        }
        let number = rest[..end].parse().map_err(|_| self.wrong("the number is too large"))?;
        self.at += end;
        Ok(Node::Constant(Value::Number(number)))
    }

    pub(super) fn string(&mut self) -> Parsed<String> {
        let begin = self.at;
        let mut text = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((offset, c)) = characters.next() {
            match c {
                '"' => {
                    self.at += offset + 1;
                    return Ok(text);
                }
                '\\' => {
                    let escaped = characters.next().map(|(_, c)| c);
                    let digits = match escaped {
                        Some('n') => {
                            text.push('\n');
                            continue;
                        }
                        Some('t') => {
                            text.push('\t');
                            continue;
                        }
                        Some('r') => {
                            text.push('\r');
                            continue;
                        }
                        Some(c @ ('"' | '\\' | '\'')) => {
                            text.push(c);
                            continue;
                        }
                        Some('u') => 4,
                        Some('U') => 6,
                        other => {
                            text.push('\\');
                            text.extend(other);
                            continue;
                        }
                    };
                    let code: String = characters.by_ref().take(digits).map(|(_, c)| c).collect();
                    let mut code = u32::from_str_radix(&code, 16).unwrap_or(u32::MAX);
                    // A pair of surrogates is one character.
                    if (0xd800..0xdc00).contains(&code) {
                        let low: String = characters.by_ref().take(6).map(|(_, c)| c).collect();
                        let low = low.strip_prefix("\\u").and_then(|low| u32::from_str_radix(low, 16).ok());
                        code = low
                            .filter(|low| (0xdc00..0xe000).contains(low))
                            .map_or(u32::MAX, |low| 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00));
                    }
                    text.push(char::from_u32(code).ok_or_else(|| self.wrong("an escape in this string is no character"))?);
                }
                c => text.push(c),
            }
        }
        self.at = begin;
        Err(self.wrong("this string has no end"))
    }

    fn at_literal(&mut self) -> Parsed<Node> {
        self.at += 1;
        self.space();
        if self.peek() != Some('"') {
            return Err(self.wrong("expected a string behind '@'"));
        }
        let text = self.string()?;
        Ok(Node::Constant(temporal::literal(&text).unwrap_or(Value::Null)))
    }

    fn parenthesis(&mut self) -> Parsed<Node> {
        self.at += 1;
        if let Some(comparison) = self.comparison() {
            return self.open_range(comparison);
        }
        let node = self.expression(0)?;
        if self.sign("..") {
            return self.range_end(node, false);
        }
        self.expect(")")?;
        Ok(node)
    }

    fn bracket(&mut self) -> Parsed<Node> {
        self.at += 1;
        if self.sign("]") {
            return Ok(Node::List(Vec::new()));
        }
        let first = self.list_item()?;
        if self.sign("..") {
            return self.range_end(first, true);
        }
        let mut items = vec![first];
        while self.sign(",") {
            items.push(self.list_item()?);
        }
        self.expect("]")?;
        Ok(Node::List(items))
    }

    /// An expression, or a test such as `< 5`, which stands for a range.
    fn list_item(&mut self) -> Parsed<Node> {
        self.expression(0)
    }

    fn range_end(&mut self, start: Node, start_included: bool) -> Parsed<Node> {
        let end = Box::new(self.expression(0)?);
        let end_included = if self.sign("]") {
            true
        } else if self.sign(")") || self.sign("[") {
            false
        } else {
            return Err(self.wrong("expected ']', ')' or '[' at the end of the range"));
        };
        Ok(Node::Range { start: Box::new(start), start_included, end, end_included, outside: false, compared: false })
    }

    fn context(&mut self) -> Parsed<Node> {
        self.at += 1;
        let mark = self.frame().mark();
        let mut entries: Vec<(Arc<str>, usize, Node)> = Vec::new();
        let mut keys = HashSet::new();
        if !self.sign("}") {
            loop {
                self.worked(NAME_WORK)?;
                self.space();
                let name: Arc<str> = if self.peek() == Some('"') { self.string()?.into() } else { self.key()? };
                self.expect(":")?;
                if !keys.insert(name.clone()) {
                    return Err(self.wrong(format!("a second entry '{name}'")));
                }
                self.remember(&name);
                self.naming = Some(name.clone());
                let slot = self.frame().slot();
                let node = self.expression(0)?;
                self.naming = None;
                self.frame().bind_to(&name, slot);
                entries.push((name, slot, node));
                if !self.sign(",") {
                    break;
                }
            }
            self.expect("}")?;
        }
        self.frame().back_to(mark);
        Ok(Node::Context(entries))
    }

    /// A key without quotes: everything up to the colon.
    fn key(&mut self) -> Parsed<Arc<str>> {
        let end = self.rest().find([':', '{', '}', '"', ',']).unwrap_or(0);
        let key = self.rest()[..end].split_whitespace().collect::<Vec<_>>().join(" ");
        if key.is_empty() || !key.starts_with(super::name::begins) {
            return Err(self.wrong("expected the name of an entry"));
        }
        self.at += end;
        Ok(key.into())
    }
}
