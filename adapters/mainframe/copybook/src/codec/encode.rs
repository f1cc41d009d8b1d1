//! Encoding: a plan's steps from protobuf bytes to record bytes.

use super::error::{RecordError, Rule};
use super::plan::{Arm, ArmTest, Choice, Counter, FieldStep, Plan, Program, Segment, Source, Step, Table};
use super::slots::{Element, ReadError, Slots};
use crate::limits;

pub(super) fn encode(plan: &Plan, message: &[u8]) -> Result<Vec<u8>, RecordError> {
    let registers = vec![Register::default(); plan.registers];
    let slots = Slots::new(message);
    let out = Vec::with_capacity(message.len().min(plan.maximum));
    let mut encoder = Encoder { plan, slots, out, registers, subscripts: Vec::with_capacity(4) };
    if message.len() > limits::MESSAGE_BYTES {
        let rule = format!("the message has {} bytes, and {} are the limit", message.len(), limits::MESSAGE_BYTES);
        return Err(encoder.error(0, 0, 0, rule.into()));
    }
    encoder.slots.open_whole(&plan.scopes[0]).map_err(|error| encoder.malformed(error, 0))?;
    encoder.run(&plan.program, 0, None)?;
    Ok(encoder.out)
}

/// Where a counter or discriminator lies, and what it holds already.
#[derive(Debug, Clone, Copy, Default)]
struct Register {
    place: Option<usize>,
    /// For a discriminator: whether a constant or the message said what it holds.
    set: bool,
    /// For a counter: how many elements a table has.
    count: Option<usize>,
}

struct Encoder<'p, 'm> {
    plan: &'p Plan,
    slots: Slots<'m>,
    out: Vec<u8>,
    registers: Vec<Register>,
    subscripts: Vec<usize>,
}

impl Encoder<'_, '_> {
    /// Runs a program at a place in the record, for an element of a table if there is one; returns where it ends.
    fn run(&mut self, program: &Program, start: usize, element: Option<Element>) -> Result<usize, RecordError> {
        let (mut base, mut end) = (start, start);
        for step in program {
            match step {
                Step::Segment(segment) => {
                    base = end;
                    end = self.segment(segment, base);
                }
                Step::Field(field) => self.field(field, base + field.offset, element)?,
                Step::Open { source, scope, path, .. } => {
                    let scope = &self.plan.scopes[*scope];
                    let opened = match source {
                        Source::Slot(slot) => self.slots.open_slot(*slot, scope).map(|_| ()),
                        Source::Element => self.slots.open_element(element, scope),
                    };
                    opened.map_err(|error| self.malformed(error, *path))?;
                }
                Step::Close => self.slots.close(),
                Step::Table(table) => match table.offset {
                    Some(offset) => self.table(table, base + offset).map(|_| ())?,
                    None => end = self.table(table, end)?,
                },
                Step::Choice(choice) => self.choice(choice, base + choice.offset)?,
            }
        }
        Ok(end)
    }

    /// Puts a segment's template in its place; in a storage area and behind unused elements that is over what is there.
    fn segment(&mut self, segment: &Segment, base: usize) -> usize {
        let end = base + segment.length;
        if self.out.len() < end {
            self.out.resize(end, 0);
        }
        self.out[base..end].copy_from_slice(&segment.template);
        for capture in &segment.captures {
            self.registers[capture.register] =
                Register { place: Some(base + capture.offset), set: capture.constant, count: None };
        }
        end
    }

    fn field(&mut self, field: &FieldStep, at: usize, element: Option<Element>) -> Result<(), RecordError> {
        let value = match field.source {
            Source::Slot(slot) => self.slots.value(slot),
            Source::Element => element.and_then(|element| self.slots.element(element)),
        };
        let written = match value {
            Some(value) => field.value.write(value, &mut self.out[at..at + field.length]),
            None if field.value.needs_value() => Err("the enum has no value: set one".into()),
            None => return Ok(()),
        };
        if let Some(register) = field.register {
            self.registers[register].set = true;
        }
        written.map_err(|rule| self.error(field.path, at, field.length, rule))
    }

    fn table(&mut self, table: &Table, start: usize) -> Result<usize, RecordError> {
        let given = table.slot.map_or(0, |slot| self.slots.count(slot));
        if given > table.maximum {
            let rule = format!("{given} elements, and the table has room for {}", table.maximum);
            return Err(self.error(table.path, start, table.maximum * table.stride, rule.into()));
        }
        let count = match &table.counter {
            Some(counter) => self.count(counter, table, given, start)?,
            None => table.maximum,
        };
        let mut element = table.slot.and_then(|slot| self.slots.first(slot));
        let mut end = start;
        for index in 0..count {
            if table.slot.is_some() && index >= given && table.offset.is_some() {
                // The template has the elements that were not given.
                break;
            }
            self.subscripts.push(index);
            let place = if table.offset.is_some() { start + index * table.stride } else { end };
            end = self.run(&table.element, place, element)?;
            self.subscripts.pop();
            element = element.and_then(|element| self.slots.next(element));
        }
        if !table.unused.is_empty() {
            for place in (end..start + table.maximum * table.stride).step_by(table.stride) {
                self.out.resize(self.out.len().max(place + table.stride), 0);
                self.out[place..place + table.stride].copy_from_slice(&table.unused);
                end = place + table.stride;
            }
        }
        Ok(end)
    }

    /// Writes the counter of a table; two tables of one counter must agree.
    fn count(&mut self, counter: &Counter, table: &Table, given: usize, start: usize) -> Result<usize, RecordError> {
        let Register { place, count, .. } = self.registers[counter.register];
        let count = match (count, table.slot) {
            // A table that is not shown has as many elements as its counter says by then.
            (Some(count), None) => count,
            (Some(count), Some(_)) if count != given => {
                let rule = format!("{given} elements, and another table with the same counter has {count}");
                return Err(self.error(table.path, start, 0, rule.into()));
            }
            _ => given,
        };
        let Some(place) = place else {
            return Err(self.error(counter.path, start, counter.length, "the record does not have this counter".into()));
        };
        let written = counter.number.write(count as i128, &mut self.out[place..place + counter.length]);
        written.map_err(|rule| self.error(counter.path, place, counter.length, rule))?;
        self.registers[counter.register].count = Some(count);
        Ok(count)
    }

    fn choice(&mut self, choice: &Choice, at: usize) -> Result<(), RecordError> {
        let given = choice.arms.iter().find(|arm| arm.slot.is_some_and(|slot| self.slots.count(slot) > 0));
        let chosen = match given {
            Some(arm) => {
                self.discriminate(choice, arm, at)?;
                Some(arm)
            }
            // Nothing given: the item that the discriminator stands for, with nothing in it.
            None => choice.arms.iter().find(|arm| match &arm.test {
                ArmTest::Always => true,
                ArmTest::Is { register, length, matcher, .. } => {
                    self.at(*register, *length).is_some_and(|bytes| matcher.holds(bytes))
                }
            }),
        };
        match chosen {
            Some(arm) => self.run(&arm.program, at, None).map(|_| ()),
            None => Err(self.error(
                choice.path,
                at,
                0,
                "none of what shares this storage was given: set one field of the oneof".into(),
            )),
        }
    }

    /// Makes the discriminator fit the item that was given.
    fn discriminate(&mut self, choice: &Choice, arm: &Arm, at: usize) -> Result<(), RecordError> {
        let ArmTest::Is { register, length, matcher, path } = &arm.test else {
            return self.otherwise(choice, at);
        };
        let Register { place: Some(place), set, .. } = self.registers[*register] else {
            return Err(self.error(*path, at, *length, "the record does not have this discriminator".into()));
        };
        if matcher.holds(&self.out[place..place + length]) {
            return Ok(());
        }
        if set {
            return Err(self.error(*path, place, *length, "it stands for another item than the one that was given".into()));
        }
        let written = matcher.write(&mut self.out[place..place + length]);
        written.map_err(|rule| self.error(*path, place, *length, rule))?;
        self.registers[*register].set = true;
        Ok(())
    }

    /// `otherwise` fits when the discriminator stands for no other item.
    fn otherwise(&self, choice: &Choice, at: usize) -> Result<(), RecordError> {
        for arm in &choice.arms {
            if let ArmTest::Is { register, length, matcher, path } = &arm.test
                && self.at(*register, *length).is_some_and(|bytes| matcher.holds(bytes))
            {
                return Err(self.error(*path, at, *length, "it stands for another item than the one that was given".into()));
            }
        }
        Ok(())
    }

    fn at(&self, register: usize, length: usize) -> Option<&[u8]> {
        let place = self.registers[register].place?;
        self.out.get(place..place + length)
    }

    fn malformed(&self, (path, message): ReadError, within: usize) -> RecordError {
        self.error(path.unwrap_or(within), 0, 0, format!("not a protobuf message: {message}").into())
    }

    fn error(&self, path: usize, offset: usize, length: usize, rule: Rule) -> RecordError {
        RecordError { field: self.plan.paths[path].with(&self.subscripts), offset, length, rule: rule.into_owned() }
    }
}
