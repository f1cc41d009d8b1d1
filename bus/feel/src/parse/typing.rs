//! Types as expressions write them: `number`, `list<string>`, `context<a: date>`, `function<number> -> number`.

use std::sync::Arc;

use crate::types::Type;

use super::{Parsed, Parser};

impl Parser<'_> {
    pub(super) fn type_name(&mut self) -> Parsed<Type> {
        self.deeper(Self::one_type)
    }

    fn one_type(&mut self) -> Parsed<Type> {
        self.space();
        let rest = self.rest();
        let end = rest.find(|c: char| !(super::name::continues(c) || matches!(c, '.' | ' ' | '\n' | '-'))).unwrap_or(rest.len());
        let words: Vec<&str> = rest[..end].split_whitespace().take(6).collect();
        // The longest run of words that is a type: what stands behind it may be an operator.
        for count in (1..=words.len()).rev() {
            let name = words[..count].join(" ");
            let known = self.types.iter().find(|(known, _)| **known == *name).map(|(_, of)| of.clone());
            if let Some(known) = known.or_else(|| Type::named(&name)) {
                for word in &words[..count] {
                    self.space();
                    self.at += word.len();
                }
                return self.parameters_of(&name, known);
            }
        }
        match words.first() {
            Some(first) => {
                self.at += first.len();
                Ok(Type::Unknown)
            }
            None => Err(self.wrong("expected a type")),
        }
    }

    fn parameters_of(&mut self, name: &str, plain: Type) -> Parsed<Type> {
        if !matches!(name, "list" | "context" | "function" | "range") || !self.sign("<") {
            return Ok(plain);
        }
        match name {
            "list" | "range" => {
                let of = Arc::new(self.type_name()?);
                self.expect(">")?;
                Ok(if name == "list" { Type::List(of) } else { Type::Range(of) })
            }
            "context" => {
                let mut entries = Vec::new();
                loop {
                    let entry = self.defined(&[])?;
                    self.expect(":")?;
                    entries.push((entry, self.type_name()?));
                    if !self.sign(",") {
                        break;
                    }
                }
                self.expect(">")?;
                Ok(Type::Context(Arc::new(entries)))
            }
            _ => {
                let mut parameters = Vec::new();
                while !self.sign(">") {
                    parameters.push(self.type_name()?);
                    self.sign(",");
                }
                self.expect("->")?;
                let result = self.type_name()?;
                Ok(Type::Function(Arc::new(parameters), Arc::new(result)))
            }
        }
    }
}
