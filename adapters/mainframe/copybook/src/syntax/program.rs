//! Divisions of a whole program: which lines belong to its DATA DIVISION.

/// Goes through the lines of a source and says which to leave out. A copybook has no divisions: nothing is left out.
#[derive(Debug)]
pub(super) struct Divisions {
    is_program: bool,
    outside: bool,
}

impl Divisions {
    /// Looks whether the source is a program.
    pub(super) fn of(lines: impl Iterator<Item = String>) -> Self {
        let mut is_program = false;
        let mut divided = false;
        for line in lines {
            divided |= division(&line).is_some();
            is_program |= divided || first_two(&line).is_some_and(|(_, second)| second.eq_ignore_ascii_case("SECTION"));
        }
        Self { is_program, outside: divided }
    }

    pub(super) fn is_program(&self) -> bool {
        self.is_program
    }

    /// Whether this line is no part of a DATA DIVISION.
    pub(super) fn hides(&mut self, line: &str) -> bool {
        match division(line) {
            Some(name) => {
                self.outside = !name.eq_ignore_ascii_case("DATA");
                true
            }
            None => self.outside,
        }
    }
}

fn division(line: &str) -> Option<&str> {
    let (first, second) = first_two(line)?;
    let known = ["IDENTIFICATION", "ID", "ENVIRONMENT", "DATA", "PROCEDURE"].iter().any(|name| first.eq_ignore_ascii_case(name));
    (known && second.eq_ignore_ascii_case("DIVISION")).then_some(first)
}

fn first_two(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace();
    Some((words.next()?, words.next()?.trim_end_matches('.')))
}
