//! Routes of a running bus as people read them on a terminal.

use passerelle_proto::bus::v1;

use crate::command::contract::listing::aligned;

/// A set in one line.
pub(super) fn set(set: &v1::RouteSet) -> String {
    let hash = if set.hash.is_empty() { "no files" } else { &set.hash };
    format!("version {} ({hash}), {} routes", set.version, set.routes)
}

/// A set with all its routes.
pub(super) fn list(answer: &v1::ListRoutesResponse) -> String {
    let running = answer.set.clone().unwrap_or_default();
    let mut text = format!("{}\n", set(&running));
    if !running.stale.is_empty() {
        text += &format!("it does not fit the contracts any more, and runs as it was:\n{}\n", running.stale);
    }
    if answer.routes.is_empty() {
        return text;
    }
    let mut rows = vec![["ROUTE", "METHOD", "WHEN", "TO", "WRITTEN AT"].map(str::to_owned)];
    rows.extend(answer.routes.iter().map(|route| {
        let to = match (route.active, route.to.as_str()) {
            (false, _) => "waits for its method",
            (true, "") => "as without it",
            (true, to) => to,
        };
        let when = if route.when.is_empty() { "always" } else { &route.when };
        // One line, whatever people wrote.
        let when = when.split_whitespace().collect::<Vec<_>>().join(" ");
        [route.name.clone(), route.method.clone(), when, to.to_owned(), route.place.clone()]
    }));
    text + &aligned(&rows, "")
}

/// What a reload did.
pub(super) fn reload(answer: &v1::ReloadRoutesResponse, dry_run: bool) -> String {
    let what = match (answer.replaced, dry_run) {
        (false, _) => "nothing changed",
        (true, false) => "reloaded",
        (true, true) => "would be reloaded",
    };
    format!("{what}: {}\n", set(&answer.set.clone().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_set_is_shown_with_its_version_and_what_waits() {
        let route = |name: &str, when: &str, to: &str, active| v1::Route {
            name: name.to_owned(),
            place: "routes/cards.yaml:3:5".to_owned(),
            method: "bank.v1.Cards/Block".to_owned(),
            when: when.to_owned(),
            to: to.to_owned(),
            active,
        };
        let running = v1::RouteSet { version: 3, hash: "1f2e".to_owned(), routes: 3, ..v1::RouteSet::default() };
        let routes = vec![
            route("gold", "request.customer\n  = \"gold\"", "premium", true),
            route("rest", "", "", true),
            route("early", "", "premium", false),
        ];
        expect![[r#"
            version 3 (1f2e), 3 routes
            ROUTE  METHOD               WHEN                       TO                    WRITTEN AT
            gold   bank.v1.Cards/Block  request.customer = "gold"  premium               routes/cards.yaml:3:5
            rest   bank.v1.Cards/Block  always                     as without it         routes/cards.yaml:3:5
            early  bank.v1.Cards/Block  always                     waits for its method  routes/cards.yaml:3:5
        "#]]
        .assert_eq(&list(&v1::ListRoutesResponse { set: Some(running.clone()), routes }));
        let answer = v1::ReloadRoutesResponse { set: Some(running), replaced: true };
        assert_eq!(reload(&answer, true), "would be reloaded: version 3 (1f2e), 3 routes\n");
    }
}
