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

mod list;
mod requests;

pub use list::{KeyList, KeyListRequest};
pub use requests::{Expiry, IdempotencyKey, KeyPatchRequest, NewKeyRequest};

use super::{Keys, Viewer, new_key::NewKey, privileges::Privileges, transition::is_done, view};
use crate::{
    Error, InvalidField,
    actor::Actor,
    management_client::{ManagementClient, ManagementError, WRITE_SCOPE},
};
use keyward_domain::secret::PlainSecret;
use keyward_domain::{
    ids::{FormNumber, KeyId, ProjectId, SubjectId},
    key::{KeyView, Status},
    time::Timestamp,
    transition::Transition,
};
use keyward_store::{self as store, Engine, keys::KeyRow};
use uuid::Uuid;

/// Returns the current privileges of the program's key, if it may still write. Its management scopes are limited to
/// those of the token.
async fn creator_privileges(
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
pub(super) async fn check_new(conn: &mut Engine<'_>, actor: &Actor, new: &NewKey, now: Timestamp) -> Result<(), Error> {
    let Actor::Program(program) = actor else { return Ok(()) };
    let maker = creator_privileges(conn, program, now).await?;
    check_idempotency(conn, new.number, new.request.as_ref()).await?;
    deny_exceeding(Privileges::from_new_key(new).exceeding(&maker))
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

/// Checks that a program may edit a key in this way.
pub(super) async fn check_edit(
    conn: &mut Engine<'_>,
    actor: &Actor,
    row: &KeyRow,
    edit: &store::keys::Edit,
    now: Timestamp,
) -> Result<(), Error> {
    let Actor::Program(program) = actor else { return Ok(()) };
    let maker = creator_privileges(conn, program, now).await?;
    let before = Privileges::from_row(row)?;
    let after = before.after_edit(edit)?;
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

impl Keys {
    /// Creates a key for a program. Defaults come from the program's own key: its environment, its networks, and 90
    /// days or its own expiry if that is earlier. Only this response contains the secret.
    ///
    /// # Errors
    /// [`Error::NotFound`] for any other project; [`Error::Invalid`] with every invalid member; [`Error::Management`]
    /// if the key would exceed the program's key, or the number was used before; [`Error::Conflict`] if the project has
    /// as many keys as the policy allows.
    #[tracing::instrument(name = "keys.create_by_program", skip_all, fields(project.id = %project))]
    pub async fn create_by_program(
        &self,
        program: &ManagementClient,
        project: ProjectId,
        request: &NewKeyRequest,
        once: Option<&IdempotencyKey>,
    ) -> Result<(KeyView, PlainSecret), Error> {
        program.check_project(project)?;
        let now = self.context.now();
        let (usual, maker) = {
            let mut reader = self.context.pool.acquire_reader().await?;
            let mut conn = reader.conn();
            let maker = creator_privileges(&mut conn, program, now).await?;
            // Before the request is parsed: a time that was in the future when the request was first sent may have
            // passed.
            check_idempotency(&mut conn, once.map(IdempotencyKey::number), once.map(IdempotencyKey::request)).await?;
            (crate::policy::load(&mut conn).await?.default_period(), maker)
        };
        let new = request.parse(program, &maker, usual, once, now)?;
        let made = self.create_as(&Actor::Program(program.clone()), new).await;
        made.map_err(|error| rename_expiry_field(error, request.expiry.as_ref()))
    }

    /// Returns a key of the program's project.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the key does not exist or belongs to another project.
    #[tracing::instrument(name = "keys.get_by_program", skip_all, fields(project.id = %project, key.id = %id))]
    pub async fn get_by_program(
        &self,
        program: &ManagementClient,
        project: ProjectId,
        id: KeyId,
    ) -> Result<KeyView, Error> {
        program.check_project(project)?;
        let actor = Actor::Program(program.clone());
        let (row, role, now) = self.find_visible(&actor, id).await?;
        view(row, &Viewer::from_actor(&actor), role, now)
    }

    /// Edits a key of the program's project, if it is in one of these states; `None`: in any.
    ///
    /// # Errors
    /// As [`Keys::create_by_program`]; [`ManagementError::Stale`] if the key is in another state; [`Error::Conflict`]
    /// if it is deleted.
    #[tracing::instrument(name = "keys.edit_by_program", skip_all, fields(project.id = %project, key.id = %id))]
    pub async fn edit_by_program(
        &self,
        program: &ManagementClient,
        project: ProjectId,
        id: KeyId,
        versions: Option<&[i64]>,
        changes: &KeyPatchRequest,
    ) -> Result<KeyView, Error> {
        let now = self.get_by_program(program, project, id).await?;
        // The write compares this version again, because the key may change after this read.
        let version = match versions {
            Some(versions) if !versions.contains(&now.version) => return Err(ManagementError::Stale.into()),
            Some(_) => Some(now.version),
            None => None,
        };
        let edited = changes.parse(version, self.context.now())?;
        let edited = self.apply_edit(&Actor::Program(program.clone()), id, edited).await;
        edited.map_err(|error| rename_expiry_field(error, changes.expiry.as_ref()))
    }
}

/// The states of a key in which a change may run (`If-Match`); `None`: in any.
pub type IfMatch = Option<Vec<i64>>;

/// Renames the error field of a rule that forms and programs share, from the form's field to the member that the
/// program sent.
fn rename_expiry_field(error: Error, end: Option<&Expiry>) -> Error {
    let name = if matches!(end, Some(Expiry::Days(_))) { "expires_in_days" } else { "expires_at" };
    match error {
        Error::Invalid(fields) => Error::Invalid(
            fields
                .into_iter()
                .map(|field| if field.name == "expires" { InvalidField { name, ..field } } else { field })
                .collect(),
        ),
        other => other,
    }
}
