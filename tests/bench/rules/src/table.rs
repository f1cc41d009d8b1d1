//! A decision table of twelve rules, as a model in a file: how customers are treated.

use std::cell::Cell;
use std::hint::black_box;
use std::time::SystemTime;

use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as TheirValue;
use dsntk_feel::{FeelNumber, Name};
use dsntk_model::{DmnElement, NamedElement};
use dsntk_model_evaluator::ModelEvaluator;
use passerelle_feel::dmn::Model;
use passerelle_feel::{Context, Environment, Value, to_json};

use crate::clock;

const MODEL: &str = include_str!("../../../../deploy/sample/decisions/treatment/treatment.dmn");
const DECISION: &str = "Treatment";

/// Value, reason, channel, and contacts in a week: met by the first rule, by one in the middle, by late ones.
const CASES: [(&str, &str, &str, i64); 8] = [
    ("gold", "complaint", "web", 1),
    ("gold", "order", "mobile", 4),
    ("gold", "information", "branch", 0),
    ("silver", "complaint", "call centre", 3),
    ("silver", "order", "web", 0),
    ("standard", "complaint", "branch", 1),
    ("standard", "claim", "web", 9),
    ("standard", "information", "mobile", 2),
];

/// Prints one line.
pub fn run() {
    let (ours, theirs) = (Ours::new(), Theirs::new());
    for case in 0..CASES.len() {
        let (our, their) = (ours.entries(case), theirs.entries(case));
        assert_eq!(our, their, "case {case}: both decide the same");
    }
    let turn = Cell::new(0);
    let next = || turn.replace((turn.get() + 1) % CASES.len());
    let mut our = || drop(black_box(ours.decide(next())));
    let mut their = || drop(black_box(theirs.decide(next())));
    let [ours, dsntk] = clock::in_turns([&mut our, &mut their]);
    println!("\n{:<75} {:>8} {:>8} {:>8}", "nanoseconds of CPU time a decision", "ours", "dsntk", "dsntk ÷");
    println!("{:<75} {ours:>8.0} {dsntk:>8.0} {:>8.2}", "a table of 12 rules with 4 inputs, hit policy First", dsntk / ours);
}

struct Ours {
    model: Model,
    inputs: Vec<Context>,
    environment: Environment,
}

impl Ours {
    fn new() -> Self {
        let model = Model::read(MODEL, &[]).expect("a model");
        let inputs = CASES.map(|(value, reason, channel, contacts)| {
            let text = |name: &str, value: &str| (name.into(), Value::text(value));
            let entries = [text("customerValue", value), text("reason", reason), text("channel", channel)];
            entries.into_iter().chain([("contacts7d".into(), Value::Number(contacts.into()))]).collect()
        });
        Self { model, inputs: inputs.into(), environment: Environment::at(SystemTime::now()) }
    }

    fn decide(&self, case: usize) -> Value {
        self.model.evaluate(DECISION, &self.inputs[case], &self.environment).expect("a decision").value
    }

    fn entries(&self, case: usize) -> Vec<String> {
        normal(&to_json(&self.decide(case)).to_string())
    }
}

struct Theirs {
    evaluator: std::sync::Arc<ModelEvaluator>,
    namespace: String,
    name: String,
    inputs: Vec<FeelContext>,
}

impl Theirs {
    fn new() -> Self {
        let definitions = dsntk_model::parse(MODEL).expect("a model");
        let (namespace, name) = (definitions.namespace().to_string(), definitions.name().to_string());
        let evaluator = ModelEvaluator::new(&[definitions]).expect("a model that it evaluates");
        let inputs = CASES.map(|(value, reason, channel, contacts)| {
            let mut context = FeelContext::default();
            for (name, value) in [("customerValue", value), ("reason", reason), ("channel", channel)] {
                context.set_entry(&Name::from(name), TheirValue::String(value.to_owned()));
            }
            context.set_entry(&Name::from("contacts7d"), TheirValue::Number(FeelNumber::from(contacts as isize)));
            context
        });
        Self { evaluator, namespace, name, inputs: inputs.into() }
    }

    fn decide(&self, case: usize) -> TheirValue {
        self.evaluator.evaluate_invocable(&self.namespace, &self.name, DECISION, &self.inputs[case])
    }

    fn entries(&self, case: usize) -> Vec<String> {
        normal(&self.decide(case).to_string())
    }
}

/// The entries of a context in the same order for both, without blanks and quotes, which they set differently.
fn normal(text: &str) -> Vec<String> {
    let text: String = text.chars().filter(|letter| !letter.is_whitespace() && !"{}\"".contains(*letter)).collect();
    let mut entries: Vec<String> = text.split(',').map(str::to_owned).collect();
    entries.sort_unstable();
    entries
}
