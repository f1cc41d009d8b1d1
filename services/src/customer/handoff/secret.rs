//! The secret that codes and names are made with.
//!
//! What it is for: a code has 35 bits, so that people can type it, and so whoever holds its plain hash finds it by trying all. Journal, views and
//! backups therefore hold only values of HMAC-SHA-256 under a secret that lies outside them (the binary keeps it in a file of its own in
//! the data folder): who reads them without that file learns no code. Who reads both can make the codes of matters that nobody owns yet; keep a backup of
//! the file apart from the others. When the file is lost, codes given out are void and new ones must be asked for, and an offer
//! repeated from before is a new one; nothing else is lost.

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use super::code::Code;

/// Bytes of chance that a code is made from. More than the code has, so that no two codes ever share them.
const NONCE_BYTES: usize = 16;
/// Bytes of a keyed hash that are kept.
const HASH_BYTES: usize = 16;

/// The secret of hand-offs.
#[derive(Clone)]
pub struct Secret(hmac::Key);

/// A code drawn, with what may be kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Drawn {
    /// Chance that it is made from, with the secret: how a repeated call gets the same code.
    pub(super) nonce: Vec<u8>,
    /// Keyed hash by which it is found.
    pub(super) hash: Vec<u8>,
}

impl Secret {
    /// The secret made of 32 random bytes that outlive the process.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// Bytes for a new secret. `None` only where the system has no randomness to give.
    pub fn chance() -> Option<[u8; 32]> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).ok().map(|()| bytes)
    }

    /// Draws a code. `None` only where the system has no randomness to give.
    pub(super) fn draw(&self) -> Option<Drawn> {
        let mut nonce = vec![0; NONCE_BYTES];
        SystemRandom::new().fill(&mut nonce).ok()?;
        Some(Drawn { hash: self.hash(&self.code(&nonce)), nonce })
    }

    /// The code that `nonce` was drawn for.
    pub(super) fn code(&self, nonce: &[u8]) -> Code {
        let [a, b, c, d, e, ..] = self.tag("code", &[nonce]);
        Code::new(u64::from_le_bytes([a, b, c, d, e, 0, 0, 0]))
    }

    /// What a code is found by.
    pub(super) fn hash(&self, code: &Code) -> Vec<u8> {
        self.tag("hash", &[code.symbols()])[..HASH_BYTES].to_vec()
    }

    /// The name of the hand-off that a customer's offer of that idempotency key makes.
    pub fn id(&self, customer: &str, idempotency_key: &str) -> String {
        hexadecimal(&self.tag("id", &[customer.as_bytes(), idempotency_key.as_bytes()])[..HASH_BYTES])
    }

    /// The caller's idempotency key, apart from those of other methods and other callers who happen to choose the same.
    pub(super) fn apart(&self, method: &str, caller: &[&str], idempotency_key: &str) -> String {
        let mut parts = vec![method.as_bytes(), idempotency_key.as_bytes()];
        parts.extend(caller.iter().map(|part| part.as_bytes()));
        hexadecimal(&self.tag("call", &parts)[..HASH_BYTES])
    }

    /// One value for each purpose and list of parts.
    fn tag(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in [purpose.as_bytes()].iter().chain(parts) {
            // The length first: no two lists of parts are the same bytes.
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part);
        }
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_can_be_made_again_with_the_secret_and_found_by_its_hash() {
        let secret = Secret::new(&[7; 32]);
        let drawn = secret.draw().unwrap();
        let code = secret.code(&drawn.nonce);
        assert_eq!(secret.code(&drawn.nonce), code);
        assert_eq!(secret.hash(&code.to_string().to_lowercase().parse().unwrap()), drawn.hash);
        assert_ne!(secret.draw().unwrap().nonce, drawn.nonce);
    }

    #[test]
    fn another_secret_makes_other_codes_hashes_and_names() {
        let (one, other) = (Secret::new(&[1; 32]), Secret::new(&[2; 32]));
        let code = one.code(b"0123456789abcdef");
        assert_ne!(other.code(b"0123456789abcdef"), code);
        assert_ne!(other.hash(&code), one.hash(&code));
        assert_ne!(other.id("c", "k"), one.id("c", "k"));
    }

    #[test]
    fn names_do_not_collide_by_moving_a_border() {
        let secret = Secret::new(&[1; 32]);
        assert_ne!(secret.id("ab", "c"), secret.id("a", "bc"));
        assert_eq!(secret.id("ab", "c"), secret.id("ab", "c"));
        assert_eq!(secret.id("ab", "c").len(), 32);
        assert_ne!(secret.apart("resume", &["web"], "k"), secret.apart("resume", &["branch"], "k"));
        assert_ne!(secret.apart("resume", &["web"], "k"), secret.apart("accept", &["web"], "k"));
    }
}
