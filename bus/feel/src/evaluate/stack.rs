//! The thread's stack: what a walk over the tree takes of it, and a larger one for functions that call themselves deeply.

use crate::limits::Exceeded;
use crate::node::Node;

use super::{Evaluation, Frame, Outcome};

/// Bytes of the caller's stack that an evaluation may take. A worker of tokio has 2 MiB, a part of which is already in use.
pub(crate) const OWN_BYTES: usize = 384 << 10;

/// Bytes of the larger stack. Only what is touched takes memory. A test holds it to [`Limits::depth`](crate::Limits::depth).
const LARGER_BYTES: usize = if cfg!(debug_assertions) { 64 << 20 } else { 16 << 20 };

/// Bytes of it that stay free for what a walk calls at its deepest: functions over lists, regular expressions, texts.
const SPARE_BYTES: usize = 512 << 10;

/// Steps that a thread costs.
const THREAD_STEPS: usize = 1000;

/// Where the stack stands. Stacks grow towards zero wherever this is built.
#[inline(always)]
pub(crate) fn pointer() -> usize {
    let here = 0_u8;
    (&raw const here).addr()
}

impl Evaluation {
    /// Goes on with an expression on a thread of its own, whose stack holds as many levels as the limits allow, and waits for it.
    #[cold]
    pub(super) fn on_a_larger_stack(&mut self, node: &Node, frame: Frame<'_>) -> Outcome {
        let full = Exceeded::Depth(self.budget.limits.depth);
        self.budget.steps(THREAD_STEPS)?;
        let Some(before) = self.budget.move_stack(LARGER_BYTES - SPARE_BYTES) else { return Err(full) };
        let outcome = std::thread::scope(|scope| {
            let run = || {
                self.budget.stack_begins();
                self.value(node, frame)
            };
            std::thread::Builder::new().stack_size(LARGER_BYTES).spawn_scoped(scope, run).map(|thread| thread.join())
        });
        self.budget.back_on_stack(before);
        match outcome {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => Err(full),
        }
    }
}
