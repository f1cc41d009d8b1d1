//! Regular expressions of XPath (XML Schema part 2, appendix F, and XPath Functions 3.1, 5.6.1) as the engine here writes them.
//!
//! What XPath does not know is refused, not guessed: word boundaries, look-around, flags within a pattern. So are back-references,
//! which no engine finds in linear time.

use std::fmt::Write as _;

/// Subtractions within each other: `[a-z-[b-y-[c]]]` has two.
const DEPTH: u32 = 8;

/// Escapes of one pattern whose sets are put together from others: each costs a good part of a millisecond to compile.
const COMPOSED: u32 = 32;

/// The letters that a name of XML may begin with.
const NAME_START: &str = r"_:A-Za-z\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{2FF}\x{370}-\x{37D}\x{37F}-\x{1FFF}\x{200C}-\x{200D}\x{2070}-\x{218F}\x{2C00}-\x{2FEF}\x{3001}-\x{D7FF}\x{F900}-\x{FDCF}\x{FDF0}-\x{FFFD}\x{10000}-\x{EFFFF}";

/// What else a name of XML may have.
const NAME_MORE: &str = r"\-.0-9\x{B7}\x{300}-\x{36F}\x{203F}-\x{2040}";

/// Blocks of Unicode by their names in XML Schema: those of scripts and signs that letters of customers have.
const BLOCKS: [(&str, u32, u32); 20] = [
    ("BasicLatin", 0x0, 0x7f),
    ("Latin-1Supplement", 0x80, 0xff),
    ("LatinExtended-A", 0x100, 0x17f),
    ("LatinExtended-B", 0x180, 0x24f),
    ("IPAExtensions", 0x250, 0x2af),
    ("SpacingModifierLetters", 0x2b0, 0x2ff),
    ("CombiningDiacriticalMarks", 0x300, 0x36f),
    ("Greek", 0x370, 0x3ff),
    ("GreekandCoptic", 0x370, 0x3ff),
    ("Cyrillic", 0x400, 0x4ff),
    ("Armenian", 0x530, 0x58f),
    ("Hebrew", 0x590, 0x5ff),
    ("Arabic", 0x600, 0x6ff),
    ("GeneralPunctuation", 0x2000, 0x206f),
    ("CurrencySymbols", 0x20a0, 0x20cf),
    ("LetterlikeSymbols", 0x2100, 0x214f),
    ("Arrows", 0x2190, 0x21ff),
    ("Hiragana", 0x3040, 0x309f),
    ("Katakana", 0x30a0, 0x30ff),
    ("CJKUnifiedIdeographs", 0x4e00, 0x9fff),
];

/// The pattern for the engine here; nothing where XPath does not know it. Without `spaces`, white space outside of classes is left out
/// (flag `x`).
pub(super) fn translated(pattern: &str, spaces: bool) -> Option<String> {
    let mut reader = Reader { rest: pattern, written: String::with_capacity(pattern.len() + 16), composed: COMPOSED };
    reader.whole(spaces)?;
    Some(reader.written)
}

struct Reader<'a> {
    rest: &'a str,
    written: String,
    composed: u32,
}

/// A part of a class: one character, or several by an escape.
enum Item {
    One(char),
    Set(String),
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn take(&mut self, text: &str) -> bool {
        self.rest.strip_prefix(text).map(|rest| self.rest = rest).is_some()
    }

    fn whole(&mut self, spaces: bool) -> Option<()> {
        // Whether a quantifier may stand here.
        let mut atom = false;
        while let Some(c) = self.next() {
            match c {
                ' ' | '\t' | '\r' | '\n' if !spaces => continue,
                '(' => {
                    let plain = self.take("?:");
                    if !plain && self.rest.starts_with('?') {
                        return None;
                    }
                    self.written.push_str(if plain { "(?:" } else { "(" });
                    atom = false;
                    continue;
                }
                '|' => {
                    self.written.push('|');
                    atom = false;
                    continue;
                }
                '*' | '+' | '?' | '{' => {
                    if !atom {
                        return None;
                    }
                    self.written.push(c);
                    if c == '{' {
                        self.count()?;
                    }
                    if self.take("?") {
                        self.written.push('?');
                    }
                    atom = false;
                    continue;
                }
                '[' => {
                    let class = self.class(DEPTH)?;
                    self.written.push_str(&class);
                }
                '\\' => match self.escape()? {
                    Item::One(c) => self.literal(c),
                    Item::Set(set) => self.written.push_str(&set),
                },
                ']' | '}' => return None,
                ')' | '^' | '$' | '.' => self.written.push(c),
                c => self.literal(c),
            }
            atom = true;
        }
        Some(())
    }

    fn literal(&mut self, c: char) {
        let written = written(c);
        self.written.push_str(&written);
    }

    /// `n}`, `n,}` or `n,m}`.
    fn count(&mut self) -> Option<()> {
        let (count, rest) = self.rest.split_once('}')?;
        let (from, to) = count.split_once(',').unwrap_or((count, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if from.is_empty() || !digits(from) || !digits(to) {
            return None;
        }
        self.rest = rest;
        self.written.push_str(count);
        self.written.push('}');
        Some(())
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Option<Item> {
        let escaped = self.next()?;
        if "wWiIcC".contains(escaped) {
            self.composed = self.composed.checked_sub(1)?;
        }
        Some(match escaped {
            'n' => Item::One('\n'),
            'r' => Item::One('\r'),
            't' => Item::One('\t'),
            c @ ('\\' | '|' | '.' | '?' | '*' | '+' | '(' | ')' | '{' | '}' | '-' | '[' | ']' | '^' | '$') => Item::One(c),
            's' => Item::Set(r"[ \t\n\r]".to_owned()),
            'S' => Item::Set(r"[^ \t\n\r]".to_owned()),
            'd' => Item::Set(r"\p{Nd}".to_owned()),
            'D' => Item::Set(r"\P{Nd}".to_owned()),
            'w' => Item::Set(r"[^\p{P}\p{Z}\p{C}]".to_owned()),
            'W' => Item::Set(r"[\p{P}\p{Z}\p{C}]".to_owned()),
            'i' => Item::Set(format!("[{NAME_START}]")),
            'I' => Item::Set(format!("[^{NAME_START}]")),
            'c' => Item::Set(format!("[{NAME_START}{NAME_MORE}]")),
            'C' => Item::Set(format!("[^{NAME_START}{NAME_MORE}]")),
            'p' => Item::Set(self.property(false)?),
            'P' => Item::Set(self.property(true)?),
            _ => return None,
        })
    }

    /// `{L}`, `{Lu}` or `{IsBasicLatin}`.
    fn property(&mut self, not: bool) -> Option<String> {
        let (name, rest) = self.rest.strip_prefix('{')?.split_once('}')?;
        self.rest = rest;
        if let Some(block) = name.strip_prefix("Is") {
            let (_, from, to) = BLOCKS.iter().find(|(known, ..)| *known == block)?;
            return Some(format!("[{}\\x{{{from:X}}}-\\x{{{to:X}}}]", if not { "^" } else { "" }));
        }
        let category = name.len() <= 2 && name.starts_with(|c: char| "LMNPZSC".contains(c));
        category.then(|| format!("\\{}{{{name}}}", if not { 'P' } else { 'p' }))
    }

    /// A class behind its `[`, with what is subtracted from it.
    fn class(&mut self, depth: u32) -> Option<String> {
        let depth = depth.checked_sub(1)?;
        let mut class = String::from(if self.take("^") { "[^" } else { "[" });
        let mut empty = true;
        loop {
            if self.take("]") {
                class.push(']');
                return (!empty).then_some(class);
            }
            if !empty && self.take("-[") {
                let subtracted = self.class(depth)?;
                return self.take("]").then(|| format!("[{class}]--{subtracted}]"));
            }
            match self.item()? {
                Item::Set(set) => class.push_str(&set),
                Item::One(from) => {
                    class.push_str(&written(from));
                    let range = self.rest.starts_with('-') && !self.rest.starts_with("-[") && !self.rest.starts_with("-]");
                    if range {
                        self.next()?;
                        let Item::One(to) = self.item()? else { return None };
                        if to < from {
                            return None;
                        }
                        let _ = write!(class, "-{}", written(to));
                    }
                }
            }
            empty = false;
        }
    }

    fn item(&mut self) -> Option<Item> {
        match self.next()? {
            '\\' => self.escape(),
            '[' => None,
            c => Some(Item::One(c)),
        }
    }
}

/// One character, whatever it means to the engine.
fn written(c: char) -> String {
    if c.is_alphanumeric() { c.to_string() } else { format!("\\x{{{:X}}}", u32::from(c)) }
}
