//! What must hold for every text that is read as a decision model.

use std::time::Duration;

use passerelle_feel::dmn::{CertificateError, Model, ReadError};
use passerelle_feel::{Context, Environment, Limits, Value};

/// Reads a text as a model, and makes all its decisions. Panics where something is not as it must be.
pub(crate) fn read_and_decide(text: &str) {
    let strict = Model::read(text, &[]);
    let tolerant = Model::tolerant(text, &[]);
    match (strict, tolerant) {
        (Ok(model), tolerant) => {
            assert!(tolerant.is_ok(), "what can be read strictly can be read");
            decide(&model);
        }
        (Err(error), Ok(model)) => {
            assert!(!model.faults.is_empty(), "what is tolerated is told");
            place_is_in(text, &error);
            decide(&model);
        }
        (Err(error), Err(_)) => place_is_in(text, &error),
    }
}

/// Small limits; the time is none of them, or the same decision might give two results.
fn environment() -> Environment {
    let limits = Limits { steps: 20_000, memory_bytes: 4 << 20, time: Duration::from_secs(60), ..Limits::default() };
    Environment::timeless().within(limits)
}

fn decide(model: &Model) {
    let inputs: Context = model.inputs().take(20).zip(values()).map(|((name, _), value)| (name.into(), value)).collect();
    let decisions: Vec<&str> = model.decisions().take(4).collect();
    for decision in decisions {
        let decided = model.evaluate(decision, &inputs, &environment());
        let Ok(certificate) = model.certify(decision, &inputs, &environment()) else { continue };
        if let Ok(decided) = decided {
            assert_eq!(decided.value.to_string(), certificate.outcome.to_string(), "a certificate tells the outcome");
        }
        assert!(!certificate.to_string().is_empty());
        // It is verified within the limits of everybody, of which one is the time.
        let verified = certificate.verify(model);
        assert!(matches!(verified, Ok(()) | Err(CertificateError::Decide(_))), "{verified:?}");
    }
}

fn values() -> impl Iterator<Item = Value> {
    [Value::text("gold"), Value::text("claim"), Value::text("web"), Value::Number(3_i64.into()), true.into(), Value::Null]
        .into_iter()
        .cycle()
}

fn place_is_in(text: &str, error: &ReadError) {
    let lines = text.matches('\n').count() + 1;
    let line = usize::try_from(error.line).unwrap_or(usize::MAX);
    assert!((1..=lines).contains(&line), "line {line} of {lines}: {error}");
    assert!(error.column >= 1);
}
