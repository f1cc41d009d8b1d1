//! Other values for personal ones: of the same shape, equal for equal values, by a key that dies with the recording.

use std::iter;

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

/// Longer texts keep their length, not the places of their words.
const SHAPED_CHARS: usize = 64;
/// Another try where a pseudonym happens to be its original.
const ROUNDS: u8 = 16;
/// Moments lie between 1950 and 2050, in seconds since 1970.
const MOMENTS: std::ops::Range<i64> = -631_152_000..2_524_608_000;

/// Makes pseudonyms by a random key, which nobody else ever has.
#[derive(Debug)]
pub(super) struct Pseudonyms(hmac::Key);

impl Pseudonyms {
    /// With a key of its own. `None` only where the system has no randomness to give.
    pub(super) fn new() -> Option<Self> {
        let mut key = [0; 32];
        SystemRandom::new().fill(&mut key).ok()?;
        Some(Self::with_key(&key))
    }

    pub(super) fn with_key(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// Letters become letters and digits digits; case, and ASCII punctuation between them, stay. Texts of digits keep their leading zeros
    /// (and so texts of zeros stay), so that a number is the same padded, bare, or as an integer.
    pub(super) fn text(&self, original: &str) -> String {
        if original.bytes().all(|byte| byte.is_ascii_digit()) {
            let (zeros, number) = original.split_at(original.len() - original.trim_start_matches('0').len());
            return format!("{zeros}{}", self.digits(number));
        }
        let other = (0..ROUNDS).map(|round| self.shaped(original, round)).find(|other| other != original);
        other.unwrap_or_default()
    }

    /// As many bytes.
    pub(super) fn bytes(&self, original: &[u8]) -> Vec<u8> {
        let other = (0..ROUNDS).map(|round| self.stream(round, original).take(original.len()).collect::<Vec<u8>>());
        other.into_iter().find(|other| other != original).unwrap_or_default()
    }

    /// A number of as many digits, at most `greatest`; zero stays.
    pub(super) fn number(&self, original: u64, greatest: u64) -> u64 {
        if original == 0 {
            return 0;
        }
        let text = original.to_string();
        let least = 10_u128.pow(text.len() as u32 - 1);
        let most = (least * 10 - 1).min(u128::from(greatest));
        let drawn = self.digits(&text).parse::<u128>().unwrap_or(least);
        u64::try_from(least + (drawn - least) % (most - least + 1)).unwrap_or(greatest)
    }

    /// A number of the same size and sign, with cents where there is a fraction; what is no number becomes zero.
    pub(super) fn fraction(&self, original: f64) -> f64 {
        const LARGEST: u64 = 1 << 53;
        let size = original.abs();
        if !size.is_finite() || size >= LARGEST as f64 {
            return 0.0;
        }
        let whole = self.number(size as u64, LARGEST) as f64;
        let cents = if size.fract() == 0.0 { 0 } else { 1 + self.draw(&size.to_be_bytes()) % 99 };
        (whole + cents as f64 / 100.0).copysign(original)
    }

    /// Seconds since 1970.
    pub(super) fn moment(&self, seconds: i64) -> i64 {
        let span = (MOMENTS.end - MOMENTS.start).unsigned_abs();
        MOMENTS.start + (self.draw(&seconds.to_be_bytes()) % span) as i64
    }

    fn digits(&self, number: &str) -> String {
        let draw = |round| {
            let digit = |(place, byte): (usize, u8)| if place == 0 { b'1' + byte % 9 } else { b'0' + byte % 10 };
            let drawn = self.stream(round, number.as_bytes()).take(number.len()).enumerate().map(digit);
            drawn.map(char::from).collect::<String>()
        };
        (0..ROUNDS).map(draw).find(|drawn| drawn != number).unwrap_or_default()
    }

    fn shaped(&self, original: &str, round: u8) -> String {
        let chars = original.chars().count();
        let worded = original.chars().filter(|character| character.is_alphanumeric()).count();
        // Little but punctuation: then that is what it says.
        let is_shaped = chars <= SHAPED_CHARS && worded * 2 >= chars;
        let drawn = self.stream(round, original.as_bytes());
        let other = |(character, byte): (char, u8)| match character {
            _ if !is_shaped => b'a' + byte % 26,
            _ if character.is_numeric() => b'0' + byte % 10,
            _ if character.is_uppercase() => b'A' + byte % 26,
            _ if character.is_alphabetic() => b'a' + byte % 26,
            ' '..='~' => character as u8,
            _ => b'-',
        };
        original.chars().zip(drawn).map(|pair| char::from(other(pair))).collect()
    }

    fn draw(&self, original: &[u8]) -> u64 {
        self.stream(0, original).take(8).fold(0, |number, byte| number << 8 | u64::from(byte))
    }

    /// Bytes without end that only the key and the original give.
    fn stream(&self, round: u8, original: &[u8]) -> impl Iterator<Item = u8> {
        let block = move |number: u64| {
            let mut context = hmac::Context::with_key(&self.0);
            context.update(&[round]);
            context.update(&number.to_be_bytes());
            context.update(original);
            context.sign().as_ref().to_vec()
        };
        let mut number = 0;
        let mut current = block(0).into_iter();
        iter::from_fn(move || {
            current.next().or_else(|| {
                number += 1;
                current = block(number).into_iter();
                current.next()
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pseudonyms() -> Pseudonyms {
        Pseudonyms::with_key(b"a key for tests")
    }

    fn shape(text: &str) -> String {
        let class = |character: char| match character {
            '0'..='9' => '9',
            'a'..='z' => 'a',
            'A'..='Z' => 'A',
            other => other,
        };
        text.chars().map(class).collect()
    }

    #[test]
    fn a_pseudonym_has_the_shape_of_its_original_and_is_another_value() {
        for original in
            ["Jean.Dupont@example.org", "+33 6 12 34 56 78", "FR7630006000011234567890189", "4711", "0000004711", "O'Neill"]
        {
            let other = pseudonyms().text(original);
            assert_ne!(other, original);
            assert_eq!(shape(&other), shape(original), "{original} became {other}");
        }
        assert_eq!(pseudonyms().text(""), "");
        assert_eq!(pseudonyms().text("0000"), "0000");
        assert!(pseudonyms().text("@@@@----").chars().all(|character| character.is_ascii_lowercase()));
        assert_eq!(shape(&pseudonyms().text("É. Zoé")), "A. Aaa");
        let long = "a word ".repeat(20);
        assert_eq!(shape(&pseudonyms().text(&long)), "a".repeat(140));
    }

    #[test]
    fn a_number_is_the_same_padded_bare_and_as_an_integer() {
        let bare = pseudonyms().text("4711");
        assert_eq!(pseudonyms().text("0000004711"), format!("000000{bare}"));
        assert_eq!(pseudonyms().number(4711, u64::MAX).to_string(), bare);
    }

    #[test]
    fn another_key_makes_other_pseudonyms() {
        let other = Pseudonyms::with_key(b"another");
        assert_ne!(pseudonyms().text("Jean Dupont"), other.text("Jean Dupont"));
        assert_eq!(pseudonyms().text("Jean Dupont"), pseudonyms().text("Jean Dupont"));
    }

    proptest! {
        #[test]
        fn numbers_keep_their_digits_and_their_range(original in any::<u64>(), small in any::<u32>()) {
            for (number, greatest) in [(original, u64::MAX), (u64::from(small), u64::from(u32::MAX)), (u64::from(small >> 1), i32::MAX as u64)] {
                let other = pseudonyms().number(number, greatest);
                prop_assert_eq!(other.to_string().len(), number.to_string().len());
                prop_assert!(other <= greatest);
            }
        }

        #[test]
        fn fractions_and_moments_stay_in_their_ranges(number in any::<f64>(), seconds in any::<i64>()) {
            let other = pseudonyms().fraction(number);
            prop_assert!(other.is_finite());
            prop_assert!(MOMENTS.contains(&pseudonyms().moment(seconds)));
        }
    }
}
