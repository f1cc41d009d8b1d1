//! GnuCOBOL as an oracle for layouts: where a real compiler puts each item of a copybook.

use std::path::Path;
use std::process::Command;

use crate::{install, process};

/// A named item of a copybook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Level number.
    pub level: u8,
    /// Its name, in capitals.
    pub name: String,
    /// Bytes from the start of its 01 item; of a table, where the first occurrence begins.
    pub offset: usize,
    /// Bytes; of a table, those of one occurrence, with every inner table at its greatest length.
    pub size: usize,
    /// The most occurrences, when it is a table.
    pub occurs: Option<usize>,
}

/// Every named item of a copybook as GnuCOBOL lays it out with `-std=ibm`; `None` when GnuCOBOL is not installed.
///
/// Names must be unique. One known difference from IBM's compilers: GnuCOBOL aligns a SYNC item in a table for the first
/// occurrence only, IBM pads the occurrence.
pub fn of_copybook(copybook: &Path) -> Option<Vec<Item>> {
    let cobc = install::installed("mainframe", "/usr/bin/cobc")?;
    let folder = process::folder();
    let copy = copybook.canonicalize().expect("the copybook is there");
    let copy = copy.display();
    let write = |statements: &str| {
        let program = format!(
            "       IDENTIFICATION DIVISION.\n       PROGRAM-ID. ORACLE.\n       DATA DIVISION.\n       WORKING-STORAGE SECTION.\n       \
             COPY\n       \"{copy}\".\n       01  WHERE-POINTER USAGE POINTER.\n       01  WHERE-NUMBER REDEFINES WHERE-POINTER PIC \
             9(18) COMP-5.\n       01  WHERE-STARTS PIC 9(18) COMP-5.\n       PROCEDURE DIVISION.\n{statements}           GOBACK.\n"
        );
        std::fs::write(folder.path().join("ORACLE.cob"), program).expect("a program is written");
    };
    let run = |command: &mut Command| {
        let output = command.current_dir(folder.path()).output().expect("the command runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{copy}: {}{}", text(&output.stderr), text(&output.stdout));
        text(&output.stdout)
    };

    write("");
    let listing = ["-std=ibm", "-fsyntax-only", "-t", "-", "-ftsymbols", "-fno-tsource", "--tlines=99999"];
    let mut items = read_listing(&run(Command::new(&cobc).args(listing).arg("ORACLE.cob")));
    write(&measuring_statements(&items));
    run(Command::new(&cobc).args(["-std=ibm", "-x", "ORACLE.cob"]));
    let offsets = run(&mut Command::new(folder.path().join("ORACLE")));
    for (item, offset) in items.iter_mut().zip(offsets.lines()) {
        item.offset = offset.trim().parse().expect("an offset is a number");
    }
    Some(items)
}

/// Lines of the symbol listing: size, type, level, name, picture.
fn read_listing(listing: &str) -> Vec<Item> {
    let mut items = Vec::new();
    for line in listing.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [size, kind, level, name, rest @ ..] = words.as_slice() else { continue };
        let name = name.trim_end_matches(',');
        let (Ok(size), Ok(level)) = (size.parse::<usize>(), level.parse::<u8>()) else { continue };
        if name == "FILLER" || name.starts_with("WHERE-") || level > 49 {
            continue;
        }
        let occurs = rest.iter().position(|word| *word == "OCCURS").map(|at| most_occurrences(&rest[at + 1..]));
        // The listing shows a group's whole table, and an elementary item's one occurrence.
        let size = if *kind == "GROUP" { size / occurs.unwrap_or(1) } else { size };
        items.push(Item { level, name: name.to_owned(), offset: 0, size, occurs });
    }
    items
}

/// `3` or `0 TO 20`.
fn most_occurrences(words: &[&str]) -> usize {
    let most = if words.get(1) == Some(&"TO") { words[2] } else { words[0] };
    most.trim_end_matches(',').parse().expect("occurrences are a number")
}

/// Prints each item's distance from its 01 item, at subscript 1 of every table around it.
fn measuring_statements(items: &[Item]) -> String {
    let mut statements = String::new();
    let mut tables: Vec<u8> = Vec::new();
    for item in items {
        tables.retain(|level| *level < item.level);
        tables.extend(item.occurs.map(|_| item.level));
        let subscripts = if tables.is_empty() { String::new() } else { format!(" ({})", ["1"].repeat(tables.len()).join(" ")) };
        statements += &format!("           SET WHERE-POINTER TO ADDRESS OF\n             {}{subscripts}\n", item.name);
        if item.level == 1 {
            statements += "           MOVE WHERE-NUMBER TO WHERE-STARTS\n";
        }
        statements += "           SUBTRACT WHERE-STARTS FROM WHERE-NUMBER\n           DISPLAY WHERE-NUMBER\n";
    }
    statements
}
