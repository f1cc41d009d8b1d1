//! `passerelle contract diff`: what one version breaks of what another promises.

use std::path::{Path, PathBuf};

use clap::Args;
use passerelle_bus::contract::compatibility::{Finding, Place, RuleSet, compare};
use passerelle_bus::contract::{Image, methods_touched};
use passerelle_proto::bus::v1;
use serde_json::json;

use super::{Bus, Contract, Named, refusal};
use crate::contract_files;
use crate::failure::Failure;

/// What to compare, by which rules.
#[derive(Debug, Args)]
pub struct Diff {
    /// What callers rely on: a .proto file, an image (.binpb), or a registered contract such as bank.v1@2
    pub old: String,
    /// What would take its place: a .proto file, an image (.binpb), or a registered contract
    pub new: String,
    /// Folder in which imports of .proto files are looked for, may be given several times [default: the folder of each file]
    #[arg(long, short = 'I', value_name = "DIR")]
    pub include: Vec<PathBuf>,
    /// Category (FILE, PACKAGE, WIRE_JSON, WIRE) or rule of buf breaking, may be given several times [default: those for live contracts]
    #[arg(long = "rule", value_name = "NAME")]
    pub rules: Vec<String>,
    /// Rule to leave out, may be given several times
    #[arg(long, value_name = "NAME")]
    pub except: Vec<String>,
    /// Prints one JSON object a line, with the fields of buf breaking and more
    #[arg(long)]
    pub json: bool,
}

/// Prints what is broken; a failure with buf's exit code if anything is.
pub(super) async fn run(arguments: &Contract, diff: &Diff) -> Result<(), Failure> {
    let rules = rules(diff)?;
    let (old, consumers) = side(arguments, &diff.old, &diff.include).await?;
    let (new, _) = side(arguments, &diff.new, &diff.include).await?;
    let findings = compare(&old, &new, &rules).map_err(Failure::plain)?;
    for finding in &findings {
        let touched = methods_touched(&old, &finding.touches);
        let used_by: Vec<_> = consumers.iter().filter(|used| touched.contains(&used.method)).cloned().collect();
        match diff.json {
            true => crate::output::print(&format!("{}\n", as_json(finding, &used_by))),
            false => crate::output::print(&refusal::breach(&as_breach(finding, used_by))),
        }
    }
    match findings.len() {
        0 => Ok(()),
        1 => Err(Failure::findings("1 incompatible change".to_owned())),
        many => Err(Failure::findings(format!("{many} incompatible changes"))),
    }
}

fn rules(diff: &Diff) -> Result<RuleSet, Failure> {
    let live = RuleSet::LIVE.map(str::to_owned);
    let chosen = if diff.rules.is_empty() { &live[..] } else { &diff.rules };
    RuleSet::of(chosen, &diff.except).map_err(Failure::usage)
}

/// One side, and who calls it if it is registered.
async fn side(arguments: &Contract, named: &str, include: &[PathBuf]) -> Result<(Image, Vec<v1::Consumer>), Failure> {
    let path = Path::new(named);
    if path.extension().is_some_and(|extension| extension == "proto") {
        return Ok((contract_files::compile(&[path.to_owned()], include)?, Vec::new()));
    }
    if path.exists() || path.extension().is_some_and(|extension| extension == "binpb") {
        return Ok((contract_files::image(path)?, Vec::new()));
    }
    let named: Named = named.parse().map_err(Failure::usage)?;
    let answer = Bus::at(arguments)?.get(&named).await?;
    Ok((Image::decode(answer.image).map_err(Failure::plain)?, answer.consumers))
}

fn as_breach(finding: &Finding, used_by: Vec<v1::Consumer>) -> v1::Breach {
    let (line, column) = finding.place.as_ref().and_then(|place| place.position).unwrap_or_default();
    v1::Breach {
        rule: finding.rule.name().to_owned(),
        element: finding.element.clone(),
        old: finding.old.clone(),
        new: finding.new.clone(),
        file: finding.place.as_ref().map(|place| place.file.clone()).unwrap_or_default(),
        line,
        column,
        against_version: 0,
        way_out: finding.rule.way_out().to_owned(),
        used_by,
    }
}

/// As `buf breaking --error-format=json`, which writes line 1 where it knows none; and what it does not tell.
fn as_json(finding: &Finding, used_by: &[v1::Consumer]) -> serde_json::Value {
    let place = finding.place.clone().unwrap_or(Place { file: String::new(), position: None });
    let (line, column) = place.position.unwrap_or((1, 1));
    let used_by: Vec<_> = used_by
        .iter()
        .map(|used| {
            let seconds = used.since_last.map(|since| since.seconds);
            json!({ "channel": used.channel, "method": used.method, "calls": used.calls, "last_seconds_ago": seconds })
        })
        .collect();
    json!({
        "path": place.file,
        "start_line": line,
        "start_column": column,
        "type": finding.rule.name(),
        "message": finding.message(),
        "element": finding.element,
        "old": finding.old,
        "new": finding.new,
        "way_out": finding.rule.way_out(),
        "used_by": used_by,
    })
}
