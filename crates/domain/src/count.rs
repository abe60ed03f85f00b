//! Formatting of counts, and totals with an upper bound: lists count exactly up to a limit.

/// Highest exact total of a list. A greater total only means that there are more items.
pub const COUNT_MAX: u64 = 10_000;

/// Formats a number with its noun: `1 day`, `1,000 days`.
pub fn format_number_of(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", format_grouped(number), if number == 1 { one } else { many })
}

/// Formats a total for display: `7`, or `10,000+`.
pub fn format_count(total: u64) -> String {
    let more = if total > COUNT_MAX { "+" } else { "" };
    format!("{}{more}", format_grouped(total.min(COUNT_MAX)))
}

/// Formats a total with its noun: `1 key`, `7 keys`, `10,000+ keys`.
pub fn format_count_of(total: u64, one: &str, many: &str) -> String {
    format!("{} {}", format_count(total), if total == 1 { one } else { many })
}

/// Formats a number with commas as thousands separators: `1,000,000`.
pub fn format_grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (100_000, "100,000"),
            (1_240_000, "1,240,000"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(format_grouped(number), expected);
        }
    }

    #[test]
    fn totals_are_exact_as_far_as_they_are_counted() {
        assert_eq!(format_count_of(1, "key", "keys"), "1 key");
        assert_eq!(format_count_of(1_234, "key", "keys"), "1,234 keys");
        assert_eq!(format_count_of(10_000, "key", "keys"), "10,000 keys");
        assert_eq!(format_count_of(10_001, "key", "keys"), "10,000+ keys");
    }

    #[test]
    fn a_number_has_its_noun() {
        assert_eq!(format_number_of(1, "day", "days"), "1 day");
        assert_eq!(format_number_of(0, "day", "days"), "0 days");
        assert_eq!(format_number_of(20_000, "event", "events"), "20,000 events");
    }
}
