//! Compiling: from a record and a message to a plan.

use std::collections::BTreeMap;

use super::error::Path;
use super::plan::{
    Arm, ArmTest, Capture, Choice, Counter, FieldStep, Plan, Presence, Program, Scope, ScopeField, Segment, Source, Step, Table,
};
use super::template::Templates;
use super::{literal::Matcher, number::Number, value};
use crate::layout::Placement;
use crate::message::{Area, Field, Kind, Message, MessageModel, Test};
use crate::wire;
use crate::{Encoding, LayoutError, OccursDepending};

/// Compiles the plan of a record and a message.
pub(super) fn plan(placement: &Placement<'_>, model: &MessageModel, encoding: &Encoding) -> Result<Plan, LayoutError> {
    let mut shown = BTreeMap::new();
    index(&model.message, placement, &mut shown)?;
    let templates = Templates { placement, model, shown: &shown, encoding };
    let mut compiler =
        Compiler { templates, registers: BTreeMap::new(), scopes: Vec::new(), paths: Vec::new(), tail: tail(placement) };
    // Path 0 is the record's, scope 0 its message's.
    compiler.path(0);
    compiler.remember();
    compiler.scope(&model.message);
    let program = compiler.program(0)?;
    let root = &placement.nodes[0];
    Ok(Plan {
        program,
        paths: compiler.paths,
        registers: compiler.registers.len(),
        scopes: compiler.scopes,
        maximum: root.length,
        space: encoding.code_page.space(),
        invalid_numeric: encoding.invalid_numeric,
        trailing: encoding.trailing_bytes,
    })
}

/// Fields by item, each with its place in its message.
fn index<'m>(
    message: &'m Message,
    placement: &Placement<'_>,
    shown: &mut BTreeMap<usize, (&'m Field, usize)>,
) -> Result<(), LayoutError> {
    for (slot, field) in message.fields.iter().enumerate() {
        if placement.nodes.get(field.item).is_none_or(|node| node.path != field.path) {
            return Err(LayoutError::new(&field.path, "the message was made from another record"));
        }
        if field.number == 0 {
            return Err(LayoutError::new(&field.path, "the message has no field numbers yet: take it from its contract"));
        }
        shown.insert(field.item, (field, slot));
        if let Kind::Message(inner) = &field.kind {
            index(inner, placement, shown)?;
        }
    }
    Ok(())
}

/// The storage area at the end of the record, if one ends it: a record may end with the item that is in it.
fn tail(placement: &Placement<'_>) -> Option<usize> {
    let mut id = 0;
    loop {
        id = placement.nodes[id].children.iter().copied().rfind(|child| placement.nodes[*child].base.is_none())?;
        let node = &placement.nodes[id];
        match (node.overlays.is_empty(), node.item.occurs.is_some()) {
            (false, _) => return Some(id),
            (true, true) => return None,
            (true, false) => {}
        }
    }
}

/// Other members of the oneof of a field.
fn rivals(message: &Message, slot: usize) -> Vec<usize> {
    let Some(oneof) = message.fields[slot].oneof else { return Vec::new() };
    let members = message.fields.iter().enumerate().filter(|(_, field)| field.oneof == Some(oneof));
    members.map(|(other, _)| other).filter(|other| *other != slot).collect()
}

/// What is known while a plan is compiled.
struct Compiler<'a> {
    templates: Templates<'a>,
    /// Registers by item.
    registers: BTreeMap<usize, usize>,
    scopes: Vec<Scope>,
    paths: Vec<Path>,
    tail: Option<usize>,
}

/// A program in the making.
struct Draft {
    steps: Program,
    /// Offset in the record of what `template` begins with.
    origin: usize,
    template: Vec<u8>,
    /// Where the segment at hand begins, in the record and among the steps.
    start: usize,
    segment: usize,
}

impl Draft {
    fn begin(&mut self, offset: usize, path: usize) {
        self.start = offset;
        self.segment = self.steps.len();
        self.steps.push(Step::Segment(Segment { length: 0, required: 0, template: Vec::new(), captures: Vec::new(), path }));
    }

    fn end(&mut self, offset: usize) {
        let template = self.template[self.start - self.origin..offset - self.origin].to_vec();
        let length = offset - self.start;
        if let Some(Step::Segment(segment)) = self.steps.get_mut(self.segment) {
            (segment.length, segment.required, segment.template) = (length, length, template);
        }
    }

    /// Lets the segment at hand end earlier in a record that is read.
    fn require(&mut self, offset: usize) {
        if let Some(Step::Segment(segment)) = self.steps.get_mut(self.segment) {
            segment.required = offset - self.start;
        }
    }

    fn capture(&mut self, capture: Capture) {
        if let Some(Step::Segment(segment)) = self.steps.get_mut(self.segment) {
            segment.captures.push(capture);
        }
    }
}

impl<'a> Compiler<'a> {
    /// Gives a register to every counter and discriminator.
    fn remember(&mut self) {
        let tests = self.templates.model.areas.values().flat_map(|area| match area {
            Area::Choice(arms) => arms.as_slice(),
            Area::Pick(_) => &[],
        });
        let discriminators = tests.filter_map(|(_, test)| if let Test::Is { item, .. } = test { Some(*item) } else { None });
        for item in self.templates.placement.counters.iter().copied().chain(discriminators) {
            let next = self.registers.len();
            self.registers.entry(item).or_insert(next);
        }
    }

    /// The fields of a message, for reading one.
    fn scope(&mut self, message: &Message) -> usize {
        let fields = message.fields.iter().enumerate().map(|(slot, field)| ScopeField {
            number: field.number,
            slot,
            wire: if matches!(field.kind, Kind::Integer { .. } | Kind::Enum(_)) { wire::VARINT } else { wire::LENGTH },
            repeated: field.repeated,
            message: matches!(field.kind, Kind::Message(_)),
            rivals: rivals(message, slot),
            path: self.path(field.item),
        });
        let mut fields: Vec<ScopeField> = fields.collect();
        fields.sort_by_key(|field| field.number);
        self.scopes.push(Scope { fields });
        self.scopes.len() - 1
    }

    fn path(&mut self, id: usize) -> usize {
        let placement = self.templates.placement;
        let part = |id: usize| {
            let node = &placement.nodes[id];
            (node.path.rsplit('.').next().unwrap_or_default().to_owned(), node.item.occurs.is_some())
        };
        let mut parts: Vec<_> = std::iter::once(id).chain(placement.groups(id).filter(|_| id != 0)).map(part).collect();
        parts.reverse();
        self.paths.push(Path::new(parts));
        self.paths.len() - 1
    }

    /// The program of one element of an item.
    fn program(&mut self, id: usize) -> Result<Program, LayoutError> {
        let node = &self.templates.placement.nodes[id];
        let template = self.templates.element(id)?;
        let mut draft = Draft { steps: Vec::new(), origin: node.offset, template, start: node.offset, segment: 0 };
        let path = self.path(id);
        draft.begin(node.offset, path);
        if id == 0 && !node.item.is_elementary() {
            self.children(id, &mut draft)?;
        } else {
            let source = if node.item.occurs.is_some() { Some(Source::Element) } else { None };
            self.one(id, source, &mut draft)?;
        }
        draft.end(node.offset + node.length);
        if let Some(tail) = self.tail.filter(|_| id == 0) {
            let offset = self.templates.placement.nodes[tail].offset;
            draft.require(offset);
        }
        Ok(draft.steps)
    }

    fn children(&mut self, id: usize, draft: &mut Draft) -> Result<(), LayoutError> {
        let placement = self.templates.placement;
        for &child in &placement.nodes[id].children {
            let node = &placement.nodes[child];
            if node.base.is_some() {
                continue;
            }
            if node.overlays.is_empty() { self.item(child, draft)? } else { self.area(child, draft)? }
        }
        Ok(())
    }

    /// An item with all its elements.
    fn item(&mut self, id: usize, draft: &mut Draft) -> Result<(), LayoutError> {
        if self.templates.placement.nodes[id].item.occurs.is_some() { self.table(id, draft) } else { self.one(id, None, draft) }
    }

    /// One element of an item. `source` is that of an element; a single item is a field of the message at hand.
    fn one(&mut self, id: usize, source: Option<Source>, draft: &mut Draft) -> Result<(), LayoutError> {
        let node = &self.templates.placement.nodes[id];
        if let Some(register) = self.registers.get(&id) {
            let constant = self.templates.model.constants.contains_key(&id);
            draft.capture(Capture { register: *register, offset: node.offset - draft.start, constant });
        }
        let Some(&(field, slot)) = self.templates.shown.get(&id) else {
            return self.children(id, draft);
        };
        let path = self.path(id);
        let element = source.is_some();
        let source = source.unwrap_or(Source::Slot(slot));
        if let Kind::Message(message) = &field.kind {
            let scope = self.scope(message);
            draft.steps.push(Step::Open { number: field.number, source, scope, path });
            self.children(id, draft)?;
            draft.steps.push(Step::Close);
            return Ok(());
        }
        let presence = match (&field.kind, element) {
            (Kind::Integer { .. } | Kind::Enum(_), true) => Presence::Packed,
            (_, true) => Presence::Always,
            _ if field.oneof.is_some() => Presence::Always,
            _ => Presence::Implicit,
        };
        let value = value::compile(node, &field.kind, self.templates.encoding)?;
        let register = self.registers.get(&id).copied();
        let offset = node.offset - draft.start;
        draft.steps.push(Step::Field(FieldStep {
            offset,
            length: node.length,
            number: field.number,
            source,
            presence,
            value,
            path,
            register,
        }));
        // Of a group shown as one field only the counters and discriminators in it are left to see to.
        self.children(id, draft)
    }

    fn table(&mut self, id: usize, draft: &mut Draft) -> Result<(), LayoutError> {
        let node = &self.templates.placement.nodes[id];
        let field = self.templates.shown.get(&id).copied();
        if field.is_none() && !node.variable {
            return Ok(());
        }
        let element = self.program(id)?;
        let path = self.path(id);
        let counter = match node.counter {
            None => None,
            Some(counter) => Some(self.counter(counter)?),
        };
        let packed =
            field.filter(|(field, _)| matches!(field.kind, Kind::Integer { .. } | Kind::Enum(_))).map(|(field, _)| field.number);
        let offset = (!node.variable).then_some(node.offset - draft.start);
        let (maximum, stride, slot) = (node.elements(), node.length, field.map(|(_, slot)| slot));
        let keeps_room = node.counter.is_some() && self.templates.encoding.odo == OccursDepending::Fixed;
        let unused = if keeps_room { self.templates.element(id)? } else { Vec::new() };
        if node.variable {
            draft.end(node.offset);
        }
        draft.steps.push(Step::Table(Box::new(Table { offset, maximum, counter, stride, element, unused, slot, packed, path })));
        if node.variable {
            draft.begin(node.offset + node.total(), path);
        }
        Ok(())
    }

    fn counter(&mut self, id: usize) -> Result<Counter, LayoutError> {
        let node = &self.templates.placement.nodes[id];
        let number = Number::of(node.item, self.templates.encoding)
            .ok_or_else(|| LayoutError::new(node.label(), "a counter must be a number"))?;
        let register = self.registers.get(&id).copied().unwrap_or_default();
        Ok(Counter { register, number, length: node.length, path: self.path(id) })
    }

    fn area(&mut self, base: usize, draft: &mut Draft) -> Result<(), LayoutError> {
        let placement = self.templates.placement;
        let offset = placement.nodes[base].offset - draft.start;
        let arms = match self.templates.model.areas.get(&base) {
            // An area that nothing is shown of: what the template holds stays. The base may still hold a counter.
            None => vec![(base, None)],
            Some(Area::Pick(arm)) => vec![(*arm, None)],
            Some(Area::Choice(arms)) => arms.iter().map(|(id, test)| (*id, Some(test))).collect(),
        };
        if let [(id, None)] = arms[..]
            && self.tail != Some(base)
            && !placement.nodes[id].variable
        {
            return self.item(id, draft);
        }
        let mut compiled = Vec::new();
        for (id, test) in arms {
            let slot = test.and_then(|_| self.templates.shown.get(&id)).map(|(_, slot)| *slot);
            let test = self.test(test)?;
            compiled.push(Arm { test, program: self.arm(id)?, slot });
        }
        let path = self.path(base);
        draft.steps.push(Step::Choice(Box::new(Choice { offset, arms: compiled, path })));
        Ok(())
    }

    /// The program of an item in a storage area, with all its elements.
    fn arm(&mut self, id: usize) -> Result<Program, LayoutError> {
        let node = &self.templates.placement.nodes[id];
        let template = self.templates.whole(id)?;
        let mut draft = Draft { steps: Vec::new(), origin: node.offset, template, start: node.offset, segment: 0 };
        let path = self.path(id);
        draft.begin(node.offset, path);
        self.item(id, &mut draft)?;
        draft.end(node.offset + node.total());
        Ok(draft.steps)
    }

    fn test(&mut self, test: Option<&Test>) -> Result<ArmTest, LayoutError> {
        let Some(Test::Is { item, values }) = test else { return Ok(ArmTest::Always) };
        let node = &self.templates.placement.nodes[*item];
        let literals = values.iter().map(|(from, to)| (from, to.as_ref()));
        let matcher = Matcher::new(node.item, node.length, literals, self.templates.encoding)
            .map_err(|message| LayoutError::new(node.label(), format!("when: {message}")))?;
        let register = self.registers.get(item).copied().unwrap_or_default();
        Ok(ArmTest::Is { register, length: node.length, matcher, path: self.path(*item) })
    }
}
