//! Certificates: what they tell, that they hold, and that those that were altered do not.

use passerelle_feel::dmn::{Certificate, CertificateError, Model, Step};
use passerelle_feel::{Context, Environment, Number, Value};

use super::{decision, input, inputs, literal, model, read};

fn discount() -> Model {
    let table = r#"<decisionTable id="t" hitPolicy="FIRST">
        <input label="tier"><inputExpression><text>tier</text></inputExpression></input>
        <input label="amount"><inputExpression><text>amount</text></inputExpression></input>
        <output name="percent"/><annotation name="why"/>
        <rule id="r1"><inputEntry><text>"gold"</text></inputEntry><inputEntry><text>&gt;= 100</text></inputEntry><outputEntry><text>10</text></outputEntry><annotationEntry><text>loyal</text></annotationEntry></rule>
        <rule id="r2"><inputEntry><text>"gold", "silver"</text></inputEntry><inputEntry><text>-</text></inputEntry><outputEntry><text>5</text></outputEntry><annotationEntry><text>known</text></annotationEntry></rule>
        <rule id="r3"><inputEntry><text>-</text></inputEntry><inputEntry><text>-</text></inputEntry><outputEntry><text>0</text></outputEntry><annotationEntry><text></text></annotationEntry></rule>
        </decisionTable>"#;
    let parts = [
        input("tier", "string"),
        input("amount", "number"),
        decision("percent", &["tier", "amount"], table),
        decision("price", &["amount", "Decision percent"], &literal("amount * (100 - percent) / 100")),
    ];
    read(&model(&parts.concat())).with_version("v1")
}

fn certified(model: &Model, json: &str) -> Certificate {
    model.certify("price", &inputs(json), &Environment::timeless()).expect("a certificate")
}

#[test]
fn a_certificate_tells_which_rules_decided_and_which_came_closest() {
    let model = discount();
    let certificate = certified(&model, r#"{"tier": "gold", "amount": 200, "unrelated": 1}"#);
    assert_eq!(certificate.outcome.to_string(), "180");
    assert!(certificate.inputs.get("unrelated").is_none() && certificate.inputs.get("tier").is_some());
    let [Step::Table { hits, runner_up: Some(close), .. }, Step::Result { name, value, .. }, Step::Result { .. }] =
        certificate.steps.as_slice()
    else {
        panic!("{:?}", certificate.steps)
    };
    assert_eq!((hits[0].row, &*hits[0].id, hits[0].annotations.as_slice()), (1, "r1", &[("why".into(), "loyal".into())][..]));
    assert_eq!((close.row, close.against.len()), (2, 0));
    assert_eq!((&**name, value.to_string().as_str()), ("percent", "10"));
    let certificate = certified(&model, r#"{"tier": "bronze", "amount": 100}"#);
    let Step::Table { hits, runner_up: Some(close), .. } = &certificate.steps[0] else { panic!("{:?}", certificate.steps) };
    assert_eq!((hits[0].row, close.row, close.against.as_slice()), (3, 1, &["tier".into()][..]));
}

#[test]
fn a_certificate_that_was_altered_does_not_hold() {
    let model = discount();
    let certificate = certified(&model, r#"{"tier": "gold", "amount": 200}"#);
    assert_eq!(certificate.verify(&model), Ok(()));
    let altered = Certificate { outcome: Value::Number(1_i64.into()), ..certificate.clone() };
    assert_eq!(altered.verify(&model), Err(CertificateError::Differs("outcome".to_owned())));
    let mut json = certificate.to_json();
    assert!(Certificate::from_json(&json, &model).is_ok());
    json["steps"][0]["hits"][0]["row"] = 2.into();
    assert_eq!(Certificate::from_json(&json, &model).err(), Some(CertificateError::Differs("steps".to_owned())));
    let later = discount().with_version("v2");
    assert!(matches!(certificate.verify(&later), Err(CertificateError::OtherModel { .. })));
    assert!(matches!(Certificate::from_json(&certificate.to_json(), &later), Err(CertificateError::OtherModel { .. })));
}

#[test]
fn what_would_have_changed_it_is_found_one_input_at_a_time() {
    let model = discount();
    let certificate = certified(&model, r#"{"tier": "gold", "amount": 100}"#);
    let changes = model.what_if(&certificate).expect("changes");
    let told = |change: &passerelle_feel::dmn::Change| format!("{} = {}: {}", change.input, change.value, change.outcome);
    let changes: Vec<String> = changes.iter().map(told).collect();
    assert_eq!(changes, ["tier = silver: 95", "amount = 99: 94.05", "amount = 101: 90.9"]);
}

#[test]
fn values_pass_through_the_json_of_a_certificate_unharmed() {
    let model = read(&model(&(input("x", "Any") + &decision("d", &["x"], &literal("string(x)")))));
    for text in [
        "1.50",
        "0.1234567890123456789012345678901234",
        r#"@"2026-02-03""#,
        r#"@"10:00:00.5""#,
        r#"@"2026-02-03T10:00:00@Europe/Paris""#,
        r#"@"P1Y2M""#,
        r#"@"P3DT4H""#,
        r#"{z: 1, a: [1, {"@date": "text"}]}"#,
        "[1..5)",
        "(> 3)",
        "null",
        "\"text\"",
    ] {
        let expression = passerelle_feel::Expression::compile(text, &passerelle_feel::Scope::default()).expect("an expression");
        let x = expression.evaluate(&[], &Environment::timeless()).expect("a value").value;
        let inputs: Context = [("x".into(), x)].into_iter().collect();
        let certificate = model.certify("d", &inputs, &Environment::timeless()).expect("a certificate");
        let json = serde_json::from_str(&certificate.to_json().to_string()).expect("JSON");
        let again = Certificate::from_json(&json, &model).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(again.outcome.to_string(), certificate.outcome.to_string(), "{text}");
    }
}

/// Numbers that look random, the same at every run.
fn scattered(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

#[test]
fn certificates_of_many_decisions_hold_when_they_are_evaluated_again() {
    // Without optimization a hundred thousand take half a minute.
    let count = if cfg!(debug_assertions) { 10_000 } else { 100_000 };
    let model = discount();
    let mut seed = 1;
    for at in 0..count {
        let tier = ["gold", "silver", "bronze"][(scattered(&mut seed) % 3) as usize];
        let amount = Number::scaled(i128::from(scattered(&mut seed) % 40_000) - 10_000, -2).expect("a number");
        let inputs: Context = [("tier".into(), Value::text(tier)), ("amount".into(), amount.into())].into_iter().collect();
        let certificate = model.certify("price", &inputs, &Environment::timeless()).expect("a certificate");
        assert_eq!(certificate.verify(&model), Ok(()), "{tier} {amount}");
        if at % 100 == 0 {
            let json = serde_json::from_str(&certificate.to_json().to_string()).expect("JSON");
            assert!(Certificate::from_json(&json, &model).is_ok(), "{tier} {amount}");
        }
    }
}
