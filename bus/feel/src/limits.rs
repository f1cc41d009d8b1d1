//! What an evaluation may use, and the error that says which limit it met.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::evaluate::stack;
use crate::value::Value;

/// How much one evaluation may use. The defaults keep reading, evaluating and letting go within 50 ms and 64 MiB.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Steps: about one for each operator, call, or item that is looked at.
    pub steps: u64,
    /// Operators and calls that may be under way at once. At most [`Limits::DEPTH_MOST`] count: the stack is made for these.
    pub depth: u32,
    /// Items of one list.
    pub list_items: usize,
    /// Bytes of one text.
    pub text_bytes: usize,
    /// Bytes of all values that were made, those given back included.
    pub memory_bytes: usize,
    /// Time from begin to end.
    pub time: Duration,
}

impl Limits {
    /// The largest depth that the stack of an evaluation is made for.
    pub const DEPTH_MOST: u32 = 10_000;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 1_000_000,
            depth: Self::DEPTH_MOST,
            list_items: 100_000,
            text_bytes: 1 << 20,
            memory_bytes: 48 << 20,
            time: Duration::from_millis(25),
        }
    }
}

/// An evaluation met a limit and was given up. Its value is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Exceeded {
    /// Too many steps.
    #[error("the expression needs more than {0} steps")]
    Steps(u64),
    /// Nested too deeply.
    #[error("the expression is nested, or calls itself, more than {0} levels deep")]
    Depth(u32),
    /// A value that holds values that hold values…
    #[error("a value would hold lists or contexts more than {0} levels deep")]
    Nesting(u32),
    /// A list too long.
    #[error("a list would have more than {0} items")]
    ListItems(usize),
    /// A text too long.
    #[error("a text would have more than {0} bytes")]
    TextBytes(usize),
    /// Too much made in all.
    #[error("the values made would take more than {0} bytes")]
    MemoryBytes(usize),
    /// Too slow.
    #[error("the expression takes longer than {0:?}")]
    Time(Duration),
}

/// What is left of the limits.
#[derive(Debug)]
pub(crate) struct Budget {
    pub(crate) limits: Limits,
    steps_left: u64,
    depth: u32,
    memory: usize,
    begin: Option<Instant>,
    stack: Stack,
}

/// The part of the thread's stack that an evaluation may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stack {
    top: usize,
    room: usize,
    larger: bool,
}

/// Items that are looked at in one step, where that is all that happens to them.
const ITEMS_PER_STEP: usize = 4;

/// Bytes of a text that are looked at in one step.
const BYTES_PER_STEP: usize = 512;

/// What a value that is shared takes besides what it holds.
const OVERHEAD_BYTES: usize = 64;

/// The clock is looked at once in so many steps.
const STEPS_PER_LOOK: u64 = 256;

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        let limits = Limits { depth: limits.depth.min(Limits::DEPTH_MOST), ..*limits };
        let stack = Stack { top: stack::pointer(), room: stack::OWN_BYTES, larger: false };
        Self { limits, steps_left: limits.steps, depth: 0, memory: 0, begin: None, stack }
    }

    /// Takes one step.
    pub(crate) fn step(&mut self) -> Result<(), Exceeded> {
        if self.steps_left == 0 {
            return Err(Exceeded::Steps(self.limits.steps));
        }
        self.steps_left -= 1;
        if self.steps_left.is_multiple_of(STEPS_PER_LOOK) { self.look_at_the_clock() } else { Ok(()) }
    }

    /// Takes the steps of an operation over so many items.
    pub(crate) fn steps(&mut self, count: usize) -> Result<(), Exceeded> {
        let count = count as u64;
        if self.steps_left < count {
            return Err(Exceeded::Steps(self.limits.steps));
        }
        self.steps_left -= count;
        if count >= STEPS_PER_LOOK { self.look_at_the_clock() } else { Ok(()) }
    }

    fn look_at_the_clock(&mut self) -> Result<(), Exceeded> {
        let begin = *self.begin.get_or_insert_with(Instant::now);
        if begin.elapsed() > self.limits.time { Err(Exceeded::Time(self.limits.time)) } else { Ok(()) }
    }

    pub(crate) fn deeper(&mut self) -> Result<(), Exceeded> {
        if self.depth >= self.limits.depth {
            return Err(Exceeded::Depth(self.limits.depth));
        }
        self.depth += 1;
        Ok(())
    }

    pub(crate) fn shallower(&mut self) {
        self.depth -= 1;
    }

    /// Whether the stack that may be taken is nearly taken.
    pub(crate) fn stack_is_low(&self) -> bool {
        self.stack.top.saturating_sub(stack::pointer()) > self.stack.room
    }

    /// From here on a larger stack is used, with so much room; gives the one before, or nothing if this was the larger one.
    pub(crate) fn move_stack(&mut self, room: usize) -> Option<Stack> {
        let before = self.stack;
        self.stack = Stack { top: before.top, room, larger: true };
        (!before.larger).then_some(before)
    }

    /// The stack begins here.
    pub(crate) fn stack_begins(&mut self) {
        self.stack.top = stack::pointer();
    }

    pub(crate) fn back_on_stack(&mut self, stack: Stack) {
        self.stack = stack;
    }

    /// A list of so many items may be made.
    pub(crate) fn items(&self, count: usize) -> Result<(), Exceeded> {
        if count > self.limits.list_items { Err(Exceeded::ListItems(self.limits.list_items)) } else { Ok(()) }
    }

    /// A text of so many bytes is made.
    pub(crate) fn text(&mut self, bytes: usize) -> Result<(), Exceeded> {
        if bytes > self.limits.text_bytes {
            return Err(Exceeded::TextBytes(self.limits.text_bytes));
        }
        self.memory(OVERHEAD_BYTES + bytes)
    }

    /// A list or another value of so many parts is made.
    pub(crate) fn parts(&mut self, count: usize) -> Result<(), Exceeded> {
        self.memory(OVERHEAD_BYTES + count * size_of::<(Arc<str>, Value)>())
    }

    /// Values of so many bytes are made.
    pub(crate) fn memory(&mut self, bytes: usize) -> Result<(), Exceeded> {
        self.memory = self.memory.saturating_add(bytes);
        if self.memory > self.limits.memory_bytes { Err(Exceeded::MemoryBytes(self.limits.memory_bytes)) } else { Ok(()) }
    }

    /// Looks at a value as a whole, as a comparison does.
    pub(crate) fn weigh(&mut self, value: &Value) -> Result<(), Exceeded> {
        self.weigh_times(value, 1)
    }

    /// Looks at a value so many times.
    pub(crate) fn weigh_times(&mut self, value: &Value, times: usize) -> Result<(), Exceeded> {
        match value {
            Value::Text(text) => self.steps((text.len() / BYTES_PER_STEP).saturating_mul(times)),
            Value::List(items) => {
                self.steps((1 + items.len() / ITEMS_PER_STEP).saturating_mul(times))?;
                items.iter().try_for_each(|item| self.weigh_times(item, times))
            }
            Value::Context(context) => {
                // Each key is searched for in the other context.
                let entries = context.iter().len();
                self.steps((1 + entries * entries / ITEMS_PER_STEP).saturating_mul(times))?;
                context.iter().try_for_each(|(_, value)| self.weigh_times(value, times))
            }
            Value::Range(range) => {
                self.weigh_times(&range.start, times)?;
                self.weigh_times(&range.end, times)
            }
            _ => Ok(()),
        }
    }

    /// Bytes of a value that is given back, with each part counted wherever it is: whoever writes it down writes each.
    pub(crate) fn given_back(&mut self, value: &Value) -> Result<usize, Exceeded> {
        let bytes = match value {
            Value::Text(text) => text.len(),
            Value::List(items) => {
                self.steps(items.len() / ITEMS_PER_STEP)?;
                items.iter().try_fold(0, |sum: usize, item| Ok(sum.saturating_add(self.given_back(item)?)))?
            }
            Value::Context(context) => {
                self.steps(context.iter().len() / ITEMS_PER_STEP)?;
                context.iter().try_fold(0, |sum: usize, (key, value)| {
                    Ok(sum.saturating_add(key.len()).saturating_add(self.given_back(value)?))
                })?
            }
            _ => 0,
        };
        let bytes = bytes.saturating_add(size_of::<Value>());
        if bytes > self.limits.memory_bytes { Err(Exceeded::MemoryBytes(self.limits.memory_bytes)) } else { Ok(bytes) }
    }
}
