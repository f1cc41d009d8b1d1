//! What an evaluation may use, and the error that says which limit it met.

use std::time::{Duration, Instant};

/// How much one evaluation may use. The defaults keep an evaluation within 50 ms and 64 MiB.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Steps: about one for each operator, call, or item that is looked at.
    pub steps: u64,
    /// Operators and calls that may be under way at once: what keeps the thread's stack safe.
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

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 1_000_000,
            depth: 256,
            list_items: 100_000,
            text_bytes: 1 << 20,
            memory_bytes: 48 << 20,
            time: Duration::from_millis(45),
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
}

/// The clock is looked at once in so many steps.
const STEPS_PER_LOOK: u64 = 1024;

impl Budget {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, steps_left: limits.steps, depth: 0, memory: 0, begin: None }
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

    /// A list of so many items may be made.
    pub(crate) fn items(&self, count: usize) -> Result<(), Exceeded> {
        if count > self.limits.list_items { Err(Exceeded::ListItems(self.limits.list_items)) } else { Ok(()) }
    }

    /// A text of so many bytes is made.
    pub(crate) fn text(&mut self, bytes: usize) -> Result<(), Exceeded> {
        if bytes > self.limits.text_bytes {
            return Err(Exceeded::TextBytes(self.limits.text_bytes));
        }
        self.memory(bytes)
    }

    /// Values of so many bytes are made.
    pub(crate) fn memory(&mut self, bytes: usize) -> Result<(), Exceeded> {
        self.memory = self.memory.saturating_add(bytes);
        if self.memory > self.limits.memory_bytes { Err(Exceeded::MemoryBytes(self.limits.memory_bytes)) } else { Ok(()) }
    }
}
