//! The introduction: handshake and settings, and what they tell.

use passerelle_adapter::{ContractSource, Descriptor, ProtoFile};
use passerelle_proto::adapter::v1;
use tonic::{Code, Status};

use crate::connection::Client;
use crate::file::Timeouts;
use crate::kind::NAME;
use crate::link::Trouble;

/// The versions of the port that we speak, the best one first.
const VERSIONS: [u32; 1] = [1];
const BUS: &str = concat!("passerelle/", env!("CARGO_PKG_VERSION"));
/// Bytes of a kind's name at most, as the contract says.
const LONGEST_KIND: usize = 100;

/// Who the adapter is, and what it speaks.
#[derive(Debug, Clone)]
pub(crate) struct Introduced {
    pub(crate) who: v1::DescribeResponse,
    pub(crate) speaks: v1::ConfigureResponse,
}

/// Introduces the bus, and hands over the settings.
pub(crate) async fn introduce(
    client: &mut Client,
    endpoint: &str,
    settings: &str,
    timeouts: Timeouts,
) -> Result<Introduced, Trouble> {
    let late = |what: &str| Trouble::Silent(format!("{what} was not answered within {} ms", timeouts.introduce_ms));
    let request = v1::DescribeRequest { versions: VERSIONS.to_vec(), bus: BUS.to_owned() };
    let who = tokio::time::timeout(timeouts.introduce(), client.describe(request)).await.map_err(|_| late("the handshake"))?;
    let who = who.map_err(|status| trouble("the handshake", &status))?.into_inner();
    if !VERSIONS.contains(&who.version) {
        return Err(Trouble::Refused(format!(
            "it answers with version {} of the port, this bus speaks {VERSIONS:?}; bring the older of the two up to date",
            who.version
        )));
    }
    if !is_kind(&who.kind) {
        return Err(Trouble::Refused(format!("{:?} is no name of a kind; write one as acme/ledger", shortened(&who.kind))));
    }
    let request = v1::ConfigureRequest { endpoint: endpoint.to_owned(), settings: settings.to_owned() };
    let speaks = tokio::time::timeout(timeouts.introduce(), client.configure(request)).await.map_err(|_| late("the settings"))?;
    let speaks = speaks.map_err(|status| trouble("the settings", &status))?.into_inner();
    Ok(Introduced { who, speaks })
}

/// A process that is going is away; one that says no is refused.
fn trouble(what: &str, status: &Status) -> Trouble {
    let text = format!("{what}: {}", shortened(status.message()));
    match status.code() {
        Code::Unavailable | Code::Cancelled | Code::Unknown | Code::Internal => Trouble::Away(text),
        Code::Unimplemented => Trouble::Refused(format!("{what}: the process does not serve passerelle.adapter.v1.Adapter")),
        Code::FailedPrecondition => {
            Trouble::Refused(format!("{text} (this bus is {BUS} and speaks version {VERSIONS:?} of the port)"))
        }
        _ => Trouble::Refused(text),
    }
}

/// `acme/ledger`, or a name of Passerelle's own without a slash.
fn is_kind(kind: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    kind.len() <= LONGEST_KIND && kind.split('/').count() <= 2 && kind.split('/').all(part)
}

fn shortened(text: &str) -> String {
    text.chars().take(1_024).collect()
}

impl Introduced {
    /// What the bus takes in. The kind's own name stands with what is behind, since it is known only now.
    pub(crate) fn descriptor(&self, at: &str) -> Descriptor {
        let file = |file: &v1::ProtoFile| ProtoFile { path: file.path.clone(), text: file.text.clone() };
        let contract = |contract: &v1::Contract| ContractSource {
            name: contract.name.clone(),
            files: contract.files.iter().map(file).collect(),
        };
        let process = format!("{} {} at {at}", self.who.kind, shortened(&self.who.release));
        Descriptor {
            kind: NAME,
            contracts: self.speaks.contracts.iter().map(contract).collect(),
            idempotent: self.speaks.idempotent.clone(),
            behind: std::iter::once(process).chain(self.speaks.behind.iter().map(|behind| shortened(behind))).collect(),
        }
    }

    /// What another one says differently, for people; `None`: nothing that calls rely on.
    pub(crate) fn drift(&self, now: &Self) -> Option<String> {
        let (before, after) = (&self.speaks, &now.speaks);
        let changed = [
            ("its kind", self.who.kind != now.who.kind),
            ("its contracts", before.contracts != after.contracts),
            ("which methods are idempotent", before.idempotent != after.idempotent),
            ("its abilities", before.abilities != after.abilities),
        ];
        let changed: Vec<_> = changed.into_iter().filter_map(|(what, changed)| changed.then_some(what)).collect();
        let text = || format!("the adapter came back as another: {} changed; restart the bus to take it in", changed.join(", "));
        (!changed.is_empty()).then(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_at_most_one_slash_and_plain_letters() {
        for good in ["acme/ledger", "documents", "a-1/b-2"] {
            assert!(is_kind(good), "{good}");
        }
        for bad in ["", "/", "acme/", "/ledger", "a/b/c", "Acme/ledger", "acme/led ger", "acme/\u{e9}", &"a".repeat(101)] {
            assert!(!is_kind(bad), "{bad}");
        }
    }
}
