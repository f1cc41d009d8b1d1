//! Reports of a run with one law of each outcome.

use std::time::Duration;

use expect_test::expect;

use super::{Outcome, Report, Row};

fn report(outcomes: [Outcome; 3]) -> Report {
    let laws = crate::laws::all();
    let named = ["call.unary.one-answer", "effect.same-key", "lookup.undeclared"];
    let laws = named.iter().filter_map(|id| laws.iter().find(|law| law.id == *id));
    let rows = laws.zip(outcomes).map(|(law, outcome)| Row { law: *law, outcome, took: Duration::from_millis(12) });
    Report { rows: rows.collect(), took: Duration::from_secs(3) }
}

fn mixed() -> Report {
    let seen = "a <b> & \"c\"\u{7}".to_owned();
    report([Outcome::Kept, Outcome::Broken(seen), Outcome::NotProven("give more".to_owned())])
}

#[test]
fn a_person_reads_what_broke_why_it_matters_and_how_to_mend_it() {
    let mut text: String = mixed().rows.iter().map(|row| row.line() + "\n").collect();
    text.push_str(&mixed().text().replace('\u{7}', ""));
    expect![[r#"
          kept        call.unary.one-answer              12 ms
          broken      effect.same-key                    12 ms
          not proven  lookup.undeclared                  12 ms

        BROKEN  effect.same-key: The same key with the same request has one effect and one answer
          seen  a <b> & "c"
          why   The bus asks again under the same key when an answer was lost: without this law the customer pays twice.
          mend  Keep key and answer where the effect is kept, in the same transaction; answer a known key from there.

        Not proven, for want of means:
          give more
            lookup.undeclared

        3 laws: 1 kept, 1 broken, 1 not proven; 3 s. Maturity earned: none
    "#]]
    .assert_eq(&text);
}

#[test]
fn ci_reads_junit() {
    expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuite name="passerelle conformance" tests="3" failures="1" skipped="1" time="3.000">
          <testcase classname="call" name="call.unary.one-answer: A unary call is answered with exactly one message" time="0.012"/>
          <testcase classname="effect" name="effect.same-key: The same key with the same request has one effect and one answer" time="0.012">
            <failure message="a &lt;b&gt; &amp; &quot;c&quot;">why: The bus asks again under the same key when an answer was lost: without this law the customer pays twice.
        mend: Keep key and answer where the effect is kept, in the same transaction; answer a known key from there.</failure>
          </testcase>
          <testcase classname="lookup" name="lookup.undeclared: Look-up that is not declared is refused as unimplemented" time="0.012">
            <skipped message="not proven: give more"/>
          </testcase>
        </testsuite>
    "#]]
    .assert_eq(&mixed().junit());
}

#[test]
fn programs_read_json() {
    let json = mixed().json();
    assert_eq!(json["maturity"], serde_json::Value::Null);
    assert_eq!((&json["kept"], &json["broken"], &json["not_proven"]), (&1.into(), &1.into(), &1.into()));
    assert_eq!((&json["laws"][1]["id"], &json["laws"][1]["outcome"]), (&"effect.same-key".into(), &"broken".into()));
    assert_eq!((&json["laws"][2]["outcome"], &json["laws"][2]["detail"]), (&"not_proven".into(), &"give more".into()));
}

#[test]
fn maturity_is_earned_by_a_whole_run() {
    let of = |broken: usize, unproven: usize| {
        let rows = crate::laws::all().into_iter().enumerate().map(|(index, law)| {
            let outcome = match index {
                index if index < broken => Outcome::Broken(String::new()),
                index if index < broken + unproven => Outcome::NotProven(String::new()),
                _ => Outcome::Kept,
            };
            Row { law, outcome, took: Duration::ZERO }
        });
        Report { rows: rows.collect(), took: Duration::ZERO }.maturity().map_or("none", passerelle_adapter::Maturity::as_str)
    };
    assert_eq!([of(0, 0), of(0, 10), of(0, 40), of(1, 0)], ["stable", "beta", "alpha", "none"]);
    let some = report([Outcome::Kept, Outcome::Kept, Outcome::Kept]);
    assert_eq!(some.maturity(), None, "a run of some laws earns nothing");
}
