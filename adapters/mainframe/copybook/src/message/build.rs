//! Building: from a record and its rules to a message's fields.

use std::collections::BTreeMap;

use super::model::{Area, Field, Kind, Message, MessageModel, Test};
use super::names::{Scope, is_identifier, snake};
use super::view::View;
use super::{Fields, MessageRules};
use crate::layout::{Placement, picture};
use crate::{Item, LayoutError};

impl MessageModel {
    /// Makes the message `name` from a record. Names in `fields` that this record does not have are left alone: see [`super::models`].
    ///
    /// # Errors
    /// A rule that names no item or does not fit it; a REDEFINES that no rule decides.
    pub fn build(name: &str, record: &Item, rules: &MessageRules, fields: &Fields) -> Result<MessageModel, LayoutError> {
        if !is_identifier(name) {
            return Err(LayoutError::new(name, "no name of a protobuf message: use letters and digits, a letter first"));
        }
        let placement = Placement::of(record)?;
        let view = View::new(&placement, rules, fields)?;
        let mut builder = Builder { view, areas: BTreeMap::new() };
        let comment = format!("Record {}, {} bytes at most.", record.name, placement.nodes[0].length);
        let message = builder.message(name.to_owned(), comment, 0)?;
        let Builder { view, areas } = builder;
        Ok(MessageModel { record: record.name.clone(), message, areas, constants: view.constants })
    }
}

struct Builder<'a> {
    view: View<'a>,
    areas: BTreeMap<usize, Area>,
}

/// An item that becomes a field, and the oneof it belongs to.
struct Member {
    item: usize,
    oneof: Option<usize>,
    when: Option<Test>,
}

impl Builder<'_> {
    fn message(&mut self, name: String, comment: String, group: usize) -> Result<Message, LayoutError> {
        let mut scope = Scope::default();
        let mut message = Message { name, comment, fields: Vec::new(), oneofs: Vec::new() };
        let mut members = Vec::new();
        if self.view.placement.nodes[group].item.is_elementary() {
            members.push(Member { item: group, oneof: None, when: None });
        }
        let mut areas = Vec::new();
        self.members(group, &mut members, &mut areas)?;
        // Names that were asked for are taken first, so that those made from COBOL names make way for them.
        for member in &members {
            self.claim(member.item, &mut scope)?;
        }
        for member in members {
            let field = self.field(&member, &mut scope)?;
            message.fields.push(field);
        }
        for base in areas {
            let name = snake(&self.view.placement.nodes[base].item.name, self.view.strip_prefix);
            message.oneofs.push(scope.unique(format!("{name}_variant")));
        }
        Ok(message)
    }

    /// Items of a group that become fields, through groups without a name; `areas` gets the first item of each oneof.
    fn members(&mut self, group: usize, members: &mut Vec<Member>, areas: &mut Vec<usize>) -> Result<(), LayoutError> {
        let placement = self.view.placement;
        for &child in &placement.nodes[group].children {
            if placement.nodes[child].base.is_some() {
                continue;
            }
            if placement.nodes[child].overlays.is_empty() {
                self.member(child, members, areas)?;
                continue;
            }
            let area = self.view.area(child)?;
            self.areas.insert(child, area.clone());
            match area {
                Area::Pick(arm) => self.member(arm, members, areas)?,
                Area::Choice(arms) => {
                    areas.push(child);
                    let oneof = Some(areas.len() - 1);
                    members.extend(arms.into_iter().map(|(item, test)| Member { item, oneof, when: Some(test) }));
                }
            }
        }
        Ok(())
    }

    fn member(&mut self, item: usize, members: &mut Vec<Member>, areas: &mut Vec<usize>) -> Result<(), LayoutError> {
        let node = &self.view.placement.nodes[item];
        let transparent =
            node.item.is_filler() && node.item.occurs.is_none() && !node.item.is_elementary() && !self.view.is_whole(item);
        if !self.view.shows(item) {
            return Ok(());
        }
        if transparent {
            return self.members(item, members, areas);
        }
        members.push(Member { item, oneof: None, when: None });
        Ok(())
    }

    fn claim(&self, item: usize, scope: &mut Scope) -> Result<(), LayoutError> {
        let Some(name) = self.view.rules(item).and_then(|rules| rules.name.as_deref()) else { return Ok(()) };
        let label = || self.view.placement.nodes[item].label();
        if !is_identifier(name) {
            return Err(LayoutError::new(label(), format!("name: `{name}` is no protobuf field name such as `customer_id`")));
        }
        if !scope.claim(name) {
            return Err(LayoutError::new(label(), format!("name: `{name}` is already in use in this message")));
        }
        Ok(())
    }

    fn field(&mut self, member: &Member, scope: &mut Scope) -> Result<Field, LayoutError> {
        let item = member.item;
        let placement = self.view.placement;
        let node = &placement.nodes[item];
        let rules = self.view.rules(item);
        let name = match rules.and_then(|rules| rules.name.clone()) {
            Some(name) => name,
            None => scope.unique(snake(&node.item.name, self.view.strip_prefix)),
        };
        let group = !node.item.is_elementary() && !self.view.is_whole(item);
        let comment = self.comment(member);
        let kind = if group {
            let type_name = self.view.type_name(node, rules, scope)?;
            let comment = format!("Group {}, {} bytes at most.", node.path, node.length);
            Kind::Message(Box::new(self.message(type_name, comment, item)?))
        } else {
            self.view.kind(item, scope)?
        };
        let repeated = node.item.occurs.is_some();
        Ok(Field { item, path: node.path.clone(), name, number: 0, repeated, oneof: member.oneof, kind, comment })
    }

    /// Where the field comes from, for the reader of the `.proto`.
    fn comment(&self, member: &Member) -> String {
        let placement = self.view.placement;
        let node = &placement.nodes[member.item];
        let mut comment = node.path.clone();
        let picture = picture(node.item);
        if !picture.is_empty() {
            comment.push_str(&format!(" PIC {picture}"));
        }
        if let Some(occurs) = &node.item.occurs {
            match node.counter {
                Some(counter) => {
                    let name = &placement.nodes[counter].item.name;
                    comment.push_str(&format!(" OCCURS {} TO {} DEPENDING ON {name}", occurs.minimum, occurs.maximum));
                }
                None => comment.push_str(&format!(" OCCURS {}", occurs.maximum)),
            }
        }
        let slides = if node.slides { " at most" } else { "" };
        comment.push_str(&format!(", offset {}{slides}, length {}", node.offset, node.length));
        match &member.when {
            Some(Test::Is { item, .. }) => comment.push_str(&format!(", chosen by {}", placement.nodes[*item].path)),
            Some(Test::Otherwise) => comment.push_str(", chosen when no other is"),
            None => {}
        }
        comment
    }
}
