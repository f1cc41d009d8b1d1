//! A method as it was recorded: its calls, and which of them a request is like.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use prost_reflect::{DynamicMessage, MethodDescriptor};
use tonic::Status;
use tonic::metadata::MetadataMap;

use super::compare::Compared;

/// Recorded requests that the nearest is sought among.
const SOUGHT: usize = 10_000;

/// A method with the calls that were recorded of it.
pub(crate) struct Method {
    pub(super) descriptor: MethodDescriptor,
    /// Fields that are not compared.
    pub(super) not_compared: HashSet<String>,
    pub(super) calls: Vec<Arc<Call>>,
    /// Calls with the same requests, in the order of the recording.
    groups: Vec<Group>,
    by_whole: HashMap<Vec<String>, usize>,
    by_masked: HashMap<Vec<String>, Vec<usize>>,
}

/// A recorded call.
pub(crate) struct Call {
    /// File and line, for people.
    pub(super) place: String,
    pub(super) requests: Vec<Request>,
    pub(super) metadata: MetadataMap,
    pub(super) answers: Vec<Answer>,
    /// Nothing where the caller left.
    pub(super) status: Option<Status>,
    pub(super) ended: Duration,
}

/// A message of a caller, recorded or sent.
#[derive(Clone)]
pub(crate) struct Request {
    pub(super) message: DynamicMessage,
    pub(super) compared: Compared,
}

/// A recorded message of an answer.
#[derive(Clone, PartialEq)]
pub(crate) struct Answer {
    pub(super) message: DynamicMessage,
    pub(super) after: Duration,
    pub(super) after_requests: usize,
}

struct Group {
    calls: Vec<usize>,
    next: AtomicUsize,
}

/// What a request is like.
pub(crate) struct Found {
    pub(super) call: Arc<Call>,
    pub(super) likeness: Likeness,
}

/// How like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// Every value is the same.
    Exact,
    /// But for fields that are not compared.
    Alike,
    /// It differs, and is the nearest.
    Nearest,
}

impl Likeness {
    /// As the answer's metadata says it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Alike => "alike",
            Self::Nearest => "nearest",
        }
    }
}

/// The recorded request that differs least, and where.
pub(crate) struct Nearest {
    /// The first of the calls with that request.
    pub(super) call: Arc<Call>,
    pub(super) differing: BTreeSet<String>,
    group: usize,
}

impl Method {
    pub(super) fn new(descriptor: MethodDescriptor, not_compared: HashSet<String>, calls: Vec<Call>) -> Self {
        let calls = calls.into_iter().map(Arc::new).collect();
        let mut method =
            Self { descriptor, not_compared, calls, groups: Vec::new(), by_whole: HashMap::new(), by_masked: HashMap::new() };
        for (place, call) in method.calls.iter().enumerate() {
            let next = method.groups.len();
            let group = *method.by_whole.entry(whole(&call.requests)).or_insert(next);
            if group == next {
                method.groups.push(Group { calls: Vec::new(), next: AtomicUsize::new(0) });
                method.by_masked.entry(masked(&call.requests)).or_default().push(group);
            }
            method.groups[group].calls.push(place);
        }
        method
    }

    /// A message of a caller as it is compared; `None` if it cannot be.
    pub(super) fn request(&self, message: DynamicMessage) -> Option<Request> {
        let compared = Compared::new(&message, &self.not_compared)?;
        Some(Request { message, compared })
    }

    /// The call whose turn it is for these requests.
    pub(super) fn find(&self, requests: &[Request]) -> Option<Found> {
        let whole = whole(requests);
        if let Some(group) = self.by_whole.get(&whole) {
            return Some(Found { call: self.turn(*group), likeness: Likeness::Exact });
        }
        // Several differ in pseudonyms only: the same values of a caller always get the same one of them.
        let groups = self.by_masked.get(&masked(requests))?;
        let mut hasher = DefaultHasher::new();
        whole.hash(&mut hasher);
        let chosen = usize::try_from(hasher.finish() % groups.len() as u64).unwrap_or_default();
        Some(Found { call: self.turn(groups[chosen]), likeness: Likeness::Alike })
    }

    /// The recorded request that differs in the fewest fields.
    pub(super) fn nearest(&self, requests: &[Request]) -> Option<Nearest> {
        let compared = self.groups.iter().take(SOUGHT).enumerate().filter_map(|(group, calls)| {
            let call = self.calls.get(*calls.calls.first()?)?.clone();
            Some(Nearest { differing: differing(&call.requests, requests), call, group })
        });
        compared.min_by_key(|nearest| nearest.differing.len())
    }

    /// The call whose turn it is for the nearest request.
    pub(super) fn follow(&self, nearest: &Nearest) -> Found {
        Found { call: self.turn(nearest.group), likeness: Likeness::Nearest }
    }

    /// In the order of the recording; the last one stays.
    fn turn(&self, group: usize) -> Arc<Call> {
        let Group { calls, next } = &self.groups[group];
        let turn = next.fetch_add(1, Ordering::Relaxed).min(calls.len() - 1);
        self.calls[calls[turn]].clone()
    }
}

/// All values of several messages.
fn whole(requests: &[Request]) -> Vec<String> {
    requests.iter().map(|request| request.compared.whole.clone()).collect()
}

/// The values that are compared.
fn masked(requests: &[Request]) -> Vec<String> {
    requests.iter().map(|request| request.compared.masked.clone()).collect()
}

/// Where two sequences of messages differ.
fn differing(recorded: &[Request], sent: &[Request]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let several = recorded.len() > 1 || sent.len() > 1;
    for (place, (recorded, sent)) in recorded.iter().zip(sent).enumerate() {
        let paths = recorded.compared.differences(&sent.compared).into_iter();
        found.extend(paths.map(|path| if several { format!("message {}: {path}", place + 1) } else { path }));
    }
    if recorded.len() != sent.len() {
        found.insert(format!("the number of messages ({} recorded, {} sent)", recorded.len(), sent.len()));
    }
    found
}
