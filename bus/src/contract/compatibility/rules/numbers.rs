//! Ranges of numbers: what of a range is in no other any more.

use std::ops::RangeInclusive;

/// The parts of `range` that none of `ranges` covers.
pub(super) fn missing(range: &RangeInclusive<i32>, ranges: &[RangeInclusive<i32>]) -> Vec<RangeInclusive<i32>> {
    let mut sorted: Vec<_> = ranges.iter().filter(|other| !other.is_empty()).collect();
    sorted.sort_by_key(|other| *other.start());
    let mut gaps = Vec::new();
    // In i64, so that one beyond the greatest number is a number too.
    let mut next = i64::from(*range.start());
    let last = i64::from(*range.end());
    for other in sorted {
        let (start, end) = (i64::from(*other.start()), i64::from(*other.end()));
        if start > last {
            break;
        }
        if start > next {
            gaps.push(next..=start - 1);
        }
        next = next.max(end + 1);
    }
    if next <= last {
        gaps.push(next..=last);
    }
    // All within `range`.
    gaps.into_iter().map(|gap| *gap.start() as i32..=*gap.end() as i32).collect()
}

/// `5 to 9, 12`.
pub(super) fn shown(ranges: &[RangeInclusive<i32>]) -> String {
    let one = |range: &RangeInclusive<i32>| match (range.start(), range.end()) {
        (start, end) if start == end => start.to_string(),
        (start, end) if *end >= MOST => format!("{start} to max"),
        (start, end) => format!("{start} to {end}"),
    };
    ranges.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The greatest number of a field.
const MOST: i32 = 536_870_911;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_range_covers_is_missing() {
        for (range, ranges, expected) in [
            (5..=9, vec![], "5 to 9"),
            (5..=9, vec![1..=20], ""),
            (5..=9, vec![1..=5, 7..=7, 9..=30], "6, 8"),
            (5..=9, vec![8..=8, 6..=6], "5, 7, 9"),
            (5..=9, vec![6..=6, 5..=5, 7..=9], ""),
            (1..=i32::MAX, vec![3..=i32::MAX], "1 to 2"),
            (i32::MIN..=i32::MAX, vec![], "-2147483648 to max"),
            (RangeInclusive::new(9, 8), vec![], ""),
        ] {
            assert_eq!(shown(&missing(&range, &ranges)), expected, "{range:?} in {ranges:?}");
        }
    }
}
