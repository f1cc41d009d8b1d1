//! Random copybooks with random messages both ways, and random bytes and texts that must never do worse than be refused.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod oracle;

use passerelle_copybook::{
    ByteOrder, CodePage, Codec, Contract, ContractBuilder, Copybook, Encoding, Fields, InvalidNumeric, Layout, Lock,
    MessageModel, MessageRules, OccursDepending, TrailingBytes,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// An item of a random record.
#[derive(Debug, Clone)]
enum Shape {
    Text {
        length: usize,
        right: bool,
    },
    Number {
        digits: u32,
        decimals: u32,
        zeros: u32,
        signed: bool,
        clauses: &'static str,
    },
    Group(Vec<Entry>),
    /// Two groups in one storage, told apart by a character before them.
    Choice(Vec<Entry>, Vec<Entry>),
}

#[derive(Debug, Clone)]
struct Entry {
    shape: Shape,
    occurs: Occurs,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Occurs {
    Once,
    Times(usize),
    UpTo(usize),
}

fn number() -> impl Strategy<Value = Shape> {
    let clauses = prop_oneof![
        Just(""),
        Just(" COMP-3"),
        Just(" COMP"),
        Just(" COMP-5"),
        Just(" SIGN LEADING"),
        Just(" SIGN LEADING SEPARATE"),
        Just(" SIGN TRAILING SEPARATE"),
    ];
    (1..=38u32, 0..=10u32, 0..=4u32, any::<bool>(), clauses).prop_map(|(digits, decimals, zeros, signed, clauses)| {
        let digits = if clauses.starts_with(" COMP") && clauses != " COMP-3" { digits.min(18) } else { digits };
        let zeros = if decimals % 3 == 0 { zeros.min(38 - digits) } else { 0 };
        let decimals = if zeros > 0 { 0 } else { decimals.min(digits) };
        Shape::Number { digits, decimals, zeros, signed: signed || clauses.starts_with(" SIGN"), clauses }
    })
}

fn entry() -> impl Strategy<Value = Entry> {
    let text = (1..30usize, any::<bool>()).prop_map(|(length, right)| Shape::Text { length, right });
    let leaf = prop_oneof![text, number(), number()].prop_flat_map(with_occurs);
    leaf.prop_recursive(4, 40, 5, |inner| {
        let group = prop::collection::vec(inner.clone(), 1..5).prop_map(Shape::Group);
        let fixed = prop::collection::vec(inner.clone().prop_map(without_counters), 1..4);
        let choice = (fixed, prop::collection::vec(inner, 1..4)).prop_map(|(first, second)| Shape::Choice(first, second));
        prop_oneof![4 => group, 1 => choice].prop_flat_map(with_occurs)
    })
}

fn with_occurs(shape: Shape) -> impl Strategy<Value = Entry> {
    let occurs =
        prop_oneof![6 => Just(Occurs::Once), 1 => (1..4usize).prop_map(Occurs::Times), 2 => (1..4usize).prop_map(Occurs::UpTo)];
    occurs.prop_map(move |occurs| {
        let occurs = if matches!(shape, Shape::Choice(..)) { Occurs::Once } else { occurs };
        Entry { shape: shape.clone(), occurs }
    })
}

/// What others redefine must have a fixed length.
fn without_counters(entry: Entry) -> Entry {
    let all = |entries: Vec<Entry>| entries.into_iter().map(without_counters).collect();
    let shape = match entry.shape {
        Shape::Group(entries) => Shape::Group(all(entries)),
        Shape::Choice(first, second) => Shape::Choice(all(first), all(second)),
        shape => shape,
    };
    let occurs = if let Occurs::UpTo(most) = entry.occurs { Occurs::Times(most) } else { entry.occurs };
    Entry { shape, occurs }
}

/// Writes the copybook and its rules, and a message that fits.
struct Writer {
    copybook: String,
    fields: Map<String, Value>,
    names: usize,
    seed: u64,
}

impl Writer {
    fn random(&mut self, below: u64) -> u64 {
        // xorshift64
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed % below
    }

    fn line(&mut self, level: usize, text: &str) {
        // Text ends with column 72.
        let text = text.replace(" OCCURS", "\n           OCCURS");
        self.copybook.push_str(&format!("{:7}{level:02} {text}.\n", ""));
    }

    fn name(&mut self) -> usize {
        self.names += 1;
        self.names
    }

    /// Describes an item; the second time, for further elements of a table, only values are wanted.
    fn entries(&mut self, level: usize, entries: &[Entry]) -> Vec<(String, Entry, Vec<Described>)> {
        entries.iter().map(|entry| self.entry(level, entry)).collect()
    }

    fn entry(&mut self, level: usize, entry: &Entry) -> (String, Entry, Vec<Described>) {
        let id = self.name();
        let occurs = match entry.occurs {
            Occurs::Once => String::new(),
            Occurs::Times(count) => format!(" OCCURS {count} TIMES"),
            Occurs::UpTo(most) => {
                let usage = ["", " COMP", " COMP-3"][id % 3];
                self.line(level, &format!("N{id} PIC 9(3){usage}"));
                format!(" OCCURS 0 TO {most} DEPENDING ON N{id}")
            }
        };
        let described = match &entry.shape {
            Shape::Text { length, right } => {
                let just = if *right { " JUST RIGHT" } else { "" };
                self.line(level, &format!("F{id} PIC X({length}){just}{occurs}"));
                Vec::new()
            }
            Shape::Number { digits, decimals, zeros, signed, clauses } => {
                let sign = if *signed { "S" } else { "" };
                let whole = if digits > decimals { format!("9({})", digits - decimals) } else { String::new() };
                let fraction = if *decimals > 0 { format!("V9({decimals})") } else { String::new() };
                let zeros = "P".repeat(*zeros as usize);
                self.line(level, &format!("F{id} PIC {sign}{whole}{fraction}{zeros}{clauses}{occurs}"));
                Vec::new()
            }
            Shape::Group(entries) => {
                self.line(level, &format!("F{id}{occurs}"));
                vec![Described(self.entries(level + 1, entries))]
            }
            Shape::Choice(first, second) => {
                self.line(level, &format!("K{id} PIC X"));
                self.line(level, &format!("F{id}"));
                let first = Described(self.entries(level + 1, first));
                self.line(level, &format!("G{id} REDEFINES F{id}"));
                let second = Described(self.entries(level + 1, second));
                self.fields.insert(format!("F{id}"), json!({"when": format!("K{id} = 'F'")}));
                self.fields.insert(format!("G{id}"), json!({"when": format!("K{id} in ['G', 'H']")}));
                vec![first, second]
            }
        };
        (id.to_string(), entry.clone(), described)
    }

    fn message(&mut self, described: &Described) -> Value {
        let mut object = Map::new();
        for (id, entry, inner) in &described.0 {
            if let Shape::Choice(..) = entry.shape {
                let second = self.random(2) as usize;
                object.insert(format!("k{id}"), Value::from(["F", "G"][second]));
                let value = self.message(&inner[second]);
                object.insert(format!("{}{id}", ["f", "g"][second]), value);
                continue;
            }
            let value = match entry.occurs {
                Occurs::Once => self.value(entry, inner),
                Occurs::Times(count) => (0..count).map(|_| self.value(entry, inner)).collect(),
                Occurs::UpTo(most) => {
                    let count = self.random(most as u64 + 1);
                    (0..count).map(|_| self.value(entry, inner)).collect()
                }
            };
            object.insert(format!("f{id}"), value);
        }
        Value::Object(object)
    }

    fn value(&mut self, entry: &Entry, inner: &[Described]) -> Value {
        match &entry.shape {
            Shape::Text { length, right } => {
                let length = self.random(*length as u64 + 1);
                let alphabet: Vec<char> = "ABYZaz 09'\"{}+é$".chars().collect();
                let text: String = (0..length).map(|_| alphabet[self.random(alphabet.len() as u64) as usize]).collect();
                Value::from(if *right { text.trim_start() } else { text.trim_end() })
            }
            Shape::Number { digits, decimals, zeros, signed, .. } => {
                let count = self.random(u64::from(*digits) + 1) as usize;
                let unsigned: String = (0..count).map(|_| char::from(b'0' + self.random(10) as u8)).collect();
                let value = unsigned.parse::<i128>().unwrap_or(0);
                let value = if *signed && self.random(2) == 0 { -value } else { value };
                number_value(value, *digits, *decimals, *zeros, *signed)
            }
            Shape::Group(_) => self.message(&inner[0]),
            Shape::Choice(..) => Value::Null,
        }
    }
}

struct Described(Vec<(String, Entry, Vec<Described>)>);

fn number_value(value: i128, digits: u32, decimals: u32, zeros: u32, signed: bool) -> Value {
    if decimals == 0 && zeros == 0 && digits <= 9 {
        return json!(value as i64);
    }
    if decimals == 0 && zeros == 0 && digits <= 18 {
        return if signed { json!((value as i64).to_string()) } else { json!((value as u64).to_string()) };
    }
    let sign = if value < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = decimals as usize + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals as usize);
    let point = if decimals > 0 { "." } else { "" };
    let zeros = if value == 0 { String::new() } else { "0".repeat(zeros as usize) };
    json!(format!("{sign}{whole}{zeros}{point}{fraction}"))
}

struct Case {
    copybook: Copybook,
    contract: Contract,
    codec: Codec,
    message: Value,
}

fn case(entries: &[Entry], seed: u64, encoding: &Encoding) -> Case {
    let mut writer = Writer { copybook: "       01 R.\n".to_owned(), fields: Map::new(), names: 0, seed: seed | 1 };
    let described = Described(writer.entries(2, entries));
    let message = writer.message(&described);
    let copybook = Copybook::parse("random.cpy", &writer.copybook).unwrap_or_else(|error| panic!("{error}\n{}", writer.copybook));
    let fields: Fields = serde_json::from_value(Value::Object(writer.fields)).unwrap();
    let model = MessageModel::build("M", copybook.record(None).unwrap(), &MessageRules::default(), &fields).unwrap();
    let contract =
        ContractBuilder::new("random.v1", "Random", Lock::default()).operation("O", &model, &empty()).finish().unwrap();
    let codec = Codec::compile(copybook.record(None).unwrap(), contract.request("O").unwrap(), encoding).unwrap();
    Case { copybook, contract, codec, message }
}

fn empty() -> MessageModel {
    let copybook = Copybook::parse("empty.cpy", "       01 E PIC X.\n").unwrap();
    MessageModel::build("Empty", copybook.record(None).unwrap(), &MessageRules::default(), &Fields::new()).unwrap()
}

fn encoding() -> impl Strategy<Value = Encoding> {
    let page = prop_oneof![Just(CodePage::Ibm1047), Just(CodePage::Ibm297), Just(CodePage::Latin1)];
    let order = prop_oneof![Just(ByteOrder::Big), Just(ByteOrder::Little)];
    let odo = prop_oneof![2 => Just(OccursDepending::Slide), 1 => Just(OccursDepending::Fixed)];
    (page, order, odo).prop_map(|(code_page, binary, odo)| Encoding { code_page, binary, odo, ..Encoding::default() })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn messages_become_records_and_the_same_messages_again(
        entries in prop::collection::vec(entry(), 1..8), seed in any::<u64>(), encoding in encoding(),
    ) {
        let case = case(&entries, seed, &encoding);
        let descriptor = oracle::message(&case.contract, "M");
        let record = case.codec.encode(&oracle::to_wire(&descriptor, &case.message)).unwrap();
        let layout = Layout::of(case.copybook.record(None).unwrap()).unwrap();
        prop_assert!((layout.minimum_length()..=layout.maximum_length()).contains(&record.len()));
        // What prost-reflect reads of our bytes is what it reads of its own.
        let decoded = case.codec.decode(&record).unwrap();
        let expected = oracle::to_json(&descriptor, &oracle::to_wire(&descriptor, &case.message));
        prop_assert_eq!(oracle::to_json(&descriptor, &decoded), expected.clone());
        prop_assert_eq!(case.codec.encode(&decoded).unwrap(), &record[..]);
        // And the same by way of JSON.
        prop_assert_eq!(case.codec.encode_json(&case.message).unwrap(), &record[..]);
        let json = case.codec.decode_json(&record).unwrap();
        prop_assert_eq!(oracle::to_json(&descriptor, &oracle::to_wire(&descriptor, &json)), expected);
    }

    #[test]
    fn damaged_records_and_messages_are_refused_or_read_but_never_more(
        entries in prop::collection::vec(entry(), 1..6), seed in any::<u64>(), noise in prop::collection::vec(any::<u8>(), 0..200),
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..10), cut in any::<prop::sample::Index>(),
    ) {
        let encoding = Encoding { invalid_numeric: InvalidNumeric::Zero, trailing_bytes: TrailingBytes::Unused, ..Encoding::default() };
        let case = case(&entries, seed, &encoding);
        let mut record = case.codec.encode_json(&case.message).unwrap();
        let mut message = case.codec.decode(&record).unwrap();
        for (place, byte) in places {
            if !record.is_empty() {
                *place.get_mut(&mut record) = byte;
            }
            if !message.is_empty() {
                *place.get_mut(&mut message) = byte;
            }
        }
        for bytes in [&record, &record[..cut.index(record.len() + 1)].to_vec(), &noise] {
            if let Ok(message) = case.codec.decode(bytes) {
                // What is read can be written, but for binary values beyond their picture.
                let _ = case.codec.encode(&message);
            }
        }
        for bytes in [&message, &message[..cut.index(message.len() + 1)].to_vec(), &noise] {
            if let Ok(record) = case.codec.encode(bytes)
                && let Err(error) = case.codec.decode(&record)
            {
                // Elements of a table that the message did not give have no discriminator.
                prop_assert!(error.rule.contains("`when:`"), "{}", error);
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = Copybook::parse("any.cpy", &text);
    }

    #[test]
    fn any_words_of_cobol_are_read_or_refused(words in prop::collection::vec(prop::sample::select(WORDS), 0..60)) {
        let _ = Copybook::parse("any.cpy", &words.concat());
        let text = format!("       01 R.\n       05 {}", words.concat());
        if let Ok(copybook) = Copybook::parse("any.cpy", &text) {
            for record in copybook.records() {
                let _ = Layout::of(record);
                if let Ok(model) = MessageModel::build("M", record, &MessageRules::default(), &Fields::new()) {
                    let contract = ContractBuilder::new("a", "S", Lock::default()).operation("O", &model, &empty()).finish().unwrap();
                    oracle::compile(&contract);
                    if let Ok(codec) = Codec::compile(record, contract.request("O").unwrap(), &Encoding::default()) {
                        let _ = codec.encode(&[]);
                    }
                }
            }
        }
    }
}

const WORDS: &[&str] = &[
    "\n       01 A",
    "\n       05 B",
    "\n       05 C",
    "\n       10 D",
    "\n       10 FILLER",
    "\n       77 E",
    "\n       88 F",
    "\n      *",
    "\n      -",
    "\n",
    ".\n       ",
    ". ",
    " ",
    " PIC",
    " X",
    " X(3)",
    " PIC 9(4)",
    " PIC S9(3)V99",
    " COMP",
    " COMP-3",
    " OCCURS",
    " 3",
    " 0 TO 5",
    " DEPENDING ON B",
    " REDEFINES B",
    " VALUE",
    " 'a'",
    " '",
    " \"",
    " 5",
    " -1.5",
    " SPACES",
    " THRU",
    " SIGN LEADING",
    " SEPARATE",
    " SYNC",
    " JUST",
    " BLANK ZERO",
    " X'C1'",
    " :T:",
    " COPY X.",
    " LINKAGE SECTION.",
    "\n       DATA DIVISION.\n",
    "\n       PROCEDURE DIVISION.\n",
    " *> r",
    "\t",
    "(",
    ")",
    ",",
    "é",
];
