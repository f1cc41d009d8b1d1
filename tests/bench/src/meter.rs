//! What a process and its children cost, as Linux counts it under /proc.

use std::collections::BTreeSet;
use std::fs;

/// CPU time of a process and its children so far, in seconds. Ten milliseconds fine: measure over seconds.
pub(crate) fn cpu_seconds(process: u32) -> f64 {
    /// Linux reports in hundredths of a second to programs, whatever its own clock.
    const TICKS_PER_SECOND: f64 = 100.0;
    let ticks: u64 = tree(process).iter().map(|stat| stat.user_ticks + stat.system_ticks).sum();
    ticks as f64 / TICKS_PER_SECOND
}

/// Resident memory of a process and its children, in mebibytes. Pages that they share are counted once for each.
pub(crate) fn resident_mib(process: u32) -> f64 {
    let kibibytes = |pid: u32| -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().strip_suffix(" kB")?.parse().ok()
    };
    tree(process).iter().filter_map(|stat| kibibytes(stat.pid)).sum::<u64>() as f64 / 1024.0
}

/// One process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stat {
    pub(crate) pid: u32,
    parent: u32,
    user_ticks: u64,
    system_ticks: u64,
}

/// A process and its children, with theirs. Not its group: there are servers whose children make groups of their own.
pub(crate) fn tree(process: u32) -> Vec<Stat> {
    let mut others: Vec<Stat> = all().collect();
    let mut known = BTreeSet::from([process]);
    let mut found = Vec::new();
    loop {
        let (new, rest): (Vec<Stat>, Vec<Stat>) =
            others.into_iter().partition(|stat| stat.pid == process || known.contains(&stat.parent));
        if new.is_empty() {
            return found;
        }
        known.extend(new.iter().map(|stat| stat.pid));
        found.extend(new);
        others = rest;
    }
}

fn all() -> impl Iterator<Item = Stat> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        // After the name, which may hold anything but ends with the last parenthesis: state, parent, group, …
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
        let parent = u32::try_from(number(1)?).ok()?;
        Some(Stat { pid, parent, user_ticks: number(11)?, system_ticks: number(12)? })
    })
}
