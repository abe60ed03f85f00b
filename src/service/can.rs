//! The one table of role and action.

use crate::domain::project::Role;

/// What a member of a project may want to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    SeeKeys,
    /// Make, edit, deactivate, activate, delete, restore.
    ChangeKeys,
    /// Give a key scopes of `keyward:*`: management by program.
    GrantManagement,
}

/// Whether a role allows an action.
pub const fn can(role: Role, action: Action) -> bool {
    match (role, action) {
        (Role::Owner, _) => true,
        (Role::Operator, Action::SeeKeys | Action::ChangeKeys) => true,
        (Role::Operator, Action::GrantManagement) => false,
        (Role::Viewer, Action::SeeKeys) => true,
        (Role::Viewer, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        use Action::*;
        let allowed = |role| [SeeKeys, ChangeKeys, GrantManagement].map(|action| can(role, action));
        assert_eq!(allowed(Role::Owner), [true, true, true]);
        assert_eq!(allowed(Role::Operator), [true, true, false]);
        assert_eq!(allowed(Role::Viewer), [true, false, false]);
    }
}
