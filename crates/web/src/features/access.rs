//! Access: the session or administrator permission that a page or a form action requires.

use crate::service::permissions::is_allowed;

pub use crate::service::permissions::AdminPermission;

/// Who may use a page or a form action.
///
/// This is the part that the router can check. The services check it again, together with the role in a project and the
/// state of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Every caller, with or without a session.
    Public,
    /// Signed-in users.
    SignedIn,
    /// Administrators with this permission. For other users the page does not exist.
    Administrator(AdminPermission),
}

impl Access {
    /// Returns whether a caller has access. `admin` says whether the signed-in user is an administrator; it is `None`
    /// without a session.
    pub const fn is_granted(self, admin: Option<bool>) -> bool {
        match (self, admin) {
            (Self::Public, _) | (Self::SignedIn, Some(_)) => true,
            (Self::SignedIn | Self::Administrator(_), None) => false,
            (Self::Administrator(permission), Some(admin)) => is_allowed(admin, permission),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_by_session_and_role() {
        let callers = [None, Some(false), Some(true)];
        let granted = |access: Access| callers.map(|admin| access.is_granted(admin));
        assert_eq!(granted(Access::Public), [true, true, true]);
        assert_eq!(granted(Access::SignedIn), [false, true, true]);
        assert_eq!(granted(Access::Administrator(AdminPermission::ReadLog)), [false, false, true]);
    }
}
