//! The page of the conformance kit: the subject file, and every law.

use std::fmt::Write as _;

use passerelle_kit::SubjectFile;

use super::fields;

const BEGINNING: &str = "# Conformance\n\n`passerelle conformance` holds an adapter, in any language, against the laws of the adapter port, while a proxy between it and the system \
behind delays, cuts, duplicates and refuses. A law that is broken is reported with what was seen, why it matters and how to mend it. What could not be checked is reported \
as not proven, with what to give. Adapters built into the bus keep the same laws in its tests.\n\nMaturity earned by a whole run: none where a law is broken, `stable` where all \
that apply are proven, `beta` where at most a tenth is not, `alpha` otherwise.\n\nThe kit makes calls that have effects, and many of them: let it loose on a system that is \
there for it.\n\n## The subject file\n\n`conformance.yaml`, as `--subject` takes it. Nothing in it is required.\n\n";

/// The keys of the subject file, and a table of laws for each group.
pub(super) fn page() -> String {
    let mut text = BEGINNING.to_owned();
    text.push_str(&fields::markdown(&SubjectFile::schema()));
    let laws = passerelle_kit::laws();
    let _ = write!(text, "\n## The {} laws\n", laws.len());
    let mut group = "";
    for law in &laws {
        if law.group() != group {
            group = law.group();
            let _ = write!(text, "\n### {group}\n\n| law | what holds | why | how to mend it |\n| --- | --- | --- | --- |\n");
        }
        let _ = writeln!(text, "| `{}` | {} | {} | {} |", law.id, law.title, law.why, law.mend);
    }
    text
}
