//! Runs an expression as a worker of the bus would, on a stack of 2 MiB.

use std::time::Duration;

use passerelle_feel::{Environment, Expression, Limits, Scope};

/// Bytes of the stack of a worker of tokio.
const WORKER_STACK: usize = 2 << 20;

/// The default limits, but for the time: a build without optimization on a busy machine is slow.
pub(crate) fn patient() -> Environment {
    Environment::timeless().within(Limits { time: Duration::from_secs(60), ..Limits::default() })
}

/// The value as text, or the error.
pub(crate) fn run(text: impl Into<String>) -> Result<String, String> {
    let text = text.into();
    let work = move || {
        let expression = Expression::compile(&text, &Scope::default()).map_err(|error| error.to_string())?;
        let evaluated = expression.evaluate(&[], &patient());
        evaluated.map(|evaluated| evaluated.value.to_string()).map_err(|limit| limit.to_string())
    };
    let worker = std::thread::Builder::new().stack_size(WORKER_STACK).spawn(work).expect("a thread");
    worker.join().expect("the thread lives")
}
