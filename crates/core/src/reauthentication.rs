//! Reauthentication table: actions that require the user to authenticate again.
//!
//! Actions are named after their audit events. An action that is not in the table requires recent reauthentication.
//! The command line and programs never reauthenticate: the command line has access to the database, and programs
//! authenticate with every request.

use super::{
    Error,
    actor::{Actor, Caller, REAUTHENTICATION_MAX_AGE},
};
use keyward_domain::{expiry::is_long_lived, time::Timestamp};

/// Reauthentication requirement of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reauthentication {
    Never,
    /// If the last authentication is older than 15 minutes.
    IfOld,
    /// As [`Self::IfOld`], but only for an administrator who is not a member of the project.
    IfOldAsAdministrator,
    /// Each time: the request itself contains the current password.
    Always,
}
use Reauthentication::{Always, IfOld, IfOldAsAdministrator, Never};

/// A key is created or edited with no expiry, or with one beyond five years:
/// [`Actor::require_reauthentication_for_expiry`].
pub const KEY_WITHOUT_EXPIRY: &str = "key:without_expiry";
/// A key, a grant, or a project's catalog gets a `keyward:*` scope that it did not have.
pub const MANAGEMENT_SCOPE: &str = "scope:management";

/// Every action in alphabetical order: the audit events and the two cases above.
pub const TABLE: &[(&str, Reauthentication)] = &[
    ("audit.exported", IfOld),
    ("client.registered", Never),
    ("client.removed", Never),
    ("grant.allowed", Never),
    ("grant.denied", Never),
    ("grant.ended", Never),
    ("grant.lapsed", Never),
    ("grant.narrowed", Never),
    ("grant.revoked", Never),
    ("identity.linked", IfOld),
    ("invitation.withdrawn", Never),
    ("key.activated", Never),
    ("key.created", Never),
    ("key.deactivated", Never),
    ("key.deleted", Never),
    ("key.edited", Never),
    ("key.purged", Never),
    ("key.restored", Never),
    (KEY_WITHOUT_EXPIRY, IfOld),
    ("keys.filled", Never),
    ("member.added", Never),
    ("member.invited", Never),
    ("member.joined", IfOldAsAdministrator),
    ("member.left", Never),
    ("member.removed", Never),
    ("member.role_changed", Never),
    ("password.changed", Always),
    ("password.refused", Never),
    // The code of a one-time link replaces the password.
    ("password.reset", Never),
    // Requested by an administrator. Users who request their own link are not signed in.
    ("password.reset_asked", IfOld),
    ("policy.changed", IfOld),
    ("project.archived", Never),
    ("project.config_set", Never),
    ("project.created", Never),
    ("project.renamed", Never),
    ("project.scopes_set", IfOldAsAdministrator),
    ("project.seen_by_administrator", IfOldAsAdministrator),
    ("project.token_life_set", Never),
    ("project.transferred", IfOld),
    ("project.unarchived", Never),
    ("recovery_codes.made", IfOld),
    ("scope.added", Never),
    ("scope.edited", Never),
    ("scope.removed", Never),
    ("scope.retired", Never),
    ("scope.unretired", Never),
    (MANAGEMENT_SCOPE, IfOld),
    ("second_factor.enrolled", IfOld),
    ("second_factor.refused", Never),
    ("second_factor.removed", IfOld),
    ("session.ended", Never),
    ("session.refused", Never),
    ("session.started", Never),
    ("sessions.ended", Never),
    ("signing_key.created", Never),
    ("signing_key.discarded", Never),
    ("signing_key.published", Never),
    ("signing_key.retired", Never),
    ("step_up.passed", Never),
    ("step_up.refused", Never),
    ("token.revoked", Never),
    ("user.changed", Never),
    ("user.created", Never),
    ("user.deleted", IfOld),
    ("user.disabled", IfOld),
    ("user.enabled", IfOld),
    ("user.invited", Never),
    ("user.made_administrator", IfOld),
    ("user.signed_up", Never),
    ("user.unmade_administrator", IfOld),
];

/// Returns the requirement of an action.
pub fn requirement(action: &str) -> Reauthentication {
    TABLE.iter().find(|(it, _)| *it == action).map_or(IfOld, |(_, required)| *required)
}

impl Caller {
    /// Denies an action for which this user has to authenticate again.
    ///
    /// For an action that is [`IfOldAsAdministrator`], the use case calls this for administrators who are not members.
    /// For an action that is [`Always`], the use case compares the password itself.
    ///
    /// # Errors
    /// [`Error::ReauthenticationRequired`].
    pub fn require_reauthentication(&self, action: &str, now: Timestamp) -> Result<(), Error> {
        match requirement(action) {
            Never | Always => Ok(()),
            IfOld | IfOldAsAdministrator if now.seconds_since(self.authenticated_at) > REAUTHENTICATION_MAX_AGE => {
                Err(Error::ReauthenticationRequired)
            }
            IfOld | IfOldAsAdministrator => Ok(()),
        }
    }
}

impl Actor {
    /// As [`Caller::require_reauthentication`]. Actors other than users never reauthenticate.
    ///
    /// # Errors
    /// [`Error::ReauthenticationRequired`].
    pub fn require_reauthentication(&self, action: &str, now: Timestamp) -> Result<(), Error> {
        self.caller().map_or(Ok(()), |caller| caller.require_reauthentication(action, now))
    }

    /// Requires [`KEY_WITHOUT_EXPIRY`] if this expiry makes a key long-lived. `None`: the key never expires.
    ///
    /// # Errors
    /// [`Error::ReauthenticationRequired`].
    pub fn require_reauthentication_for_expiry(&self, end: Option<Timestamp>, now: Timestamp) -> Result<(), Error> {
        if is_long_lived(end, now) { self.require_reauthentication(KEY_WITHOUT_EXPIRY, now) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyward_domain::audit::has_message;

    #[test]
    fn the_table_lists_every_action_once() {
        assert!(TABLE.is_sorted_by(|(one, _), (other, _)| one < other));
        for (action, _) in TABLE.iter().filter(|(action, _)| ![KEY_WITHOUT_EXPIRY, MANAGEMENT_SCOPE].contains(action)) {
            assert!(has_message(action), "{action} is no action");
        }
        for action in keyward_domain::audit::actions() {
            assert!(
                TABLE.iter().any(|(it, _)| *it == action),
                "{action} has no entry: say when it asks to authenticate again"
            );
        }
        assert_eq!(requirement("tide.turned"), IfOld, "what is not listed asks");
    }
}
