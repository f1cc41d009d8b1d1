//! The fuzz targets on a short, repeatable walk: texts and numbers that are changed at random, the same ones each time.

#[path = "../fuzz/expression.rs"]
mod expression;
#[path = "../fuzz/model.rs"]
mod model;
#[path = "../fuzz/number.rs"]
mod number;

/// Changed texts that are tried of each seed; a longer walk is `cargo +nightly fuzz run expression`.
const CHANGES: u64 = if cfg!(debug_assertions) { 60 } else { 2_000 };

const SEEDS: &str = include_str!("../fuzz/seeds.txt");

/// What is put into a text: all signs and words of the language, numbers and texts at the edge of what there is.
const PIECES: [&str; 64] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "..",
    ".",
    "+",
    "-",
    "*",
    "/",
    "**",
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "?",
    "@",
    "\"",
    "'",
    "\\",
    "\n",
    " ",
    "//",
    "/*",
    "*/",
    "é",
    "🐎",
    "\u{feff}",
    "\u{0}",
    "if ",
    " then ",
    " else ",
    "for ",
    " in ",
    " return ",
    "some ",
    " satisfies ",
    " and ",
    " or ",
    " between ",
    " instance of ",
    "function(",
    "null",
    "true",
    "not(",
    "partial",
    "item",
    "Monthly Salary",
    "l",
    "c",
    "9999999999999999999",
    "1e6144",
    "1e-6176",
    "0",
    "-1",
    "string(",
    "sort(",
    "@\"P1D\"",
];

/// Models: tables that are total, and every boxed expression.
const MODELS: [&str; 2] =
    [include_str!("../../../deploy/sample/decisions/treatment/treatment.dmn"), include_str!("../fuzz/model.dmn")];

/// What is put into a model: pieces of XML, references, and words that matter in some attribute.
const XML_PIECES: [&str; 32] = [
    "<",
    ">",
    "/>",
    "</",
    "\"",
    "&amp;",
    "&#0;",
    "&x;",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<!DOCTYPE a>",
    "<?a?>",
    " xmlns=\"a\"",
    "<text>",
    "</text>",
    "<decision name=\"a\"/>",
    "<list/>",
    "<context/>",
    "href=\"#d\"",
    "href=\"#e\"",
    "id=\"a\"",
    "isCollection=\"true\"",
    "typeRef=\"tColour\"",
    "kind=\"Java\"",
    "COLLECT",
    "aggregation=\"SUM\"",
    "ANY",
    "UNIQUE",
    "null",
    "é",
];

/// Numbers one after the other that look like none (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (end.max(1) as u64)).unwrap_or(0)
    }

    fn of<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[self.below(items.len())]
    }
}

fn changed(text: &str, others: &[&str], pieces: &[&str], chance: &mut Chance) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..=chance.below(4) {
        let at = chance.below(characters.len() + 1);
        let to = at + chance.below((characters.len() - at).min(12) + 1);
        let other: Vec<char> = chance.of(others).chars().collect();
        let from = chance.below(other.len());
        let more: Vec<char> = match chance.below(4) {
            0 => chance.of(pieces).chars().collect(),
            1 => other[from..(from + chance.below(24)).min(other.len())].to_vec(),
            2 => characters[at..to].repeat(1 + chance.below(5)),
            _ => Vec::new(),
        };
        characters.splice(at..to, more);
    }
    characters.into_iter().collect()
}

#[test]
fn no_text_breaks_the_reader_or_the_evaluation() {
    let seeds: Vec<&str> = SEEDS.lines().collect();
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for seed in &seeds {
        expression::read_and_evaluate(seed);
        let mut text = (*seed).to_owned();
        for change in 0..CHANGES {
            // Changes of changes, now and then from the begin.
            text = changed(if change % 8 == 0 { seed } else { &text }, &seeds, &PIECES, &mut chance);
            expression::read_and_evaluate(&text);
        }
    }
}

#[test]
fn no_model_breaks_the_reader_or_the_decision() {
    let mut chance = Chance(0x1234_5678_9abc_def1);
    for seed in MODELS {
        assert!(passerelle_feel::dmn::Model::read(seed, &[]).is_ok(), "the walk begins at a model");
        model::read_and_decide(seed);
        let mut text = seed.to_owned();
        for change in 0..CHANGES * 10 {
            // Most changes make a text that is no XML any more: half of them begin anew.
            text = changed(if change % 2 == 0 { seed } else { &text }, &MODELS, &XML_PIECES, &mut chance);
            model::read_and_decide(&text);
        }
    }
}

/// Numbers at every edge: of 64 bits, of 34 digits, of the exponent, subnormal, and halves.
const EDGES: [&str; 44] = [
    "0",
    "-0",
    "0e-6176",
    "0e6111",
    "1",
    "-1",
    "2",
    "3",
    "7",
    "10",
    "0.1",
    "0.5",
    "-0.5",
    "1.5",
    "2.5",
    "0.1e-17",
    "99e-18",
    "100",
    "1e17",
    "1e18",
    "1e19",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "922337203685477580.7",
    "-9.223372036854775808",
    "9999999999999999999999999999999999",
    "-9999999999999999999999999999999999",
    "9.999999999999999999999999999999999",
    "9.999999999999999999999999999999999e6144",
    "-9.999999999999999999999999999999999e6144",
    "1e6144",
    "1e6111",
    "1e-6143",
    "1e-6144",
    "1e-6176",
    "-1e-6176",
    "1.000000000000000000000000000000001e-6143",
    "1e-6177",
    "4e-6177",
    "1e3000",
    "1e-3000",
    "1e33",
    "1e34",
];

#[test]
fn no_number_breaks_the_calculation() {
    for a in EDGES {
        for b in EDGES {
            number::calculate(a, b, 0);
        }
        for scale in [-6112, -6111, -35, -34, -33, -18, -1, 0, 1, 17, 18, 19, 33, 34, 6143, 6175, 6176, 6177, i32::MIN, i32::MAX]
        {
            number::calculate(a, "3", scale);
        }
    }
}

#[test]
fn no_two_random_numbers_break_it_either() {
    let mut chance = Chance(0x2545_f491_4f6c_dd1d);
    let mut number = || {
        let digits: String = (0..=chance.below(36)).map(|_| char::from(b"0123456789990005"[chance.below(16)])).collect();
        let exponent = match chance.below(4) {
            0 => chance.below(12_400) as i64 - 6_200,
            1 => chance.below(80) as i64 - 40,
            _ => -(chance.below(20) as i64),
        };
        format!("{}{digits}e{exponent}", ["", "-"][chance.below(2)])
    };
    for round in 0..CHANGES * 50 {
        number::calculate(&number(), &number(), i32::try_from(round % 40).unwrap_or(0) - 5);
    }
}
