//! Which fields to take on the way through a message, and what becomes of them: compiled once for each message type and set of paths.

use std::sync::Arc;

use passerelle_feel::{Context, Value};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::whole;
use super::wire::{Raw, Reader};
use super::{Budget, PeekError, scalar};
use crate::payload::single;

/// A field of a message by the names that lead to it; of a map also the key.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::route) struct FieldPath {
    pub(in crate::route) fields: Vec<FieldDescriptor>,
    pub(in crate::route) key: Option<Arc<str>>,
}

/// Names that lead to no field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::route) enum PathError {
    /// There is no such field.
    #[error("{message} has no field `{name}` (it has: {known})")]
    Unknown { message: String, name: String, known: String },
    /// Proto2's groups are passed over only.
    #[error("`{0}` is a group, which routes cannot look into")]
    Group(String),
}

impl FieldPath {
    /// Follows the names as far as they are fields of messages, and says how many that were: what is left are parts of the value.
    pub(in crate::route) fn resolve(message: &MessageDescriptor, names: &[&str]) -> Result<(Self, usize), PathError> {
        let mut fields = Vec::new();
        let mut within = message.clone();
        for (index, name) in names.iter().enumerate() {
            let Some(field) = within.get_field_by_name(name) else {
                let known: Vec<String> = within.fields().map(|field| field.name().to_owned()).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(PathError::Unknown { message: within.full_name().to_owned(), name: (*name).to_owned(), known });
            };
            if field.is_group() {
                return Err(PathError::Group((*name).to_owned()));
            }
            fields.push(field.clone());
            if field.is_map() {
                let key = names.get(index + 1).map(|key| Arc::from(*key));
                let used = index + 1 + usize::from(key.is_some());
                return Ok((Self { fields, key }, used));
            }
            match field.kind() {
                Kind::Message(inner) if single(&inner).is_none() => within = inner,
                _ => return Ok((Self { fields, key: None }, index + 1)),
            }
        }
        Ok((Self { fields, key: None }, names.len()))
    }

    fn way(&self, place: usize) -> Way<'_> {
        Way { place, fields: &self.fields, key: self.key.as_ref() }
    }

    /// Whether it leads to one value that is no message, at most.
    pub(in crate::route) fn scalar(&self) -> Option<Kind> {
        let single = self.fields.iter().all(|field| field.cardinality() != prost_reflect::Cardinality::Repeated);
        let kind = self.fields.last()?.kind();
        (single && !matches!(kind, Kind::Message(_))).then_some(kind)
    }
}

/// What is left of a path at some message on it, and the place of its value.
#[derive(Debug, Clone, Copy)]
struct Way<'a> {
    place: usize,
    fields: &'a [FieldDescriptor],
    key: Option<&'a Arc<str>>,
}

/// The fields of one message that are taken.
#[derive(Debug)]
pub(super) struct Level {
    fields: Vec<Field>,
    /// How many places a reading needs: one for each path, one for each message on the way.
    places: usize,
}

#[derive(Debug)]
struct Field {
    number: u32,
    /// Places of other members of its oneof: the last one on the wire is meant.
    clears: Vec<usize>,
    takes: Vec<Take>,
}

/// What is done with a field.
#[derive(Debug)]
enum Take {
    One {
        place: usize,
        kind: Kind,
        missing: Value,
    },
    Many {
        place: usize,
        kind: Kind,
    },
    Message {
        place: usize,
        of: MessageDescriptor,
    },
    Messages {
        place: usize,
        of: MessageDescriptor,
    },
    Map {
        place: usize,
        of: MessageDescriptor,
    },
    Entry {
        place: usize,
        of: MessageDescriptor,
        key: Arc<str>,
    },
    /// A message on the way, whose fields have places of their own here.
    Into {
        mark: usize,
        level: Level,
    },
    /// Messages on the way: each of their fields becomes a list.
    Each {
        level: Level,
        places: Vec<usize>,
    },
}

/// What was found so far.
enum Found<'a> {
    Nothing,
    One(Value),
    Many(Vec<Value>),
    Pieces(Vec<Reader<'a>>),
    Entries(Context),
}

impl Level {
    pub(super) fn new(message: &MessageDescriptor, paths: &[FieldPath]) -> Self {
        let ways: Vec<Way<'_>> = paths.iter().enumerate().map(|(place, path)| path.way(place)).collect();
        Self::alone(message, &ways)
    }

    /// A level with places of its own, the first ones for the ways.
    fn alone(message: &MessageDescriptor, ways: &[Way<'_>]) -> Self {
        let mut places = ways.len();
        let level = Self::at(message, ways, &mut places);
        Self { places, ..level }
    }

    fn at(message: &MessageDescriptor, ways: &[Way<'_>], places: &mut usize) -> Self {
        let mut fields: Vec<Field> = Vec::new();
        for first in message.fields() {
            let here = ways.iter().filter(|way| way.fields.first().is_some_and(|field| field.number() == first.number()));
            let (ends, goes_on): (Vec<Way<'_>>, Vec<Way<'_>>) = here.copied().partition(|way| way.fields.len() == 1);
            if ends.is_empty() && goes_on.is_empty() {
                continue;
            }
            let mut takes: Vec<Take> = ends.iter().map(|way| Take::of(&first, way)).collect();
            let below: Vec<Way<'_>> = goes_on.iter().map(|way| Way { fields: &way.fields[1..], ..*way }).collect();
            if let (false, Kind::Message(inner)) = (below.is_empty(), first.kind()) {
                takes.push(Take::below(&first, &inner, &below, places));
            }
            fields.push(Field { number: first.number(), clears: Vec::new(), takes });
        }
        clear_siblings(message, &mut fields);
        Self { fields, places: 0 }
    }

    /// The values in the first places, so many.
    pub(super) fn read(&self, message: Reader<'_>, values: usize, budget: &mut Budget) -> Result<Vec<Value>, PeekError> {
        let mut found: Vec<Found<'_>> = std::iter::repeat_with(|| Found::Nothing).take(self.places).collect();
        self.walk(message, &mut found, budget)?;
        let mut out = vec![Value::Null; values];
        self.finish(true, &mut found, &mut out, budget)?;
        Ok(out)
    }

    fn walk<'a>(&self, mut message: Reader<'a>, found: &mut [Found<'a>], budget: &mut Budget) -> Result<(), PeekError> {
        while let Some((number, raw)) = message.field()? {
            let Some(field) = self.fields.iter().find(|field| field.number == number) else { continue };
            for place in &field.clears {
                found[*place] = Found::Nothing;
            }
            for take in &field.takes {
                take.walk(raw, found, budget)?;
            }
        }
        Ok(())
    }

    /// `there`: whether the message was on the wire.
    fn finish(&self, there: bool, found: &mut [Found<'_>], out: &mut [Value], budget: &mut Budget) -> Result<(), PeekError> {
        for take in self.fields.iter().flat_map(|field| &field.takes) {
            take.finish(there, found, out, budget)?;
        }
        Ok(())
    }

    /// Every place that is written to below.
    fn written(&self) -> Vec<usize> {
        self.fields.iter().flat_map(|field| field.takes.iter().flat_map(Take::written)).collect()
    }
}

/// Members of a oneof put each other out. Siblings that nobody asked for do, too, so they are looked for.
fn clear_siblings(message: &MessageDescriptor, fields: &mut Vec<Field>) {
    for oneof in message.oneofs() {
        let numbers: Vec<u32> = oneof.fields().map(|field| field.number()).collect();
        let asked: Vec<(u32, Vec<usize>)> = fields
            .iter()
            .filter(|field| numbers.contains(&field.number))
            .map(|field| (field.number, field.takes.iter().flat_map(Take::written).collect()))
            .collect();
        for number in numbers.iter().filter(|_| !asked.is_empty()) {
            let clears: Vec<usize> =
                asked.iter().filter(|(member, _)| member != number).flat_map(|(_, places)| places.clone()).collect();
            match fields.iter_mut().find(|field| field.number == *number) {
                Some(field) => field.clears = clears,
                None => fields.push(Field { number: *number, clears, takes: Vec::new() }),
            }
        }
    }
}

impl Take {
    /// What is done where a path ends.
    fn of(field: &FieldDescriptor, way: &Way<'_>) -> Self {
        let place = way.place;
        match (field.kind(), way.key) {
            (Kind::Message(of), Some(key)) if field.is_map() => Self::Entry { place, of, key: key.clone() },
            (Kind::Message(of), _) if field.is_map() => Self::Map { place, of },
            (Kind::Message(of), _) if field.is_list() => Self::Messages { place, of },
            (Kind::Message(of), _) => Self::Message { place, of },
            (kind, _) if field.is_list() => Self::Many { place, kind },
            (kind, _) => Self::One { place, missing: missing(field, &kind), kind },
        }
    }

    /// What is done where paths go on.
    fn below(field: &FieldDescriptor, inner: &MessageDescriptor, below: &[Way<'_>], places: &mut usize) -> Self {
        if !field.is_list() {
            let mark = *places;
            *places += 1;
            return Self::Into { mark, level: Level::at(inner, below, places) };
        }
        // Each message is read by itself, with places of its own.
        let own: Vec<Way<'_>> = below.iter().enumerate().map(|(place, way)| Way { place, ..*way }).collect();
        Self::Each { level: Level::alone(inner, &own), places: below.iter().map(|way| way.place).collect() }
    }

    fn written(&self) -> Vec<usize> {
        match self {
            Self::One { place, .. }
            | Self::Many { place, .. }
            | Self::Message { place, .. }
            | Self::Messages { place, .. }
            | Self::Map { place, .. }
            | Self::Entry { place, .. } => vec![*place],
            Self::Into { mark, level } => [vec![*mark], level.written()].concat(),
            Self::Each { places, .. } => places.clone(),
        }
    }

    fn walk<'a>(&self, raw: Raw<'a>, found: &mut [Found<'a>], budget: &mut Budget) -> Result<(), PeekError> {
        match (self, raw) {
            (Self::One { place, kind, .. }, raw) => {
                // Of another wire type than the contract's it is a field that is not known, as every decoder has it.
                if let Some(value) = scalar::value(kind, raw)? {
                    found[*place] = Found::One(value);
                }
            }
            (Self::Many { place, kind }, raw) => grow(&mut found[*place], |values| scalar::add(kind, raw, values, budget))?,
            (Self::Message { place, .. }, Raw::Chunk(chunk)) => match &mut found[*place] {
                Found::Pieces(pieces) => pieces.push(chunk),
                other => *other = Found::Pieces(vec![chunk]),
            },
            (Self::Messages { place, of }, Raw::Chunk(chunk)) => {
                let value = whole::value(of, &[chunk], budget)?;
                grow(&mut found[*place], |values| values.push(value));
            }
            (Self::Map { place, of }, Raw::Chunk(chunk)) => {
                let (key, value) = whole::entry(of, chunk, budget)?;
                match &mut found[*place] {
                    Found::Entries(entries) => entries.set(key, value),
                    other => *other = Found::Entries(Context::from_iter([(key, value)])),
                }
            }
            (Self::Entry { place, of, key }, Raw::Chunk(chunk)) => {
                if let (found_key, value) = whole::entry(of, chunk, budget)?
                    && found_key == *key
                {
                    found[*place] = Found::One(value);
                }
            }
            (Self::Into { mark, level }, Raw::Chunk(chunk)) => {
                found[*mark] = Found::One(Value::Null);
                level.walk(chunk, found, budget)?;
            }
            (Self::Each { level, places }, Raw::Chunk(chunk)) => {
                let values = level.read(chunk, places.len(), budget)?;
                for (place, value) in places.iter().zip(values) {
                    budget.take()?;
                    grow(&mut found[*place], |values| values.push(value));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&self, there: bool, found: &mut [Found<'_>], out: &mut [Value], budget: &mut Budget) -> Result<(), PeekError> {
        let mut take = |place: usize| std::mem::replace(&mut found[place], Found::Nothing);
        match self {
            Self::Into { mark, level } => {
                let there = matches!(take(*mark), Found::One(_));
                return level.finish(there, found, out, budget);
            }
            Self::Each { places, .. } => {
                for place in places {
                    out[*place] = many(take(*place), there);
                }
            }
            Self::One { place, missing, .. } => {
                out[*place] = match take(*place) {
                    Found::One(value) => value,
                    _ if there => missing.clone(),
                    _ => Value::Null,
                }
            }
            Self::Many { place, .. } | Self::Messages { place, .. } => out[*place] = many(take(*place), there),
            Self::Message { place, of } => {
                if let Found::Pieces(pieces) = take(*place) {
                    out[*place] = whole::value(of, &pieces, budget)?;
                }
            }
            Self::Map { place, .. } => {
                out[*place] = match take(*place) {
                    Found::Entries(entries) => Value::Context(Arc::new(entries)),
                    _ if there => Value::Context(Arc::default()),
                    _ => Value::Null,
                }
            }
            Self::Entry { place, .. } => {
                if let Found::One(value) = take(*place) {
                    out[*place] = value;
                }
            }
        }
        Ok(())
    }
}

/// Adds to the list that stands in a place, or begins it.
fn grow<T>(found: &mut Found<'_>, add: impl FnOnce(&mut Vec<Value>) -> T) -> T {
    let mut values = match std::mem::replace(found, Found::Nothing) {
        Found::Many(values) => values,
        _ => Vec::new(),
    };
    let added = add(&mut values);
    *found = Found::Many(values);
    added
}

fn many(found: Found<'_>, there: bool) -> Value {
    match found {
        Found::Many(values) => Value::list(values),
        _ if there => Value::list(Vec::new()),
        _ => Value::Null,
    }
}

/// What a field that is not on the wire says.
fn missing(field: &FieldDescriptor, kind: &Kind) -> Value {
    if field.supports_presence() {
        return Value::Null;
    }
    scalar::default_of(kind)
}
