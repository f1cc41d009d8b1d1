//! Pairs of rules that some input hits both of.

use super::column::Column;
use super::outcome::Outcomes;
use super::report::{Found, Kind, Overlap, Report, Row};
use super::set::{Steps, TooLarge};
use super::{LISTED, Policy, Space, Table, words};

pub(super) fn find(
    table: &Table,
    columns: &[Column],
    spaces: &[Space],
    outcomes: &Outcomes,
    report: &mut Report,
    steps: &mut Steps,
) -> Result<(), TooLarge> {
    if table.policy == Policy::All {
        return Ok(());
    }
    for (second, space) in spaces.iter().enumerate() {
        steps.take(second)?;
        for (first, other) in spaces[..second].iter().enumerate().filter(|(_, other)| other.may.meets(&space.may)) {
            let kind = kind(table.policy, outcomes, first, second);
            let list: &mut Found<Overlap> = if kind == Kind::Conflict { &mut report.conflicts } else { &mut report.overlaps };
            if list.listed.len() == LISTED {
                list.more = true;
                continue;
            }
            let both = space.may.and(&other.may);
            let told = match table.policy {
                Policy::Any => outcomes.same(first, second).is_some(),
                Policy::Priority => kind == Kind::Same || outcomes.level(first, second).is_some(),
                Policy::Unique | Policy::First | Policy::All => true,
            };
            list.listed.push(Overlap {
                rows: [Row::of(table, first), Row::of(table, second)],
                kind,
                inputs: words::inputs(table, columns, &both),
                example: words::example(table, columns, &both),
                certain: told && space.certain && other.certain,
            });
        }
    }
    Ok(())
}

fn kind(policy: Policy, outcomes: &Outcomes, first: usize, second: usize) -> Kind {
    match policy {
        Policy::Unique => Kind::Conflict,
        Policy::Any if outcomes.same(first, second) == Some(true) => Kind::Same,
        Policy::Any => Kind::Conflict,
        Policy::Priority => match (outcomes.same(first, second), outcomes.level(first, second)) {
            (Some(true), _) => Kind::Same,
            // Without a difference in priority the order of rows would decide, which the policy does not promise.
            (_, Some(true)) => Kind::Conflict,
            _ => Kind::Masked,
        },
        Policy::First | Policy::All if outcomes.same(first, second) == Some(true) => Kind::Same,
        Policy::First | Policy::All => Kind::Masked,
    }
}
