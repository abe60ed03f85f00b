//! The one table of role and action, and what an administrator may besides.

use keyward_domain::project::Role;

/// What a member of a project may want to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The project, its keys, its members.
    SeeKeys,
    /// What was done to the project and its keys.
    SeeHistory,
    /// Make, edit, deactivate, activate, delete, restore.
    ChangeKeys,
    /// Give a key scopes of `keyward:*`: management by program.
    GrantManagement,
    /// Its name, its config, how long its tokens live.
    Configure,
    /// Archive it, and take that back.
    Archive,
    /// Invite, change roles, remove.
    ManageMembers,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::SeeKeys,
        Self::SeeHistory,
        Self::ChangeKeys,
        Self::GrantManagement,
        Self::Configure,
        Self::Archive,
        Self::ManageMembers,
    ];
}

/// Whether a role allows an action.
pub const fn can(role: Role, action: Action) -> bool {
    match (role, action) {
        (Role::Owner, _) => true,
        (Role::Operator, Action::SeeKeys | Action::SeeHistory | Action::ChangeKeys) => true,
        (Role::Operator, Action::GrantManagement | Action::Configure | Action::Archive | Action::ManageMembers) => {
            false
        }
        (Role::Viewer, Action::SeeKeys | Action::SeeHistory) => true,
        (Role::Viewer, _) => false,
    }
}

/// What reaches beyond the projects that somebody is a member of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// See the keys of every project, and who owns it.
    SeeEveryKey,
    /// Deactivate, activate, delete, restore any key, for a reason that its owner reads. Not make or edit one.
    StopAnyKey,
    /// Write the instance's catalogue of scopes.
    WriteCatalogue,
    /// See another's project; it asks for a fresh proof of who they are.
    SeeEveryProject,
    /// Choose what a project offers of the catalogue.
    ChooseScopes,
    /// Become a member of another's project, which its members see.
    JoinAnyProject,
    /// Give a project to somebody else.
    TransferProject,
    /// Invite, disable, enable, make administrator, delete.
    ManageUsers,
    /// Write what holds for everybody.
    WritePolicy,
    /// Read and export the audit log.
    ReadLog,
}

impl Power {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::SeeEveryKey,
        Self::StopAnyKey,
        Self::WriteCatalogue,
        Self::SeeEveryProject,
        Self::ChooseScopes,
        Self::JoinAnyProject,
        Self::TransferProject,
        Self::ManageUsers,
        Self::WritePolicy,
        Self::ReadLog,
    ];
}

/// Whether a person has a power: administrators have all of them, nobody else has any. Whoever is refused must get the answer
/// of something that is not there.
pub const fn has(admin: bool, power: Power) -> bool {
    match power {
        Power::SeeEveryKey
        | Power::StopAnyKey
        | Power::WriteCatalogue
        | Power::SeeEveryProject
        | Power::ChooseScopes
        | Power::JoinAnyProject
        | Power::TransferProject
        | Power::ManageUsers
        | Power::WritePolicy
        | Power::ReadLog => admin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        let allowed = |role| Action::ALL.map(|action| can(role, action));
        assert_eq!(allowed(Role::Owner), [true; 7]);
        assert_eq!(allowed(Role::Operator), [true, true, true, false, false, false, false]);
        assert_eq!(allowed(Role::Viewer), [true, true, false, false, false, false, false]);
    }

    #[test]
    fn administrators_alone_reach_beyond_their_projects() {
        for power in Power::ALL {
            assert!(has(true, power) && !has(false, power), "{power:?}");
        }
    }
}
