//! Usage counters of keys.

use super::count::format_grouped;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Number of calls with a key since the start of the day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallsToday {
    pub accepted: u64,
    pub refused: u64,
}

impl fmt::Display for CallsToday {
    /// "1,234 accepted, 5 rejected".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} accepted, {} rejected", format_grouped(self.accepted), format_grouped(self.refused))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (accepted, refused, expected) in [
            (0, 0, "0 accepted, 0 rejected"),
            (999, 1_000, "999 accepted, 1,000 rejected"),
            (13_565, 1_240_000, "13,565 accepted, 1,240,000 rejected"),
            (u64::MAX, 100_000, "18,446,744,073,709,551,615 accepted, 100,000 rejected"),
        ] {
            assert_eq!(CallsToday { accepted, refused }.to_string(), expected);
        }
    }
}
