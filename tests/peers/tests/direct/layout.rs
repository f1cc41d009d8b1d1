//! The layout oracle, and our layouts against it.

use std::path::Path;

use passerelle_copybook::{Copybook, Layout};
use passerelle_peers::layout::Item;
use passerelle_peers::{Mainframe, layout};

#[test]
fn the_oracle_says_where_each_item_of_the_inquiry_record_lies() {
    let Some(items) = layout::of_copybook(&Mainframe::copybook()) else { return };
    let place = |name: &str| items.iter().find(|item| item.name == name).map(|item| (item.offset, item.size, item.occurs));
    assert_eq!(place("BK-INQUIRY"), Some((0, 688, None)));
    assert_eq!(place("BK-BALANCE"), Some((70, 7, None)));
    assert_eq!(place("BK-RATE"), Some((77, 8, None)), "a separate sign takes a byte");
    assert_eq!(place("BK-POST"), place("BK-PHONE"), "an overlay lies where the overlaid lies");
    assert_eq!(place("BK-ACCOUNT"), Some((148, 27, Some(20))));
    assert_eq!(place("BK-ACCOUNT-MOVE"), Some((163, 4, Some(3))));
}

#[test]
fn our_layouts_are_those_of_a_real_compiler() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for copybook in [folder.join("tests/direct/layouts.cpy"), Mainframe::copybook()] {
        let Some(theirs) = layout::of_copybook(&copybook) else { return };
        let ours = our_layouts(&copybook);
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(ours, theirs, "of {}", copybook.display());
        }
        assert_eq!(ours.len(), theirs.len());
    }
}

/// Every named item, as the oracle tells it.
fn our_layouts(copybook: &Path) -> Vec<Item> {
    let text = std::fs::read_to_string(copybook).unwrap();
    let records = Copybook::parse(&copybook.display().to_string(), &text).unwrap();
    let layouts = records.records().iter().map(|record| Layout::of(record).unwrap());
    let rows = layouts.flat_map(|layout| layout.rows().to_vec());
    let items = rows.map(|row| Item {
        level: row.level,
        name: row.path.rsplit('.').next().unwrap_or_default().to_owned(),
        offset: row.offset,
        size: row.length,
        occurs: (row.elements > 1).then_some(row.elements as usize),
    });
    items.filter(|item| !item.name.starts_with("FILLER")).collect()
}
