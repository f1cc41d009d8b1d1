//! An account inquiry, and what the COBOL program answers to it: its arithmetic once more, in Rust.

/// What a caller asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inquiry {
    /// `INQ1` answers; `CUT1`, `ODO1` and `PCK1` answer with a spoilt record, `WAIT` never answers, `DIE1` ends the connection.
    pub function: String,
    /// Ten digits; none of them set is a customer that the bank does not have.
    pub customer_id: u64,
    /// Nine digits at most.
    pub call_number: u32,
    /// How many accounts to show, 0 to 20.
    pub wanted: u8,
    /// Comes back as it went: up to 24 characters of EBCDIC 1147.
    pub note: String,
}

/// What the program answers. Amounts are in their smallest unit, so that they compare exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// 0, or why not: 4 no such customer, -8 bad function, -12 too many accounts wanted, -16 record too short.
    pub return_code: i16,
    /// The inquiry's note.
    pub note: String,
    /// The rest, when the return code is 0.
    pub customer: Option<Customer>,
}

/// The customer's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// With an accent.
    pub name: String,
    /// `P` private or `B` business.
    pub segment: char,
    /// Five digits.
    pub branch: u32,
    /// In cents, 13 digits and a sign.
    pub balance_cents: i64,
    /// In ten thousandths, 7 digits and a sign.
    pub rate_e4: i64,
    /// In cents, 9 digits and a sign.
    pub overdraft_cents: i64,
    /// Uses all 16 bits of its field.
    pub score: i16,
    /// Uses all 64 bits of its field.
    pub stamp: u64,
    /// `YYYYMMDD`.
    pub opened_on: u32,
    /// One of two overlays.
    pub contact: Contact,
    /// As many as wanted.
    pub accounts: Vec<Account>,
}

/// How to reach the customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contact {
    /// Kind `P`.
    Phone {
        /// Country calling code.
        country: u16,
        /// With its leading zero.
        number: String,
    },
    /// Kind `M`.
    Post {
        /// Number and street.
        street: String,
        /// Five digits.
        code: String,
        /// Below ground when negative.
        floor: i32,
    },
}

/// One account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Eight digits.
    pub number: String,
    /// In cents, 11 digits and a sign.
    pub balance_cents: i64,
    /// `C` current, `S` savings, `L` loan.
    pub kind: char,
    /// The last three movements.
    pub moves: [i32; 3],
}

impl Inquiry {
    /// The `n`th of a series in which each inquiry differs from the others: names, signs, overlays, and 0 to 20 accounts.
    pub fn nth(n: u32) -> Self {
        let spread = u64::from(n) * 7_368_787_391;
        Self {
            function: "INQ1".to_owned(),
            customer_id: spread % 9_999_999_999 + 1,
            call_number: (spread % 999_999_937) as u32,
            wanted: (n % 21) as u8,
            note: format!("Réf. {n} reçue à l'été"),
        }
    }

    /// What the program answers.
    pub fn answer(&self) -> Answer {
        let return_code = match self {
            Self { function, .. } if function != "INQ1" => -8,
            Self { customer_id: 0, .. } => 4,
            Self { wanted: 21.., .. } => -12,
            _ => 0,
        };
        Answer { return_code, note: self.note.clone(), customer: (return_code == 0).then(|| self.customer()) }
    }

    fn customer(&self) -> Customer {
        let customer = i64::try_from(self.customer_id).expect("ten digits");
        let call = i64::from(self.call_number);
        Customer {
            name: format!("{} DUPONT", ["Chloé", "Anaïs", "François", "Zoë"][(customer % 4) as usize]),
            segment: if customer > 8_000_000_000 { 'B' } else { 'P' },
            branch: (customer % 100_000) as u32,
            balance_cents: customer * 37 - 185_000_000_000,
            rate_e4: call * 7919 % 19_999_999 - 9_999_999,
            overdraft_cents: call * 104_729 % 1_999_999_999 - 999_999_999,
            score: (call * 31 % 65_536 - 32_768) as i16,
            stamp: u64::MAX - self.customer_id * 1_000_003 - u64::from(self.call_number),
            opened_on: ((1970 + customer % 50) * 10_000 + (1 + call % 12) * 100 + 1 + call % 28) as u32,
            contact: self.contact(),
            accounts: (1..=i64::from(self.wanted)).map(|rank| self.account(rank)).collect(),
        }
    }

    fn contact(&self) -> Contact {
        let digits = format!("{:010}", self.customer_id);
        if self.customer_id.is_multiple_of(2) {
            let number = (self.customer_id * 3 + u64::from(self.call_number)) % 1_000_000_000;
            Contact::Phone { country: 33, number: format!("0{number:09}") }
        } else {
            Contact::Post {
                street: format!("{} RUE DE LA PAIX", &digits[7..]),
                code: digits[5..].to_owned(),
                floor: (self.call_number % 199) as i32 - 99,
            }
        }
    }

    fn account(&self, rank: i64) -> Account {
        let call = i64::from(self.call_number);
        let owner = (self.customer_id % 1_000_003) as i64;
        Account {
            number: format!("{:06}{rank:02}", self.customer_id % 1_000_000),
            balance_cents: call * rank - owner * 1000,
            kind: match rank {
                1 => 'C',
                _ if rank % 2 == 0 => 'S',
                _ => 'L',
            },
            moves: [1, 2, 3].map(|step| (call * rank * step % 19_999_999 - 9_999_999) as i32),
        }
    }
}
