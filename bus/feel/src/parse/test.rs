//! Unary tests: what stands in a cell of a decision table, or behind `in`.

use crate::node::{Comparison, Node, Test};

use super::{Parsed, Parser};

impl Parser<'_> {
    /// A cell: `-`, `not(…)`, or tests of which one must hold. The value tested stands in the slot of `?`.
    pub(super) fn unary_tests(&mut self) -> Parsed<Node> {
        let slot = super::frame::resolve(&mut self.frames, "?").slot.unwrap_or(0);
        self.space();
        if self.rest().trim_end() == "-" {
            self.at = self.text.len();
            return Ok(Node::Tests { slot, tests: vec![Test::Any], negated: false });
        }
        let begin = self.at;
        if self.word("not") && self.sign("(") {
            let tests = self.tests();
            if let Ok(tests) = tests
                && self.sign(")")
            {
                self.space();
                if self.at == self.text.len() {
                    return Ok(Node::Tests { slot, tests, negated: true });
                }
            }
        }
        self.at = begin;
        let tests = self.tests()?;
        Ok(Node::Tests { slot, tests, negated: false })
    }

    fn tests(&mut self) -> Parsed<Vec<Test>> {
        let mut tests = vec![self.test()?];
        while self.sign(",") {
            tests.push(self.test()?);
        }
        Ok(tests)
    }

    fn test(&mut self) -> Parsed<Test> {
        if let Some(comparison) = self.comparison() {
            return Ok(Test::Compare(comparison, self.expression(3)?));
        }
        self.space();
        let begin = self.at;
        if self.word("not") && self.sign("(") {
            return self.deeper(|parser| {
                let tests = parser.tests()?;
                parser.expect(")")?;
                Ok(Test::Not(tests))
            });
        }
        self.at = begin;
        let outer = std::mem::replace(&mut self.input_used, false);
        let node = self.expression(0);
        let used = std::mem::replace(&mut self.input_used, outer);
        Ok(if used { Test::Condition(node?) } else { Test::Expression(node?) })
    }

    /// What follows `in`: one test, or several in parentheses.
    pub(super) fn contained(&mut self, value: Node) -> Parsed<Node> {
        let slot = self.frame().slot();
        let value = Box::new(value);
        if let Some(comparison) = self.comparison() {
            let tests = vec![Test::Compare(comparison, self.expression(3)?)];
            return Ok(Node::In { slot, value, tests });
        }
        self.space();
        let begin = self.at;
        if self.sign("(") {
            // `(1..5)` is a range; `(a) + b` is an expression; anything else in parentheses is tests.
            let tests = self.deeper(Self::tests);
            if let Ok(tests) = tests
                && self.sign(")")
                && !self.operator_follows()
            {
                return Ok(Node::In { slot, value, tests });
            }
            self.at = begin;
        }
        let node = self.expression(3)?;
        Ok(Node::In { slot, value, tests: vec![Test::Expression(node)] })
    }

    fn operator_follows(&mut self) -> bool {
        self.space();
        self.rest().starts_with(['+', '*', '/', '.', '['])
    }

    /// `< 10` in parentheses is a range that is open on one side.
    pub(super) fn open_range(&mut self, comparison: Comparison) -> Parsed<Node> {
        let begin = self.at;
        let end = Box::new(self.expression(3)?);
        if comparison == Comparison::Equal {
            self.at = begin;
            let again = Box::new(self.expression(3)?);
            self.expect(")")?;
            return Ok(Node::Range {
                start: again,
                start_included: true,
                end,
                end_included: true,
                outside: false,
                compared: true,
            });
        }
        self.expect(")")?;
        let null = || Box::new(Node::Constant(crate::Value::Null));
        let range = |start, start_included, end, end_included, outside| Node::Range {
            start,
            start_included,
            end,
            end_included,
            outside,
            compared: true,
        };
        Ok(match comparison {
            Comparison::Less => range(null(), false, end, false, false),
            Comparison::LessOrEqual => range(null(), false, end, true, false),
            Comparison::Greater => range(end, false, null(), false, false),
            Comparison::GreaterOrEqual => range(end, true, null(), false, false),
            Comparison::Equal | Comparison::NotEqual => range(end, false, null(), false, true),
        })
    }
}
