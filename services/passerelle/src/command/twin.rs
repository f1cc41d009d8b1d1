//! `passerelle twin`: stands in for a back office, from recordings, until Ctrl-C.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::explain::Code;
use crate::failure::Failure;
use crate::output::print;
use crate::serve::listener::{Listener, ListenerLimits};
use crate::serve::{Signals, runtime};
use crate::settings::{Log, Telemetry};
use crate::telemetry;
use crate::twin::{self, Manner, Served, Speed, Twin as Loaded, Unknown};

/// As a bus has them by default: who has a twin to himself needs no others.
const LIMITS: ListenerLimits = ListenerLimits {
    connections: 1_000,
    streams_per_connection: 1_000,
    metadata_bytes: 16 * 1024,
    handshake: Duration::from_secs(10),
};
/// How long calls in flight may go on at the end.
const GRACE: Duration = Duration::from_secs(1);

/// Which back office to stand in for.
#[derive(Debug, Args)]
#[command(
    about = "Stands in for a back office: answers from recordings of `passerelle record`, with health and reflection",
    after_help = "Examples:\n  \
        passerelle twin cards.jsonl                              a back office at 127.0.0.1:7500\n  \
        passerelle contract add --reflect http://127.0.0.1:7500   behind a bus\n  \
        passerelle twin cards.jsonl accounts.jsonl --speed fast --ignore bank.v1.Transfer.request_id\n\n\
        A request is held against the recorded ones whole, then without the fields whose values were replaced, and those of --ignore. Where a\n\
        recorded request has pseudonyms, the answer has the caller's own values in their place; several that differ in pseudonyms only\n\
        are chosen by the caller's values, the same ones for the same values. Requests recorded several times are answered in that\n\
        order, and with the last answer from then on. In streams both ways each message narrows the choice, and the first that is left answers. The metadata passerelle-twin says\n\
        exact, alike or nearest. A request that is like none gets NOT_FOUND with reason NOT_RECORDED and the fields in which it differs\n\
        from the nearest; a method of which there is no call, UNIMPLEMENTED. Recorded errors come with their details, streams that the caller left stay open."
)]
pub struct Twin {
    /// Recordings, of one contract or several
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7500")]
    pub listen: SocketAddr,
    /// How fast it answers
    #[arg(long, value_enum, default_value = "real")]
    pub speed: Speed,
    /// What a request gets that is like none
    #[arg(long, value_enum, default_value = "not-found")]
    pub on_unknown: Unknown,
    /// A field that is not compared, by its full name, may be given several times: package.Message.field
    #[arg(long, value_name = "FIELD")]
    pub ignore: Vec<String>,
}

/// Serves until it is stopped.
pub(super) fn run(twin: &Twin) -> Result<(), Failure> {
    let manner = Manner { speed: twin.speed, unknown: twin.on_unknown, ignored: twin.ignore.iter().cloned().collect() };
    let loaded = twin::load(&twin.files, &manner).map_err(Failure::plain)?;
    loaded.check_ignored(&twin.ignore).map_err(Failure::usage)?;
    runtime(1)?.block_on(async {
        let running = telemetry::start(&Log::default(), &Telemetry::default())?;
        let mut stop = Signals::new()?;
        let banner = banner(&loaded);
        let served = Served::new(loaded, manner).await?;
        let bound = Listener::bind("twin", twin.listen, None, LIMITS).await;
        let listener = bound
            .map_err(|error| Failure::new(Code::ADDRESS_UNUSABLE, format!("cannot listen on {} (twin): {error}", twin.listen)))?;
        print(&format!("{banner}ready: {}\n", listener.address()));
        let serving = listener.run(served);
        stop.next().await;
        serving.drain(GRACE).await;
        running.flush(Duration::ZERO).await;
        Ok(())
    })
}

fn banner(twin: &Loaded) -> String {
    let remarks = twin.remarks.iter().map(|remark| format!("{remark}\n"));
    remarks.chain(twin.played().map(|(method, calls)| format!("{method}: {calls} calls\n"))).collect()
}
