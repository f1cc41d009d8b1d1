//! `passerelle patterns`: the control bus: what patterns hold, emptied and switched.

use clap::{Args, Subcommand, ValueEnum};
use passerelle_proto::bus::v1::pattern_operations_client::PatternOperationsClient;
use passerelle_proto::bus::v1::{ListPatternsRequest, Pattern, PurgePatternRequest, SwitchDetourRequest};

use super::connect::{self, Tls};
use super::contract::listing::aligned;
use super::endpoint::failed;
use crate::failure::Failure;
use crate::output::print;

/// What to do with patterns, and which bus.
#[derive(Debug, Args)]
#[command(
    about = "Patterns of a running bus: aggregators, splitters, resequencers and the like, and what they hold",
    after_help = "Examples:\n  \
        passerelle patterns list\n  \
        passerelle patterns purge orders      what it holds becomes dead letters\n  \
        passerelle patterns detour check on   messages take the detour from now on\n\n\
        Exit codes: 0 done, 1 refused or not reachable, 2 wrong arguments."
)]
pub struct Patterns {
    /// The bus's admin address
    #[arg(long, global = true, value_name = "URL", env = "PASSERELLE_ADMIN", default_value = "http://127.0.0.1:7401")]
    pub admin: String,
    #[command(flatten)]
    pub tls: Tls,
    /// What to do.
    #[command(subcommand)]
    pub command: PatternsCommand,
}

/// What can be done with patterns.
#[derive(Debug, Subcommand)]
pub enum PatternsCommand {
    /// Lists patterns, with what they have still to read and what they hold
    List,
    /// Gives up all that a pattern holds: it becomes dead letters, which can be sent again
    Purge {
        /// Its name
        name: String,
    },
    /// Has the messages of a detour take it, or not
    Detour {
        /// Its name
        name: String,
        /// Whether they take it
        turn: Turn,
    },
}

/// Whether a detour is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Turn {
    /// It is
    On,
    /// It is not
    Off,
}

/// Asks the bus, and prints what it says.
pub(crate) async fn run(patterns: &Patterns) -> Result<(), Failure> {
    let mut client = PatternOperationsClient::new(connect::channel(&patterns.admin, &patterns.tls)?);
    let refused = |status: tonic::Status| failed(&patterns.admin, &status);
    match &patterns.command {
        PatternsCommand::List => {
            let listed = client.list_patterns(ListPatternsRequest {}).await.map_err(refused)?.into_inner();
            print(&table(&listed.patterns));
        }
        PatternsCommand::Purge { name } => {
            let request = PurgePatternRequest { name: name.clone() };
            let purged = client.purge_pattern(request).await.map_err(refused)?.into_inner();
            print(&format!(
                "given up: what {} keys held; passerelle dead list --delivery patterns/{name} shows it\n",
                purged.keys
            ));
        }
        PatternsCommand::Detour { name, turn } => {
            let request = SwitchDetourRequest { name: name.clone(), on: *turn == Turn::On };
            client.switch_detour(request).await.map_err(refused)?;
            print("done\n");
        }
    }
    Ok(())
}

fn table(patterns: &[Pattern]) -> String {
    if patterns.is_empty() {
        return "no pattern is declared; passerelle reference routes shows how (`patterns`)\n".to_owned();
    }
    let head = ["PATTERN", "UNREAD", "TAKEN", "DEAD", "KEYS", "HELD", "BYTES", "SINCE", "DETOUR"];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(patterns.iter().map(|pattern| {
        [
            pattern.name.clone(),
            pattern.unread.to_string(),
            pattern.taken.to_string(),
            pattern.dead.to_string(),
            pattern.keys.to_string(),
            pattern.messages.to_string(),
            pattern.bytes.to_string(),
            pattern.since.map_or_else(|| "-".to_owned(), |since| since.to_string()),
            if pattern.detour { "on" } else { "-" }.to_owned(),
        ]
    }));
    aligned(&rows, "")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_pattern_is_a_line() {
        let since = Some(prost_types::Timestamp { seconds: 1_000, nanos: 0 });
        let holding =
            Pattern { name: "orders".to_owned(), taken: 7, keys: 1, messages: 2, bytes: 90, since, ..Pattern::default() };
        let switched = Pattern { name: "check".to_owned(), unread: 3, dead: 1, detour: true, ..Pattern::default() };
        expect![[r#"
            PATTERN  UNREAD  TAKEN  DEAD  KEYS  HELD  BYTES  SINCE                 DETOUR
            orders   0       7      0     1     2     90     1970-01-01T00:16:40Z  -
            check    3       0      1     0     0     0      -                     on
        "#]]
        .assert_eq(&table(&[holding, switched]));
        assert_eq!(table(&[]), "no pattern is declared; passerelle reference routes shows how (`patterns`)\n");
    }
}
