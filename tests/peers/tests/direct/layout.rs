//! What the layout oracle says of our own copybook, against the compiler's manual.

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
