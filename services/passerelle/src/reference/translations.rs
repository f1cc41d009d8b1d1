//! The page of translations: their files, their examples, and what each type of protobuf is in an expression.

use passerelle_bus::translation::{ExampleFile, File};
use schemars::JsonSchema;
use serde_json::Value;

use super::fields;

const OPENING: &str = "# Translations

A folder (`translations` of the settings) of YAML files, each with any number of translations of one message type to another. Every field of the message that is made has an
expression in FEEL over the message that there is, which is called `source`. All are held against both descriptors when they are loaded: a field that there is not, a value
of another sort, a number that may not fit, a required field without an expression are refused with file, line and column. What nobody can know before is refused when the
message comes, by the field's path and the rule.

```yaml
contract: { proto: [claims.proto] }        # what callers speak, where no endpoint does
methods:
  - { method: shop.claims.v1.Claims/Raise, calls: bank.disputes.v1.CardDisputes/Open }
messages:
  - from: shop.claims.v1.Claim
    to: bank.disputes.v1.OpenRequest
    required: [card_token]
    fields:
      card_token: source.payment.card
      amount_cents: { value: \"round half up(source.payment.amount * 100, 0)\", narrow: refuse }
      reason: { value: source.reason, table: { NOT_MINE: not mine, TOO_MUCH: too much }, otherwise: unknown }
```

A value that is null leaves its field absent. `now()` and `today()` are null: the same message always becomes the same. A method's request and answer each need a translation, unless both methods have the same type there; streams are not translated.
A request that does not fit is `INVALID_ARGUMENT`, an answer `INTERNAL`; an outcome other than OK goes back as it is. Answers are not shared on
this way; retries and hedges are those of the method that serves.

`passerelle check` tells for each translation which fields are not read and which are never set, and runs the examples beside them.

## A file of translations

";

const EXAMPLES: &str = "
## A file of examples

`NAME.examples.yaml`, in the same folder. Messages are written as in protobuf's JSON.

";

const VALUES: &str = "
## Messages in expressions

| protobuf | FEEL |
| --- | --- |
| integers of every width | number |
| float, double | number, by its shortest decimal digits; `\"NaN\"`, `\"Infinity\"`, `\"-Infinity\"` as texts |
| string, bool | string, boolean |
| bytes | string, base64 |
| enumeration | string, the value's name; a number that has no name stays a number |
| message | context of all its fields, by the names of the `.proto` file |
| repeated, map | list, context (keys as texts) |
| a field that is absent, where that can be told | null; elsewhere its default |
| Timestamp, Duration, wrappers | date and time in UTC, days and time duration, the value or null |
| Struct, Value, ListValue | context, value, list |
| Any | context with `@type` |
| google.type.Date, TimeOfDay, DateTime | date, time, date and time; the context of its fields, where parts are missing |
| google.type.Money | context of `currency_code` and `amount` |
| google.type.Decimal, Interval | number of 34 digits, range |

Fields that the contract does not know, and extensions, are not carried along.
";

/// The page.
pub(super) fn page() -> String {
    let (file, examples) = (schema_of::<File>(), schema_of::<ExampleFile>());
    format!("{OPENING}{}{EXAMPLES}{}{VALUES}", fields::markdown(&file), fields::markdown(&examples))
}

/// The JSON schema of a file of translations, for editors.
pub(super) fn schema() -> String {
    format!("{:#}\n", schema_of::<File>())
}

fn schema_of<T: JsonSchema>() -> Value {
    schemars::schema_for!(T).to_value()
}
