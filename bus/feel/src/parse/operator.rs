//! Operators by their precedence, and what follows a value: calls, filters, paths.

use crate::node::{Arithmetic, Comparison, Node};

use super::{Parsed, Parser};

const OR: u8 = 1;
const AND: u8 = 2;
const COMPARE: u8 = 3;
const ADD: u8 = 4;
const MULTIPLY: u8 = 5;
const POWER: u8 = 6;
const INSTANCE: u8 = 7;

const COMPARISONS: [(&str, Comparison); 6] = [
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("!=", Comparison::NotEqual),
    ("=", Comparison::Equal),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

impl Parser<'_> {
    /// An expression of operators that bind more tightly than `above`.
    pub(super) fn expression(&mut self, above: u8) -> Parsed<Node> {
        self.deeper(|parser| parser.higher(|parser| parser.operators(above)))
    }

    /// The expression, and how many operators it has in a row: they make the tree high on its left side.
    fn operators(&mut self, above: u8) -> Parsed<(Node, usize)> {
        let (mut left, mut length) = self.prefixed()?;
        let before = length;
        while let Some(longer) = self.continued(&mut left, above)? {
            left = longer;
            length += 1;
            if length - before > 128 {
                return Err(self.wrong("more than 128 operators in a row; use parentheses, or a list and sum()"));
            }
        }
        Ok((left, length + 1))
    }

    fn prefixed(&mut self) -> Parsed<(Node, usize)> {
        if self.sign("-") {
            let operand = self.expression(POWER)?;
            return Ok((Node::Negate(Box::new(operand)), 1));
        }
        let atom = self.atom()?;
        self.postfix(atom)
    }

    /// The expression with one operator more, if one follows.
    fn continued(&mut self, left: &mut Node, above: u8) -> Parsed<Option<Node>> {
        self.space();
        let take = |left: &mut Node| Box::new(std::mem::replace(left, Node::Constant(crate::Value::Null)));
        if above < OR && self.word("or") {
            return Ok(Some(Node::Or(take(left), Box::new(self.expression(OR)?))));
        }
        if above < AND && self.word("and") {
            return Ok(Some(Node::And(take(left), Box::new(self.expression(AND)?))));
        }
        if above < COMPARE {
            if let Some(comparison) = self.comparison() {
                return Ok(Some(Node::Compare(comparison, take(left), Box::new(self.expression(COMPARE)?))));
            }
            if self.word("between") {
                let from = self.expression(COMPARE)?;
                self.expect_word("and")?;
                let to = self.expression(COMPARE)?;
                return Ok(Some(Node::Between(Box::new([*take(left), from, to]))));
            }
            if self.word("in") {
                return self.contained(*take(left)).map(Some);
            }
        }
        let operator = match self.peek() {
            Some('+') if above < ADD => (1, ADD, Arithmetic::Add),
            Some('-') if above < ADD => (1, ADD, Arithmetic::Subtract),
            Some('*') if self.rest().starts_with("**") => {
                if above >= POWER {
                    return Ok(None);
                }
                (2, POWER, Arithmetic::Power)
            }
            Some('*') if above < MULTIPLY => (1, MULTIPLY, Arithmetic::Multiply),
            Some('/') if above < MULTIPLY => (1, MULTIPLY, Arithmetic::Divide),
            _ => {
                if above < INSTANCE && self.word("instance") {
                    self.expect_word("of")?;
                    let of = self.type_name()?;
                    return Ok(Some(Node::InstanceOf(take(left), of)));
                }
                return Ok(None);
            }
        };
        self.at += operator.0;
        Ok(Some(Node::Arithmetic(operator.2, take(left), Box::new(self.expression(operator.1)?))))
    }

    pub(super) fn comparison(&mut self) -> Option<Comparison> {
        self.space();
        let (sign, comparison) = COMPARISONS.iter().find(|(sign, _)| self.rest().starts_with(sign))?;
        self.at += sign.len();
        Some(*comparison)
    }

    fn postfix(&mut self, mut node: Node) -> Parsed<(Node, usize)> {
        for length in 0..64 {
            self.space();
            let rest = self.rest();
            if rest.starts_with('.') && !rest.starts_with("..") {
                self.at += 1;
                let name = self.entry()?;
                node = Node::Path(Box::new(node), name);
            } else if rest.starts_with('[') && !ends_a_range(&rest[1..]) {
                self.at += 1;
                node = self.filter(node)?;
            } else if rest.starts_with('(') {
                self.at += 1;
                node = self.call(node)?;
            } else {
                return Ok((node, length));
            }
        }
        Err(self.wrong("more than 64 calls, filters and paths in a row"))
    }

    fn filter(&mut self, list: Node) -> Parsed<Node> {
        let mark = self.frame().mark();
        let item = self.frame().bind("item");
        self.frame().bind_item(item);
        let condition = self.expression(0);
        self.frame().back_to(mark);
        let condition = condition?;
        self.expect("]")?;
        Ok(Node::Filter { list: Box::new(list), item, condition: Box::new(condition), boxed: false })
    }
}

/// Whether the `[` before this text is the open end of a range, as in `[1..10[`: no condition of a filter begins like that.
fn ends_a_range(rest: &str) -> bool {
    let rest = rest.trim_start();
    let path = rest.strip_prefix('.').is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()));
    let word = |word: &&str| rest.strip_prefix(*word).is_some_and(|rest| !rest.starts_with(super::name::continues));
    path || rest.is_empty()
        || rest.starts_with([')', ']', '}', ',', '=', '!', '<', '>', '*', '+'])
        || ["and", "or", "in", "between", "instance", "then", "else", "return", "satisfies"].iter().any(word)
}
