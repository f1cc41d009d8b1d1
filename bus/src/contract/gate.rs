//! Whether a new version may take the place of those before it, and who would be hurt.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use prost_reflect::{Kind, MessageDescriptor, MethodDescriptor};

use super::compatibility::{Against, Finding, Policy, Touches, compare};
use super::consumers::{Consumers, Use};
use super::image::{Image, ImageError};
use super::version::Contract;

/// Broken rules that a refusal lists; all are counted.
pub const MAX_LISTED: usize = 100;
/// Consumers that a broken rule lists.
const MAX_USES: usize = 10;

/// A new version breaks what an older one promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The contract's name.
    pub contract: String,
    /// What is broken, at most [`MAX_LISTED`].
    pub breaches: Vec<Breach>,
    /// How many there are in all.
    pub total: usize,
}

/// One rule broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The version whose promise it was: the newest of those that made it.
    pub against: u32,
    /// What is broken.
    pub finding: Finding,
    /// Who called a method that is touched, most calls first.
    pub used_by: Vec<Use>,
}

/// The first breaches, a line each, with what to do.
impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (contract, total) = (&self.contract, self.total);
        write!(formatter, "{contract}: {total} incompatible change{}", if total == 1 { "" } else { "s" })?;
        for breach in &self.breaches {
            write!(formatter, "\n{} (promised by @{})", breach.finding, breach.against)?;
            for used in &breach.used_by {
                write!(formatter, "\n  used by {used}")?;
            }
            write!(formatter, "\n  what to do: {}", breach.finding.rule.way_out())?;
        }
        match total - self.breaches.len() {
            0 => Ok(()),
            more => write!(formatter, "\nand {more} more"),
        }
    }
}

/// What `image` breaks of the versions that the policy protects; `None` if nothing.
pub(super) fn judge(
    (name, image): (&str, &Image),
    versions: &[Arc<Contract>],
    policy: &Policy,
    consumers: &Consumers,
) -> Result<Option<Refusal>, ImageError> {
    let level = policy.level(name);
    let protected = match level.against {
        Against::Last => &versions[versions.len().saturating_sub(1)..],
        Against::All => versions,
    };
    let mut seen = BTreeSet::new();
    let mut breaches = Vec::new();
    let mut total = 0;
    // The newest first: what it promised too is told once, as its promise.
    for version in protected.iter().rev() {
        for finding in compare(&version.image, image, &level.rules)? {
            if !seen.insert((finding.rule, finding.element.clone(), finding.new.clone())) {
                continue;
            }
            total += 1;
            if breaches.len() < MAX_LISTED {
                let used_by = used_by(&finding.touches, version, consumers);
                breaches.push(Breach { against: version.version, finding, used_by });
            }
        }
    }
    Ok((total > 0).then(|| Refusal { contract: name.to_owned(), breaches, total }))
}

/// Who called the methods of `contract` that a change touches.
fn used_by(touches: &Touches, contract: &Contract, consumers: &Consumers) -> Vec<Use> {
    let mut uses = Vec::new();
    for path in methods_touched(&contract.image, touches) {
        // Answers are never looked into: a field that only they have was not seen missing.
        let sent = |message: &&String| contract.methods().any(|method| method.path == path && holds(&method.input, message));
        let field = match touches {
            Touches::Message(message, Some(field)) => Some(message).filter(sent).map(|message| format!("{message}.{field}")),
            _ => None,
        };
        uses.extend(consumers.of(&path, field.as_deref()));
    }
    uses.sort_by_key(|used| std::cmp::Reverse(used.calls));
    uses.truncate(MAX_USES);
    uses
}

/// Paths of the methods of an image that a change touches.
pub fn methods_touched(image: &Image, touches: &Touches) -> Vec<String> {
    let methods = image.pool().services().flat_map(|service| service.methods().collect::<Vec<_>>());
    let path = |method: &MethodDescriptor| format!("/{}/{}", method.parent_service().full_name(), method.name());
    let touched = methods.filter(|method| match touches {
        Touches::Source => false,
        Touches::Service(service) => method.parent_service().full_name() == service,
        Touches::Method(touched) => path(method) == *touched,
        Touches::Message(name, _) | Touches::Enum(name) => holds(&method.input(), name) || holds(&method.output(), name),
    });
    touched.map(|method| path(&method)).collect()
}

/// Whether a message of that type may hold one of the named type, at whatever depth.
fn holds(message: &MessageDescriptor, name: &str) -> bool {
    let mut known = BTreeSet::from([message.full_name().to_owned()]);
    let mut open = vec![message.clone()];
    while let Some(message) = open.pop() {
        if message.full_name() == name {
            return true;
        }
        for field in message.fields() {
            match field.kind() {
                Kind::Enum(item) if item.full_name() == name => return true,
                Kind::Message(inner) if known.insert(inner.full_name().to_owned()) => open.push(inner),
                _ => {}
            }
        }
    }
    false
}
