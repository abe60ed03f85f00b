//! Output of the list commands: a table for a terminal, JSON, CSV, or the lines of earlier releases.

use super::output::{self, OutputError, print};
use clap::{Args, ValueEnum};
use serde_json::Value;
use std::fmt::Write as _;

/// Value of `--format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// Header and aligned columns
    Table,
    /// JSON array
    Json,
    /// Comma-separated values with a header (RFC 4180)
    Csv,
}

/// Format of a list.
#[derive(Args, Clone, Copy, Debug)]
pub struct FormatArgs {
    /// Format of the list [default: table on a terminal; in a pipe or a file, one line each without a header]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<ListFormat>,
    /// Print a JSON array, as --format json does
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

impl FormatArgs {
    /// Returns the format. `None`: lines without a header, which scripts of earlier releases read from a pipe.
    fn resolve(self) -> Option<ListFormat> {
        match self.format {
            _ if self.json => Some(ListFormat::Json),
            None if output::is_terminal() => Some(ListFormat::Table),
            given => given,
        }
    }
}

/// Item of a list.
pub struct Row {
    /// The item as a JSON object. Its members are the CSV columns.
    pub json: Value,
    /// The cells of the table.
    pub cells: Vec<String>,
    /// The line without a header.
    pub line: String,
}

/// Columns of a list.
pub struct Columns {
    /// Headers of the table.
    pub table: &'static [&'static str],
    /// Members of the JSON object that are the columns of the CSV.
    pub csv: &'static [&'static str],
}

/// Prints a list page by page.
pub struct ListPrinter {
    format: Option<ListFormat>,
    columns: Columns,
    /// Widths of the table columns. They grow with later pages.
    widths: Vec<usize>,
    is_started: bool,
}

impl ListPrinter {
    pub fn new(format: FormatArgs, columns: Columns) -> Self {
        let widths = columns.table.iter().map(|header| header.chars().count()).collect();
        Self { format: format.resolve(), columns, widths, is_started: false }
    }

    /// Prints the rows of a page.
    pub fn page(&mut self, rows: impl IntoIterator<Item = Row>) -> Result<(), OutputError> {
        let rows: Vec<_> = rows.into_iter().collect();
        if rows.is_empty() {
            return Ok(());
        }
        let mut out = String::new();
        match self.format {
            None => out.extend(rows.iter().map(|row| format!("{}\n", row.line))),
            Some(ListFormat::Json) => {
                for (at, row) in rows.iter().enumerate() {
                    let mark = if at == 0 && !self.is_started { '[' } else { ',' };
                    let _ = write!(out, "{mark}{}", row.json);
                }
            }
            Some(ListFormat::Csv) => {
                if !self.is_started {
                    out.push_str(&self.csv_header());
                }
                for row in &rows {
                    let cells: Vec<_> = self.columns.csv.iter().map(|name| csv_cell(&row.json[*name])).collect();
                    let _ = write!(out, "{}\r\n", cells.join(","));
                }
            }
            Some(ListFormat::Table) => {
                let rows: Vec<Vec<_>> =
                    rows.iter().map(|row| row.cells.iter().map(|it| table_cell(it)).collect()).collect();
                for cells in &rows {
                    for (width, cell) in self.widths.iter_mut().zip(cells) {
                        *width = (*width).max(cell.chars().count());
                    }
                }
                if !self.is_started {
                    out.push_str(&self.table_line(self.columns.table));
                }
                out.extend(rows.iter().map(|cells| self.table_line(cells)));
            }
        }
        self.is_started = true;
        print(out)
    }

    /// Ends the list.
    pub fn end(self) -> Result<(), OutputError> {
        match (self.format, self.is_started) {
            (Some(ListFormat::Json), true) => print("]\n"),
            (Some(ListFormat::Json), false) => print("[]\n"),
            (Some(ListFormat::Csv), false) => print(self.csv_header()),
            (Some(ListFormat::Table), false) => print(self.table_line(self.columns.table)),
            _ => Ok(()),
        }
    }

    fn csv_header(&self) -> String {
        format!("{}\r\n", self.columns.csv.join(","))
    }

    /// Returns a line of the table, without spaces at its end.
    fn table_line(&self, cells: &[impl AsRef<str>]) -> String {
        let padded: Vec<_> =
            self.widths.iter().zip(cells).map(|(width, cell)| format!("{:<width$}", cell.as_ref())).collect();
        format!("{}\n", padded.join("  ").trim_end())
    }
}

/// Returns a text on one line. A terminal would execute control characters.
fn table_cell(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.replace(char::is_control, " ") }
}

/// Returns a CSV field. A text that a spreadsheet would execute as a formula starts with an apostrophe.
fn csv_cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<_> =
                items.iter().map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned)).collect();
            items.join(" ")
        }
        other => other.to_string(),
    };
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
        || text.starts_with(['\t', '\r', '\n']);
    let text = if is_formula { format!("'{text}") } else { text };
    match text.contains(['"', ',', '\r', '\n', '\'', ';']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn no_spreadsheet_executes_a_field() {
        for (value, field) in [
            (json!("Nightly job"), "Nightly job"),
            (json!("=1+1"), "\"'=1+1\""),
            (json!(" @SUM(A1)"), "\"' @SUM(A1)\""),
            (json!("-2"), "\"'-2\""),
            (json!("\t=1"), "\"'\t=1\""),
            (json!("a \"b\", c"), "\"a \"\"b\"\", c\""),
            (json!(null), ""),
            (json!(3), "3"),
            (json!(["data:read", "data:write"]), "data:read data:write"),
        ] {
            assert_eq!(csv_cell(&value), field, "{value}");
        }
    }

    #[test]
    fn a_table_is_aligned_and_has_no_control_characters() {
        let columns = Columns { table: &["ID", "NAME", "ROLE"], csv: &[] };
        let mut printer = ListPrinter::new(FormatArgs { format: Some(ListFormat::Table), json: false }, columns);
        printer.widths = vec![4, 6, 4];
        assert_eq!(printer.table_line(&["ID", "NAME", "ROLE"]), "ID    NAME    ROLE\n");
        assert_eq!(printer.table_line(&["1234", "Zoë", ""]), "1234  Zoë\n");
        assert_eq!(table_cell("a\u{1b}[2Jb"), "a [2Jb");
        assert_eq!(table_cell(""), "-");
    }
}
