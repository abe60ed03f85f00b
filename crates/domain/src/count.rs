//! Totals with an upper bound: lists count exactly up to a limit.

/// Highest exact total of a list. A greater total only means that there are more items.
pub const COUNT_MAX: u64 = 10_000;

/// Formats a total for display: `7`, or `10,000+`.
pub fn format_count(total: u64) -> String {
    if total > COUNT_MAX { "10,000+".to_owned() } else { total.to_string() }
}

/// Formats a total with its noun: `1 key`, `7 keys`, `10,000+ keys`.
pub fn format_count_of(total: u64, one: &str, many: &str) -> String {
    format!("{} {}", format_count(total), if total == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_exact_as_far_as_they_are_counted() {
        assert_eq!(format_count_of(1, "key", "keys"), "1 key");
        assert_eq!(format_count_of(10_000, "key", "keys"), "10000 keys");
        assert_eq!(format_count_of(10_001, "key", "keys"), "10,000+ keys");
    }
}
