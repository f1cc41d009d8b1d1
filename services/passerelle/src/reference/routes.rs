//! The pages of route files: for people and for editors.

use passerelle_bus::route;
use schemars::schema_for;
use serde_json::Value;

use super::fields;
use crate::route_cases;

const OPENING: &str = include_str!("routes.md");

const CASES: &str = "
## Cases

`NAME.cases.yaml` beside the route files. `passerelle route test` runs them, and so does `passerelle check`.

";

fn routes() -> Value {
    schema_for!(route::File).to_value()
}

/// Route files and cases, for people.
pub(super) fn page() -> String {
    let cases = schema_for!(route_cases::File).to_value();
    format!("{OPENING}{}{CASES}{}", fields::markdown(&routes()), fields::markdown(&cases))
}

/// The JSON schema, for editors.
pub(super) fn schema() -> String {
    format!("{:#}\n", routes())
}
