//! What a caller asks of kept answers: `cache-control` in its metadata (RFC 9111, 5.2.1).

use std::time::Duration;

use http::HeaderMap;
use http::header::CACHE_CONTROL;

/// How old an answer may be, for this caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wish {
    /// `no-store`: its answer is not to be kept, and none that was kept is wanted.
    pub(super) alone: bool,
    /// `max-age`, in seconds; `no-cache`: none at all.
    pub(super) oldest: Option<Duration>,
}

impl Wish {
    /// What the metadata says; directives that are not known say nothing.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut wish = Self { alone: false, oldest: None };
        for directive in directives(headers) {
            let directive = directive.to_ascii_lowercase();
            let age = match directive.split_once('=') {
                Some(("max-age", seconds)) => seconds.trim_matches('"').parse().ok().map(Duration::from_secs),
                // RFC 9111, 4.2.1: what cannot be read is stale.
                _ if directive == "no-cache" => Some(Duration::ZERO),
                _ => continue,
            };
            let age = age.unwrap_or_default();
            wish.oldest = Some(wish.oldest.map_or(age, |oldest| oldest.min(age)));
        }
        wish.alone = directives(headers).any(|directive| directive.eq_ignore_ascii_case("no-store"));
        wish
    }
}

/// Whether an answer's own metadata forbids to give it to others later (RFC 9111, 5.2.2).
pub(super) fn forbids(answer: &HeaderMap) -> bool {
    let forbidding = ["no-store", "no-cache", "private"];
    directives(answer).any(|directive| {
        forbidding.iter().any(|word| directive.split('=').next().is_some_and(|name| name.eq_ignore_ascii_case(word)))
    })
}

fn directives(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let texts = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(text: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CACHE_CONTROL, http::HeaderValue::from_static(text))])
    }

    #[test]
    fn a_caller_says_how_old_an_answer_may_be() {
        let cases = [
            ("", false, None),
            ("no-cache", false, Some(0)),
            ("No-Cache", false, Some(0)),
            ("max-age=3", false, Some(3)),
            ("max-age=\"3\"", false, Some(3)),
            ("max-age=5, no-cache", false, Some(0)),
            ("max-age=x", false, Some(0)),
            ("max-age=7 , max-stale=9", false, Some(7)),
            ("no-store", true, None),
            ("only-if-cached", false, None),
        ];
        for (text, alone, seconds) in cases {
            let expected = Wish { alone, oldest: seconds.map(Duration::from_secs) };
            assert_eq!(Wish::of(&headers(text)), expected, "{text:?}");
        }
    }

    #[test]
    fn an_answer_may_forbid_to_be_kept() {
        for text in ["no-store", "max-age=3, Private", "no-cache=\"name\""] {
            assert!(forbids(&headers(text)), "{text}");
        }
        for text in ["", "max-age=3", "public"] {
            assert!(!forbids(&headers(text)), "{text}");
        }
    }
}
