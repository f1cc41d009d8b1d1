//! How many wrong codes may be tried.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// Tries of all channels together, for each one of a single channel.
const ALL_CHANNELS: f64 = 10.0;
/// Channels told apart; those beyond share one allowance.
const MOST_CHANNELS: usize = 1_000;
const MINUTE: f64 = 60.0;

/// Wrong codes counted, in memory: a restart forgets them. A try is paid for when it turns out to be wrong, so that the right codes of
/// a busy channel cost nothing; many tries made at the same moment run into debt, and are paid for by waiting.
#[derive(Debug)]
pub(super) struct Throttle {
    per_minute: f64,
    tries: Mutex<Tries>,
}

#[derive(Debug)]
struct Tries {
    all: Allowance,
    channels: HashMap<String, Allowance>,
}

/// Tries left, at some moment. They grow back over a minute.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    most: f64,
    left: f64,
    at: SystemTime,
}

impl Throttle {
    /// Allows one channel so many wrong codes within a minute.
    pub(super) fn new(per_minute: u32, now: SystemTime) -> Self {
        let per_minute = f64::from(per_minute);
        let all = Allowance::full(per_minute * ALL_CHANNELS, now);
        Self { per_minute, tries: Mutex::new(Tries { all, channels: HashMap::new() }) }
    }

    /// Whether the channel may try a code now, or how long it must wait.
    pub(super) fn allows(&self, channel: &str, now: SystemTime) -> Result<(), Duration> {
        let tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = [tries.all.wait(now), tries.channels.get(tries.named(channel)).map_or(Duration::ZERO, |own| own.wait(now))];
        match waits.into_iter().max() {
            None | Some(Duration::ZERO) => Ok(()),
            Some(wait) => Err(wait),
        }
    }

    /// The channel tried a wrong one.
    pub(super) fn wrong(&self, channel: &str, now: SystemTime) {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        tries.all.take(now);
        tries.forget_recovered(now);
        let full = Allowance::full(self.per_minute, now);
        let name = tries.named(channel).to_owned();
        tries.channels.entry(name).or_insert(full).take(now);
    }
}

impl Tries {
    /// The name under which a channel is counted: its own, or that of all who came when there was no room.
    fn named<'a>(&self, channel: &'a str) -> &'a str {
        if self.channels.contains_key(channel) || self.channels.len() < MOST_CHANNELS { channel } else { "" }
    }

    /// Makes room when there is none.
    fn forget_recovered(&mut self, now: SystemTime) {
        if self.channels.len() >= MOST_CHANNELS {
            self.channels.retain(|_, allowance| allowance.left_at(now) < allowance.most);
        }
    }
}

impl Allowance {
    fn full(most: f64, at: SystemTime) -> Self {
        Self { most, left: most, at }
    }

    fn left_at(&self, now: SystemTime) -> f64 {
        // A clock set back gives nothing.
        let seconds = now.duration_since(self.at).unwrap_or_default().as_secs_f64();
        (self.left + seconds * self.most / MINUTE).min(self.most)
    }

    fn wait(&self, now: SystemTime) -> Duration {
        let missing = 1.0 - self.left_at(now);
        if missing <= 0.0 { Duration::ZERO } else { Duration::from_secs_f64((missing * MINUTE / self.most).ceil()) }
    }

    fn take(&mut self, now: SystemTime) {
        *self = Self { most: self.most, left: self.left_at(now) - 1.0, at: now };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn wrong_codes_of_one_channel_are_paid_for_by_it_alone() {
        let throttle = Throttle::new(3, at(0));
        for _ in 0..3 {
            assert_eq!(throttle.allows("web", at(0)), Ok(()));
            throttle.wrong("web", at(0));
        }
        assert_eq!(throttle.allows("web", at(0)), Err(Duration::from_secs(20)));
        assert_eq!(throttle.allows("branch", at(0)), Ok(()));
        assert_eq!(throttle.allows("web", at(20)), Ok(()));
    }

    #[test]
    fn tries_at_the_same_moment_run_into_debt() {
        let throttle = Throttle::new(6, at(0));
        (0..12).for_each(|_| throttle.wrong("web", at(0)));
        assert_eq!(throttle.allows("web", at(60)), Err(Duration::from_secs(10)));
        assert_eq!(throttle.allows("web", at(70)), Ok(()));
    }

    #[test]
    fn inventing_channels_does_not_help() {
        let throttle = Throttle::new(1, at(0));
        (0..10).for_each(|n| throttle.wrong(&format!("channel-{n}"), at(0)));
        assert!(throttle.allows("yet-another", at(0)).is_err());
        let throttle = Throttle::new(1_000, at(0));
        (0..3 * MOST_CHANNELS).for_each(|n| throttle.wrong(&format!("channel-{n}"), at(0)));
        assert_eq!(throttle.tries.lock().unwrap().channels.len(), MOST_CHANNELS + 1);
    }

    #[test]
    fn a_clock_set_back_neither_gives_nor_takes() {
        let throttle = Throttle::new(1, at(1_000));
        throttle.wrong("web", at(1_000));
        assert!(throttle.allows("web", at(10)).is_err());
        assert_eq!(throttle.allows("web", at(1_060)), Ok(()));
    }
}
