//! Where a field stands in a YAML text, for errors that are found after parsing.

use serde_saphyr::granit_parser::{Event, Marker, Parser, StrInput};

/// Line and column (from 1) of the key that `path` (`limits.deadline_ms`, `addresses[1]`) leads to, or of the deepest key
/// on the way that is there.
pub(super) fn locate(text: &str, path: &str) -> Option<(usize, usize)> {
    let steps: Vec<&str> =
        path.split(['.', '[']).map(|step| step.trim_end_matches(']')).filter(|step| !step.is_empty()).collect();
    let mut events = Events(Parser::new_from_str(text));
    while !matches!(events.next()?.0, Event::DocumentStart(..)) {}
    let marker = events.find(&steps)?;
    Some((marker.line(), marker.col() + 1))
}

struct Events<'a>(Parser<'a, StrInput<'a>>);

impl<'a> Events<'a> {
    fn next(&mut self) -> Option<(Event<'a>, Marker)> {
        let (event, span) = self.0.next_event()?.ok()?;
        Some((event, span.start))
    }

    /// Reads one node and finds the deepest step of `steps` in it.
    fn find(&mut self, steps: &[&str]) -> Option<Marker> {
        let (wanted, rest) = steps.split_first()?;
        match self.next()?.0 {
            Event::MappingStart(..) => loop {
                let (key, marker) = self.next()?;
                match key {
                    Event::MappingEnd => return None,
                    Event::Scalar(name, ..) if name == *wanted => return Some(self.find(rest).unwrap_or(marker)),
                    _ => self.skip()?,
                }
            },
            Event::SequenceStart(..) => {
                for _ in 0..wanted.parse::<usize>().ok()? {
                    self.skip()?;
                }
                let marker = *self.peek()?;
                Some(self.find(rest).unwrap_or(marker))
            }
            _ => None,
        }
    }

    fn peek(&mut self) -> Option<&Marker> {
        Some(&self.0.peek()?.ok()?.1.start)
    }

    /// Reads one node and forgets it.
    fn skip(&mut self) -> Option<()> {
        let mut depth = 0;
        loop {
            match self.next()?.0 {
                Event::MappingStart(..) | Event::SequenceStart(..) => depth += 1,
                Event::MappingEnd | Event::SequenceEnd => depth -= 1,
                _ => {}
            }
            if depth <= 0 {
                return Some(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_path() {
        let text = "# settings\nlimits: { deadline_ms: 5 }\nendpoints:\n  other:\n    addresses: [a]\n  cards:\n    addresses:\n      - b\n      - c\n";
        let cases = [
            ("limits", Some((2, 1))),
            ("limits.deadline_ms", Some((2, 11))),
            ("endpoints.cards.addresses", Some((7, 5))),
            ("endpoints.cards.addresses[1]", Some((9, 9))),
            ("endpoints.cards.file", Some((6, 3))),
            ("endpoints.none", Some((3, 1))),
            ("listen", None),
        ];
        for (path, place) in cases {
            assert_eq!(locate(text, path), place, "{path}");
        }
    }

    #[test]
    fn text_that_is_no_yaml_has_no_places() {
        for text in ["", "[", "a: [", "\u{7}", "- a"] {
            assert_eq!(locate(text, "a.b"), if text == "a: [" { Some((1, 1)) } else { None }, "{text:?}");
        }
    }
}
