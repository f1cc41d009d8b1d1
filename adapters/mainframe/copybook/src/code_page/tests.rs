//! The tables against `iconv`, byte by byte.

use std::io::Write;
use std::process::{Command, Stdio};

use super::CodePage;

/// All 256 bytes through the iconv program, which every Debian has (libc-bin).
fn iconv(page: CodePage) -> Vec<Option<char>> {
    let name = match page {
        CodePage::Latin1 => "ISO-8859-1".to_owned(),
        CodePage::Ascii => "ASCII".to_owned(),
        ebcdic => ebcdic.name().to_uppercase(),
    };
    (0..=u8::MAX)
        .map(|byte| {
            let mut command = Command::new("iconv");
            command.args(["-f", &name, "-t", "UTF-8"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
            let mut iconv = command.spawn().expect("iconv, of the package libc-bin");
            iconv.stdin.take().unwrap().write_all(&[byte]).unwrap();
            let output = iconv.wait_with_output().unwrap();
            let text = output.status.success().then(|| String::from_utf8(output.stdout).unwrap());
            text.and_then(|text| text.chars().next())
        })
        .collect()
}

#[test]
fn every_byte_of_every_page_is_the_character_that_iconv_says() {
    for page in CodePage::ALL {
        let characters = iconv(page);
        for (byte, character) in (0..=u8::MAX).zip(characters) {
            assert_eq!(page.decode(byte), character, "{page} X'{byte:02X}'");
            if let Some(character) = character {
                assert_eq!(page.encode(character), Some(byte), "{page} {character:?}");
            }
        }
    }
}

#[test]
fn new_line_and_line_feed_are_told_apart() {
    for page in CodePage::ALL.into_iter().filter(|page| page.is_ebcdic()) {
        assert_eq!((page.decode(0x15), page.decode(0x25)), (Some('\u{85}'), Some('\n')), "{page}");
    }
}

#[test]
fn what_a_page_lacks_has_no_byte() {
    assert_eq!(CodePage::Ibm1047.encode('€'), None);
    assert_eq!(CodePage::Ibm1140.encode('€'), Some(0x9f));
    assert_eq!(CodePage::Ibm1140.encode('¤'), None);
    assert_eq!(CodePage::Ascii.encode('é'), None);
    assert_eq!(CodePage::Ascii.decode(0xe9), None);
    assert_eq!(CodePage::Ibm037.encode('漢'), None);
}

#[test]
fn an_unknown_page_is_told_which_there_are() {
    let error = "ibm930".parse::<CodePage>().unwrap_err().to_string();
    assert_eq!(error, "unknown code page `ibm930` (available: ibm037, ibm297, ibm500, ibm1047, ibm1140, ibm1147, latin1, ascii)");
    assert_eq!("IBM1147".parse(), Ok(CodePage::Ibm1147));
}
