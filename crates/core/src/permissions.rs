//! Permission tables: project role to action, and administrator permissions.

use keyward_domain::project::Role;

/// Action of a project member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// See the project, its keys, and its members.
    SeeKeys,
    /// See the history of the project and its keys.
    SeeHistory,
    /// Create and edit keys.
    ChangeKeys,
    /// Deactivate, activate, delete, and restore keys.
    StopKeys,
    /// Give a key `keyward:*` scopes, which allow the management API.
    GrantManagement,
    /// Change the name, the config, and the token lifetime.
    Configure,
    /// Archive and unarchive the project.
    Archive,
    /// Invite and remove members, and change roles.
    ManageMembers,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 8] = [
        Self::SeeKeys,
        Self::SeeHistory,
        Self::ChangeKeys,
        Self::StopKeys,
        Self::GrantManagement,
        Self::Configure,
        Self::Archive,
        Self::ManageMembers,
    ];
}

/// Returns whether a role allows an action.
pub const fn role_allows(role: Role, action: Action) -> bool {
    match (role, action) {
        (Role::Owner, _) => true,
        (Role::Operator, Action::SeeKeys | Action::SeeHistory | Action::ChangeKeys | Action::StopKeys) => true,
        (Role::Operator, Action::GrantManagement | Action::Configure | Action::Archive | Action::ManageMembers) => {
            false
        }
        (Role::Viewer, Action::SeeKeys | Action::SeeHistory) => true,
        (Role::Viewer, _) => false,
    }
}

/// Permission of administrators beyond the projects of which they are members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminPermission {
    /// See the keys of every project, and its owners.
    SeeEveryKey,
    /// Deactivate, activate, delete, and restore any key, with a reason that its owner sees. It does not include
    /// creating or editing keys.
    StopAnyKey,
    /// Edit the instance's catalog of scopes.
    WriteCatalogue,
    /// See any project. Requires recent reauthentication.
    SeeEveryProject,
    /// Choose the scopes of the catalog that a project offers.
    ChooseScopes,
    /// Become a member of any project, visible to its members.
    JoinAnyProject,
    /// Transfer a project to another owner.
    TransferProject,
    /// Invite, disable, enable, and delete users, and make them administrators.
    ManageUsers,
    /// Change the policy of the instance.
    WritePolicy,
    /// Read and export the audit log.
    ReadLog,
}

impl AdminPermission {
    /// All permissions.
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

/// Returns whether a user has an administrator permission: administrators have all of them, other users have none.
///
/// If it is denied, the response must be the same as for something that does not exist.
pub const fn is_allowed(admin: bool, power: AdminPermission) -> bool {
    match power {
        AdminPermission::SeeEveryKey
        | AdminPermission::StopAnyKey
        | AdminPermission::WriteCatalogue
        | AdminPermission::SeeEveryProject
        | AdminPermission::ChooseScopes
        | AdminPermission::JoinAnyProject
        | AdminPermission::TransferProject
        | AdminPermission::ManageUsers
        | AdminPermission::WritePolicy
        | AdminPermission::ReadLog => admin,
    }
}

/// Returns the permission with which an administrator performs an action on the keys of any project. `None`: the
/// action requires a role in the project.
pub const fn any_key_permission(action: Action) -> Option<AdminPermission> {
    match action {
        Action::SeeKeys => Some(AdminPermission::SeeEveryKey),
        Action::StopKeys => Some(AdminPermission::StopAnyKey),
        Action::SeeHistory
        | Action::ChangeKeys
        | Action::GrantManagement
        | Action::Configure
        | Action::Archive
        | Action::ManageMembers => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        let allowed = |role| Action::ALL.map(|action| role_allows(role, action));
        assert_eq!(allowed(Role::Owner), [true; 8]);
        assert_eq!(allowed(Role::Operator), [true, true, true, true, false, false, false, false]);
        assert_eq!(allowed(Role::Viewer), [true, true, false, false, false, false, false, false]);
    }

    #[test]
    fn administrators_see_and_stop_any_key_and_change_none() {
        let permissions = Action::ALL.map(any_key_permission);
        let expected = [Some(AdminPermission::SeeEveryKey), None, None, Some(AdminPermission::StopAnyKey)];
        assert_eq!(permissions[..4], expected);
        assert!(permissions[4..].iter().all(Option::is_none));
    }

    #[test]
    fn administrators_alone_reach_beyond_their_projects() {
        for power in AdminPermission::ALL {
            assert!(is_allowed(true, power) && !is_allowed(false, power), "{power:?}");
        }
    }
}
