//! What an evaluation is given besides its values: the moment it takes place, and its limits.

use std::time::SystemTime;

use crate::limits::Limits;

/// The moment of an evaluation, and its limits. The same expression, values and environment give the same result again.
#[derive(Debug, Clone, Copy)]
pub struct Environment {
    /// What `now()` and `today()` tell; without it they give null and a warning.
    pub now: Option<SystemTime>,
    /// Seconds east of UTC, at that moment, of the clock and the calendar that `now()` and `today()` read.
    pub offset_seconds: i32,
    /// What the evaluation may use.
    pub limits: Limits,
}

impl Environment {
    /// An evaluation at this moment, read in UTC, within the default limits.
    #[must_use]
    pub fn at(now: SystemTime) -> Self {
        Self { now: Some(now), ..Self::timeless() }
    }

    /// An evaluation that may not ask what time it is, within the default limits.
    #[must_use]
    pub fn timeless() -> Self {
        Self { now: None, offset_seconds: 0, limits: Limits::default() }
    }

    /// The same with other limits.
    #[must_use]
    pub fn within(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }
}
