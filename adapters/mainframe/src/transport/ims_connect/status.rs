//! What IMS Connect and IMS say instead of an answer: request status messages and DFS messages, in words and as faults.

use passerelle_adapter::{Fault, Rejection};

use super::header::NAMES_CODE_PAGE;

/// A request status message (RSM).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestStatus {
    /// RSM_RACFRC or RSM_OTMRSN: RACF's return code, or a further OTMA reason.
    detail: u8,
    return_code: u32,
    reason_code: u32,
}

/// RSM_RSNCOD after an acknowledgement: IMS has committed.
pub(crate) const COMMITTED: u32 = 97;
/// RSM_RSNCOD after an acknowledgement: IMS has backed the transaction out.
const BACKED_OUT: u32 = 98;

impl RequestStatus {
    /// `codes` is what follows the identifier; missing bytes count as zero.
    pub(crate) fn read(detail: u8, codes: &[u8]) -> Self {
        let code = |at: usize| (at..at + 4).fold(0, |code, at| code << 8 | u32::from(codes.get(at).copied().unwrap_or(0)));
        Self { detail, return_code: code(0), reason_code: code(4) }
    }

    /// Whether this confirms that the transaction is committed.
    pub(crate) fn is_committed(self) -> bool {
        self.reason_code == COMMITTED
    }

    /// The fault when this came instead of an answer.
    pub(crate) fn fault(self, address: &str) -> Fault {
        let message = format!("{address}: {}", self.words());
        match (self.return_code, self.reason_code) {
            (0x20 | 0x24 | 0x28, _) => Fault::DeadlineExceeded { message },
            (_, 40 | 51..=55 | 78 | 154) if self.return_code != 0x10 => Fault::Unauthenticated { message },
            // Nothing has reached IMS: another address, or another client ID, may do.
            (0x04 | 0x08, 56 | 72..=74 | 76 | 80) => Fault::unavailable(message),
            (0x08, 4..=48) => Fault::rejected(Rejection::Precondition, message),
            (0x10, _) => Fault::rejected(Rejection::Precondition, message),
            _ => Fault::unknown(message),
        }
    }

    /// The fault when this came after the answer was acknowledged, instead of the word that IMS committed.
    pub(crate) fn fault_after_answer(self, address: &str) -> Fault {
        if self.reason_code == BACKED_OUT {
            return Fault::rejected(Rejection::Conflict, format!("{address}: IMS backed the transaction out"));
        }
        Fault::unknown(format!("{address}: the transaction answered, then: {}", self.words()))
    }

    /// Both codes, in words (IMS 15 messages and codes: "HWSSMPL0 and HWSSMPL1 return and reason codes").
    fn words(self) -> String {
        let Self { detail, return_code, reason_code } = self;
        let codes = format!("return code X'{return_code:02X}'");
        match return_code {
            0x20 | 0x24 | 0x28 => format!("IMS did not answer before IRM_TIMER ran out ({codes})"),
            0x10 => {
                let hint = if reason_code == 0x1A { ": is the transaction defined and started?" } else { "" };
                format!("IMS refused the message ({codes}, OTMA sense code X'{reason_code:04X}', reason {detail}){hint}")
            }
            0x0C => format!("IMS reported an OTMA error ({codes}, reason {reason_code})"),
            _ => {
                let racf = if detail == 0 { String::new() } else { format!(", RACF return code {detail}") };
                format!("IMS Connect: {} ({codes}, reason {reason_code}{racf})", reason_words(reason_code))
            }
        }
    }
}

fn reason_words(reason_code: u32) -> &'static str {
    match reason_code {
        4 | 10 => "the data does not fit its buffer",
        5..=7 | 20 | 48 => "it did not accept a length in the message",
        12 => "the message has no data",
        36 => "it saw a breach of the protocol",
        40 => "security violation",
        51 | 52 => "no security data was sent",
        53 => "no password was sent",
        54 => "no user ID was sent",
        55 => "neither user ID nor password was sent",
        56 => "the client ID is in use on another connection",
        72 => "the data store is unknown or stopped",
        73 => "it is shutting down",
        74 | 76 => "the data store is stopped",
        75 | 77 => "the connection to the data store broke",
        78 => "RACF refused the user",
        80 => "the IMSplex is not connected",
        150 => "too many messages",
        154 => "user ID, password or group are missing or wrong",
        _ => "no further words",
    }
}

/// The fault for output that is a message of IMS itself (`DFS555I TRAN … ABEND …`): IMS sends those in place of the transaction's
/// answer. Its text is not repeated, as it may quote the request; only the message number and the abend codes are.
pub(crate) fn system_message(record: &[u8]) -> Option<Fault> {
    let text: String = record.iter().take(64).map(|byte| NAMES_CODE_PAGE.decode(*byte).unwrap_or(' ')).collect();
    let mut words = text.split([' ', '\0']).filter(|word| !word.is_empty());
    let number = words.next().filter(|word| is_message_number(word))?;
    let message = match words.skip_while(|word| *word != "ABEND").nth(1) {
        Some(codes) => format!("the transaction ended abnormally: {number} ABEND {}", abend_codes(codes)),
        None => format!("IMS answered with its message {number}"),
    };
    Some(match &number[3..6] {
        "555" => Fault::rejected(Rejection::Conflict, message),
        // Destination unknown, or stopped.
        "064" | "065" => Fault::rejected(Rejection::Precondition, message),
        _ => Fault::unknown(message),
    })
}

/// `DFS`, three or four digits, and perhaps a letter.
fn is_message_number(word: &str) -> bool {
    let Some(rest) = word.strip_prefix("DFS") else { return false };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let letters = rest.len() - digits;
    (3..=4).contains(&digits) && letters <= 1 && rest.bytes().skip(digits).all(|byte| byte.is_ascii_uppercase())
}

/// `S0C7,U0000`: what may be shown of the word after `ABEND`.
fn abend_codes(word: &str) -> String {
    word.chars().filter(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == ',').take(12).collect()
}
