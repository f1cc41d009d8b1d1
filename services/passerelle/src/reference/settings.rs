//! The pages of the settings: for people, for editors, and a file to begin with.

use super::fields;
use crate::settings::json_schema;

const OPENING: &str = "# Settings

One YAML file, `passerelle.yaml`; `--settings FILE` or `PASSERELLE_SETTINGS` names another. Relative paths start at its folder.
An unknown key is an error. `passerelle check` proves a file without serving.

Each key can also be given by an environment variable, which goes before the file: `PASSERELLE_` and the key in capitals, two
underscores going one level down, hyphens of endpoint names as underscores, lists with commas:

```sh
PASSERELLE_LISTEN=0.0.0.0:7400
PASSERELLE_LIMITS__DEADLINE_MS=5000
PASSERELLE_ENDPOINTS__CARD_DISPUTES__ADDRESSES=http://10.0.0.1:50061,http://10.0.0.2:50061
```

An empty variable counts as not set.

";

/// Every key, for people.
pub(super) fn page() -> String {
    format!("{OPENING}{}", fields::markdown(&json_schema()))
}

/// The JSON schema, for editors.
pub(super) fn schema() -> String {
    format!("{:#}\n", json_schema())
}

/// A settings file to begin with.
pub(super) fn sample() -> String {
    include_str!("../../../../deploy/passerelle.yaml").to_owned()
}
