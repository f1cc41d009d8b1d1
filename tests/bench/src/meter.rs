//! What a group of processes costs, as Linux counts it under /proc.

use std::fs;

/// CPU time of a process group so far, in seconds. Ten milliseconds fine: measure over seconds.
pub(crate) fn cpu_seconds(group: u32) -> f64 {
    /// Linux reports in hundredths of a second to programs, whatever its own clock.
    const TICKS_PER_SECOND: f64 = 100.0;
    let ticks: u64 = members(group).map(|stat| stat.user_ticks + stat.system_ticks).sum();
    ticks as f64 / TICKS_PER_SECOND
}

/// Resident memory of a process group, in mebibytes. Pages that its processes share are counted once for each.
pub(crate) fn resident_mib(group: u32) -> f64 {
    let kibibytes = |pid: u32| -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().strip_suffix(" kB")?.parse().ok()
    };
    members(group).filter_map(|stat| kibibytes(stat.pid)).sum::<u64>() as f64 / 1024.0
}

struct Stat {
    pid: u32,
    user_ticks: u64,
    system_ticks: u64,
}

fn members(group: u32) -> impl Iterator<Item = Stat> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(move |entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        // After the name, which may hold anything but ends with the last parenthesis: state, parent, group, …
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
        (number(2)? == u64::from(group)).then_some(Stat { pid, user_ticks: number(11)?, system_ticks: number(12)? })
    })
}
