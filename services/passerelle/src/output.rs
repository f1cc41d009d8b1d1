//! Standard output for pages and lists.

use std::io::{ErrorKind, Write as _, stdout};
use std::process::exit;

/// Prints `text` as it is. Unlike `println!`, it ends the program quietly when the reader has had enough
/// (`passerelle reference settings | head`).
pub fn print(text: &str) {
    let mut out = stdout().lock();
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        if error.kind() != ErrorKind::BrokenPipe {
            eprintln!("error: cannot write to standard output: {error}");
        }
        exit(1);
    }
}
