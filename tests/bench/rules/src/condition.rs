//! Conditions as a route has them, over values that are already there.

use std::hint::black_box;
use std::time::SystemTime;

use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as TheirValue;
use dsntk_feel::{FeelNumber, FeelScope, Name};
use passerelle_feel::{Environment, Expression, Scope, Value};

use crate::clock;

/// The same condition in FEEL and in CEL.
const CONDITIONS: [[&str; 2]; 4] = [
    [
        "tier = \"gold\" and reason in (\"claim\", \"complaint\") and amount > 1000",
        "tier == \"gold\" && reason in [\"claim\", \"complaint\"] && amount > 1000",
    ],
    ["contains(channel, \"we\")", "channel.contains(\"we\")"],
    ["if amount > 1000 then \"high\" else \"low\"", "amount > 1000 ? \"high\" : \"low\""],
    ["some x in [1, 2, 3] satisfies x > 2", "[1, 2, 3].exists(x, x > 2)"],
];

const TEXTS: [(&str, &str); 3] = [("tier", "gold"), ("reason", "complaint"), ("channel", "web")];

const AMOUNT: i64 = 2500;

/// Prints a line for each condition (that holds this text).
pub fn run(only: Option<&str>) {
    println!(
        "{:<75} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "nanoseconds of CPU time an evaluation", "ours", "dsntk", "cel", "÷ dsntk", "÷ cel"
    );
    for [feel, cel] in CONDITIONS.into_iter().filter(|[feel, _]| only.is_none_or(|only| feel.contains(only))) {
        let (mut ours, mut dsntk, mut cel) = (ours(feel), dsntk(feel), cel_program(cel));
        let [ours, dsntk, cel] = clock::in_turns([&mut ours, &mut dsntk, &mut cel]);
        println!("{feel:<75} {ours:>8.0} {dsntk:>8.0} {cel:>8.0} {:>8.2} {:>8.2}", ours / dsntk, ours / cel);
    }
}

fn ours(text: &str) -> impl FnMut() + use<> {
    let names: Vec<&str> = TEXTS.iter().map(|(name, _)| *name).chain(["amount"]).collect();
    let expression = Expression::compile(text, &Scope::of(&names)).expect("an expression");
    let values: Vec<Value> = TEXTS.iter().map(|(_, value)| Value::text(*value)).chain([Value::Number(AMOUNT.into())]).collect();
    let environment = Environment::at(SystemTime::now());
    move || {
        black_box(expression.evaluate(black_box(&values), &environment).expect("a value"));
    }
}

fn dsntk(text: &str) -> impl FnMut() + use<> {
    let mut context = FeelContext::default();
    for (name, value) in TEXTS {
        context.set_entry(&Name::from(name), TheirValue::String(value.to_owned()));
    }
    context.set_entry(&Name::from("amount"), TheirValue::Number(FeelNumber::from(AMOUNT as isize)));
    let scope = FeelScope::from(context);
    let tree = dsntk_feel_parser::parse_expression(&scope, text, false).expect("an expression");
    let evaluator = dsntk_feel_evaluator::prepare(&tree);
    move || {
        black_box(evaluator(black_box(&scope)));
    }
}

fn cel_program(text: &str) -> impl FnMut() + use<> {
    let program = cel::Program::compile(text).expect("an expression");
    let mut context = cel::Context::default();
    for (name, value) in TEXTS {
        context.add_variable_from_value(name, value);
    }
    context.add_variable_from_value("amount", AMOUNT);
    move || {
        black_box(program.execute(black_box(&context)).expect("a value"));
    }
}
