//! PostgreSQL as its package configures it: a transaction is on disk before it is confirmed.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use passerelle_peers::process::{Process, folder, free_address};

use super::super::wire::{Postgres, load};
use super::{IN_FLIGHT, System, Target, killed, output};

const NAME: &str = Postgres::NAME;
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

/// As many connections as messages are in flight, up to this; then so many in the pipeline of each.
const CONNECTIONS: usize = 64;

/// A server with an empty table.
pub(crate) fn postgres() -> System {
    let address = free_address();
    let folder = folder();
    let data = folder.path().join("data");
    let must = |done: Result<String, String>| done.unwrap_or_else(|error| panic!("PostgreSQL: {error}"));
    let root = std::fs::metadata(folder.path()).is_ok_and(|metadata| metadata.uid() == 0);
    if root {
        must(output(Command::new("chown").arg("postgres:").arg(folder.path())));
    }
    let mut initdb = program(root, "initdb", folder.path());
    must(output(initdb.args(["--auth=trust", "--no-instructions", "-U", NAME, "-D"]).arg(&data)));
    let mut command = program(root, "postgres", folder.path());
    command.arg("-D").arg(&data).args(["-h", "127.0.0.1", "-k", "", "-p", &address.port().to_string()]);
    let mut process = Process::spawn_in("PostgreSQL", folder, &mut command);
    process.wait_until_listening(address);

    let sql = move |database: &str, text: &str| {
        let mut psql = Command::new("/usr/lib/postgresql/15/bin/psql");
        psql.args(["-XAqt", "-h", "127.0.0.1", "-U", NAME, "-p", &address.port().to_string(), "-d", database, "-c", text]);
        output(&mut psql)
    };
    process.wait_until("answers", || sql("postgres", "select 1").is_ok());
    must(sql("postgres", &format!("create database {NAME}")));
    must(sql(NAME, Postgres::TABLE));
    let target = Target {
        name: "PostgreSQL, INSERT",
        is_durable: true,
        in_flight: IN_FLIGHT,
        process: process.id(),
        load: Box::new(move |plan| load(plan, CONNECTIONS, || Postgres::connect(address))),
        stored: Some(Box::new(move || {
            sql(NAME, "select count(*) from messages")?.parse().map_err(|error| format!("count: {error}"))
        })),
        clear: Some(Box::new(move || sql(NAME, "truncate messages").map(drop))),
    };
    System { targets: vec![target], end: killed([process]) }
}

/// It refuses to run as root: then it is the user of its package that runs it.
fn program(root: bool, name: &str, folder: &Path) -> Command {
    let path = Path::new(PROGRAMS).join(name);
    let mut command = if root {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(path);
        command
    } else {
        Command::new(path)
    };
    command.current_dir(folder);
    command
}
