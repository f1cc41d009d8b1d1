//! The small language of `when:`: comparisons of fields with numbers or quoted text, joined by `and`, `or` and parentheses.

use super::token::{Comparison, Literal, Token, tokens};

/// Longest condition, in bytes.
const TEXT_LIMIT_BYTES: usize = 4096;
/// Deepest parentheses.
const DEPTH_LIMIT: usize = 32;

/// A condition as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expression {
    /// One of them holds.
    Or(Vec<Expression>),
    /// All of them hold.
    And(Vec<Expression>),
    /// A field compared with one literal.
    Compare { field: String, comparison: Comparison, literal: Literal },
    /// A field is one of several literals.
    In { field: String, literals: Vec<Literal> },
}

/// Reads a condition. The error says where, counted in characters from 1, and what was expected.
pub(crate) fn parse(text: &str) -> Result<Expression, String> {
    if text.len() > TEXT_LIMIT_BYTES {
        return Err(format!("it is {} bytes long, the limit is {TEXT_LIMIT_BYTES}", text.len()));
    }
    let mut parser = Parser { tokens: tokens(text)?, next: 0, end: text.chars().count() + 1 };
    let expression = parser.or(0)?;
    match parser.peek() {
        None => Ok(expression),
        Some(_) => Err(parser.expected("`and`, `or` or the end")),
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    end: usize,
}

impl Parser {
    fn or(&mut self, depth: usize) -> Result<Expression, String> {
        self.joined("or", |parser| parser.joined("and", |parser| parser.single(depth), Expression::And), Expression::Or)
    }

    fn joined(
        &mut self,
        word: &str,
        part: impl Fn(&mut Self) -> Result<Expression, String>,
        join: fn(Vec<Expression>) -> Expression,
    ) -> Result<Expression, String> {
        let first = part(self)?;
        let mut parts = vec![];
        while self.take_word(word) {
            parts.push(part(self)?);
        }
        if parts.is_empty() {
            return Ok(first);
        }
        parts.insert(0, first);
        Ok(join(parts))
    }

    fn single(&mut self, depth: usize) -> Result<Expression, String> {
        if self.take_mark('(') {
            if depth == DEPTH_LIMIT {
                return Err(format!("more than {DEPTH_LIMIT} parentheses inside each other"));
            }
            let inside = self.or(depth + 1)?;
            return if self.take_mark(')') { Ok(inside) } else { Err(self.expected("`)`")) };
        }
        let Some(Token::Word(field)) = self.peek().cloned() else { return Err(self.expected("a field's COBOL name")) };
        self.next += 1;
        if self.take_word("in") {
            return Ok(Expression::In { field, literals: self.list()? });
        }
        let Some(Token::Comparison(comparison)) = self.peek().cloned() else {
            return Err(self.expected("==, !=, <, <=, >, >= or `in [..]`"));
        };
        self.next += 1;
        Ok(Expression::Compare { field, comparison, literal: self.literal()? })
    }

    fn list(&mut self) -> Result<Vec<Literal>, String> {
        if !self.take_mark('[') {
            return Err(self.expected("`[`"));
        }
        let mut literals = vec![self.literal()?];
        while self.take_mark(',') {
            literals.push(self.literal()?);
        }
        if self.take_mark(']') { Ok(literals) } else { Err(self.expected("`,` or `]`")) }
    }

    fn literal(&mut self) -> Result<Literal, String> {
        match self.peek().cloned() {
            Some(Token::Literal(literal)) => {
                self.next += 1;
                Ok(literal)
            }
            _ => Err(self.expected("a number or a quoted text")),
        }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        self.next += usize::from(found);
        found
    }

    fn take_mark(&mut self, mark: char) -> bool {
        let found = self.peek() == Some(&Token::Mark(mark));
        self.next += usize::from(found);
        found
    }

    fn expected(&self, what: &str) -> String {
        let place = self.tokens.get(self.next).map_or(self.end, |(place, _)| *place);
        format!("expected {what} at character {place}")
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(text: &str, expected: Expect) {
        expected.assert_eq(&parse(text).map_or_else(|problem| problem, |expression| format!("{expression:?}")));
    }

    #[test]
    fn conditions_are_read() {
        check(
            "CA-RETCODE == -8",
            expect![[r#"Compare { field: "CA-RETCODE", comparison: Equal, literal: Number { unscaled: -8, scale: 0 } }"#]],
        );
        check(
            "A<0 and B>=1.50 or C != 'x y  '",
            expect![[
                r#"Or([And([Compare { field: "A", comparison: Less, literal: Number { unscaled: 0, scale: 0 } }, Compare { field: "B", comparison: GreaterOrEqual, literal: Number { unscaled: 150, scale: 2 } }]), Compare { field: "C", comparison: NotEqual, literal: Text("x y") }])"#
            ]],
        );
        check(
            "A in [1, \"E2\"] and (B <= +3 or C > 0)",
            expect![[
                r#"And([In { field: "A", literals: [Number { unscaled: 1, scale: 0 }, Text("E2")] }, Or([Compare { field: "B", comparison: LessOrEqual, literal: Number { unscaled: 3, scale: 0 } }, Compare { field: "C", comparison: Greater, literal: Number { unscaled: 0, scale: 0 } }])])"#
            ]],
        );
        check(
            "GROUP-1.9-CODE == 00",
            expect![[r#"Compare { field: "GROUP-1.9-CODE", comparison: Equal, literal: Number { unscaled: 0, scale: 0 } }"#]],
        );
    }

    #[test]
    fn what_is_no_condition_is_refused_with_its_place() {
        check("", expect!["expected a field's COBOL name at character 1"]);
        check("CA-RETCODE", expect!["expected ==, !=, <, <=, >, >= or `in [..]` at character 11"]);
        check("CA-RETCODE = -8", expect!["write `==` or `!=` at character 12"]);
        check("CA-RETCODE == X", expect!["expected a number or a quoted text at character 15"]);
        check("CA-RETCODE == -", expect!["no number at character 15"]);
        check("CA-RETCODE == 'x", expect!["the text at character 15 has no end"]);
        check("A in []", expect!["expected a number or a quoted text at character 7"]);
        check("A in [1 2]", expect!["expected `,` or `]` at character 9"]);
        check("(A == 1", expect!["expected `)` at character 8"]);
        check("A == 1 B == 2", expect!["expected `and`, `or` or the end at character 8"]);
        check("A == 1 and", expect!["expected a field's COBOL name at character 11"]);
        check("é && 1", expect!["`&` at character 3 means nothing here"]);
        check(&format!("{}A == 1", "(".repeat(33)), expect!["more than 32 parentheses inside each other"]);
        check(&"A".repeat(5000), expect!["it is 5000 bytes long, the limit is 4096"]);
    }
}
