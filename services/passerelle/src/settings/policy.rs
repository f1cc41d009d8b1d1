//! The policy of an endpoint: what its back office can bear, as people declare it.

use std::collections::HashMap;
use std::time::Duration;

use passerelle_bus::calendar::{Calendar, ClosedDate, Week, ZoneName};
use passerelle_bus::call;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hedge::Hedge;
use super::retry::Retry;
use super::share::Share;

/// Hours are looked at by the second.
const CALENDAR_SECONDS: i64 = 1;

/// What protects a back office: how many calls it gets, when, and who waits for it. What is not declared has a default that keeps a
/// flood away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Calls that it works on at the same time: the costs of their methods, together. Others wait.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub concurrency: u32,
    /// Calls a second: the costs of their methods, together. Others wait. Not given: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// Calls that wait at most. When as many wait, the least valued one is turned away.
    #[schemars(range(min = 0, max = 100_000))]
    pub queue_calls: u32,
    /// How long a call waits at most, in milliseconds, its deadline aside. One that would wait longer is turned away at once.
    #[schemars(range(min = 0, max = 600_000))]
    pub queue_wait_ms: u64,
    /// How long the back office may go on with a call that was broken off (its deadline passed, its caller went away), in milliseconds.
    /// Its place stays taken for so long. 0: it stops at once.
    #[schemars(range(min = 0, max = 3_600_000))]
    pub abandoned_ms: u64,
    /// When it is left alone because it fails.
    pub breaker: Breaker,
    /// When a call is tried again.
    pub retry: Retry,
    /// Bytes of answers that are kept at most for methods with a `tolerance_ms`, in MiB, 512 bytes for each answer included; one answer takes at
    /// most a sixteenth of it. 0: none are kept.
    #[schemars(range(min = 0, max = 4_096))]
    pub cache_mib: u32,
    /// When it answers. Not given: always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<OpeningHours>,
    /// Times at which it bears less.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub batch_windows: Vec<BatchWindow>,
    /// What is particular to some of its methods.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<Method>,
}

/// Calls a second, evenly, with a few at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Calls that may go to it each second.
    #[schemars(range(min = 0.01, max = 1_000_000))]
    pub per_second: f64,
    /// Calls that may go to it at once after a pause. Default: as many as in a tenth of a second, at least 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub burst: Option<u32>,
}

/// When a back office that fails (does not answer, or not within the deadline) is left alone: calls are turned away at once. Later a few
/// calls find out if it is well again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Breaker {
    /// The share of failed calls from which on it is left alone.
    #[schemars(range(min = 0.01, max = 1))]
    pub share: f64,
    /// Calls that there must have been for their share to say something. 0: it is never left alone.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub calls: u64,
    /// The time in which they are counted, in milliseconds.
    #[schemars(range(min = 100, max = 3_600_000))]
    pub within_ms: u64,
    /// How long it is left alone at first, in milliseconds; twice as long each time that it still fails.
    #[schemars(range(min = 10, max = 3_600_000))]
    pub open_ms: u64,
    /// How long it is left alone at most, in milliseconds.
    #[schemars(range(min = 10, max = 3_600_000))]
    pub longest_open_ms: u64,
    /// Calls that are let through to find out, and must all go well.
    #[schemars(range(min = 1, max = 1_000))]
    pub probes: u32,
}

/// When a back office answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpeningHours {
    /// The time zone of its hours, a name of the IANA database: `Europe/Paris`.
    pub time_zone: ZoneName,
    /// Its hours, by day of the week: `monday: ["06:00-22:00"]`.
    pub open: Week,
    /// Days on which it is closed all the same: `2026-12-25`.
    #[serde(default)]
    pub closed: Vec<ClosedDate>,
}

/// A time at which a back office bears less, since it does something else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchWindow {
    /// Its name, of your choice.
    pub name: String,
    /// The time zone of its hours, a name of the IANA database: `Europe/Paris`.
    pub time_zone: ZoneName,
    /// Its hours, by day of the week: `sunday: ["00:00-04:00"]`.
    pub during: Week,
    /// Days on which it is not: `2026-12-25`.
    #[serde(default)]
    pub except: Vec<ClosedDate>,
    /// `concurrency` in this time, where it is less than otherwise. 0: nothing is taken.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub concurrency: u32,
    /// `rate` in this time, where it is less than otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
}

/// What is particular to a method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Method {
    /// Its full name: `bank.v1.Accounts/Inquire`.
    pub name: String,
    /// As how many calls one call of it counts. Default: 1.
    #[serde(default = "Method::usual_cost")]
    #[schemars(range(min = 1, max = 10_000))]
    pub cost: u32,
    /// Whether it may be called again when it is not known if it had its effect. Not given: as its contract says (`idempotency_level`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
    /// Whether it reads and changes nothing. Not given: as its contract says (`idempotency_level = NO_SIDE_EFFECTS`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// How those who ask the same share a call. Only for methods that only read, with one message each way. Not given: each call asks for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
    /// When a slow call is asked for once more. Only for methods that only read, with one message each way. Not given: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hedge: Option<Hedge>,
}

impl Policy {
    /// As the bus takes it.
    pub fn resolved(&self) -> call::PolicySettings {
        let method = |method: &Method| call::MethodSettings {
            cost: method.cost,
            idempotent: method.idempotent,
            read_only: method.read_only,
            share: method.share.as_ref().map(Share::resolved),
            hedge: method.hedge.as_ref().map(Hedge::resolved),
        };
        let methods: HashMap<_, _> =
            self.methods.iter().map(|settings| (settings.full_name().to_owned(), method(settings))).collect();
        let envelope = call::EnvelopeSettings {
            limits: call::Limits { concurrency: self.concurrency, rate: self.rate.as_ref().map(Rate::resolved) },
            queue_calls: self.queue_calls as usize,
            queue_wait: Duration::from_millis(self.queue_wait_ms),
            abandoned: Duration::from_millis(self.abandoned_ms),
            hours: self.hours.as_ref().map(OpeningHours::calendar),
            batch_windows: self.batch_windows.iter().map(BatchWindow::resolved).collect(),
        };
        let kept_bytes = self.cache_mib as usize * 1024 * 1024;
        call::PolicySettings { envelope, breaker: self.breaker.resolved(), retry: self.retry.resolved(), kept_bytes, methods }
    }

    /// `(path, what is wrong)` of everything that the types cannot say.
    pub(super) fn problems(&self, path: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        if let Some(hours) = &self.hours {
            check_week(&hours.open, &format!("{path}.hours.open"), &mut found);
        }
        for (index, window) in self.batch_windows.iter().enumerate() {
            check_week(&window.during, &format!("{path}.batch_windows[{index}].during"), &mut found);
        }
        for (index, method) in self.methods.iter().enumerate() {
            let path = format!("{path}.methods[{index}]");
            if let Some(share) = &method.share {
                found.extend(share.problems(&format!("{path}.share")));
            }
            if let Some(option) = method.option_of_reads()
                && (method.read_only == Some(false) || method.idempotent == Some(false))
            {
                let text = "only for methods that read and change nothing, and this one is declared otherwise";
                found.push((format!("{path}.{option}"), text.to_owned()));
            }
            let (name, path) = (method.full_name(), format!("{path}.name"));
            if name.split('/').count() != 2 {
                found.push((path, format!("`{name}` is no method; write its full name: bank.v1.Accounts/Inquire")));
            } else if self.methods[..index].iter().any(|before| before.full_name() == name) {
                found.push((path, format!("`{name}` stands here twice")));
            }
        }
        found
    }
}

fn check_week(week: &Week, path: &str, found: &mut Vec<(String, String)>) {
    if week.is_empty() {
        found.push((path.to_owned(), "no day has hours: give at least one".to_owned()));
    }
    found.extend(week.problems(CALENDAR_SECONDS).into_iter().map(|(day, message)| (format!("{path}.{day}"), message)));
}

impl Rate {
    fn resolved(&self) -> call::Rate {
        let usual = (self.per_second / 10.0).ceil().max(1.0) as u32;
        call::Rate { per_second: self.per_second, burst: self.burst.unwrap_or(usual) }
    }
}

impl Breaker {
    fn resolved(&self) -> call::BreakerSettings {
        call::BreakerSettings {
            share: self.share,
            calls: self.calls,
            within: Duration::from_millis(self.within_ms),
            open: Duration::from_millis(self.open_ms),
            longest_open: Duration::from_millis(self.longest_open_ms.max(self.open_ms)),
            probes: self.probes,
        }
    }
}

impl Default for Breaker {
    fn default() -> Self {
        let call::BreakerSettings { share, calls, within, open, longest_open, probes } = call::BreakerSettings::default();
        let millis = |duration: Duration| duration.as_millis() as u64;
        Self { share, calls, within_ms: millis(within), open_ms: millis(open), longest_open_ms: millis(longest_open), probes }
    }
}

impl OpeningHours {
    fn calendar(&self) -> Calendar {
        Calendar::new(&self.time_zone, self.open.clone(), &self.closed, CALENDAR_SECONDS)
    }
}

impl BatchWindow {
    fn resolved(&self) -> call::BatchWindow {
        call::BatchWindow {
            name: self.name.clone(),
            during: Calendar::new(&self.time_zone, self.during.clone(), &self.except, CALENDAR_SECONDS),
            limits: call::Limits { concurrency: self.concurrency, rate: self.rate.as_ref().map(Rate::resolved) },
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        let call::EnvelopeSettings { limits, queue_calls, queue_wait, abandoned, .. } = call::EnvelopeSettings::default();
        Self {
            concurrency: limits.concurrency,
            rate: None,
            queue_calls: queue_calls as u32,
            queue_wait_ms: queue_wait.as_millis() as u64,
            abandoned_ms: abandoned.as_millis() as u64,
            breaker: Breaker::default(),
            retry: Retry::default(),
            cache_mib: (call::PolicySettings::default().kept_bytes / 1024 / 1024) as u32,
            hours: None,
            batch_windows: Vec::new(),
            methods: Vec::new(),
        }
    }
}

impl Method {
    fn usual_cost() -> u32 {
        call::MethodSettings::default().cost
    }

    /// The option, if any, that only a method may have that reads and changes nothing.
    pub(crate) fn option_of_reads(&self) -> Option<&'static str> {
        self.share.as_ref().map(|_| "share").or(self.hedge.as_ref().map(|_| "hedge"))
    }

    /// As routes name it.
    pub fn full_name(&self) -> &str {
        self.name.trim_start_matches('/')
    }
}
