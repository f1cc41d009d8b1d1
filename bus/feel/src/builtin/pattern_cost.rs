//! What a regular expression may cost: how many of its places a text may be at, at once.

/// An upper bound, without reading the pattern exactly: each character, class and escape is a place, and what is repeated a number of
/// times is that many.
pub(super) fn places(pattern: &str) -> usize {
    // The places of each group that is open, and of what was read last: what a repetition repeats.
    let mut open = vec![0_usize];
    let mut last = 0;
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            '(' => {
                add(&mut open, last);
                open.push(0);
                last = 0;
            }
            ')' => {
                add(&mut open, last);
                last = if open.len() > 1 { open.pop().unwrap_or(0) } else { 0 };
            }
            '{' => {
                let counts: String = rest.as_str().chars().take_while(|c| *c != '}').collect();
                let most = counts.split(',').filter_map(|count| count.trim().parse::<usize>().ok()).max();
                last = last.saturating_mul(most.unwrap_or(1).max(1));
            }
            '\\' => {
                add(&mut open, last);
                // A class such as `\w` is a small machine of its own.
                last = if rest.next().is_some_and(|c| c.is_ascii_alphabetic()) { 8 } else { 1 };
            }
            _ => {
                add(&mut open, last);
                last = 1;
            }
        }
    }
    add(&mut open, last);
    open.into_iter().fold(1, usize::saturating_add)
}

fn add(open: &mut [usize], more: usize) {
    if let Some(group) = open.last_mut() {
        *group = group.saturating_add(more);
    }
}
