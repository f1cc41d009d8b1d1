//! Messages of protobuf as values of FEEL, and back, by their descriptors.
//!
//! | protobuf | FEEL |
//! | --- | --- |
//! | integers of every width | number |
//! | float, double | number, by its shortest decimal digits; `"NaN"`, `"Infinity"`, `"-Infinity"` as texts, as in protobuf's JSON |
//! | string, bool | string, boolean |
//! | bytes | string, base64 with padding |
//! | enumeration | string, the value's name; a number that has no name stays a number |
//! | message | context of all its fields, by the names of the `.proto` file |
//! | field that is absent, where that can be told (optional, message, oneof) | null |
//! | field that is absent, where it cannot | its default |
//! | repeated, map | list, context (keys as texts) |
//! | Timestamp, Duration, wrappers | date and time in UTC, days and time duration, the value or null |
//! | Struct, Value, ListValue | context, value, list |
//! | Any | context with `@type`, and the message's fields (`value`, where it stands for one value, or where its type is not known: then base64) |
//! | google.type.Date, TimeOfDay, DateTime | date, time, date and time; where parts are missing the context of its fields |
//! | google.type.Money, Decimal, Interval | context of `currency_code` and `amount`, number, range (its end is not in it) |
//!
//! Nothing is rounded on the way in. On the way out a number must fit its field; only into float and double it is rounded, to the nearest.
//! Unknown fields and extensions have no name in an expression and are not carried along; neither is the sign of a zero.

mod error;
mod read;
pub mod scalar;
mod shape;
#[cfg(test)]
mod tests;
mod types;
mod well_known;
mod write;

pub use error::{PayloadError, Rule};
pub use read::to_value;
pub(crate) use shape::range;
pub use shape::shape_of;
pub use types::type_of;
pub use well_known::{Single, single};
pub use write::from_value;
