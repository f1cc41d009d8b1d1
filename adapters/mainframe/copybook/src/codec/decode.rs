//! Decoding: a plan's steps from record bytes to protobuf bytes.

use super::error::{RecordError, Rule};
use super::number::NotANumber;
use super::plan::{ArmTest, Choice, Counter, FieldStep, Plan, Program, Segment, Step, Table};
use crate::TrailingBytes;
use crate::wire::{self, put_length_before, put_varint};

pub(super) fn decode(plan: &Plan, record: &[u8]) -> Result<Vec<u8>, RecordError> {
    let registers = vec![None; plan.registers];
    let out = Vec::with_capacity(record.len() + record.len() / 4);
    let mut decoder = Decoder { plan, record, out, registers, subscripts: Vec::new(), messages: Vec::new() };
    let end = decoder.run(&plan.program, 0)?;
    decoder.trailing(end.min(record.len()))?;
    Ok(decoder.out)
}

struct Decoder<'p, 'r> {
    plan: &'p Plan,
    record: &'r [u8],
    out: Vec<u8>,
    /// Where counters and discriminators lie.
    registers: Vec<Option<usize>>,
    /// Elements at hand, from the outermost table in.
    subscripts: Vec<usize>,
    /// Where the messages that are being written begin in `out`.
    messages: Vec<usize>,
}

impl Decoder<'_, '_> {
    /// Runs a program from a place in the record; returns where what it describes ends.
    fn run(&mut self, program: &Program, start: usize) -> Result<usize, RecordError> {
        let (mut base, mut end) = (start, start);
        for step in program {
            match step {
                Step::Segment(segment) => {
                    base = end;
                    end = self.segment(segment, base)?;
                }
                Step::Field(field) => self.field(field, base + field.offset)?,
                Step::Open { number, .. } => self.open(*number),
                Step::Close => self.close(),
                Step::Table(table) => match table.offset {
                    Some(offset) => self.table(table, base + offset).map(|_| ())?,
                    None => end = self.table(table, end)?,
                },
                Step::Choice(choice) => self.choice(choice, base + choice.offset)?,
            }
        }
        Ok(end)
    }

    fn segment(&mut self, segment: &Segment, base: usize) -> Result<usize, RecordError> {
        if base + segment.required > self.record.len() {
            let missing = base + segment.required - self.record.len();
            let rule = format!("the record has {} bytes, {missing} too few", self.record.len());
            return Err(self.error(segment.path, base, segment.required, rule.into()));
        }
        for capture in &segment.captures {
            self.registers[capture.register] = Some(base + capture.offset);
        }
        Ok(base + segment.length)
    }

    fn field(&mut self, field: &FieldStep, at: usize) -> Result<(), RecordError> {
        let Some(bytes) = self.record.get(at..at + field.length) else {
            return Err(self.error(field.path, at, field.length, "the record ends inside it".into()));
        };
        let read = field.value.read(bytes, field.number, field.presence, self.plan.invalid_numeric, &mut self.out);
        read.map_err(|rule| self.error(field.path, at, field.length, rule))
    }

    fn open(&mut self, number: u32) {
        put_varint(&mut self.out, u64::from(number) << 3 | u64::from(wire::LENGTH));
        self.out.push(0);
        self.messages.push(self.out.len());
    }

    fn close(&mut self) {
        if let Some(mark) = self.messages.pop() {
            put_length_before(&mut self.out, mark);
        }
    }

    fn table(&mut self, table: &Table, start: usize) -> Result<usize, RecordError> {
        let count = match &table.counter {
            Some(counter) => self.count(counter, table)?,
            None => table.maximum,
        };
        let packed = table.packed.filter(|_| count > 0);
        if let Some(number) = packed {
            self.open(number);
        }
        let mut end = start;
        for element in 0..count {
            self.subscripts.push(element);
            let place = if table.offset.is_some() { start + element * table.stride } else { end };
            end = self.run(&table.element, place)?;
            self.subscripts.pop();
        }
        if packed.is_some() {
            self.close();
        }
        Ok(if !table.unused.is_empty() { start + table.maximum * table.stride } else { end })
    }

    fn count(&self, counter: &Counter, table: &Table) -> Result<usize, RecordError> {
        let at = self.registers[counter.register].unwrap_or(self.record.len());
        let wrong = |rule: Rule| self.error(counter.path, at, counter.length, rule);
        let bytes =
            self.record.get(at..at + counter.length).ok_or_else(|| wrong("the record does not have this counter".into()))?;
        let count = counter.number.read(bytes).map_err(|error| match error {
            NotANumber::Blank => wrong("a counter of spaces or low-values".into()),
            NotANumber::Wrong(rule) => wrong(rule),
        })?;
        match usize::try_from(count) {
            Ok(count) if count <= table.maximum => Ok(count),
            _ => Err(wrong(format!("it counts {count} elements, and the table has room for {}", table.maximum).into())),
        }
    }

    fn choice(&mut self, choice: &Choice, at: usize) -> Result<(), RecordError> {
        for arm in &choice.arms {
            let ArmTest::Is { register, length, matcher, path } = &arm.test else {
                return self.run(&arm.program, at).map(|_| ());
            };
            let place = self.registers[*register].unwrap_or(self.record.len());
            let Some(bytes) = self.record.get(place..place + length) else {
                return Err(self.error(*path, place, *length, "the record does not have this discriminator".into()));
            };
            if matcher.holds(bytes) {
                return self.run(&arm.program, at).map(|_| ());
            }
        }
        Err(self.error(choice.path, at, 0, "no `when:` holds for what shares this storage: add one, or `otherwise`".into()))
    }

    fn trailing(&self, end: usize) -> Result<(), RecordError> {
        let Plan { trailing, maximum, space, .. } = self.plan;
        let free = if *trailing == TrailingBytes::Unused { end.max(*maximum).min(self.record.len()) } else { end };
        let rest = &self.record[free..];
        let is_padding = rest.iter().all(|byte| *byte == 0 || byte == space) && *trailing != TrailingBytes::Error;
        if rest.is_empty() || is_padding {
            return Ok(());
        }
        let rule = "bytes behind the last item in use: check counters and copybook, or allow them with `trailing_bytes`";
        Err(self.error(0, free, rest.len(), rule.into()))
    }

    fn error(&self, path: usize, offset: usize, length: usize, rule: Rule) -> RecordError {
        RecordError { field: self.plan.paths[path].with(&self.subscripts), offset, length, rule: rule.into_owned() }
    }
}
