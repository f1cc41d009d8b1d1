//! The tables that the runner and its users read.

use expect_test::expect;
use passerelle_journal::Position;
use rusqlite::Connection;

use super::jar::{Jar, Order};
use super::world::{World, small};
use crate::keyed::Entities;

/// Every row of a table, written out.
async fn rows(world: &World, sql: &'static str) -> String {
    let read = move |connection: &Connection| {
        let mut statement = connection.prepare(sql)?;
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            let value = |column| row.get::<_, rusqlite::types::Value>(column).map(|value| format!("{value:?}"));
            Ok((0..columns).map(value).collect::<rusqlite::Result<Vec<_>>>()?.join(" ") + "\n")
        };
        statement.query_map([], row)?.collect::<rusqlite::Result<String>>()
    };
    world.projection().read_at_least(world.journal.durable().borrow().position, read).await.unwrap()
}

#[tokio::test]
async fn entities_show_the_last_state_with_its_columns_and_are_found_by_them() {
    let world = World::new(small());
    for (key, coins) in [("a", 3), ("b", 1), ("c", 2), ("a", 4)] {
        world.ask(key, Order::Put(coins)).await.unwrap();
    }
    // With snapshots in between.
    for _ in 0..6 {
        world.ask("b", Order::Put(1)).await.unwrap();
    }
    expect![[r#"
        Text("a") Integer(2) Integer(4) Integer(7)
        Text("b") Integer(7) Integer(10) Integer(7)
        Text("c") Integer(1) Integer(3) Integer(2)
    "#]]
    .assert_eq(&rows(&world, "SELECT key, sequence, position, coins FROM jar ORDER BY key").await);
    let (rich, c, nobody) = world
        .projection()
        .read(|connection| {
            let rich = Entities::<Jar>::select(connection, "WHERE coins > ?1 ORDER BY key LIMIT 10", [5])?;
            Ok((rich, Entities::<Jar>::find(connection, "c")?, Entities::<Jar>::find(connection, "d")?))
        })
        .await
        .unwrap();
    assert_eq!(rich.iter().map(|entity| entity.key.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let c = c.unwrap();
    assert_eq!((c.sequence, c.position, c.state.coins), (1, Position(3), 2));
    assert_eq!(nobody, None);
}

#[tokio::test]
async fn timers_are_there_until_they_are_fired_replaced_or_taken_back() {
    let world = World::new(small());
    for (key, order) in [
        ("a", Order::Put(1)),
        ("a", Order::Bell("tea", 10)),
        ("a", Order::Bell("egg", 20)),
        ("a", Order::Bell("tea", 30)),
        ("b", Order::Bell("tea", 15)),
        ("b", Order::Hush("tea")),
        ("b", Order::Bell("egg", 60)),
    ] {
        world.ask(key, order).await.unwrap();
    }
    let sql = "SELECT kind, key, name, due / 1000000000, position FROM keyed_timers ORDER BY due";
    expect![[r#"
        Text("jar") Text("a") Text("egg") Integer(1020) Integer(3)
        Text("jar") Text("a") Text("tea") Integer(1030) Integer(4)
        Text("jar") Text("b") Text("egg") Integer(1060) Integer(7)
    "#]]
    .assert_eq(&rows(&world, sql).await);
    world.advance(20);
    world.seen(8).await;
    expect![[r#"
        Text("jar") Text("a") Text("tea") Integer(1030) Integer(4)
        Text("jar") Text("b") Text("egg") Integer(1060) Integer(7)
    "#]]
    .assert_eq(&rows(&world, sql).await);
}

#[tokio::test]
async fn answers_are_kept_for_those_who_ask_with_an_idempotency_key() {
    let world = World::new(small());
    world.ask("a", Order::Put(1)).await.unwrap();
    world.ask_once("a", "once", Order::Put(2)).await.unwrap();
    world.ask_once("a", "once", Order::Put(2)).await.unwrap();
    world.ask_once("b", "once", Order::Put(4)).await.unwrap();
    expect![[r#"
        Text("jar") Text("a") Text("once") Blob([8, 3]) Integer(2)
        Text("jar") Text("b") Text("once") Blob([8, 4]) Integer(3)
    "#]]
    .assert_eq(&rows(&world, "SELECT kind, key, idempotency_key, answer, position FROM keyed_answers ORDER BY key").await);
}
