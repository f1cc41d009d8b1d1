//! What the demo tells the person who watches.

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
    let channels = bank.daemon.channels;
    let process = bank.process.map(|id| format!(", process {id}")).unwrap_or_default();
    println!("A sample bank. Nothing was installed; Ctrl-C ends it.\n");
    println!("  channels   {channels:<21}  gRPC, for web, mobile, branch …");
    println!("  operators  {:<21}  health, metrics, contracts", bank.daemon.admin);
    println!("  accounts   {:<21}  a host double: COBOL records in EBCDIC over TCP, packed decimals", bank.double);
    println!("  disputes   {:<21}  a plain gRPC server{process}", bank.disputes);
    println!("  files      {}\n", bank.folder.display());
    println!("Try, in another terminal:\n");
    let address = if channels.port() == 7400 { String::new() } else { format!(" --address http://{channels}") };
    let admin = if bank.daemon.admin.port() == 7401 { String::new() } else { format!(" --admin http://{}", bank.daemon.admin) };
    println!("  passerelle call{address} InquireAccounts --json '{{\"customerId\": \"0000004711\"}}'");
    println!("  passerelle call{address} OpenDispute --json '{{\"paymentId\": \"P-1042\", \"amountCents\": 4200}}'");
    println!("  passerelle call{address} FollowDispute --json '{{\"disputeId\": \"D-1\"}}'");
    println!("  passerelle contract{admin} list");
    println!("  curl http://{}/metrics\n", bank.daemon.admin);
}

/// One call: who asked what, each step with its time, the outcome.
pub(crate) fn call(number: u64, channel: &str, question: &str, way: Option<&Way>, answer: &str) {
    println!("{number:>4}  {channel} asks {question}");
    if let Some(way) = way {
        let within: Duration = way.steps.iter().map(|step| step.took).sum();
        let routed = format!("{} to endpoint {}", way.fields.get("rpc.method"), way.fields.get("passerelle.endpoint"));
        line("bus", &routed, way.took.saturating_sub(within));
        for step in &way.steps {
            line(&step.name.replace('_', " "), &told(step), step.took);
        }
        line("total", way.fields.get("rpc.response.status_code"), way.took);
    }
    println!("      {answer}\n");
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
            format!("{} at {} over {}, {out} bytes out, {back}", field("trancode"), field("address"), field("transport"))
        }
        "decode" => "EBCDIC record to protobuf".to_owned(),
        "back_office" => format!("gRPC server at {}, until its answer begins", field("server.address")),
        _ => String::new(),
    }
}
