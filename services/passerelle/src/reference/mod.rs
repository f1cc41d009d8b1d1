//! The reference: pages generated from the program itself, printed by `passerelle reference` and kept in `deploy/reference/`.

mod adapters;
mod commands;
mod conformance;
mod errors;
pub(crate) mod fields;
mod metrics;
mod routes;
mod settings;
mod translations;

/// A page of the reference.
pub struct Page {
    /// What people type: `passerelle reference NAME`.
    pub name: &'static str,
    /// What is in it.
    pub about: &'static str,
    /// Makes its text.
    pub text: fn() -> String,
}

/// All pages.
pub fn pages() -> Vec<Page> {
    vec![
        Page { name: "settings", about: "every key of the settings file", text: settings::page },
        Page { name: "settings-schema", about: "the same as JSON schema, for editors", text: settings::schema },
        Page { name: "routes", about: "route files, what their conditions may name, and cases", text: routes::page },
        Page { name: "routes-schema", about: "route files as JSON schema, for editors", text: routes::schema },
        Page { name: "adapters", about: "the adapters that are built in, and their files", text: adapters::page },
        Page { name: "conformance", about: "the file that the conformance kit reads, and every law", text: conformance::page },
        Page { name: "errors", about: "every error code and the way out", text: errors::page },
        Page { name: "metrics", about: "every metric for Prometheus", text: metrics::page },
        Page { name: "commands", about: "every command and its arguments", text: commands::page },
        Page {
            name: "recordings",
            about: "the file that `record` writes and `twin` plays",
            text: || include_str!("recordings.md").to_owned(),
        },
        Page { name: "translations", about: "files that turn one message type into another", text: translations::page },
        Page { name: "translations-schema", about: "the same as JSON schema, for editors", text: translations::schema },
        Page { name: "sample", about: "a settings file to begin with", text: settings::sample },
    ]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The file that keeps a page; the sample is kept by hand.
    fn file_of(page: &str) -> Option<String> {
        match page {
            "sample" => None,
            "settings-schema" => Some("settings.schema.json".to_owned()),
            "routes-schema" => Some("routes.schema.json".to_owned()),
            "translations-schema" => Some("translations.schema.json".to_owned()),
            page => Some(format!("{page}.md")),
        }
    }

    /// Repairs the pages where a person works, fails where nobody would notice (CI).
    #[test]
    fn the_pages_in_deploy_are_fresh() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/reference");
        let mut stale = Vec::new();
        for page in pages() {
            let Some(file) = file_of(page.name) else { continue };
            let (path, text) = (folder.join(&file), (page.text)());
            if std::fs::read_to_string(&path).ok().as_ref() != Some(&text) {
                stale.push(file);
                if std::env::var_os("CI").is_none() {
                    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                    std::fs::write(&path, text).unwrap();
                }
            }
        }
        let in_ci = std::env::var_os("CI").is_some();
        assert!(
            stale.is_empty() || !in_ci,
            "stale in deploy/reference: {stale:?}; run `cargo test -p passerelle reference` and commit"
        );
    }
}
