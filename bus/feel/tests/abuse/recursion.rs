//! Functions that call themselves.

use crate::meter::run;

#[test]
fn a_function_may_call_itself_a_thousand_times_deep() {
    assert_eq!(run("{f: function(n) if n = 0 then 0 else 1 + f(n - 1), r: f(1000)}.r"), Ok("1000".to_owned()));
    let factorial = run("{f: function(n) if n = 0 then 1 else n * f(n - 1), r: f(500)}.r").expect("a number");
    assert!(factorial.starts_with("12201368259911100687012387854230"), "{factorial}");
    assert_eq!(factorial.len(), 1135);
}

#[test]
fn endless_recursion_ends_at_the_depth_limit() {
    for text in [
        "{f: function(n) f(n + 1), r: f(0)}.r",
        "{f: function(n) if n = 0 then 0 else 1 + f(n - 1), r: f(1000000)}.r",
        "{f: function(n) sort([1, 2], function(a, b) f(n + 1)), r: f(0)}.r",
        "{f: function(n) (for i in 1..2 return f(n + i))[1], r: f(0)}.r",
        "{f: function(n) some i in [1, 2] satisfies f(n + i), r: f(0)}.r",
        "{f: function(n) [1, 2][f(item)], r: f(0)}.r",
        "{f: function(n) f(n: n + 1), r: f(0)}.r",
        "{f: function(n) list replace([n], function(item, new) f(item), 1), r: f(0)}.r",
        "{f: function(n) n in (f(n)), r: f(0)}.r",
        "{f: function(n) {a: [f(n)]}, r: f(0)}.r",
        "{f: function(n) if f(n) and f(n) then f(n) or f(n) else -f(n), r: f(0)}.r",
        "{f: function(n) string(f(n)) + string(f(n)), r: f(0)}.r",
        "{f: function(g) g(g), r: f(f)}.r",
    ] {
        assert_eq!(run(text), Err("the expression is nested, or calls itself, more than 10000 levels deep".to_owned()), "{text}");
    }
}
