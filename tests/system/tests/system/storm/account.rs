//! What is on disk of a matter, held against what was acknowledged: all of it, once, and nothing else.

use std::collections::BTreeMap;

use passerelle_proto::customer::v1::handoff::Status as Standing;
use passerelle_proto::customer::v1::{GetHandoffResponse, Handoff};

use super::steps::{Answer, Kind};

type Counts = BTreeMap<Kind, usize>;

/// `runs_out`: nobody was to take it.
pub(super) fn compare(kept: &GetHandoffResponse, acknowledged: &[&Answer], runs_out: bool) -> Result<(), String> {
    let happened = happened(kept)?;
    let mut told = Counts::new();
    acknowledged.iter().for_each(|answer| *told.entry(answer.kind).or_default() += 1);
    // Nobody is told what time alone does: it follows from the rest.
    let by_time = |kind: &Kind| matches!(kind, Kind::RunOut | Kind::Expire);
    if !happened.iter().filter(|(kind, _)| !by_time(kind)).eq(&told) {
        return Err(format!("acknowledged were {told:?}"));
    }
    let times = |kind| happened.get(&kind).copied().unwrap_or_default();
    let handoff = kept.handoff.as_ref().ok_or("it is gone")?;
    ended(handoff, [Kind::Complete, Kind::TakeBack, Kind::Expire].map(times), runs_out)?;
    let (took, lost) = (times(Kind::Accept) + times(Kind::Resume), times(Kind::RunOut) + times(Kind::GiveBack));
    if took != lost + times(Kind::Complete) || handoff.fence != took as u64 {
        return Err(format!("{took} took it, {lost} lost it, its fence is {}", handoff.fence));
    }
    known(handoff, acknowledged)?;
    one_owner_at_a_time(acknowledged)
}

fn happened(kept: &GetHandoffResponse) -> Result<Counts, String> {
    let mut happened = Counts::new();
    for happening in &kept.history {
        let kind = Kind::told(&happening.words).ok_or_else(|| format!("what is `{}`", happening.words))?;
        *happened.entry(kind).or_default() += 1;
    }
    Ok(happened)
}

/// It has ended once, as it was played.
fn ended(handoff: &Handoff, ends: [usize; 3], runs_out: bool) -> Result<(), String> {
    let once = match handoff.status() {
        Standing::Completed => [1, 0, 0],
        Standing::TakenBack => [0, 1, 0],
        Standing::Expired => [0, 0, 1],
        open => return Err(format!("it is {open:?}")),
    };
    match ends == once && runs_out == (handoff.status() == Standing::Expired) {
        true => Ok(()),
        false => Err(format!("it is {:?}, its ends are {ends:?}", handoff.status())),
    }
}

/// Each acknowledged answer is there, each counts as one revision.
fn known(handoff: &Handoff, acknowledged: &[&Answer]) -> Result<(), String> {
    let context = handoff.context.clone().unwrap_or_default().answers;
    let progressed: Vec<&&Answer> = acknowledged.iter().filter(|answer| answer.kind == Kind::Progress).collect();
    let there = progressed.iter().all(|answer| context.contains_key(&answer.known));
    match there && context.len() == 1 + progressed.len() && handoff.revision == 1 + progressed.len() as u64 {
        true => Ok(()),
        false => Err(format!("known at revision {} is {context:?}", handoff.revision)),
    }
}

/// Who took it did so after the one before him had given it back, or his lease had ended.
fn one_owner_at_a_time(acknowledged: &[&Answer]) -> Result<(), String> {
    let took = |answer: &Answer| matches!(answer.kind, Kind::Accept | Kind::Resume);
    let mut takings: Vec<&Handoff> = acknowledged.iter().filter(|answer| took(answer)).map(|answer| &answer.handoff).collect();
    takings.sort_by_key(|taken| taken.fence);
    if !takings.iter().map(|taken| taken.fence).eq(1..=takings.len() as u64) {
        return Err("two took it with the same fence".to_owned());
    }
    for pair in takings.windows(2) {
        let of_former = || acknowledged.iter().filter(|answer| answer.handoff.fence == pair[0].fence);
        let given_back = of_former().any(|answer| answer.kind == Kind::GiveBack);
        let leases = of_former().filter(|answer| took(answer) || answer.kind == Kind::Progress);
        let until = leases.filter_map(|answer| answer.handoff.until).map(moment).max();
        if !given_back && pair[1].changed_at.map(moment) < until {
            return Err(format!("two owned it at once: {:?} until {until:?} and {:?}", pair[0], pair[1]));
        }
    }
    Ok(())
}

fn moment(at: prost_types::Timestamp) -> (i64, i32) {
    (at.seconds, at.nanos)
}
