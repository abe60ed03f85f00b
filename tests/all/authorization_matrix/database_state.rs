//! Database snapshots: reads the contents of all tables as text for comparison, and restores them.

use crate::support::TestServer;
use keyward::store::Pool;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The separator between the values of a row.
const BETWEEN: char = '\u{1f}';

/// The tables of the database, with copies of those that can be restored.
pub struct Schema {
    tables: Vec<Table>,
    sqlite: bool,
    /// The first and the latest lines read, with their parsed rows. Most requests change nothing, and parsing lines
    /// takes longer than comparing them.
    read: Mutex<Vec<(Vec<String>, Arc<Tables>)>>,
}

struct Table {
    name: String,
    columns: Vec<String>,
    /// Whether the table only grows, like the audit log and the change feed. Such a table is counted and not restored.
    grows: bool,
}

/// The rows of every table, sorted. Each row maps column names to values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub tables: Arc<Tables>,
    /// The number of audit events.
    pub events: usize,
}

pub type Row = BTreeMap<String, String>;
/// Rows by table name.
pub type Tables = BTreeMap<String, Vec<Row>>;

impl Schema {
    /// Reads the schema from the database and copies the current rows, which [`Schema::restore`] restores.
    pub async fn capture(bench: &TestServer) -> Self {
        let sqlite = matches!(bench.app.context.pool, Pool::Sqlite { .. });
        let (columns, triggers) = if sqlite {
            (
                "SELECT m.name || '.' || p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p \
                 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE '%sqlx%' ORDER BY m.name, p.cid",
                "SELECT DISTINCT tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%\\_stay' ESCAPE '\\'",
            )
        } else {
            (
                "SELECT table_name::text || '.' || column_name::text FROM information_schema.columns \
                 WHERE table_schema = 'public' AND table_name NOT LIKE '%sqlx%' ORDER BY table_name, ordinal_position",
                "SELECT DISTINCT event_object_table::text FROM information_schema.triggers WHERE trigger_name LIKE '%\\_stay'",
            )
        };
        // Triggers with this suffix make a table append-only. Other triggers fill columns.
        let guarded = bench.query_texts(triggers).await;
        assert_eq!(guarded.len(), 2, "the audit log and its checkpoints: {guarded:?}");
        let mut tables = Vec::<Table>::new();
        for named in bench.query_texts(columns).await {
            let (name, column) = named.split_once('.').expect("a table and a column");
            if tables.last().is_none_or(|last| last.name != name) {
                let grows = guarded.iter().any(|it| it == name) || matches!(name, "head" | "changes" | "audit_names");
                tables.push(Table { name: name.to_owned(), columns: Vec::new(), grows });
            }
            tables.last_mut().expect("it is there").columns.push(column.to_owned());
        }
        assert!(tables.len() > 8, "the tables were found");
        let kept = tables.iter().filter(|it| !it.grows);
        let copies: Vec<_> =
            kept.map(|Table { name, .. }| format!("CREATE TABLE kept_{name} AS SELECT * FROM {name}")).collect();
        bench.execute_sql(&copies.join(";")).await;
        Self { tables, sqlite, read: Mutex::default() }
    }

    /// Returns the table and the name of every column.
    pub fn columns(&self) -> Vec<(&str, &str)> {
        self.tables.iter().flat_map(|it| it.columns.iter().map(|c| (it.name.as_str(), c.as_str()))).collect()
    }

    /// Reads the current contents of every table.
    pub async fn read_state(&self, bench: &TestServer) -> State {
        let value = |column: &String| match self.sqlite {
            true => format!("quote(\"{column}\")"),
            false => format!("COALESCE(\"{column}\"::text, 'NULL')"),
        };
        let between = if self.sqlite { "char(31)" } else { "chr(31)" };
        let selects: Vec<_> = self
            .tables
            .iter()
            .map(|table| {
                let name = &table.name;
                if table.grows && name != "head" {
                    return format!("SELECT '{name}' || {between} || CAST(COUNT(*) AS TEXT) FROM {name}");
                }
                let values: Vec<_> = table.columns.iter().map(value).collect();
                format!("SELECT '{name}' || {between} || {} FROM {name}", values.join(&format!(" || {between} || ")))
            })
            .collect();
        let mut lines = bench.query_texts(&selects.join(" UNION ALL ")).await;
        lines.sort_unstable();
        let mut events = 0;
        lines.retain(|line| {
            let (name, rest) = line.split_once(BETWEEN).expect("a table");
            if name == "audit_events" {
                events = rest.parse().expect("a number");
            }
            !self.tables.iter().any(|table| table.grows && table.name == name)
        });
        State { tables: self.tables_of(lines), events }
    }

    /// Parses lines into rows by table.
    fn tables_of(&self, lines: Vec<String>) -> Arc<Tables> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, tables)) = read.iter().find(|(it, _)| *it == lines) {
            return tables.clone();
        }
        let mut tables = Tables::new();
        for line in &lines {
            let mut values = line.split(BETWEEN);
            let name = values.next().expect("a table");
            let table = self.tables.iter().find(|it| it.name == name).expect("it is known");
            let row = table.columns.iter().cloned().zip(values.map(sort_json_members)).collect();
            tables.entry(name.to_owned()).or_default().push(row);
        }
        let tables = Arc::new(tables);
        read.truncate(1);
        read.push((lines, tables.clone()));
        tables
    }

    /// Restores the rows from the copies, except in tables that only grow.
    pub async fn restore(&self, bench: &TestServer) {
        let ours: Vec<_> = self.tables.iter().filter(|it| !it.grows).map(|it| it.name.as_str()).collect();
        let free =
            if self.sqlite { "PRAGMA defer_foreign_keys = ON" } else { "SET LOCAL session_replication_role = replica" };
        let mut script = vec![free.to_owned()];
        script.extend(ours.iter().map(|name| format!("DELETE FROM {name}")));
        script.extend(ours.iter().map(|name| format!("INSERT INTO {name} SELECT * FROM kept_{name}")));
        bench.execute_sql(&script.join(";")).await;
    }
}

impl State {
    /// Returns the differences, one line for each row, without the tables in `but_for`. Empty if the states are equal.
    pub fn differences(&self, other: &Self, but_for: &[&str]) -> Vec<String> {
        if self.tables == other.tables {
            return Vec::new();
        }
        let mut found = Vec::new();
        let none = Vec::new();
        let names = self.tables.keys().chain(other.tables.keys().filter(|it| !self.tables.contains_key(*it)));
        for name in names.filter(|name| !but_for.contains(&name.as_str())) {
            let (before, after) = (self.tables.get(name).unwrap_or(&none), other.tables.get(name).unwrap_or(&none));
            // Most tables are equal, and a comparison of each row with each other row takes long.
            if before == after {
                continue;
            }
            found.extend(before.iter().filter(|it| !after.contains(it)).map(|row| format!("- {name} {row:?}")));
            found.extend(after.iter().filter(|it| !before.contains(it)).map(|row| format!("+ {name} {row:?}")));
        }
        found
    }

    /// Returns the rows that the other state does not have, with their tables.
    pub fn rows_missing_in(&self, other: &Self) -> Vec<(String, Row)> {
        let none = Vec::new();
        let mut found = Vec::new();
        for (name, rows) in self.tables.iter() {
            let before = other.tables.get(name).unwrap_or(&none);
            found.extend(rows.iter().filter(|row| !before.contains(row)).map(|row| (name.clone(), row.clone())));
        }
        found
    }
}

/// Returns a value. The members of a JSON object are sorted, because their stored order varies.
fn sort_json_members(value: &str) -> String {
    let json = value.trim_matches('\'');
    let object = json.starts_with('{').then(|| serde_json::from_str::<serde_json::Value>(json).ok()).flatten();
    object.map_or_else(|| value.to_owned(), |object| object.to_string())
}
