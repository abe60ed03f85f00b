//! The one table of actions and reauthentication: which actions require that a user authenticates again.
//!
//! An action is named as its audit event. An action that is not listed requires recent reauthentication. The command line and
//! programs are never asked: the one holds the database, the others authenticate with every request.

use super::{
    Error,
    actor::{Actor, Caller, PROOF_HOLDS},
};
use keyward_domain::{expiry::is_long_lived, time::Timestamp};

/// When an action requires that a user authenticates again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reauthentication {
    Never,
    /// If the last authentication is older than 15 minutes.
    IfOld,
    /// As [`Self::IfOld`], of an administrator who acts on a project without being a member of it.
    IfOldAsAdministrator,
    /// Each time: the request itself carries the current password.
    Always,
}
use Reauthentication::{Always, IfOld, IfOldAsAdministrator, Never};

/// A key gets no expiry, or one beyond five years, when it is made or edited: [`Actor::reauthenticate_for_expiry`].
pub const KEY_WITHOUT_EXPIRY: &str = "key:without_expiry";
/// A key, a grant or a project's catalogue gets a `keyward:*` scope that it did not have.
pub const MANAGEMENT_SCOPE: &str = "scope:management";

/// Every action, in alphabetical order: the audit events, and the two cases above.
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
    // With the code of a link, which stands for the password.
    ("password.reset", Never),
    // By an administrator. A user who asks for their own is not signed in.
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

/// What an action requires.
pub fn required(action: &str) -> Reauthentication {
    TABLE.iter().find(|(it, _)| *it == action).map_or(IfOld, |(_, required)| *required)
}

impl Caller {
    /// Refuses an action for which this user has to authenticate again. The code of an action that is [`IfOldAsAdministrator`] calls
    /// this for administrators who are not members; of one that is [`Always`], it compares the password itself.
    ///
    /// # Errors
    /// [`Error::StepUp`].
    pub fn reauthenticate(&self, action: &str, now: Timestamp) -> Result<(), Error> {
        match required(action) {
            Never | Always => Ok(()),
            IfOld | IfOldAsAdministrator if now.seconds_since(self.proved) > PROOF_HOLDS => Err(Error::StepUp),
            IfOld | IfOldAsAdministrator => Ok(()),
        }
    }
}

impl Actor {
    /// As [`Caller::reauthenticate`]; other actors than users are never asked.
    ///
    /// # Errors
    /// [`Error::StepUp`].
    pub fn reauthenticate(&self, action: &str, now: Timestamp) -> Result<(), Error> {
        match self {
            Self::User(caller) => caller.reauthenticate(action, now),
            Self::Program(_) | Self::Operator | Self::System(_) => Ok(()),
        }
    }

    /// Asks for [`KEY_WITHOUT_EXPIRY`] if a key gets this expiry and so lives very long; `None`: it never expires.
    ///
    /// # Errors
    /// [`Error::StepUp`].
    pub fn reauthenticate_for_expiry(&self, end: Option<Timestamp>, now: Timestamp) -> Result<(), Error> {
        if is_long_lived(end, now) { self.reauthenticate(KEY_WITHOUT_EXPIRY, now) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyward_domain::audit::has_sentence;

    #[test]
    fn the_table_lists_every_action_once() {
        assert!(TABLE.is_sorted_by(|(one, _), (other, _)| one < other));
        for (action, _) in TABLE.iter().filter(|(action, _)| ![KEY_WITHOUT_EXPIRY, MANAGEMENT_SCOPE].contains(action)) {
            assert!(has_sentence(action), "{action} is no action");
        }
        for action in keyward_domain::audit::actions() {
            assert!(
                TABLE.iter().any(|(it, _)| *it == action),
                "{action} has no entry: say when it asks to authenticate again"
            );
        }
        assert_eq!(required("tide.turned"), IfOld, "what is not listed asks");
    }
}
