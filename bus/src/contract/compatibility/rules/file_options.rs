//! What a file says of itself: package, syntax, and the options of code generators.

use super::super::Comparison;
use super::super::finding::{Finding, Touches};
use super::super::rule::Rule;
use super::super::schema::{File, FileOptions, Place};

/// A rule, what it compares, and the descriptor path of where that is written.
struct Property {
    rule: Rule,
    name: &'static str,
    path: &'static [i32],
    value: fn(&File) -> String,
}

const PROPERTIES: [Property; 18] = [
    property(Rule::FileSamePackage, "package", &[2], |file| file.package.clone()),
    property(Rule::FileSameSyntax, "syntax", &[12], |file| file.syntax.name().to_owned()),
    property(Rule::FileSameCcEnableArenas, "cc_enable_arenas", &[8, 31], |file| switch(file.options.cc_enable_arenas, true)),
    property(Rule::FileSameCcGenericServices, "cc_generic_services", &[8, 16], |file| {
        switch(file.options.cc_generic_services, false)
    }),
    property(Rule::FileSameCsharpNamespace, "csharp_namespace", &[8, 37], |file| text(file, |it| &it.csharp_namespace)),
    property(Rule::FileSameGoPackage, "go_package", &[8, 11], |file| text(file, |it| &it.go_package)),
    property(Rule::FileSameJavaGenericServices, "java_generic_services", &[8, 17], |file| {
        switch(file.options.java_generic_services, false)
    }),
    property(Rule::FileSameJavaMultipleFiles, "java_multiple_files", &[8, 10], |file| {
        switch(file.options.java_multiple_files, false)
    }),
    property(Rule::FileSameJavaOuterClassname, "java_outer_classname", &[8, 8], |file| text(file, |it| &it.java_outer_classname)),
    property(Rule::FileSameJavaPackage, "java_package", &[8, 1], |file| text(file, |it| &it.java_package)),
    property(Rule::FileSameObjcClassPrefix, "objc_class_prefix", &[8, 36], |file| text(file, |it| &it.objc_class_prefix)),
    property(Rule::FileSameOptimizeFor, "optimize_for", &[8, 9], |file| optimize_for(file.options.optimize_for)),
    property(Rule::FileSamePhpClassPrefix, "php_class_prefix", &[8, 40], |file| text(file, |it| &it.php_class_prefix)),
    property(Rule::FileSamePhpMetadataNamespace, "php_metadata_namespace", &[8, 44], |file| {
        text(file, |it| &it.php_metadata_namespace)
    }),
    property(Rule::FileSamePhpNamespace, "php_namespace", &[8, 41], |file| text(file, |it| &it.php_namespace)),
    property(Rule::FileSamePyGenericServices, "py_generic_services", &[8, 18], |file| {
        switch(file.options.py_generic_services, false)
    }),
    property(Rule::FileSameRubyPackage, "ruby_package", &[8, 45], |file| text(file, |it| &it.ruby_package)),
    property(Rule::FileSameSwiftPrefix, "swift_prefix", &[8, 39], |file| text(file, |it| &it.swift_prefix)),
];

const fn property(rule: Rule, name: &'static str, path: &'static [i32], value: fn(&File) -> String) -> Property {
    Property { rule, name, path, value }
}

pub(super) fn check(comparison: &mut Comparison<'_>) {
    let (old, new) = (comparison.old, comparison.new);
    for (name, was) in &old.files {
        let Some(is) = new.files.get(name) else { continue };
        for Property { rule, name: property, path, value } in &PROPERTIES {
            let (old, new) = (value(was), value(is));
            if old != new {
                comparison.add(Finding {
                    rule: *rule,
                    element: format!("file {name}"),
                    old: format!("{property} {}", shown(&old)),
                    new: shown(&new).to_owned(),
                    place: is.place(path).or_else(|| Some(Place::in_file(name))),
                    touches: Touches::Source,
                });
            }
        }
    }
}

fn shown(value: &str) -> &str {
    if value.is_empty() { "none" } else { value }
}

fn text(file: &File, option: fn(&FileOptions) -> &Option<String>) -> String {
    option(&file.options).clone().unwrap_or_default()
}

fn switch(value: Option<bool>, default: bool) -> String {
    value.unwrap_or(default).to_string()
}

fn optimize_for(value: Option<i32>) -> String {
    match value {
        None | Some(1) => "SPEED".to_owned(),
        Some(2) => "CODE_SIZE".to_owned(),
        Some(3) => "LITE_RUNTIME".to_owned(),
        Some(number) => number.to_string(),
    }
}
