//! Key management by programs: the use cases of a user, limited to the token's scopes and to the one project of the
//! program's key.
//!
//! **Attenuation.** A key that a program creates stays within the privileges of the program's own key: no additional
//! scopes, networks, or lifetime, and the same environment and project. After an edit, a key is within the program's
//! key, or within its own previous privileges, in all of them at once: the edit of a key that exceeds the program's key
//! in one privilege must not widen another one. A key that a program activates or restores is within the program's key.
//! A program therefore cannot widen any key beyond its own, that key included, and neither can the keys that it
//! created. The start time and the rate limit are not privileges, not even those of the program's own key: it could
//! create another key without a limit.

mod idempotency;
mod list;

pub use idempotency::IdempotencyKey;
pub use list::{KeyList, KeyListRequest};

use super::{KeySpec, privileges::Privileges, transition::is_done};
use crate::{
    Error, InvalidField,
    actor::Actor,
    management_client::{ManagementClient, ManagementError, WRITE_SCOPE},
};
use keyward_domain::{
    ids::{FormNumber, SubjectId},
    key::Status,
    time::Timestamp,
    transition::Transition,
};
use keyward_store::{
    self as store, Engine,
    keys::{KeyFields, KeyRow},
};
use uuid::Uuid;

/// Returns the current privileges of the program's key, if it may still write. Its management scopes are limited to
/// those of the token.
pub(super) async fn creator_privileges(
    conn: &mut Engine<'_>,
    program: &ManagementClient,
    now: Timestamp,
) -> Result<Privileges, Error> {
    // A grant has no privileges that could limit those of a key.
    let SubjectId::Key(own) = program.subject else { return Err(ManagementError::AccessLost.into()) };
    let row = store::keys::by_id(conn, own.into()).await?;
    let good = |row: &KeyRow| {
        row.project_id == Uuid::from(program.project)
            && row.project_archived_at.is_none()
            && row.lifecycle().status(now) == Status::Active
    };
    let row = row.filter(good).ok_or(ManagementError::AccessLost)?;
    let mut reach = Privileges::from_row(&row)?;
    reach.scopes.retain(|scope| !scope.starts_with("keyward:") || program.scopes.contains(scope));
    if reach.scopes.iter().any(|scope| scope == WRITE_SCOPE) {
        Ok(reach)
    } else {
        Err(ManagementError::AccessLost.into())
    }
}

/// Checks that a program may create this key: the number is unused, and the key is within the program's own.
pub(super) async fn check_new(
    conn: &mut Engine<'_>,
    actor: &Actor,
    spec: &KeySpec,
    now: Timestamp,
) -> Result<(), Error> {
    let Actor::Program(program) = actor else { return Ok(()) };
    let maker = creator_privileges(conn, program, now).await?;
    check_idempotency(conn, spec.number, spec.request.as_ref()).await?;
    deny_exceeding(Privileges::new(spec.environment, &spec.fields()).exceeding(&maker))
}

/// Checks that no key was created with this number before.
pub(super) async fn check_idempotency(
    conn: &mut Engine<'_>,
    number: Option<FormNumber>,
    request: Option<&[u8; 32]>,
) -> Result<(), Error> {
    let (Some(number), Some(request)) = (number, request) else { return Ok(()) };
    match store::keys::find_by_form_number(conn, number.into()).await? {
        Some(made) if made.request_digest.as_deref() == Some(&request[..]) => {
            Err(ManagementError::AlreadyCreated(made.id.into()).into())
        }
        Some(_) => Err(ManagementError::Reused.into()),
        None => Ok(()),
    }
}

/// Checks that a program may edit a key so that it has these fields.
pub(super) async fn check_edit(
    conn: &mut Engine<'_>,
    actor: &Actor,
    row: &KeyRow,
    after: &KeyFields,
    now: Timestamp,
) -> Result<(), Error> {
    let Actor::Program(program) = actor else { return Ok(()) };
    let maker = creator_privileges(conn, program, now).await?;
    let before = Privileges::from_row(row)?;
    let after = Privileges::new(before.environment, after);
    // A program with a test key must not change live keys.
    if before.environment == maker.environment && after.is_subset_of(&before, now) {
        return Ok(());
    }
    deny_exceeding(after.exceeding(&maker))
}

/// Checks that a program may apply this transition to a key: the environments are equal, and a key that is activated or
/// restored is within the program's own.
pub(super) async fn check_transition(
    conn: &mut Engine<'_>,
    actor: &Actor,
    row: &KeyRow,
    transition: Transition,
    now: Timestamp,
) -> Result<(), Error> {
    let Actor::Program(program) = actor else { return Ok(()) };
    let mut beyond = Privileges::from_row(row)?.exceeding(&creator_privileges(conn, program, now).await?);
    if !transition.ends_stop() || is_done(transition, row) {
        beyond.retain(|field| field.name == "environment");
    }
    deny_exceeding(beyond)
}

fn deny_exceeding(beyond: Vec<InvalidField>) -> Result<(), Error> {
    if beyond.is_empty() { Ok(()) } else { Err(ManagementError::ExceedsPrivileges(beyond).into()) }
}

/// The states of a key in which a change may run (`If-Match`); `None`: in any.
pub type IfMatch = Option<Vec<i64>>;
