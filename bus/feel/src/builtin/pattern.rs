//! Regular expressions of XPath, run by an engine that is linear in the text: no pattern can stall it. Back-references are refused.

use std::cell::RefCell;
use std::fmt::Write as _;

use regex::{Regex, RegexBuilder};

use crate::evaluate::Evaluation;
use crate::limits::Exceeded;
use crate::value::Value;

use super::{Given, pattern_cost, xpath};

/// Bytes of a compiled pattern.
const PATTERN_BYTES: usize = 256 << 10;

/// Bytes of the text of a pattern.
const PATTERN_TEXT: usize = 10_000;

/// Places of a pattern that are looked at in one step.
const PLACES_PER_STEP: usize = 16;

/// Patterns that a thread keeps: most evaluations use the same again.
const KEPT: usize = 16;

/// A pattern and its flags, and what they compile to.
type Kept = (Box<str>, Box<str>, Option<Regex>);

thread_local! {
    /// The patterns used last, the latest at the end.
    static PATTERNS: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

/// The compiled pattern, after paying for it and for its search in so long a text; nothing where it is none.
fn compiled(evaluation: &mut Evaluation, pattern: &str, flags: &str, text: &str) -> Result<Option<Regex>, Exceeded> {
    let places = pattern_cost::places(pattern);
    // Paid also where it is kept already: the same evaluation takes the same steps again.
    evaluation.budget.steps(COMPILATION_STEPS + places.min(PATTERN_TEXT))?;
    evaluation.budget.steps(places.saturating_mul(text.len()) / PLACES_PER_STEP)?;
    evaluation.budget.memory(pattern.len() * 64)?;
    if !flags.chars().all(|flag| "smixq".contains(flag)) || pattern.len() > PATTERN_TEXT {
        return Ok(None);
    }
    Ok(PATTERNS.with_borrow_mut(|kept| {
        let known = kept.iter().position(|(other, others, _)| **other == *pattern && **others == *flags);
        let entry = known.map(|at| kept.remove(at)).unwrap_or_else(|| (pattern.into(), flags.into(), compile(pattern, flags)));
        let found = entry.2.clone();
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push(entry);
        found
    }))
}

/// Compiling costs far more than a step, and makes the clock be looked at.
const COMPILATION_STEPS: usize = 256;

fn compile(pattern: &str, flags: &str) -> Option<Regex> {
    let literal = flags.contains('q');
    let pattern = if literal { regex::escape(pattern) } else { xpath::translated(pattern, !flags.contains('x'))? };
    let set = |flag| !literal && flags.contains(flag);
    RegexBuilder::new(&pattern)
        .case_insensitive(flags.contains('i'))
        .dot_matches_new_line(set('s'))
        .multi_line(set('m'))
        .size_limit(PATTERN_BYTES)
        .dfa_size_limit(PATTERN_BYTES)
        .build()
        .ok()
}

pub(super) fn matches(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let (text, pattern, flags) = match arguments {
        [Value::Text(text), Value::Text(pattern)] | [Value::Text(text), Value::Text(pattern), Value::Null] => (text, pattern, ""),
        [Value::Text(text), Value::Text(pattern), Value::Text(flags)] => (text, pattern, &**flags),
        _ => return Ok(None),
    };
    Ok(compiled(evaluation, pattern, flags, text)?.map(|pattern| Value::Boolean(pattern.is_match(text))))
}

/// XPath refuses patterns that match nothing at all (FORX0003), as does `split`.
pub(super) fn replace(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let (text, pattern, with, flags) = match arguments {
        [Value::Text(text), Value::Text(pattern), Value::Text(with)]
        | [Value::Text(text), Value::Text(pattern), Value::Text(with), Value::Null] => (text, pattern, with, ""),
        [Value::Text(text), Value::Text(pattern), Value::Text(with), Value::Text(flags)] => (text, pattern, with, &**flags),
        _ => return Ok(None),
    };
    let Some(pattern) = compiled(evaluation, pattern, flags, text)? else { return Ok(None) };
    if pattern.is_match("") {
        return Ok(None);
    }
    let with = if flags.contains('q') { Some(with.replace('$', "$$")) } else { groups(with, pattern.captures_len() - 1) };
    let Some(with) = with else { return Ok(None) };
    let mut replaced = String::new();
    let mut from = 0;
    for found in pattern.captures_iter(text) {
        evaluation.budget.steps(8)?;
        let Some(whole) = found.get(0) else { continue };
        replaced.push_str(&text[from..whole.start()]);
        found.expand(&with, &mut replaced);
        from = whole.end();
        if replaced.len() > evaluation.budget.limits.text_bytes {
            evaluation.budget.text(replaced.len())?;
        }
    }
    replaced.push_str(&text[from..]);
    evaluation.budget.text(replaced.len())?;
    Ok(Some(Value::text(replaced)))
}

/// The replacement as the engine here writes it; nothing where a `$` or a `\` stands that XPath does not know (FORX0004).
fn groups(with: &str, groups: usize) -> Option<String> {
    let mut written = String::new();
    let mut characters = with.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next()? {
                '\\' => written.push('\\'),
                '$' => written.push_str("$$"),
                _ => return None,
            },
            '$' => {
                let mut group = characters.next()?.to_digit(10)? as usize;
                // `$12` is group 12 where there are so many, else group 1 and a 2.
                while let Some(digit) =
                    characters.peek().and_then(|c| c.to_digit(10)).filter(|digit| group * 10 + *digit as usize <= groups)
                {
                    group = group * 10 + digit as usize;
                    characters.next();
                }
                let _ = write!(written, "${{{group}}}");
            }
            c => written.push(c),
        }
    }
    Some(written)
}

pub(super) fn split(evaluation: &mut Evaluation, arguments: &[Value]) -> Given {
    let [Value::Text(text), Value::Text(pattern)] = arguments else { return Ok(None) };
    let Some(pattern) = compiled(evaluation, pattern, "", text)?.filter(|pattern| !pattern.is_match("")) else { return Ok(None) };
    let mut parts = Vec::new();
    for part in pattern.split(text) {
        evaluation.budget.step()?;
        evaluation.budget.items(parts.len() + 1)?;
        evaluation.budget.text(part.len())?;
        parts.push(Value::text(part));
    }
    Ok(Some(Value::list(parts)))
}
