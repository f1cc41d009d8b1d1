//! The names of a log's files.

/// Which journal this is, and how often it was opened.
pub(super) const META: &str = "journal.meta";
/// A segment that is being zeroed; of no use after a crash.
pub(super) const ZEROING: &str = "zeroing.tmp";
/// A sidecar that is being written; of no use after a crash.
pub(super) const INDEXING: &str = "indexing.tmp";
/// What a repair copies, until it is whole; of no use after a crash.
pub(super) const COPYING: &str = "copying.tmp";

const SEGMENT: &str = ".log";
const INDEX: &str = ".index";
const FREE: &str = "free-";

/// The segment whose first record is at `base`.
pub(super) fn segment(base: u64) -> String {
    format!("{base:020}{SEGMENT}")
}

/// Its sidecar.
pub(super) fn index(base: u64) -> String {
    format!("{base:020}{INDEX}")
}

/// A spare segment, zeroed or once used.
pub(super) fn free(number: u64) -> String {
    format!("{FREE}{number}{SEGMENT}")
}

/// What was cut out of a segment by a repair, and by later ones at the same place.
pub(super) fn damaged(base: u64, offset: u64, time: u64) -> String {
    match time {
        1 => format!("damaged-{base:020}-{offset}"),
        _ => format!("damaged-{base:020}-{offset}-{time}"),
    }
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Segment(u64),
    Index(u64),
    Free(u64),
    Unfinished,
    Other,
}

pub(super) fn parse(name: &str) -> Name {
    let number = |digits: &str, length: Option<usize>| {
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && length.is_none_or(|length| digits.len() == length);
        digits.parse::<u64>().ok().filter(|_| plain)
    };
    if [ZEROING, INDEXING, COPYING].contains(&name) {
        return Name::Unfinished;
    }
    if let Some(free) = name.strip_prefix(FREE).and_then(|rest| rest.strip_suffix(SEGMENT)) {
        return number(free, None).map_or(Name::Other, Name::Free);
    }
    if let Some(base) = name.strip_suffix(SEGMENT) {
        // The first position is 1.
        return number(base, Some(20)).filter(|base| *base > 0).map_or(Name::Other, Name::Segment);
    }
    if let Some(base) = name.strip_suffix(INDEX) {
        return number(base, Some(20)).map_or(Name::Other, Name::Index);
    }
    Name::Other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_were_made_and_others_are_left_alone() {
        let cases = [
            (segment(7), Name::Segment(7)),
            (index(u64::MAX), Name::Index(u64::MAX)),
            (free(3), Name::Free(3)),
            (ZEROING.into(), Name::Unfinished),
            (damaged(1, 4096, 1), Name::Other),
            (damaged(1, 4096, 2), Name::Other),
            (COPYING.to_owned(), Name::Unfinished),
            ("7.log".into(), Name::Other),
            (segment(0), Name::Other),
            ("free-x.log".into(), Name::Other),
            ("+0000000000000000007.log".into(), Name::Other),
            ("lock".into(), Name::Other),
        ];
        for (name, expected) in cases {
            assert_eq!(parse(&name), expected, "{name}");
        }
    }
}
