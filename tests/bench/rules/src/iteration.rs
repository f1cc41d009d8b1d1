//! Loops over ten thousand items.

use std::hint::black_box;

use dsntk_feel::FeelScope;
use passerelle_feel::{Environment, Expression, Scope};

use crate::clock;

const LOOPS: [&str; 3] = [
    "sum(for i in 1..10000 return i)",
    "count((1..10000)[item > 5000])",
    "count(for i in 1..100, j in 1..100 return {a: i, b: j})",
];

/// What `dsntk` is asked, which takes it seconds for ten times as many.
const THEIRS: &str = "sum(for i in 1..1000 return i)";

/// Prints a line for each loop.
pub fn run() {
    println!("\n{:<75} {:>8}", "milliseconds of CPU time", "ours");
    for text in LOOPS {
        let expression = Expression::compile(text, &Scope::default()).expect("an expression");
        let mut ours = || {
            black_box(expression.evaluate(&[], &Environment::timeless()).expect("a value"));
        };
        let [took] = clock::in_turns([&mut ours]);
        println!("{text:<75} {:>8.2}", took / 1e6);
    }
    let scope = FeelScope::default();
    let tree = dsntk_feel_parser::parse_expression(&scope, THEIRS, false).expect("an expression");
    let evaluator = dsntk_feel_evaluator::prepare(&tree);
    let took = clock::once(&mut || {
        black_box(evaluator(&scope));
    });
    println!("{:<75} {:>8.2}", format!("{THEIRS} (dsntk, a tenth of the items)"), took.as_secs_f64() * 1e3);
}
