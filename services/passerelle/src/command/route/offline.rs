//! Routes tried without a running bus: their cases, and calls that are only thought of.

use passerelle_bus::route::Held;

use super::Explain;
use crate::cli::SettingsFile;
use crate::command::contract::listing::aligned;
use crate::failure::Failure;
use crate::output::print;
use crate::route_cases::{self, Case};
use crate::route_files::Offline;

/// Runs all cases.
pub(super) fn test(settings: &SettingsFile) -> Result<(), Failure> {
    let offline = Offline::open(&crate::command::load(settings)?)?;
    let (passed, failed) = run(&offline)?;
    failed.iter().for_each(|line| println!("{line}"));
    let routes = offline.set.listed().len();
    println!("{routes} routes, {passed} cases hold, {} do not", failed.len());
    match failed.len() {
        0 => Ok(()),
        _ => Err(Failure::plain("some cases do not hold")),
    }
}

/// How many cases hold, and a line for each that does not.
pub(in crate::command) fn run(offline: &Offline) -> Result<(usize, Vec<String>), Failure> {
    let cases = Case::read(&offline.cases).map_err(Failure::plain)?;
    let failed: Vec<String> = cases.iter().filter_map(|case| case.failure(&offline.set, &offline.snapshot)).collect();
    Ok((cases.len() - failed.len(), failed))
}

/// Shows what each route says to a call.
pub(super) fn explain(arguments: &Explain) -> Result<(), Failure> {
    let offline = Offline::open(&crate::command::load(&arguments.settings)?)?;
    let call = arguments.call()?;
    let findings = route_cases::findings(&call, &offline.set, &offline.snapshot).map_err(Failure::plain)?;
    let rows: Vec<[String; 4]> = findings
        .iter()
        .map(|finding| {
            let said = match &finding.held {
                Held::Yes if finding.takes && !finding.decided.is_empty() => format!("takes the call: {}", finding.decided),
                Held::Yes if finding.takes => "takes the call".to_owned(),
                Held::Yes => "would take it, but one before it does".to_owned(),
                Held::No => "its condition does not hold".to_owned(),
                Held::Undecided(why) => format!("it says neither yes nor no: {why}"),
            };
            let to = if finding.takes { destination(&finding.to) } else { String::new() };
            [finding.route.clone(), finding.place.clone(), said, to]
        })
        .collect();
    print(&aligned(&rows, ""));
    if !findings.iter().any(|finding| finding.takes) {
        print("no route takes the call: it goes to the endpoint that serves its method\n");
    }
    Ok(())
}

fn destination(to: &str) -> String {
    match to {
        "" => "-> the endpoint that serves the method".to_owned(),
        to => format!("-> {to}"),
    }
}
