//! When a breaker opens and closes: a pure state machine.

use std::time::{Duration, Instant};

use super::super::settings::BreakerSettings;

/// How much longer it stays open each time that a probe fails.
const LONGER: u32 = 2;

/// The state of a breaker, with what it has counted.
#[derive(Debug)]
pub(super) struct Machine {
    settings: BreakerSettings,
    state: State,
    /// Begin of the present span of counting.
    since: Instant,
    bad: u64,
    /// What the span before counted.
    before: Counts,
    /// How long it stays open the next time.
    open_for: Duration,
}

/// Whether calls go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// They do.
    Closed,
    /// They do not, until then.
    Open { until: Instant },
    /// A few do, to find out.
    HalfOpen { out: u32, good: u32 },
}

/// Outcomes in a span of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) good: u64,
    pub(super) bad: u64,
}

impl Machine {
    pub(super) fn new(settings: BreakerSettings, now: Instant) -> Self {
        let open_for = settings.open;
        Self { settings, state: State::Closed, since: now, bad: 0, before: Counts::default(), open_for }
    }

    pub(super) fn state(&self) -> State {
        self.state
    }

    /// Says how long nothing goes through, where that is so.
    pub(super) fn look(&self, now: Instant) -> Result<(), Duration> {
        match self.state {
            State::Open { until } if now < until => Err(until - now),
            State::HalfOpen { out, good } if out + good >= self.settings.probes => Err(self.settings.open),
            State::Closed | State::Open { .. } | State::HalfOpen { .. } => Ok(()),
        }
    }

    /// Lets a call through, as a probe (`true`) or as usual, or says how long not.
    pub(super) fn admit(&mut self, now: Instant) -> Result<bool, Duration> {
        self.look(now)?;
        match &mut self.state {
            State::Closed => return Ok(false),
            State::Open { .. } => self.state = State::HalfOpen { out: 1, good: 0 },
            State::HalfOpen { out, .. } => *out += 1,
        }
        Ok(true)
    }

    /// A call failed. `good` is how many went well since this was last told, while it was closed.
    pub(super) fn failed(&mut self, now: Instant, good: u64) {
        if self.state != State::Closed {
            return;
        }
        let now_counted = self.count(now, good);
        let Counts { good, bad } = now_counted;
        let calls = good + bad;
        if self.settings.calls > 0 && calls >= self.settings.calls && bad as f64 >= calls as f64 * self.settings.share {
            self.open(now);
        }
    }

    /// A probe came back: well, or badly, or in a way that says nothing.
    pub(super) fn probed(&mut self, now: Instant, well: Option<bool>) {
        let State::HalfOpen { out, good } = &mut self.state else { return };
        *out = out.saturating_sub(1);
        match well {
            Some(true) => *good += 1,
            Some(false) => return self.open(now),
            None => {}
        }
        if *good >= self.settings.probes {
            *self = Self::new(self.settings.clone(), now);
        }
    }

    /// The back office is not left alone after all: what failed was only a part of it. Counting begins anew.
    pub(super) fn spare(&mut self, now: Instant) {
        *self = Self::new(self.settings.clone(), now);
    }

    fn open(&mut self, now: Instant) {
        self.state = State::Open { until: now + self.open_for };
        self.open_for = (self.open_for * LONGER).min(self.settings.longest_open);
        (self.bad, self.before) = (0, Counts::default());
    }

    /// Counts one failure, and forgets what is older than two spans.
    fn count(&mut self, now: Instant, good: u64) -> Counts {
        let age = now.saturating_duration_since(self.since);
        let (mut present, mut before) = (Counts { good, bad: self.bad }, self.before);
        if age >= self.settings.within {
            // Of a span that is long over nothing is known but its sums.
            before = if age >= self.settings.within * 2 { Counts::default() } else { present };
            present = Counts::default();
            self.since = now;
        }
        present.bad += 1;
        (self.bad, self.before) = (present.bad, before);
        Counts { good: present.good + before.good, bad: present.bad + before.bad }
    }

    /// Whether what was counted as good before now belongs to a span that is over.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= self.settings.within
    }
}
