//! `when:`: which of the items that share a storage area is the one in it.

/// A condition as written, before its names are looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum When {
    /// `FIELD = value`, `FIELD in [values]`
    Is { field: String, values: Vec<WhenValue> },
    /// The name of a level 88 entry.
    Condition(String),
    /// `otherwise`
    Otherwise,
}

/// A value to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WhenValue {
    Text(String),
    Number(i64),
}

const FORMS: &str = "write `FIELD = \"C\"`, `FIELD in [\"C\", \"D\"]`, `FIELD = 7`, the name of a level 88 entry, or `otherwise`";

impl When {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut words = Words { rest: text };
        let Some(Word::Name(field)) = words.next() else { return Err(FORMS.to_owned()) };
        let when = match words.next() {
            None if field.eq_ignore_ascii_case("otherwise") => return Ok(When::Otherwise),
            None => return Ok(When::Condition(field.to_ascii_uppercase())),
            Some(Word::Equals) => words.value().map(|value| vec![value]),
            Some(Word::Name(word)) if word.eq_ignore_ascii_case("in") => words.list(),
            Some(_) => None,
        };
        match (when, words.next()) {
            (Some(values), None) => Ok(When::Is { field, values }),
            _ => Err(FORMS.to_owned()),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Word {
    Name(String),
    Value(WhenValue),
    Equals,
    Sign(char),
}

struct Words<'a> {
    rest: &'a str,
}

impl Words<'_> {
    fn next(&mut self) -> Option<Word> {
        self.rest = self.rest.trim_start();
        let first = self.rest.chars().next()?;
        match first {
            '=' => {
                self.take(if self.rest.starts_with("==") { 2 } else { 1 });
                Some(Word::Equals)
            }
            '"' | '\'' => {
                let Some(length) = self.rest[1..].find(first) else {
                    self.rest = "";
                    return Some(Word::Sign(first));
                };
                let text = self.take(length + 2);
                Some(Word::Value(WhenValue::Text(text[1..=length].to_owned())))
            }
            '[' | ']' | ',' => {
                self.take(1);
                Some(Word::Sign(first))
            }
            _ => {
                let end = self.rest.find(|c: char| c.is_whitespace() || "=[],\"'".contains(c)).unwrap_or(self.rest.len());
                let word = self.take(end);
                Some(word.parse().map_or_else(|_| Word::Name(word.to_owned()), |number| Word::Value(WhenValue::Number(number))))
            }
        }
    }

    fn take(&mut self, length: usize) -> &str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn value(&mut self) -> Option<WhenValue> {
        match self.next()? {
            Word::Value(value) => Some(value),
            _ => None,
        }
    }

    fn list(&mut self) -> Option<Vec<WhenValue>> {
        if self.next()? != Word::Sign('[') {
            return None;
        }
        let mut values = vec![self.value()?];
        loop {
            match self.next()? {
                Word::Sign(',') => values.push(self.value()?),
                Word::Sign(']') => return Some(values),
                _ => return None,
            }
        }
    }
}
