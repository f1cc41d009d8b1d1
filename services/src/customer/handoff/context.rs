//! The limits of what is known of a matter.

use std::collections::BTreeMap;

/// Most answers.
pub(super) const MOST_ANSWERS: usize = 200;
/// Most bytes of all questions and answers.
pub(super) const MOST_BYTES: usize = 32 * 1024;
/// Longest name of a question, in bytes.
pub(super) const LONGEST_QUESTION: usize = 128;
/// Longest answer, in bytes.
pub(super) const LONGEST_ANSWER: usize = 4 * 1024;

/// Bytes of all questions and answers.
pub(super) fn bytes(answers: &BTreeMap<String, String>) -> usize {
    answers.iter().map(|(question, answer)| question.len() + answer.len()).sum()
}

/// Whether so much may be known.
pub(super) fn fits(answers: &BTreeMap<String, String>) -> bool {
    answers.len() <= MOST_ANSWERS && bytes(answers) <= MOST_BYTES
}
