//! `passerelle decision check`: which inputs the tables of models leave out, decide twice or never look at.

use std::path::{Path, PathBuf};

use clap::Args;
use passerelle_feel::dmn::cover::{Budget, Found, Policy, Report, examine_within};
use passerelle_feel::dmn::{DecisionTable, Model, ReadError};
use serde_json::{Value as Json, json};

use crate::failure::Failure;
use crate::output::print;

use super::model;

/// Which models to check.
#[derive(Debug, Args)]
#[command(
    about = "Reports inputs that no rule covers, rules at odds with each other, and rules that never decide",
    after_help = "Example:\n  \
        passerelle decision check deploy/sample/decisions/*/*.dmn\n\n\
        Prints one line for each table and one for each finding, with an example input:\n  \
        gap        no rule covers it (a finding unless the table collects, or has default outputs)\n  \
        conflict   two rules hit and the hit policy forbids it\n  \
        dead rule  no input hits the rule, or those before it decide whatever does\n  \
        overlap    two rules hit and say different things; the hit policy tells which decides: no finding, listed by --overlaps\n  \
        opaque     a cell that is not made of constants, and is not looked into: no finding\n\
        The first 100 of each sort are listed. A table that the model declares total (<passerelle:total columns=\"…\"/> among its extension\n\
        elements) and that is not is an error: the bus refuses such a model.\n\n\
        Exit code 1: a model cannot be read, or is refused; 100: there are findings."
)]
pub struct Check {
    /// The models, files of DMN 1.3 to 1.5
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// A model that these import; may be given several times
    #[arg(long = "import", value_name = "FILE")]
    pub imports: Vec<PathBuf>,
    /// Also lists rules that overlap where the hit policy tells which of them decides
    #[arg(long)]
    pub overlaps: bool,
    /// Prints the reports as one JSON list, with all that is known
    #[arg(long)]
    pub json: bool,
}

/// What was found in one model.
struct Checked<'a> {
    file: &'a Path,
    faults: Vec<ReadError>,
    /// The report of each table, and whether it holds findings.
    tables: Vec<(Report, bool)>,
}

/// Checks the models.
pub(super) fn run(check: &Check) -> Result<(), Failure> {
    let mut checked = Vec::with_capacity(check.files.len());
    for file in &check.files {
        let model = model::read(file, &check.imports, Model::tolerant)?;
        let mut budget = Budget::default();
        let tables = model.tables().iter().map(|table| examined(table, &mut budget)).collect();
        checked.push(Checked { file, faults: model.faults, tables });
    }
    if check.json {
        print(&format!("{:#}\n", checked.iter().map(as_json).collect::<Json>()));
    } else {
        checked.iter().for_each(|checked| print(&as_text(checked, check.overlaps)));
    }
    let refused = checked.iter().filter(|checked| !checked.faults.is_empty()).count();
    let found = checked.iter().flat_map(|checked| &checked.tables).filter(|(_, findings)| *findings).count();
    match (refused, found) {
        (0, 0) => Ok(()),
        (0, found) => Err(Failure::findings(format!("findings in {found} tables"))),
        (refused, _) => Err(Failure::plain(format!("{refused} of {} models are refused", checked.len()))),
    }
}

fn examined(table: &DecisionTable, budget: &mut Budget) -> (Report, bool) {
    let report = examine_within(&table.into(), budget);
    let gaps_are_meant = report.policy == Policy::All || table.outputs.iter().any(|output| output.default.is_some());
    let gaps = !report.gaps.listed.is_empty() && !gaps_are_meant;
    let findings = gaps || report.not_examined.is_some() || !report.conflicts.listed.is_empty() || !report.dead.is_empty();
    (report, findings)
}

fn as_text(checked: &Checked<'_>, overlaps: bool) -> String {
    let file = checked.file.display();
    let faults = checked.faults.iter().map(|fault| format!("{file}: error: {fault}\n"));
    let report = |(report, _): &(Report, bool)| {
        if overlaps {
            return format!("{file}: {report}");
        }
        format!("{file}: {}", Report { overlaps: Found::default(), ..report.clone() })
    };
    faults.chain(checked.tables.iter().map(report)).collect()
}

fn as_json(checked: &Checked<'_>) -> Json {
    let fault =
        |fault: &ReadError| json!({ "line": fault.line, "column": fault.column, "model": fault.model, "message": fault.message });
    json!({
        "file": checked.file.display().to_string(),
        "faults": checked.faults.iter().map(fault).collect::<Vec<_>>(),
        "tables": checked.tables.iter().map(|(report, findings)| json!({ "findings": findings, "report": report })).collect::<Vec<_>>(),
    })
}
