//! The sample tables: total, deciding as the cases beside them say, and refused once a row is taken out of them.

use std::fs;
use std::path::Path;

use passerelle_feel::Environment;
use passerelle_feel::dmn::Model;
use passerelle_feel::dmn::cover::examine;
use passerelle_feel::dmn::tck::TestCases;

fn sample(folder: &str, file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/sample/decisions").join(folder).join(file);
    fs::read_to_string(path).expect("a sample")
}

/// Holds a sample to its cases and to this coverage; gives its text.
fn check(folder: &str, columns: &[&str], rules: usize, cases: usize) -> String {
    let text = sample(folder, &format!("{folder}.dmn"));
    let model = Model::read(&text, &[]).expect(folder);
    let table = &model.tables()[0];
    assert_eq!(table.rules.len(), rules);
    let total = table.total.as_ref().expect("declared total");
    assert!(columns.iter().all(|column| total.iter().any(|known| **known == **column)), "{total:?}");
    let read = TestCases::read(&sample(folder, &format!("{folder}-test-01.xml"))).expect(folder);
    let outcomes = read.verify(&model, &Environment::timeless());
    let wrong: Vec<_> = outcomes.iter().filter(|outcome| !outcome.passed).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(outcomes.len(), cases);
    text
}

/// A model without one of its rules.
fn without(model: &str, rule: &str) -> String {
    let begin = model.find(&format!("<rule id=\"{rule}\">")).expect(rule);
    let end = begin + model[begin..].find("</rule>").expect(rule) + "</rule>".len();
    format!("{}{}", &model[..begin], &model[end..])
}

#[test]
fn the_treatment_of_interactions_is_total_and_decides_as_its_cases_say() {
    let model = check("treatment", &["customerValue", "reason", "channel"], 12, 13);
    let less = without(&model, "treatment_12");
    let refused = Model::read(&less, &[]).expect_err("not total");
    assert_eq!(
        refused.to_string(),
        "line 16, column 26: decision table Treatment is declared total and is not: no rule covers customerValue: \"silver\", \
         \"standard\", reason: \"information\"; for example {\"customerValue\":\"silver\",\"reason\":\"information\",\
         \"channel\":\"branch\",\"contacts7d\":0}"
    );
    let tolerated = Model::tolerant(&less, &[]).expect("a model");
    assert_eq!(tolerated.faults, [refused]);
    assert!(!examine(&(&*tolerated.tables()[0]).into()).is_total());
}

#[test]
fn the_legal_floor_of_contact_pressure_is_total_and_decides_as_its_cases_say() {
    let model = check("contact-pressure", &["contacts30d", "localTime"], 9, 21);
    Model::read(&model.replace("columns=\"", "columns=\"weather, "), &[]).expect_err("no column of that name");
}

#[test]
fn columns_of_a_total_table_go_by_label_or_expression() {
    let model = sample("treatment", "treatment.dmn").replace("label=\"reason\"", "label=\"Reason for contact\"");
    let model = Model::read(&model, &[]).expect("a model");
    let total: Vec<&str> = model.tables()[0].total.iter().flatten().map(|column| &**column).collect();
    assert_eq!(total, ["customerValue", "Reason for contact", "channel"]);
}

#[test]
fn what_a_total_table_does_not_allow_it_does_not_decide() {
    let model = Model::read(&sample("treatment", "treatment.dmn"), &[]).expect("a model");
    let decided = |inputs: &[(&str, passerelle_feel::Value)]| {
        let inputs = inputs.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
        model.evaluate("Treatment", &inputs, &Environment::timeless()).expect("within limits")
    };
    let text = passerelle_feel::Value::text;
    let gold = [("customerValue", text("gold")), ("reason", text("complaint"))];
    let found = decided(&gold);
    assert!(found.value.is_null());
    assert_eq!(found.warnings, ["the value of column 'channel' is not one of those allowed"]);
}
