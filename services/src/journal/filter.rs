//! Which messages a subscription shows.

use passerelle_proto::bus::v1;
use tonic::Status;

/// Values of one field at most.
const MOST_VALUES: usize = 100;
/// Bytes of one value at most.
const LONGEST_VALUE: usize = 256;

/// A filter that can be asked.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    types: Patterns,
    sources: Patterns,
    subjects: Patterns,
    channels: Vec<String>,
    customers: Vec<String>,
}

impl Filter {
    /// A filter of these values.
    ///
    /// # Errors
    /// Which value makes no sense, and why.
    pub fn new(filter: v1::Filter) -> Result<Self, Status> {
        let v1::Filter { types, sources, subjects, channels, customers } = filter;
        let fields = [
            ("types", &types, true),
            ("sources", &sources, true),
            ("subjects", &subjects, true),
            ("channels", &channels, false),
            ("customers", &customers, false),
        ];
        for (field, values, patterns) in fields {
            check(field, values, patterns)?;
        }
        Ok(Self {
            types: Patterns::new(types),
            sources: Patterns::new(sources),
            subjects: Patterns::new(subjects),
            channels,
            customers,
        })
    }

    /// Whether the message is to be shown.
    pub(crate) fn fits(&self, message: &v1::Message) -> bool {
        let one_of = |values: &[String], value: &String| values.is_empty() || values.contains(value);
        self.types.fit(&message.r#type)
            && self.sources.fit(&message.source)
            && self.subjects.fit(&message.subject)
            && one_of(&self.channels, &message.channel)
            && one_of(&self.customers, &message.customer)
    }
}

fn check(field: &str, values: &[String], patterns: bool) -> Result<(), Status> {
    let refused = |why: String| Err(Status::invalid_argument(format!("filter.{field}: {why}")));
    if values.len() > MOST_VALUES {
        return refused(format!("{} values, at most {MOST_VALUES} are taken", values.len()));
    }
    for (index, value) in values.iter().enumerate() {
        if value.is_empty() {
            return refused(format!("value {index} is empty; leave the field out to let everything through"));
        }
        if value.len() > LONGEST_VALUE {
            return refused(format!("value {index} has {} bytes, at most {LONGEST_VALUE} are taken", value.len()));
        }
        if patterns && value.strip_suffix('*').unwrap_or(value).contains('*') {
            return refused(format!("value {index} has a `*` that is not at its end; only a final one is understood"));
        }
    }
    Ok(())
}

/// Values of one field, exact or up to a final `*`; none lets everything through.
#[derive(Debug, Clone, Default)]
struct Patterns {
    exact: Vec<String>,
    beginnings: Vec<String>,
}

impl Patterns {
    fn new(values: Vec<String>) -> Self {
        let mut patterns = Self::default();
        for value in values {
            match value.strip_suffix('*') {
                Some(beginning) => patterns.beginnings.push(beginning.to_owned()),
                None => patterns.exact.push(value),
            }
        }
        patterns
    }

    fn fit(&self, value: &str) -> bool {
        let open = self.exact.is_empty() && self.beginnings.is_empty();
        open || self.exact.iter().any(|exact| exact == value)
            || self.beginnings.iter().any(|start| value.starts_with(start.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    fn message() -> v1::Message {
        v1::Message {
            r#type: "com.example.basket.filled".to_owned(),
            source: "/web/shop".to_owned(),
            subject: "basket-7".to_owned(),
            channel: "web".to_owned(),
            customer: "4711".to_owned(),
            ..Default::default()
        }
    }

    #[test]
    fn every_field_that_is_given_must_fit() {
        let filter = |types: &[&str], sources: &[&str], subjects: &[&str], channels: &[&str], customers: &[&str]| v1::Filter {
            types: list(types),
            sources: list(sources),
            subjects: list(subjects),
            channels: list(channels),
            customers: list(customers),
        };
        let cases = [
            (filter(&[], &[], &[], &[], &[]), true),
            (filter(&["com.example.basket.filled"], &[], &[], &[], &[]), true),
            (filter(&["com.example.basket"], &[], &[], &[], &[]), false),
            (filter(&["com.example.basket.*"], &[], &[], &[], &[]), true),
            (filter(&["org.*", "com.*"], &["/web/*"], &["basket-7"], &["web"], &["4711"]), true),
            (filter(&["*"], &[], &[], &[], &[]), true),
            (filter(&["com.*"], &["/branch*"], &[], &[], &[]), false),
            (filter(&[], &[], &["basket-8"], &[], &[]), false),
            (filter(&[], &[], &[], &["we"], &[]), false),
            (filter(&[], &[], &[], &["we*"], &[]), false),
            (filter(&[], &[], &[], &[], &["4712", "4711"]), true),
        ];
        for (filter, fits) in cases {
            assert_eq!(Filter::new(filter.clone()).unwrap().fits(&message()), fits, "{filter:?}");
        }
    }

    #[test]
    fn a_filter_that_makes_no_sense_says_which_value() {
        let refused = |types: Vec<String>| {
            let filter = v1::Filter { types, ..Default::default() };
            Filter::new(filter).unwrap_err().message().to_owned()
        };
        assert_eq!(refused(list(&["a", ""])), "filter.types: value 1 is empty; leave the field out to let everything through");
        assert!(refused(list(&["a*b"])).contains("value 0 has a `*` that is not at its end"));
        assert!(refused(vec!["x".repeat(257)]).contains("257 bytes, at most 256"));
        assert!(refused(vec!["x".to_owned(); 101]).contains("101 values, at most 100"));
        let multibyte = v1::Filter { types: list(&["é"]), ..Default::default() };
        assert!(Filter::new(multibyte).is_ok());
    }
}
