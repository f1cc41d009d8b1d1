//! The inquiry's record, byte by byte: written by hand from the copybook and IBM's number formats, so that it checks the
//! copybook library instead of using it.

use super::{Account, Answer, Contact, Customer, Inquiry};

/// The record without accounts.
const FIXED: usize = 148;
/// One account.
const ACCOUNT: usize = 27;

/// The record that asks.
pub fn write_inquiry(inquiry: &Inquiry) -> Vec<u8> {
    let mut record = Vec::with_capacity(FIXED);
    record.extend(text(&inquiry.function, 4));
    record.extend(text(&format!("{:010}", inquiry.customer_id), 10));
    record.extend(inquiry.call_number.to_be_bytes());
    record.extend(text(&format!("{:02}", inquiry.wanted), 2));
    record.extend(text(&inquiry.note, 24));
    record.resize(FIXED, 0);
    record
}

/// The answer in a record; says where when a value breaks the rules of its format.
pub fn read_answer(record: &[u8]) -> Result<Answer, String> {
    let mut reader = Reader { record, at: 20 };
    let note = reader.text(24)?;
    let return_code = reader.binary(2)? as i16;
    if return_code != 0 {
        return Ok(Answer { return_code, note, customer: None });
    }
    let name = reader.text(20)?;
    let segment = reader.letter()?;
    let branch = reader.packed(3)? as u32;
    let balance_cents = reader.packed(7)?;
    let rate_e4 = reader.signed_apart(8)?;
    let overdraft_cents = reader.overpunched(9)?;
    let score = reader.binary(2)? as i16;
    let stamp = reader.binary(8)? as u64;
    let opened_on = reader.digits(8)? as u32;
    reader.at += 3;
    let contact = match reader.letter()? {
        'P' => {
            let contact = Contact::Phone { country: reader.digits(3)? as u16, number: reader.text(12)? };
            reader.at += 15;
            contact
        }
        'M' => Contact::Post { street: reader.text(22)?, code: reader.text(5)?, floor: reader.packed(3)? as i32 },
        other => return Err(format!("contact kind {other:?}")),
    };
    let count = usize::try_from(reader.binary(2)?).map_err(|error| error.to_string())?;
    if record.len() != FIXED + count * ACCOUNT {
        return Err(format!("{} bytes with {count} accounts", record.len()));
    }
    let accounts = (0..count).map(|_| reader.account()).collect::<Result<_, _>>()?;
    let customer =
        Customer { name, segment, branch, balance_cents, rate_e4, overdraft_cents, score, stamp, opened_on, contact, accounts };
    Ok(Answer { return_code, note, customer: Some(customer) })
}

struct Reader<'a> {
    record: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn account(&mut self) -> Result<Account, String> {
        Ok(Account {
            number: self.text(8)?,
            balance_cents: self.packed(6)?,
            kind: self.letter()?,
            moves: [self.binary(4)? as i32, self.binary(4)? as i32, self.binary(4)? as i32],
        })
    }

    fn take(&mut self, length: usize) -> Result<&[u8], String> {
        let bytes = self.record.get(self.at..self.at + length);
        let bytes =
            bytes.ok_or_else(|| format!("the record ends at {}, wanted {length} bytes at {}", self.record.len(), self.at));
        self.at += length;
        bytes
    }

    fn text(&mut self, length: usize) -> Result<String, String> {
        let text: String = self.take(length)?.iter().map(|&byte| character(byte)).collect::<Result<_, _>>()?;
        Ok(text.trim_end().to_owned())
    }

    fn letter(&mut self) -> Result<char, String> {
        character(self.take(1)?[0])
    }

    /// Most significant byte first, two's complement.
    fn binary(&mut self, length: usize) -> Result<i64, String> {
        let bytes = self.take(length)?;
        let start = if length < 8 && bytes[0] & 0x80 != 0 { -1 } else { 0 };
        Ok(bytes.iter().fold(start, |value, &byte| value << 8 | i64::from(byte)))
    }

    /// Two digits a byte, the last half byte is the sign: C or F plus, D minus.
    fn packed(&mut self, length: usize) -> Result<i64, String> {
        let at = self.at;
        let bytes = self.take(length)?;
        let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).collect::<Vec<_>>();
        let (sign, digits) = halves.split_last().ok_or("no bytes")?;
        number(digits.iter().copied(), *sign, at)
    }

    /// One digit a byte in its lower half; the upper half of the last is the sign.
    fn overpunched(&mut self, length: usize) -> Result<i64, String> {
        let at = self.at;
        let bytes = self.take(length)?;
        let (last, leading) = bytes.split_last().ok_or("no bytes")?;
        if leading.iter().any(|byte| byte >> 4 != 15) {
            return Err(format!("zone other than F at {at}"));
        }
        number(bytes.iter().map(|byte| byte & 15), last >> 4, at)
    }

    /// A character for the sign, then digits.
    fn signed_apart(&mut self, length: usize) -> Result<i64, String> {
        let at = self.at;
        let sign = match self.take(1)?[0] {
            0x4e => 0xc,
            0x60 => 0xd,
            other => return Err(format!("sign {other:02x} at {at}")),
        };
        let bytes = self.take(length - 1)?;
        number(bytes.iter().map(|byte| byte.wrapping_sub(0xf0)), sign, at)
    }

    fn digits(&mut self, length: usize) -> Result<i64, String> {
        let at = self.at;
        number(self.take(length)?.iter().map(|byte| byte.wrapping_sub(0xf0)), 0xf, at)
    }
}

fn number(mut digits: impl Iterator<Item = u8>, sign: u8, at: usize) -> Result<i64, String> {
    let value = digits.try_fold(0_i64, |value, digit| (digit < 10).then(|| value * 10 + i64::from(digit)));
    let value = value.ok_or_else(|| format!("not a digit in the number at {at}"))?;
    match sign {
        0xc | 0xf => Ok(value),
        0xd => Ok(-value),
        other => Err(format!("sign {other:x} of the number at {at}")),
    }
}

/// The characters of EBCDIC 1147 that the program and its callers use, besides letters and digits.
const OTHERS: [(u8, char); 13] = [
    (0x40, ' '),
    (0x4b, '.'),
    (0x60, '-'),
    (0x6b, ','),
    (0x7d, '\''),
    (0xc0, 'é'),
    (0xd0, 'è'),
    (0xe0, 'ç'),
    (0x7c, 'à'),
    (0x52, 'ê'),
    (0x53, 'ë'),
    (0x57, 'ï'),
    (0xcb, 'ô'),
];

/// Where the alphabet's runs begin.
const RUNS: [(u8, char, u8); 7] =
    [(0x81, 'a', 9), (0x91, 'j', 9), (0xa2, 's', 8), (0xc1, 'A', 9), (0xd1, 'J', 9), (0xe2, 'S', 8), (0xf0, '0', 10)];

fn character(byte: u8) -> Result<char, String> {
    let in_run = RUNS.iter().find(|(start, _, count)| (*start..start + count).contains(&byte));
    let in_run = in_run.map(|(start, first, _)| char::from(*first as u8 + (byte - start)));
    in_run
        .or_else(|| OTHERS.iter().find(|(code, _)| *code == byte).map(|(_, character)| *character))
        .ok_or_else(|| format!("byte {byte:02x} is no character that the program uses"))
}

fn text(text: &str, length: usize) -> Vec<u8> {
    let byte = |character: char| (0..=255).find(|&byte| self::character(byte) == Ok(character)).expect("a known character");
    let mut bytes: Vec<u8> = text.chars().map(byte).collect();
    assert!(bytes.len() <= length, "{text:?} is longer than its field");
    bytes.resize(length, 0x40);
    bytes
}
