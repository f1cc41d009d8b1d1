//! What is no longer there: files, packages, and what they declare.

use std::collections::BTreeSet;

use super::super::Comparison;
use super::super::finding::{Finding, Touches};
use super::super::rule::Rule;
use super::super::schema::{Place, Schema, Site};

/// Something that a file and a package declare.
struct Declared<'a> {
    kind: &'static str,
    site: &'a Site,
    of_file: Rule,
    of_package: Rule,
    touches: Touches,
}

pub(super) fn check(comparison: &mut Comparison<'_>) {
    files(comparison);
    packages(comparison);
    let (old, new) = (declared(comparison.old), declared(comparison.new));
    let in_file: BTreeSet<_> = new.iter().map(|item| (item.kind, &item.site.file, &item.site.nested_name)).collect();
    let in_package: BTreeSet<_> = new.iter().map(|item| (item.kind, &item.site.package, &item.site.nested_name)).collect();
    for item in &old {
        let Site { file, package, nested_name, .. } = item.site;
        if comparison.new.files.contains_key(file) && !in_file.contains(&(item.kind, file, nested_name)) {
            comparison.add(item.finding(item.of_file, comparison.new, format!("in {file}")));
        }
        if !in_package.contains(&(item.kind, package, nested_name)) {
            comparison.add(item.finding(item.of_package, comparison.new, format!("in package {package}")));
        }
    }
}

fn declared(schema: &Schema) -> Vec<Declared<'_>> {
    let messages = schema.messages.values().map(|message| Declared {
        kind: "message",
        site: &message.site,
        of_file: Rule::MessageNoDelete,
        of_package: Rule::PackageMessageNoDelete,
        touches: Touches::Message(message.site.full_name.clone(), None),
    });
    let enums = schema.enums.values().map(|item| Declared {
        kind: "enum",
        site: &item.site,
        of_file: Rule::EnumNoDelete,
        of_package: Rule::PackageEnumNoDelete,
        touches: Touches::Enum(item.site.full_name.clone()),
    });
    let extensions = schema.extensions.values().map(|field| Declared {
        kind: "extension",
        site: &field.site,
        of_file: Rule::ExtensionNoDelete,
        of_package: Rule::PackageExtensionNoDelete,
        touches: Touches::Message(field.message.clone(), None),
    });
    let services = schema.services.values().map(|service| Declared {
        kind: "service",
        site: &service.site,
        of_file: Rule::ServiceNoDelete,
        of_package: Rule::PackageServiceNoDelete,
        touches: Touches::Service(service.site.full_name.clone()),
    });
    messages.chain(enums).chain(extensions).chain(services).collect()
}

impl Declared<'_> {
    fn finding(&self, rule: Rule, new: &Schema, old: String) -> Finding {
        Finding {
            rule,
            element: format!("{} {}", self.kind, self.site.full_name),
            old,
            new: "gone".to_owned(),
            place: self.missed_at(new),
            touches: self.touches.clone(),
        }
    }

    /// The message around that is left, or else the file.
    fn missed_at(&self, new: &Schema) -> Option<Place> {
        new.files.get(&self.site.file)?;
        let mut outer = self.site.nested_name.as_str();
        while let Some((around, _)) = outer.rsplit_once('.') {
            let dot = if self.site.package.is_empty() { "" } else { "." };
            let message = new.messages.get(&format!("{}{dot}{around}", self.site.package));
            if let Some(message) = message.filter(|message| message.site.file == self.site.file) {
                return message.site.place.clone().or_else(|| Some(Place::in_file(&self.site.file)));
            }
            outer = around;
        }
        Some(Place::in_file(&self.site.file))
    }
}

fn files(comparison: &mut Comparison<'_>) {
    let gone: Vec<_> = comparison.old.files.keys().filter(|name| !comparison.new.files.contains_key(*name)).collect();
    for name in gone {
        comparison.add(Finding {
            rule: Rule::FileNoDelete,
            element: format!("file {name}"),
            old: "there".to_owned(),
            new: "gone".to_owned(),
            place: None,
            touches: Touches::Source,
        });
    }
}

fn packages(comparison: &mut Comparison<'_>) {
    let packages = |schema: &Schema| schema.files.values().map(|file| file.package.clone()).collect::<BTreeSet<_>>();
    for name in packages(comparison.old).difference(&packages(comparison.new)) {
        comparison.add(Finding {
            rule: Rule::PackageNoDelete,
            element: format!("package {name}"),
            old: "there".to_owned(),
            new: "gone".to_owned(),
            place: None,
            touches: Touches::Source,
        });
    }
}
