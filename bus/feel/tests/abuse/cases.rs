//! The hostile expressions, by what they abuse.

/// What must come of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// An error, of reading or of evaluating, that names a limit.
    Limit,
    /// An error of any kind: the text is none either.
    Error,
    /// Whatever, as long as it comes soon.
    Anything,
}

use Expected::{Anything, Error, Limit};

pub(crate) type Case = (&'static str, String, Expected);

fn nested(open: &str, inner: &str, close: &str, times: usize) -> String {
    [&open.repeat(times), inner, &close.repeat(times)].concat()
}

/// `{name0: …, name1: …, …}.last`
fn chain(count: usize, first: &str, next: &str) -> String {
    let entries: Vec<String> = (0..count)
        .map(|n| if n == 0 { format!("x0: {first}") } else { format!("x{n}: {}", next.replace('@', &format!("x{}", n - 1))) })
        .collect();
    format!("{{{}}}.x{}", entries.join(", "), count - 1)
}

pub(crate) fn all() -> Vec<Case> {
    [reading(), looping(), growing(), comparing(), functions()].concat()
}

fn reading() -> Vec<Case> {
    let deep = 100_000;
    let mut cases: Vec<Case> = [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{a: ", "1", "}"),
        ("-", "1", ""),
        ("- ", "1", ""),
        ("if true then ", "1", " else 2"),
        ("if ", "true", " then 1 else 2"),
        ("function() ", "1", ""),
        ("function(a) ", "1", ""),
        ("for i in 1..2 return ", "1", ""),
        ("for i in ", "[1]", " return 1"),
        ("some i in [1] satisfies ", "true", ""),
        ("not(", "true", ")"),
        ("1 in (", "1", ")"),
        ("1 in (not(", "1", "))"),
        ("[1][", "1", "]"),
        ("1 + (", "1", ")"),
        ("2 ** ", "2", ""),
        ("a.", "a", ""),
        ("(1 = ", "1", ")"),
        ("(1.. ", "2", ")"),
        ("abs(n: ", "1", ")"),
        ("abs(", "1", ")"),
        ("(<", "1", ")"),
        ("(=", "1", ")"),
        ("\"a\" + ", "\"a\"", ""),
        ("@\"", "", "\""),
        ("/*", "", "*/"),
        ("//\n", "1", ""),
        ("1 between 1 and ", "2", ""),
        ("1 instance of list<", "number", ">"),
        ("1 instance of function<number> -> ", "number", ""),
        ("1 instance of context<a: ", "number", ">"),
    ]
    .into_iter()
    .map(|(open, inner, close)| (open, nested(open, inner, close, deep), Anything))
    .collect();
    for sign in [
        "(",
        "[",
        "{a:",
        "-",
        "if ",
        "\"",
        "@\"",
        "a.",
        "1+",
        "1 in (",
        "not(",
        "{",
        "/*",
        "\\",
        "\u{0}",
        "\u{1F40E}",
        "=",
        "a b ",
    ] {
        cases.push((sign, sign.repeat(deep), Anything));
    }
    let many = |one: &str, count: usize| vec![one; count].join(", ");
    let numbered = |of: &str, count: usize| (0..count).map(|n| of.replace('#', &n.to_string())).collect::<Vec<_>>().join(", ");
    cases.extend([
        ("operators in a row", format!("1{}", " + 1".repeat(deep)), Limit),
        (
            "operators in parentheses in a row",
            (0..60).fold("1".to_owned(), |text, _| format!("({text}{})", " + 1".repeat(120))),
            Anything,
        ),
        ("calls in a row", format!("f{}", "(1)".repeat(deep)), Limit),
        (
            "calls in parentheses in a row",
            (0..60).fold("f".to_owned(), |text, _| format!("({text}{})", "[1]".repeat(60))),
            Anything,
        ),
        ("a long list", format!("[{}]", many("1", 300_000)), Limit),
        ("a long text", format!("\"{}\"", "x".repeat(4 << 20)), Limit),
        ("many entries", format!("{{{}}}", numbered("a#: #", 40_000)), Anything),
        ("many entries with spaces", format!("{{{}}}", numbered("a #: #", 40_000)), Anything),
        ("many entries that name one another", format!("{{a0: 1, {}}}", numbered("b#: a0", 40_000)), Anything),
        ("many parameters", format!("function({}) 1", numbered("p#", 40_000)), Anything),
        ("many parameters, used", format!("function({}) [{}]", numbered("p#", 20_000), numbered("p#", 20_000)), Anything),
        ("many iterators", format!("for {} return 1", numbered("i# in 1..2", 20_000)), Anything),
        ("many unknown names", format!("[{}]", numbered("u#", 60_000)), Anything),
        ("many loops", format!("[{}]", many("for i in a return i", 40_000)), Anything),
        ("many arguments", format!("f({})", many("1", 90_000)), Anything),
        ("many named arguments", format!("f({})", numbered("a#: 1", 50_000)), Anything),
        ("many tests", format!("1 in ({})", many("2", 90_000)), Anything),
        ("many attempts", format!("{}1", "1 in (1 in (1) + ".repeat(40)), Anything),
        ("many failed attempts", format!("[{}]", many("1 in (1 +) + 1", 50_000)), Error),
        ("many types", format!("[{}]", many("1 instance of a b c d e f g h", 30_000)), Anything),
        ("one long type", format!("1 instance of {}", "a ".repeat(400_000)), Anything),
        ("one long name", "x".repeat(1 << 20), Anything),
        ("one long parameter", format!("function({}) 1", "x ".repeat(400_000)), Anything),
        ("a huge number", "9".repeat(20_000), Error),
        ("a number of many digits", format!("0.{}", "9".repeat(200_000)), Anything),
        ("a huge exponent", "1e999999999999".to_owned(), Error),
        ("a tiny exponent", "1e-999999999999".to_owned(), Anything),
    ]);
    cases
}

fn looping() -> Vec<Case> {
    let texts = [
        ("for i in 1..10000000 return i", Limit),
        ("sum(for i in 1..10000000 return i)", Limit),
        ("count(for i in 1..1000, j in 1..1000, k in 1..1000 return 1)", Limit),
        ("for a in 1..100000, b in 1..100000, c in 1..100000, d in 1..100000 return a", Limit),
        ("some i in 1..100000000 satisfies i < 0", Limit),
        ("every i in 1..10000, j in 1..10000 satisfies true", Limit),
        ("for i in -9223372036854775807..9223372036854775807 return 1", Limit),
        ("for i in date(\"-9999-01-01\")..date(\"9999-12-31\") return for j in 1..100000 return 1", Limit),
        ("for i in 0..100000 return partial", Limit),
        ("for i in 0..100000 return [partial[-1]]", Limit),
        ("for i in 0..100000 return count(partial)", Anything),
        ("for i in 0..100000 return {a: partial[-1]}", Limit),
        ("for i in 1..100000 return for j in 1..100000 return partial", Limit),
        ("for i in 1..100000 return {}", Anything),
        ("[1..100000][item > 5]", Anything),
        ("{l: for i in 1..100000 return i, r: for i in l return l[item > 0]}.r", Limit),
        ("{l: for i in 1..100000 return i, r: for i in l return l.x}.r", Limit),
        ("{l: for i in 1..100000 return i, r: for i in l return l[-1]}.r", Anything),
        ("{l: for i in 1..1000 return i, r: l[l[l[item > 0][1] > 0][1] > 0]}.r", Limit),
    ];
    texts.into_iter().map(|(text, expected)| (text, text.to_owned(), expected)).collect()
}

fn growing() -> Vec<Case> {
    let mut cases = vec![
        ("a text doubled", chain(60, "\"0123456789abcdef\"", "@ + @"), Limit),
        ("a list doubled", chain(60, "[1]", "concatenate(@, @)"), Limit),
        ("a list of twice itself", chain(60, "[1]", "[@, @]"), Limit),
        ("a context of twice itself", chain(60, "1", "{a: @, b: @}"), Limit),
        ("a list within a list", chain(1000, "[1]", "[@]"), Limit),
        ("a context within a context", chain(1000, "1", "{a: @}"), Limit),
        ("a list flattened and doubled", chain(60, "[1]", "flatten([@, @])"), Limit),
        ("a number squared", chain(60, "10", "@ * @"), Anything),
        ("a text replaced by twice itself", chain(60, "\"a\"", "replace(@, \"a\", \"aa\")"), Limit),
        ("a text replaced everywhere", chain(60, "\"a\"", "replace(@, \"a\", \"aa\")"), Limit),
        ("a text joined", chain(60, "\"a\"", "string join([@, @, @])"), Limit),
        ("a text made of a list", chain(60, "\"a\"", "string([@, @])"), Limit),
        ("a context merged", chain(60, "{a: 1}", "context merge([@, {a: @}])"), Anything),
        ("a context put", chain(1000, "{}", "context put(@, \"a\", @)"), Limit),
        ("deep keys", format!("context put({{}}, [{}], 1)", vec!["\"a\""; 100_000].join(", ")), Anything),
    ];
    let texts = [
        ("for i in 1..100000 return string(10 ** 6000)", Limit),
        ("string(for i in 1..100000 return 10 ** 6000)", Limit),
        ("{t: string(10 ** 6000), r: string(for i in 1..100000 return t)}.r", Limit),
        ("{t: string(10 ** 6000), r: string join(for i in 1..100000 return t)}.r", Limit),
        ("{a: function(s) s + s, b: function(s) a(a(a(a(s)))), r: b(b(b(b(b(b(\"xxxxxxxxxxxxxxxx\"))))))}.r", Limit),
        ("get entries(context(for i in 1..100000 return {key: string(i), value: i}))", Limit),
        ("context merge(for i in 1..100000 return context([{key: string(i), value: i}]))", Limit),
        ("split(string(10 ** 6000), \"\")", Anything),
        ("for i in 1..100000 return split(string(10 ** 6000), \"\")", Limit),
        ("for i in 1..100000 return upper case(string(10 ** 6000))", Limit),
        ("for i in 1..100000 return substring(string(10 ** 6000), 2)", Limit),
        ("for i in 1..100000 return append([], i)", Anything),
        ("for i in 1..100000 return for j in 1..100 return append(partial, partial)", Limit),
        ("for i in 1..100000 return (for j in 1..99999 return j)[1]", Limit),
    ];
    cases.extend(texts.into_iter().map(|(text, expected)| (text, text.to_owned(), expected)));
    cases
}

fn comparing() -> Vec<Case> {
    let list = "{l: for i in 1..100000 return i, r: ";
    let text = "{t: string join(for i in 1..170 return string(10 ** 6000)), r: ";
    let with = |begin: &str, rest: &str| format!("{begin}{rest}}}.r");
    vec![
        ("a list with itself, again and again", with(list, "for i in 1..100000 return l = l"), Limit),
        ("a list in a list, again and again", with(list, "for i in 1..100000 return l in (l)"), Limit),
        ("a list contained, again and again", with(list, "for i in 1..100000 return list contains(l, l)"), Limit),
        ("an item contained, again and again", with(list, "for i in 1..100000 return list contains(l, 0)"), Limit),
        ("an item that is not in a list, again and again", with(list, "for i in 1..100000 return 0 in (l)"), Limit),
        ("a list between, again and again", with(list, "for i in 1..100000 return l between l and l"), Limit),
        ("the place of a list, again and again", with(list, "for i in 1..100000 return index of([l, l, l], l)"), Limit),
        ("distinct lists", with(list, "distinct values(for i in 1..100000 return append(l, i))"), Limit),
        ("distinct numbers", with(list, "distinct values(l)"), Limit),
        ("distinct texts", with(text, "distinct values(for i in 1..1000 return t)"), Anything),
        ("a union", with(list, "union(l, l, l)"), Limit),
        ("a text with itself, again and again", with(text, "for i in 1..100000 return t = t"), Limit),
        ("a text sorted", with(text, "sort(for i in 1..100000 return t)"), Limit),
        ("a text's greatest, again and again", with(text, "for i in 1..100 return max(for i in 1..1000 return t)"), Limit),
        ("a text contained, again and again", with(text, "for i in 1..100000 return contains(t, \"x\")"), Limit),
        ("a text measured, again and again", with(text, "for i in 1..100000 return string length(t)"), Limit),
        ("a text that is no number, again and again", with(text, "for i in 1..100000 return number(t)"), Limit),
        ("a text that is no date, again and again", with(text, "for i in 1..100000 return date(t)"), Limit),
        ("a text that is no time, again and again", with(text, "for i in 1..100000 return time(t)"), Limit),
        ("a text that is no moment, again and again", with(text, "for i in 1..100000 return date and time(t)"), Limit),
        ("a text that is no duration, again and again", with(text, "for i in 1..100000 return duration(t)"), Limit),
        ("a text that is no range, again and again", with(text, "for i in 1..100000 return range(\"[\" + t + \"..1]\")"), Limit),
        ("a list sorted by contradictions", with(list, "sort(l, function(a, b) a < b or b < a)"), Limit),
        ("a list sorted, again and again", with(list, "for i in 1..1000 return sort(reverse(l))"), Limit),
        ("a list of one type, again and again", with(list, "for i in 1..100000 return l instance of list<number>"), Limit),
        (
            "a list for a parameter, again and again",
            with(list, "for i in 1..100000 return (function(x: list<number>) 1)(l)"),
            Limit,
        ),
        ("a pattern with itself", with(text, "for i in 1..100 return matches(t, \"(0|1)*1(0|1){50}x\")"), Limit),
        ("an unfortunate pattern", format!("matches(\"{}!\", \"^(a+)+$\")", "a".repeat(10_000)), Anything),
        ("a pattern of repeated repetitions", "matches(\"a\", \"((a{1000}){1000}){1000}\")".to_owned(), Anything),
        ("patterns of repetitions", "for i in 1..100000 return matches(\"a\", \"\\\\w{90}\" + string(i))".to_owned(), Limit),
        ("a long pattern", format!("matches(\"a\", \"{}\")", "\\\\w".repeat(4000)), Anything),
        ("a pattern on a long text", with(text, "matches(replace(t, \"10\", \"01\"), \"[01]*1[01]{900}$\")"), Anything),
        ("a replacement by a long text", with(text, "replace(t, \"0\", t)"), Limit),
        ("a replacement of nothing", with(text, "replace(t, \"x*\", \"\")"), Anything),
    ]
}

fn functions() -> Vec<Case> {
    let texts = [
        ("for i in 1..100000 return if i = 1 then 0 else (function(x) function() x)(partial[-1])", Anything),
        ("for i in 1..100000 return function() partial", Limit),
        ("{f: function(n) f(n + 1), r: f(0)}.r", Limit),
        ("{f: function(n) if n = 0 then 0 else 1 + f(n - 1), r: f(1000000)}.r", Limit),
        ("{f: function(n) f(n - 1) + f(n - 1), r: f(0)}.r", Limit),
        ("{f: function(n) if n = 0 then 1 else f(n - 1) + f(n - 1), r: f(100)}.r", Limit),
        ("{f: function(n) [f(n - 1), f(n - 1)], r: f(0)}.r", Limit),
        ("{f: function(g) g(g), r: f(f)}.r", Limit),
        ("{f: function(n) if n = 0 then 0 else f(n - 1), r: for i in 1..100000 return f(2000)}.r", Limit),
        ("{f: function(n) sort([1, 2], function(a, b) f(n + 1)), r: f(0)}.r", Limit),
        ("{f: function(n) for i in 1..1000 return f(n + 1), r: f(0)}.r", Limit),
        ("{f: function(s, n) if n = 0 then s else f(function() s, n - 1), r: f(0, 100000)}.r", Limit),
        ("(function(f) f(f))(function(f) f(f))", Limit),
    ];
    texts.into_iter().map(|(text, expected)| (text, text.to_owned(), expected)).collect()
}
