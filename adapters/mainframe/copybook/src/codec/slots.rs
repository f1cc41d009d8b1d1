//! Slots: the fields of a message that is being read, found by number and kept by place, without copies.

use super::plan::{Scope, ScopeField};
use super::value::WireValue;
use crate::wire::{self, Malformed, Reader};

/// Values of the messages at hand, from the outermost in.
pub(super) struct Slots<'m> {
    message: &'m [u8],
    slots: Vec<Slot>,
    entries: Vec<Entry>,
    frames: Vec<Frame>,
}

/// The values of one field: a list through the entries.
#[derive(Clone, Copy)]
struct Slot {
    first: u32,
    last: u32,
    count: u32,
}

const EMPTY: Slot = Slot { first: NONE, last: NONE, count: 0 };
const NONE: u32 = u32::MAX;

/// One value; delimited ones by their place in the message.
#[derive(Clone, Copy)]
struct Entry {
    value: Found,
    next: u32,
}

#[derive(Clone, Copy)]
enum Found {
    Varint(u64),
    Delimited(usize, usize),
}

struct Frame {
    slots: usize,
    entries: usize,
}

/// A value at hand: an entry of a table's field.
#[derive(Clone, Copy)]
pub(super) struct Element(u32);

/// What is wrong with a message, and in which field if known.
pub(super) type ReadError = (Option<usize>, Malformed);

impl<'m> Slots<'m> {
    pub(super) fn new(message: &'m [u8]) -> Self {
        // About one value for every four bytes; more is made room for when it is needed.
        let expected = (message.len() / 4).min(1 << 12);
        Self {
            message,
            slots: Vec::with_capacity(expected),
            entries: Vec::with_capacity(expected),
            frames: Vec::with_capacity(8),
        }
    }

    /// Begins with the whole message.
    pub(super) fn open_whole(&mut self, scope: &Scope) -> Result<(), ReadError> {
        self.frame(scope);
        self.scan(scope, 0, self.message.len())
    }

    /// Begins with the message in a field; several of them are merged. Whether there was one.
    pub(super) fn open_slot(&mut self, slot: usize, scope: &Scope) -> Result<bool, ReadError> {
        let mut entry = self.slot(slot).first;
        let found = entry != NONE;
        self.frame(scope);
        while let Some(Entry { value, next }) = self.entries.get(entry as usize).copied() {
            if let Found::Delimited(start, end) = value {
                self.scan(scope, start, end)?;
            }
            entry = next;
        }
        Ok(found)
    }

    /// Begins with the message in an element, or with an empty one.
    pub(super) fn open_element(&mut self, element: Option<Element>, scope: &Scope) -> Result<(), ReadError> {
        let entry = element.and_then(|element| self.entries.get(element.0 as usize).copied());
        self.frame(scope);
        match entry.map(|entry| entry.value) {
            Some(Found::Delimited(start, end)) => self.scan(scope, start, end),
            _ => Ok(()),
        }
    }

    /// Ends with the message begun last.
    pub(super) fn close(&mut self) {
        if let Some(frame) = self.frames.pop() {
            self.slots.truncate(frame.slots);
            self.entries.truncate(frame.entries);
        }
    }

    /// The value of a field: the last one if there are several.
    pub(super) fn value(&self, slot: usize) -> Option<WireValue<'m>> {
        self.at(self.slot(slot).last)
    }

    /// How many values a field has.
    pub(super) fn count(&self, slot: usize) -> usize {
        self.slot(slot).count as usize
    }

    pub(super) fn first(&self, slot: usize) -> Option<Element> {
        Some(self.slot(slot).first).filter(|entry| *entry != NONE).map(Element)
    }

    pub(super) fn next(&self, element: Element) -> Option<Element> {
        self.entries.get(element.0 as usize).map(|entry| entry.next).filter(|entry| *entry != NONE).map(Element)
    }

    pub(super) fn element(&self, element: Element) -> Option<WireValue<'m>> {
        self.at(element.0)
    }

    fn at(&self, entry: u32) -> Option<WireValue<'m>> {
        match self.entries.get(entry as usize)?.value {
            Found::Varint(value) => Some(WireValue::Varint(value)),
            Found::Delimited(start, end) => self.message.get(start..end).map(WireValue::Bytes),
        }
    }

    fn base(&self) -> usize {
        self.frames.last().map_or(0, |frame| frame.slots)
    }

    fn slot(&self, slot: usize) -> Slot {
        self.slots.get(self.base() + slot).copied().unwrap_or(EMPTY)
    }

    fn frame(&mut self, scope: &Scope) {
        self.frames.push(Frame { slots: self.slots.len(), entries: self.entries.len() });
        self.slots.resize(self.slots.len() + scope.fields.len(), EMPTY);
    }

    fn scan(&mut self, scope: &Scope, start: usize, end: usize) -> Result<(), ReadError> {
        let mut reader = Reader { bytes: self.message, at: start, end };
        let mut expected = 0;
        while !reader.is_at_end() {
            let (number, wire) = reader.tag().map_err(|error| (None, error))?;
            // Fields mostly come in the order of their numbers.
            while scope.fields.get(expected).is_some_and(|field| field.number < number) {
                expected += 1;
            }
            if scope.fields.get(expected).is_none_or(|field| field.number != number) {
                expected = scope.fields.partition_point(|field| field.number < number);
            }
            match scope.fields.get(expected).filter(|field| field.number == number) {
                Some(field) => self.known(field, wire, &mut reader).map_err(|error| (Some(field.path), error))?,
                None => reader.pass(number, wire).map_err(|error| (None, error))?,
            }
        }
        Ok(())
    }

    fn known(&mut self, field: &ScopeField, wire: u8, reader: &mut Reader<'_>) -> Result<(), Malformed> {
        match (field.wire, wire) {
            (wire::VARINT, wire::VARINT) => self.add(field, Found::Varint(reader.varint()?)),
            (wire::LENGTH, wire::LENGTH) => {
                let (start, end) = reader.delimited()?;
                self.add(field, Found::Delimited(start, end))
            }
            (wire::VARINT, wire::LENGTH) if field.repeated => {
                let (start, end) = reader.delimited()?;
                let mut packed = Reader { bytes: reader.bytes, at: start, end };
                while !packed.is_at_end() {
                    self.add(field, Found::Varint(packed.varint()?))?;
                }
                Ok(())
            }
            _ => Err("the message holds it with a wire type that is not its type's"),
        }
    }

    fn add(&mut self, field: &ScopeField, value: Found) -> Result<(), Malformed> {
        let base = self.base();
        for rival in &field.rivals {
            self.slots[base + rival] = EMPTY;
        }
        let entry = u32::try_from(self.entries.len()).map_err(|_| "more values than can be counted")?;
        self.entries.push(Entry { value, next: NONE });
        let slot = &mut self.slots[base + field.slot];
        // One value is enough where only the last counts.
        let chained = field.repeated || field.message;
        if chained && let Some(last) = self.entries.get_mut(slot.last as usize) {
            last.next = entry;
        }
        let first = if chained && slot.first != NONE { slot.first } else { entry };
        *slot = Slot { first, last: entry, count: slot.count + 1 };
        Ok(())
    }
}
