//! Lifecycle transitions of a key: deactivate, activate, delete, and restore.

/// A lifecycle transition of a key. It applies from the next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// The key is denied as `inactive` until it is activated.
    Deactivate,
    /// The key is accepted again.
    Activate,
    /// The key is denied as `deleted`. It can be restored for [`super::key::RESTORE_DAYS`] days.
    Delete,
    /// A deleted key returns to its previous state.
    Restore,
}

impl Transition {
    /// All transitions.
    pub const ALL: [Self; 4] = [Self::Deactivate, Self::Activate, Self::Delete, Self::Restore];

    /// Returns the verb, as in paths and commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deactivate => "deactivate",
            Self::Activate => "activate",
            Self::Delete => "delete",
            Self::Restore => "restore",
        }
    }

    /// Whether the transition ends a stop, which an administrator may have made.
    pub const fn ends_stop(self) -> bool {
        matches!(self, Self::Activate | Self::Restore)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activation_and_restoration_end_a_stop() {
        assert_eq!(Transition::ALL.map(Transition::as_str), ["deactivate", "activate", "delete", "restore"]);
        assert_eq!(Transition::ALL.map(Transition::ends_stop), [false, true, false, true]);
    }
}
