//! The system behind the little ledger: lines over TCP, accounts and keys in memory.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How long a report takes.
pub(crate) const REPORT: Duration = Duration::from_millis(1_000);
/// Entries that every account has.
pub(crate) const ENTRIES: usize = 25;

/// A running system. Each request is one line, `WORD FIELD…`, fields as hexadecimal text; each answer is one (`entries`: several, then `end`).
pub(crate) struct System {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Books {
    posted: Vec<String>,
    /// By key: the request, and its answer.
    answers: BTreeMap<String, (String, String)>,
}

impl System {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let books: Arc<Mutex<Books>> = Arc::default();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, Arc::clone(&books)));
            }
        });
        Self { address, serving }
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for System {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn converse(stream: TcpStream, books: Arc<Mutex<Books>>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let (reading, mut writing) = stream.into_split();
    let mut reading = BufReader::new(reading);
    loop {
        let mut line = String::new();
        reading.read_line(&mut line).await.ok()?;
        // What was cut off is no request.
        let mut words = line.strip_suffix('\n')?.split(' ');
        let word = words.next().unwrap_or_default();
        let fields: Vec<&str> = words.collect();
        let answer = match word {
            "ping" => "ok\n".to_owned(),
            "balance" => balance(&books, fields.first()?),
            "entries" => (1..=ENTRIES).map(|number| format!("entry {number}\n")).chain(["end\n".to_owned()]).collect(),
            "report" => {
                tokio::time::sleep(REPORT).await;
                format!("ok {}\n", fields.first()?)
            }
            "post" => post(&books, fields.first()?, &fields[1..].join(" ")),
            "find" => find(&books, fields.first()?),
            "posted" => format!("ok {}\n", books.lock().ok()?.posted.len()),
            _ => "no invalid\n".to_owned(),
        };
        writing.write_all(answer.as_bytes()).await.ok()?;
    }
}

/// Accounts are `31` and `32` (the letters 1 and 2); each has as many cents as its hexadecimal name says.
fn balance(books: &Mutex<Books>, account: &str) -> String {
    let posted = books.lock().expect("no panic").posted.len();
    match account {
        "31" | "32" => format!("ok {account} {account}00 {posted}\n"),
        "" => "no invalid\n".to_owned(),
        _ => "no notfound\n".to_owned(),
    }
}

/// Posts once for each key; an empty key is none.
fn post(books: &Mutex<Books>, key: &str, request: &str) -> String {
    let mut books = books.lock().expect("no panic");
    if let Some((known, answer)) = books.answers.get(key).filter(|_| !key.is_empty()) {
        return if known == request { format!("{answer}\n") } else { "no invalid\n".to_owned() };
    }
    books.posted.push(request.to_owned());
    let answer = format!("ok {}", books.posted.len());
    if !key.is_empty() {
        books.answers.insert(key.to_owned(), (request.to_owned(), answer.clone()));
    }
    format!("{answer}\n")
}

fn find(books: &Mutex<Books>, key: &str) -> String {
    match books.lock().expect("no panic").answers.get(key) {
        Some((_, answer)) => format!("done {}\n", answer.trim_start_matches("ok ")),
        None => "none\n".to_owned(),
    }
}
