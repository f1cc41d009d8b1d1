//! The code by which a customer resumes: seven symbols of chance and one that tells a typing error.
//!
//! Crockford's base 32 (<https://www.crockford.com/base32.html>): digits and capital letters without I, L, O and U; when typed, I and L are taken
//! for 1, O for 0, and case, dashes and blanks do not matter. Crockford's own check symbol needs five more characters than the alphabet
//! has. Ours is a parity over the field of 32 elements: each place weighs another power of the generator, so that any single wrong symbol, and any two
//! symbols that changed places, make the sum other than zero.

use std::fmt;
use std::str::FromStr;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Symbols that are chance: 35 bits.
const CHANCE: usize = 7;
/// Symbols with the one that checks.
const LENGTH: usize = CHANCE + 1;
/// More than this is no code, however it is written.
const LONGEST_TYPED: usize = 64;

/// A code, free of typing errors. Not shown by `Debug`: it is a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Code([u8; LENGTH]);

impl Code {
    /// The code of 35 bits, the lower ones of `chance`.
    pub(super) fn new(chance: u64) -> Self {
        let mut symbols = [0; LENGTH];
        for (place, symbol) in symbols.iter_mut().take(CHANCE).enumerate() {
            *symbol = (chance >> (5 * place) & 31) as u8;
        }
        // What makes the sum zero: the last place weighs one, and in this field what is added twice is gone.
        symbols[CHANCE] = sum(&symbols);
        Self(symbols)
    }

    /// The symbols, as numbers below 32.
    pub(super) fn symbols(&self) -> &[u8] {
        &self.0
    }
}

/// The sum of all places, each weighed by its power of the generator (Horner's scheme). Zero for a code.
fn sum(symbols: &[u8; LENGTH]) -> u8 {
    symbols.iter().fold(0, |sum, symbol| times_generator(sum) ^ symbol)
}

/// Multiplies by x in GF(32), modulo x⁵ + x² + 1, which is primitive: the 31 powers of x all differ, and so do the weights of 8 places.
fn times_generator(element: u8) -> u8 {
    let doubled = element << 1;
    if doubled & 0b10_0000 == 0 { doubled } else { doubled ^ 0b10_0101 }
}

/// As it is shown to people: `XXXX-XXXX`.
impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, symbol) in self.0.iter().enumerate() {
            let dash = if place == LENGTH / 2 { "-" } else { "" };
            write!(formatter, "{dash}{}", char::from(ALPHABET[usize::from(*symbol)]))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Code(…)")
    }
}

/// What was typed is no code. The words do not repeat it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum CodeError {
    /// Too few or too many.
    #[error("the code has {0} characters, a code has {LENGTH}")]
    Length(usize),
    /// Longer than anybody types.
    #[error("the code is longer than {LONGEST_TYPED} bytes, a code has {LENGTH} characters")]
    TooLong,
    /// Not of the alphabet.
    #[error("character {0} of the code is none that codes have: digits, and letters other than U")]
    Character(usize),
    /// The check fails.
    #[error("the code has a typing error: its check character does not fit the others")]
    Check,
}

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(typed: &str) -> Result<Self, CodeError> {
        if typed.len() > LONGEST_TYPED {
            return Err(CodeError::TooLong);
        }
        let written: Vec<char> = typed.chars().filter(|c| !c.is_whitespace() && !is_dash(*c)).collect();
        let mut symbols = [0; LENGTH];
        if written.len() != LENGTH {
            return Err(CodeError::Length(written.len()));
        }
        for (place, (symbol, character)) in symbols.iter_mut().zip(written).enumerate() {
            *symbol = value(character).ok_or(CodeError::Character(place + 1))?;
        }
        if sum(&symbols) == 0 { Ok(Self(symbols)) } else { Err(CodeError::Check) }
    }
}

/// Hyphens and what text programs make of them.
fn is_dash(character: char) -> bool {
    matches!(character, '-' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn value(character: char) -> Option<u8> {
    let meant = match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    ALPHABET.iter().position(|symbol| char::from(*symbol) == meant).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every symbol pair of all places: what the check does depends on the difference of two symbols only, so that going through the
    /// differences at every place is going through all codes.
    #[test]
    fn the_check_tells_every_wrong_symbol_and_every_two_that_changed_places_whatever_the_code() {
        let weight = |place: usize, symbol: u8| {
            let mut symbols = [0; LENGTH];
            symbols[place] = symbol;
            sum(&symbols)
        };
        let (mut wrong, mut swapped) = (0, 0);
        for place in 0..LENGTH {
            for difference in 1..32 {
                assert_ne!(weight(place, difference), 0, "place {place}");
                wrong += 1;
                for other in place + 1..LENGTH {
                    // a b → b a changes both places by the same difference.
                    assert_ne!(weight(place, difference) ^ weight(other, difference), 0, "places {place} and {other}");
                    swapped += 1;
                }
            }
        }
        assert_eq!((wrong, swapped), (8 * 31, 28 * 31));
    }

    #[test]
    fn the_sum_is_linear_which_the_test_above_stands_on() {
        for (a, b) in (0..1024u64).map(|n| (n * 0x1_2345_6789, n * 0x7_6543_2101)) {
            let (a, b) = (Code::new(a).0, Code::new(b).0);
            let mut both = a;
            both.iter_mut().zip(b).for_each(|(a, b)| *a ^= b);
            assert_eq!(sum(&both), 0);
        }
    }

    #[test]
    fn what_people_make_of_a_code_is_understood() {
        let code = Code::new(0x7_0123_4567);
        let shown = code.to_string();
        assert_eq!(shown.len(), 9);
        for typed in [shown.to_lowercase(), shown.replace('-', ""), shown.replace('-', " – "), format!(" {shown}\n")] {
            assert_eq!(typed.parse(), Ok(code), "{typed}");
        }
        let ones = Code::new(0);
        assert_eq!(ones.to_string(), "0000-0000");
        assert_eq!("OOoo 0O00".parse(), Ok(ones));
        let ones = Code::new(0b00001_00001_00001_00001_00001_00001_00001).to_string();
        for letter in ["I", "i", "L", "l"] {
            assert_eq!(ones.replace('1', letter).parse(), ones.parse::<Code>(), "{letter}");
        }
    }

    #[test]
    fn what_is_no_code_is_told_why() {
        let cases = [
            ("", CodeError::Length(0)),
            ("0000-000", CodeError::Length(7)),
            ("0000-00000", CodeError::Length(9)),
            ("0000-000U", CodeError::Character(8)),
            ("00é0-0000", CodeError::Character(3)),
            ("0000-0001", CodeError::Check),
        ];
        for (typed, expected) in cases {
            assert_eq!(typed.parse::<Code>(), Err(expected), "{typed}");
        }
        assert_eq!("0".repeat(65).parse::<Code>(), Err(CodeError::TooLong));
    }

    proptest! {
        #[test]
        fn a_code_reads_as_it_is_shown(chance in 0..1u64 << 35) {
            let code = Code::new(chance);
            prop_assert_eq!(code.to_string().parse::<Code>(), Ok(code));
            prop_assert_eq!(format!("{code:?}"), "Code(…)");
        }

        #[test]
        fn every_other_symbol_at_every_place_is_a_typing_error(chance in 0..1u64 << 35) {
            let shown = Code::new(chance).to_string().replace('-', "");
            for place in 0..LENGTH {
                for symbol in ALPHABET.iter().map(|symbol| char::from(*symbol)) {
                    let mut typed: Vec<char> = shown.chars().collect();
                    if typed[place] != symbol {
                        typed[place] = symbol;
                        prop_assert_eq!(String::from_iter(typed).parse::<Code>(), Err(CodeError::Check));
                    }
                }
            }
        }

        #[test]
        fn every_two_neighbours_that_changed_places_are_a_typing_error(chance in 0..1u64 << 35) {
            let shown: Vec<char> = Code::new(chance).to_string().replace('-', "").chars().collect();
            for place in 1..LENGTH {
                let mut typed = shown.clone();
                typed.swap(place - 1, place);
                if typed != shown {
                    prop_assert_eq!(String::from_iter(typed).parse::<Code>(), Err(CodeError::Check));
                }
            }
        }

        #[test]
        fn nothing_typed_makes_it_panic(typed in ".{0,80}") {
            let _ = typed.parse::<Code>();
        }
    }
}
