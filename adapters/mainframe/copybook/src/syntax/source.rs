//! Reference format: from the lines of a source to the text a scanner reads, with the way back to line and column.

use super::Position;
use super::program::Divisions;

/// Where the program text stands on a line (COBOL reference format, IBM Enterprise COBOL Language Reference, "Reference format").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// Columns 1 to 6 number the line, 7 is an indicator, 8 to 72 hold text, the rest is a remark.
    Fixed,
    /// Text anywhere.
    Free,
}

const INDICATOR: usize = 6;
const TEXT: usize = 7;
const TEXT_END: usize = 72;
const TAB: usize = 8;
/// Most characters of a run, so that a place is found as fast in a very long line.
const RUN: usize = 256;

/// The text of a source without sequence numbers, indicators, comment lines and other divisions than the DATA DIVISION.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) text: String,
    /// Whether it was a program, or at least divided like one.
    pub(super) is_program: bool,
    /// Where DECIMAL-POINT IS COMMA is said, which changes what numbers mean.
    pub(super) decimal_comma: Option<Position>,
    runs: Vec<Run>,
}

/// A stretch of `text` that lies on one line.
#[derive(Debug, Clone, Copy)]
struct Run {
    start: usize,
    position: Position,
}

impl Source {
    pub(super) fn read(source: &str) -> Self {
        let source = source.strip_prefix('\u{feff}').unwrap_or(source);
        let format = detect(source);
        let mut divisions = Divisions::of(source.lines().map(|line| code(&expand(line), format).trim_start().to_owned()));
        let mut reader = Self { text: String::new(), is_program: divisions.is_program(), decimal_comma: None, runs: Vec::new() };
        let mut open = None;
        for (number, line) in (1u32..).zip(source.lines()) {
            let line = expand(line);
            let code = code(&line, format);
            if divisions.hides(code.trim_start()) {
                if code.to_ascii_uppercase().contains("DECIMAL-POINT") {
                    reader.decimal_comma = reader.decimal_comma.or(Some(Position { line: number, column: 1 }));
                }
                continue;
            }
            if code.trim_start().is_empty() {
                continue;
            }
            let column = if format == Format::Fixed { TEXT } else { 0 };
            open = reader.add(Position { line: number, column: column as u32 + 1 }, code, continues(&line, format), open);
        }
        reader
    }

    /// Adds the text of a line; `open` is the quote of a literal that the line before left open. Returns the same for this line.
    fn add(&mut self, mut position: Position, code: &str, continues: bool, open: Option<char>) -> Option<char> {
        let mut code = code;
        if continues && self.text.ends_with('\n') {
            self.text.pop();
            if open.is_some() {
                let written = self.runs.last().map_or(0, |run| self.text[run.start..].chars().count());
                self.text.extend(std::iter::repeat_n(' ', (TEXT_END - TEXT).saturating_sub(written)));
            } else {
                self.text.truncate(self.text.trim_end().len());
            }
            let skipped = code.len() - code.trim_start().len() + usize::from(open.is_some());
            position.column += skipped as u32;
            code = code.get(skipped..).unwrap_or_default();
        }
        for (index, character) in code.chars().enumerate() {
            if index % RUN == 0 {
                self.runs.push(Run { start: self.text.len(), position });
            }
            self.text.push(character);
            position.column += 1;
        }
        self.text.push('\n');
        open_literal(code, if continues { open } else { None })
    }

    /// Line and column of a place in the text.
    pub(super) fn position(&self, offset: usize) -> Position {
        let after = self.runs.partition_point(|run| run.start <= offset);
        let Some(run) = after.checked_sub(1).and_then(|index| self.runs.get(index)) else {
            return Position { line: 1, column: 1 };
        };
        let columns = self.text.get(run.start..offset).map_or(0, |text| text.chars().count());
        Position { line: run.position.line, column: run.position.column + columns as u32 }
    }
}

/// Tabs to spaces, so that columns are what the author saw.
fn expand(line: &str) -> String {
    if !line.contains('\t') {
        return line.to_owned();
    }
    let mut wide = String::with_capacity(line.len() + TAB);
    let mut columns = 0;
    for character in line.chars() {
        let width = if character == '\t' { TAB - columns % TAB } else { 1 };
        columns += width;
        if character == '\t' {
            wide.extend(std::iter::repeat_n(' ', width));
        } else {
            wide.push(character);
        }
    }
    wide
}

/// The program text of a line; empty for comments, debugging lines and directives.
fn code(line: &str, format: Format) -> &str {
    let text = match format {
        Format::Free => line.trim_end(),
        Format::Fixed => {
            if line.chars().nth(INDICATOR).is_some_and(|c| matches!(c, '*' | '/' | 'D' | 'd' | '$')) {
                return "";
            }
            columns(line, TEXT, TEXT_END).trim_end()
        }
    };
    let start = text.trim_start();
    if start.starts_with('*') || start.starts_with(">>") || (format == Format::Free && start.starts_with('$')) {
        ""
    } else {
        text
    }
}

fn columns(line: &str, from: usize, to: usize) -> &str {
    let at = |column: usize| line.char_indices().nth(column).map_or(line.len(), |(index, _)| index);
    &line[at(from)..at(to)]
}

fn continues(line: &str, format: Format) -> bool {
    format == Format::Fixed && line.chars().nth(INDICATOR) == Some('-')
}

/// The quote of a literal that is not closed on this line.
fn open_literal(code: &str, mut open: Option<char>) -> Option<char> {
    let mut characters = code.chars().peekable();
    while let Some(character) = characters.next() {
        match open {
            Some(quote) if character == quote => open = None,
            None if matches!(character, '\'' | '"') => open = Some(character),
            None if character == '*' && characters.peek() == Some(&'>') => return None,
            _ => {}
        }
    }
    open
}

/// A level number before column 8 can only be free format; else what stands in column 7 decides by majority.
fn detect(source: &str) -> Format {
    let (mut free, mut fixed) = (0usize, 0usize);
    for line in source.lines() {
        let line = expand(line);
        let upper = line.trim_start().to_ascii_uppercase();
        if upper.starts_with('*') || upper.is_empty() {
            continue;
        }
        if (upper.starts_with(">>") || upper.starts_with("$SET")) && upper.contains("FORMAT") {
            return if upper.contains("FREE") { Format::Free } else { Format::Fixed };
        }
        if starts_with_level(&line) {
            return Format::Free;
        }
        match line.chars().nth(INDICATOR) {
            None => {}
            Some(' ' | '*' | '/' | '-' | 'D' | 'd' | '$') => fixed += 1,
            Some(_) => free += 1,
        }
    }
    if free > fixed { Format::Free } else { Format::Fixed }
}

/// One or two digits before column 8, spaces, then a letter: `01 NAME`.
fn starts_with_level(line: &str) -> bool {
    let start = line.trim_start();
    let digits = start.len() - start.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let rest = &start[digits..];
    line.len() - start.len() < TEXT
        && (1..=2).contains(&digits)
        && rest.starts_with(' ')
        && rest.trim_start().starts_with(|c: char| c.is_ascii_alphabetic())
}
