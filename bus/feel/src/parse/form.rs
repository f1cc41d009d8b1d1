//! Forms that begin with a word, and calls: if, for, some, every, function.

use std::sync::Arc;

use crate::node::{Body, Iterator, Node};
use crate::types::Type;
use crate::value::Value;

use super::frame::Frame;
use super::{NAMES, Parsed, Parser};

impl Parser<'_> {
    pub(super) fn conditional(&mut self) -> Parsed<Node> {
        let condition = self.expression(0)?;
        self.expect_word("then")?;
        let then = self.expression(0)?;
        self.expect_word("else")?;
        let otherwise = self.expression(0)?;
        Ok(Node::If(Box::new([condition, then, otherwise])))
    }

    fn iterators(&mut self) -> Parsed<Vec<Iterator>> {
        let mut iterators = Vec::new();
        loop {
            let name = self.defined(&["in"])?;
            self.expect_word("in")?;
            let domain = self.expression(0)?;
            let to = if self.sign("..") { Some(self.expression(0)?) } else { None };
            let slot = self.frame().bind(&name);
            iterators.push(Iterator { slot, domain, to });
            if !self.sign(",") {
                return Ok(iterators);
            }
            self.few(iterators.len(), "names in one loop")?;
        }
    }

    pub(super) fn iteration(&mut self) -> Parsed<Node> {
        let mark = self.frame().mark();
        let iterators = self.iterators()?;
        self.expect_word("return")?;
        let partial = self.last_partial.is_some_and(|last| last >= self.at).then(|| self.frame().bind("partial"));
        let body = self.expression(0)?;
        self.frame().back_to(mark);
        Ok(Node::For { iterators, partial, body: Box::new(body) })
    }

    pub(super) fn quantified(&mut self, every: bool) -> Parsed<Node> {
        let mark = self.frame().mark();
        let iterators = self.iterators()?;
        self.expect_word("satisfies")?;
        let body = self.expression(0)?;
        self.frame().back_to(mark);
        Ok(Node::Quantified { every, iterators, body: Box::new(body) })
    }

    /// A function definition, behind its opening parenthesis.
    pub(super) fn function(&mut self) -> Parsed<Node> {
        let itself = self.naming.take();
        let mut parameters: Vec<(Arc<str>, Type)> = Vec::new();
        if !self.sign(")") {
            loop {
                let name = self.defined(&[])?;
                let of = if self.sign(":") { self.type_name()? } else { Type::Any };
                parameters.push((name, of));
                if !self.sign(",") {
                    break;
                }
                self.few(parameters.len(), "parameters")?;
            }
            self.expect(")")?;
        }
        if self.word("external") {
            return Err(self.wrong("a function outside (Java, PMML) is never called; write it in FEEL"));
        }
        self.frames.push(Frame::default());
        let own = itself.map(|name| self.frame().bind(&name));
        for (name, _) in &parameters {
            self.frame().bind(name);
        }
        let code = self.expression(0);
        let frame = self.frames.pop().unwrap_or_default();
        let body = Body { parameters, captures: frame.captures, itself: own, slots: frame.slots, code: code?, result: Type::Any };
        Ok(Node::Function(Arc::new(body)))
    }

    /// A call, behind its opening parenthesis.
    pub(super) fn call(&mut self, function: Node) -> Parsed<Node> {
        let mut named = Vec::new();
        let mut positional = Vec::new();
        if !self.sign(")") {
            loop {
                match self.argument_name() {
                    Some(name) if positional.is_empty() => named.push((name, self.expression(0)?)),
                    Some(_) => return Err(self.wrong("arguments have names either all or none")),
                    None if named.is_empty() => positional.push(self.expression(0)?),
                    None => return Err(self.wrong("arguments have names either all or none")),
                }
                if !self.sign(",") {
                    break;
                }
                self.few(named.len(), "arguments by name")?;
            }
            self.expect(")")?;
        }
        if !named.is_empty() {
            return Ok(Node::CallNamed(Box::new(function), named));
        }
        match &function {
            Node::Constant(Value::Function(known)) => match known.as_built_in() {
                Some(known) => Ok(Node::Builtin(known, positional)),
                None => Ok(Node::Call(Box::new(function), positional)),
            },
            _ => Ok(Node::Call(Box::new(function), positional)),
        }
    }

    /// Refuses one more than there may be.
    fn few(&self, count: usize, of: &str) -> Parsed<()> {
        if count < NAMES { Ok(()) } else { Err(self.wrong(format!("more than {NAMES} {of}"))) }
    }

    /// `name:` before an argument.
    fn argument_name(&mut self) -> Option<Arc<str>> {
        self.space();
        let rest = self.rest();
        let end = rest.find([':', ',', '(', ')', '"', '[', '{', '@'])?;
        let name = rest[..end].trim();
        let is_name = rest[end..].starts_with(':')
            && name.starts_with(super::name::begins)
            && name
                .chars()
                .all(|c| super::name::continues(c) || c.is_whitespace() || matches!(c, '\'' | '-' | '.' | '+' | '/' | '*'));
        if !is_name {
            return None;
        }
        self.at += end + 1;
        Some(name.split_whitespace().collect::<Vec<_>>().join(" ").into())
    }
}
