//! What the demo tells the person who watches, in lines that fit a terminal of 100 columns.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use super::way::{Step, Way};
use crate::serve::Daemon;

/// The parts of the sample bank that run.
pub(crate) struct Bank<'a> {
    pub(crate) daemon: &'a Daemon,
    pub(crate) double: SocketAddr,
    pub(crate) disputes: SocketAddr,
    pub(crate) process: Option<u32>,
    pub(crate) folder: &'a Path,
}

/// What runs, and what to try.
pub(crate) fn opening(bank: &Bank<'_>) {
    let (channels, operators) = (bank.daemon.channels, bank.daemon.admin);
    let process = bank.process.map(|id| format!(", process {id}")).unwrap_or_default();
    println!("{}\n", bold("A sample bank: channels call four back offices through the bus. Ctrl-C ends it."));
    println!("  channels          the bus                back offices");
    println!("  web, mobile, ──▶  {channels:<15}  ─┬─▶  accounts  {:<15}  mainframe, EBCDIC over TCP", bank.double);
    println!("  branch, till      for operators:    ├─▶  disputes  {:<15}  gRPC server{process}", bank.disputes);
    println!("                    {operators:<15}   ├─▶  letters   {:<15}  documents in a folder", "documents/");
    println!("                                      └─▶  customers {:<15}  a CRM in a file\n", "crm/");
    println!("The mainframe is played by a double that answers from samples. The settings, the copybook and");
    println!("all else that this bank is made of: {}\n", bank.folder.display());
    println!("{}\n", bold("Try, in another terminal:"));
    if channels.port() != 7400 || operators.port() != 7401 {
        println!("  export PASSERELLE_ADDRESS=http://{channels} PASSERELLE_ADMIN=http://{operators}");
    }
    let program = program();
    println!("  {program} call InquireAccounts --json '{{\"customerId\": \"0000004711\"}}'");
    println!("  {program} call OpenDispute --json '{{\"paymentId\": \"P-1042\", \"amountCents\": 4200}}'");
    println!("  {program} call FollowDispute --json '{{\"disputeId\": \"D-1\"}}'");
    println!("  {program} call Documents/List --json '{{\"folder\": \"0000004711\"}}'");
    println!("  {program} call Customers/Find --json '{{\"number\": \"0000004711\"}}'");
    println!("  {program} contract list");
    println!("  curl http://{operators}/metrics\n");
}

/// The program as it was called: `passerelle`, or where cargo has built it.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "passerelle".to_owned())
}

/// One call: who asked what, each step with its time, the outcome.
pub(crate) fn call(number: u64, channel: &str, question: &str, way: Option<&Way>, answer: &str) {
    println!("{}", bold(&format!("{number:>4}  {channel} calls {question}")));
    if let Some(way) = way {
        let within: Duration = way.steps.iter().map(|step| step.took).sum();
        let routed = format!("routes it to endpoint {}", way.fields.get("passerelle.endpoint"));
        line("bus", &routed, way.took.saturating_sub(within));
        for step in &way.steps {
            line(&step.name.replace('_', " "), &told(step), step.took);
        }
        line("total", way.fields.get("rpc.response.status_code"), way.took);
    }
    println!("      {answer}\n");
}

/// One moment of what is played beside the calls.
pub(crate) fn moment(what: &str, more: &[String]) {
    println!("{}", bold(&format!("   ▸  {what}")));
    for text in more {
        println!("      {text}");
    }
    println!();
}

fn line(what: &str, text: &str, took: Duration) {
    println!("      {what:<12}{:>9.3} ms  {text}", took.as_secs_f64() * 1e3);
}

fn told(step: &Step) -> String {
    let field = |name| step.fields.get(name);
    match step.name {
        "encode" => "protobuf to EBCDIC record".to_owned(),
        "host" => {
            let (out, back) = (field("request_bytes"), field("response_bytes"));
            let back = if back.is_empty() { "no answer" } else { &format!("{back} bytes back") };
            format!("runs {} at {}, {out} bytes out, {back}", field("trancode"), field("address"))
        }
        "decode" => "EBCDIC record to protobuf".to_owned(),
        "back_office" => format!("gRPC server at {}, until its answer begins", field("server.address")),
        _ => String::new(),
    }
}

/// Stands out where a person looks on.
fn bold(text: &str) -> String {
    let plain = !std::io::stdout().is_terminal() || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if plain { text.to_owned() } else { format!("\x1b[1m{text}\x1b[0m") }
}
