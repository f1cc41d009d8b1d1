//! The least that any durable server does: reads what has come, writes it, syncs, answers. What it cannot keep, this machine cannot.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::FileExt;

use passerelle_peers::process::folder;

use super::flight::{MESSAGE, content};
use super::wire::{Answer, Units, Wire, dial};

/// Bytes of the file, which is overwritten from its beginning again.
const FILE: u64 = 128 << 20;
/// Bytes that one write takes at most.
const MOST: usize = 1 << 20;

/// Prints "listening PORT" and serves one connection after another until killed.
pub(crate) fn serve() {
    let folder = folder();
    let file = File::create_new(folder.path().join("floor")).expect("a file in a new folder");
    for at in (0..FILE).step_by(MOST) {
        file.write_all_at(&[0; MOST], at).expect("room on the disk");
    }
    file.sync_all().expect("a disk");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    println!("listening {}", listener.local_addr().expect("an address").port());
    while let Ok((stream, _)) = listener.accept() {
        // Who has what it wanted goes.
        let _ = converse(stream, &file);
    }
}

fn converse(mut stream: TcpStream, file: &File) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut input, mut waiting, mut at, mut count) = (vec![0; MOST], 0, 0, 0_u64);
    loop {
        match stream.read(&mut input[waiting..])? {
            0 => return Ok(()),
            bytes => waiting += bytes,
        }
        let whole = waiting / MESSAGE * MESSAGE;
        if whole == 0 {
            continue;
        }
        if at + whole as u64 > FILE {
            at = 0;
        }
        file.write_all_at(&input[..whole], at)?;
        file.sync_data()?;
        at += whole as u64;
        count += (whole / MESSAGE) as u64;
        input.copy_within(whole..waiting, 0);
        waiting -= whole;
        stream.write_all(&count.to_le_bytes())?;
    }
}

/// Its protocol: messages of one length, and the number of those that are on disk.
#[derive(Debug)]
pub(crate) struct Floor {
    message: Vec<u8>,
}

impl Floor {
    /// Connects.
    pub(crate) async fn connect(address: SocketAddr) -> Result<(tokio::net::TcpStream, Self), String> {
        Ok((dial(address).await?, Self { message: content() }))
    }
}

impl Wire for Floor {
    fn publish(&mut self, output: &mut Vec<u8>) {
        output.extend(&self.message);
    }

    fn read(&mut self, input: &[u8], _output: &mut Vec<u8>) -> Result<Option<Answer>, String> {
        let count = input.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
        Ok(count.map(|count| Answer { length: size_of::<u64>(), units: Units::Before(count) }))
    }
}
