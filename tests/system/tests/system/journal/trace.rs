//! What strace wrote, read back: each system call with its bytes, and when it began and ended among the others.

use std::collections::HashMap;

/// One system call of one thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) name: String,
    /// What it works on: `7<TCP:[127.0.0.1:7400->127.0.0.1:50000]>`.
    pub(super) descriptor: String,
    /// What is written.
    pub(super) bytes: Vec<u8>,
    /// Number of the line where it was seen to begin. strace sees one thing after another: what begins on a later line than
    /// something else ended on was not yet begun then.
    pub(super) begun: usize,
    /// Number of the line where it was seen to end.
    pub(super) ended: usize,
    pub(super) result: i64,
}

impl Call {
    /// The number of the descriptor.
    pub(super) fn number(&self) -> &str {
        self.descriptor.split('<').next().unwrap_or_default()
    }
}

/// Reads what `strace -f -xx -yy -tt -o` writes. Calls that never ended are left out.
pub(super) fn read(text: &str) -> Vec<Call> {
    let mut unfinished: HashMap<&str, Call> = HashMap::new();
    let mut calls = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut words = line.trim_start().splitn(2, ' ');
        let (Some(thread), Some(rest)) = (words.next(), words.next()) else { continue };
        // The time, which is of no use: a line's place says more.
        let Some((_, said)) = rest.trim_start().split_once(' ') else { continue };
        if let Some(resumed) = said.strip_prefix("<... ") {
            let call = unfinished.remove(thread).filter(|call| resumed.starts_with(&format!("{} resumed>", call.name)));
            calls.extend(call.zip(result(resumed)).map(|(call, result)| Call { ended: index, result, ..call }));
        } else if let Some(call) = begun(said, index) {
            match said.ends_with("<unfinished ...>") {
                true => drop(unfinished.insert(thread, call)),
                false => calls.extend(result(said).map(|result| Call { result, ..call })),
            }
        }
    }
    calls
}

/// `name(descriptor, "bytes"…`
fn begun(said: &str, index: usize) -> Option<Call> {
    let (name, arguments) = said.split_once('(')?;
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return None;
    }
    // `->` stands within a descriptor, `>,` behind it.
    let ends = [">,", ">)", "> <"].iter().filter_map(|end| arguments.find(end));
    let end = ends.min()?;
    let descriptor = String::from_utf8_lossy(&unescaped(&arguments[..=end])).into_owned();
    let bytes = strings(&arguments[end + 1..]);
    Some(Call { name: name.to_owned(), descriptor, bytes, begun: index, ended: index, result: 0 })
}

/// `… = 42` or `… = -1 EIO (Input/output error)`
fn result(said: &str) -> Option<i64> {
    said.rsplit_once(") = ")?.1.split_whitespace().next()?.parse().ok()
}

/// All that stands in quotes, one after another.
fn strings(arguments: &str) -> Vec<u8> {
    arguments.split('"').skip(1).step_by(2).flat_map(unescaped).collect()
}

/// `\x2f` is `/`; other characters stand for themselves.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4);
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = rest.strip_prefix(b"\\x").and_then(|digits| digits.get(..2));
        let escaped = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &rest[4..] } else { after };
    }
    bytes
}

#[test]
fn a_trace_is_read_with_its_beginnings_and_ends() {
    let text = "\
71 10:00:00.000001 pwrite64(5<\\x2f\\x6a>, \"\\x61\\x62\"..., 2, 4096) = 2
72 10:00:00.000002 fdatasync(5</j> <unfinished ...>
71 10:00:00.000003 writev(9<TCP:[127.0.0.1:1->127.0.0.1:2]>, [{iov_base=\"\\x61\", iov_len=1}, {iov_base=\"bc\", iov_len=2}], 2) = 3
72 10:00:00.000004 <... fdatasync resumed>) = -1 EIO (Input/output error)
71 10:00:00.000005 +++ exited with 0 +++
73 10:00:00.000006 write(2</log>, \"x\", 1 <unfinished ...>
";
    let calls = read(text);
    let told: Vec<String> = calls
        .iter()
        .map(|call| {
            let Call { name, descriptor, bytes, begun, ended, result } = call;
            format!("{name} {descriptor} {} {begun}-{ended} {result}\n", String::from_utf8_lossy(bytes))
        })
        .collect();
    expect_test::expect![[r#"
        pwrite64 5</j> ab 0-0 2
        writev 9<TCP:[127.0.0.1:1->127.0.0.1:2]> abc 2-2 3
        fdatasync 5</j>  1-3 -1
    "#]]
    .assert_eq(&told.concat());
}
