//! Kinds: the protobuf type of an item, by its picture, its name and its rules.

use super::model::{EnumModel, EnumValue, Kind};
use super::names::{Scope, camel, snake, upper};
use super::view::View;
use super::{As, FieldRules};
use crate::LayoutError;
use crate::layout::Node;
use crate::syntax::{PictureKind, Usage};

impl View<'_> {
    /// Type of an elementary item, or of a group shown as one field.
    pub(super) fn kind(&self, id: usize, scope: &mut Scope) -> Result<Kind, LayoutError> {
        let node = &self.placement.nodes[id];
        let rules = self.rules(id);
        if rules.is_some_and(|rules| rules.enum_values) {
            return self.enumeration(node, rules, scope).map(Kind::Enum);
        }
        let wrong = |message: &str| Err(LayoutError::new(node.label(), message));
        let picture = node.item.picture.as_ref().map(|picture| picture.kind);
        match (rules.and_then(|rules| rules.as_type), picture) {
            (Some(As::Bytes), _) if !node.variable || node.item.is_elementary() => Ok(Kind::Bytes),
            (Some(As::String), None) if !node.variable => Ok(Kind::Text),
            (_, None) => wrong("a group can be shown `as: string` or `as: bytes` only, and only if its length is fixed"),
            (None | Some(As::String), Some(PictureKind::Text { .. })) => Ok(Kind::Text),
            (Some(_), Some(PictureKind::Text { .. })) => wrong("text can be shown `as: string` or `as: bytes`"),
            (Some(As::Integer), Some(PictureKind::Number { digits, scale: 0, signed })) if digits <= 18 => {
                Ok(integer(digits, signed))
            }
            (Some(As::Integer), _) => wrong("`as: integer` needs a number without decimals of at most 18 digits"),
            (Some(As::String), Some(PictureKind::Number { scale: 0, .. })) => Ok(Kind::Digits),
            (_, Some(PictureKind::Number { digits, scale, signed })) => Ok(number(node, rules, digits, scale, signed)),
        }
    }

    fn enumeration(&self, node: &Node<'_>, rules: Option<&FieldRules>, scope: &mut Scope) -> Result<EnumModel, LayoutError> {
        if node.item.conditions.is_empty() {
            return Err(LayoutError::new(node.label(), "`enum: true` needs level 88 entries"));
        }
        if !node.item.is_elementary() {
            return Err(LayoutError::new(node.label(), "`enum: true` needs an elementary item"));
        }
        let name = self.type_name(node, rules, scope)?;
        let prefix = upper(&name);
        let unspecified = scope.unique(format!("{prefix}_UNSPECIFIED"));
        let values = node.item.conditions.iter().map(|condition| {
            let own = snake(&condition.name, self.strip_prefix).to_ascii_uppercase();
            let full = if own.starts_with(&format!("{prefix}_")) { own } else { format!("{prefix}_{own}") };
            EnumValue { condition: condition.name.clone(), name: scope.unique(full), number: 0 }
        });
        Ok(EnumModel { values: values.collect(), name, unspecified })
    }

    /// Name of the message or enum of an item.
    pub(super) fn type_name(
        &self,
        node: &Node<'_>,
        rules: Option<&FieldRules>,
        scope: &mut Scope,
    ) -> Result<String, LayoutError> {
        let Some(name) = rules.and_then(|rules| rules.type_name.as_deref()) else {
            return Ok(scope.unique(camel(&snake(&node.item.name, self.strip_prefix))));
        };
        if !super::names::is_identifier(name) || !name.starts_with(|c: char| c.is_ascii_uppercase()) {
            return Err(LayoutError::new(
                node.label(),
                format!("type: `{name}` is no name of a protobuf type such as `AccountType`"),
            ));
        }
        if !scope.claim(name) {
            return Err(LayoutError::new(node.label(), format!("type: `{name}` is already in use in this message")));
        }
        Ok(name.to_owned())
    }
}

fn integer(digits: u32, signed: bool) -> Kind {
    Kind::Integer { wide: digits > 9, signed }
}

fn number(node: &Node<'_>, rules: Option<&FieldRules>, digits: u32, scale: i32, signed: bool) -> Kind {
    let asked_for = rules.and_then(|rules| rules.as_type).is_some();
    if scale != 0 || digits > 18 || asked_for {
        return Kind::Decimal;
    }
    let written_in_digits = matches!(node.item.usage, Usage::Display | Usage::Packed);
    let is_identity = ["-ID", "-NO", "-CODE", "-NUM"].iter().any(|suffix| node.item.name.ends_with(suffix));
    if is_identity && written_in_digits && !signed { Kind::Digits } else { integer(digits, signed) }
}
