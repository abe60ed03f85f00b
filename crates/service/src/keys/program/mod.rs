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

mod asked;
mod list;

pub use asked::{Asked, Changes, End, Once};
pub use list::{KeyList, KeysAsked};

use super::{
    Keys, Viewer,
    change::{Standing, Verb},
    draft::NewKey,
    find,
    reach::Reach,
    view,
};
use crate::{
    Error, Field,
    actor::Actor,
    can::Action,
    program::{Program, ProgramRefused, WRITE},
};
use keyward_domain::secret::PlainSecret;
use keyward_domain::{
    ids::{FormNumber, KeyId, ProjectId},
    key::{KeyView, Status},
    project::Role,
    time::Timestamp,
};
use keyward_store::{self as store, Conn, keys::KeyRow};
use uuid::Uuid;

/// Returns the current privileges of the program's key, if it may still write. Its management scopes are limited to
/// those of the token.
async fn maker(conn: &mut Conn<'_>, program: &Program, now: Timestamp) -> Result<Reach, Error> {
    let row = store::keys::by_id(conn, program.key.into()).await?;
    let good = |row: &KeyRow| {
        row.project_id == Uuid::from(program.project)
            && row.project_archived_at.is_none()
            && row.lifecycle().status(now) == Status::Active
    };
    let row = row.filter(good).ok_or(ProgramRefused::Ended)?;
    let mut reach = Reach::of(&row)?;
    reach.scopes.retain(|scope| !scope.starts_with("keyward:") || program.scopes.contains(scope));
    if reach.scopes.iter().any(|scope| scope == WRITE) { Ok(reach) } else { Err(ProgramRefused::Ended.into()) }
}

/// Checks that a program may create this key: the number is unused, and the key is within the program's own.
pub(super) async fn check_new(conn: &mut Conn<'_>, actor: &Actor, new: &NewKey, now: Timestamp) -> Result<(), Error> {
    let Actor::Program(program) = actor else { return Ok(()) };
    let maker = maker(conn, program, now).await?;
    check_once(conn, new.number, new.request.as_ref()).await?;
    within(Reach::of_new(new).beyond(&maker))
}

/// Checks that no key was created with this number before.
pub(super) async fn check_once(
    conn: &mut Conn<'_>,
    number: Option<FormNumber>,
    request: Option<&[u8; 32]>,
) -> Result<(), Error> {
    let (Some(number), Some(request)) = (number, request) else { return Ok(()) };
    match store::keys::made_with(conn, number.into()).await? {
        Some(made) if made.request_digest.as_deref() == Some(&request[..]) => {
            Err(ProgramRefused::Repeated(made.id.into()).into())
        }
        Some(_) => Err(ProgramRefused::Reused.into()),
        None => Ok(()),
    }
}

/// Checks that a program may edit a key in this way.
pub(super) async fn check_edit(
    conn: &mut Conn<'_>,
    actor: &Actor,
    row: &KeyRow,
    edit: &store::keys::Edit,
    now: Timestamp,
) -> Result<(), Error> {
    let Actor::Program(program) = actor else { return Ok(()) };
    let maker = maker(conn, program, now).await?;
    let before = Reach::of(row)?;
    let after = before.edited(edit)?;
    // A program with a test key must not change live keys.
    if before.environment == maker.environment && after.narrows(&before, now) {
        return Ok(());
    }
    within(after.beyond(&maker))
}

/// Checks that a program may apply this action to a key: the environments are equal, and a key that is activated or
/// restored is within the program's own. `versions` lists the states in which the action may run. An action that is
/// already done is permitted in any state.
pub(super) async fn check_change(
    conn: &mut Conn<'_>,
    program: &Program,
    row: &KeyRow,
    verb: Verb,
    versions: Option<&[i64]>,
    now: Timestamp,
) -> Result<(), Error> {
    let mut beyond = Reach::of(row)?.beyond(&maker(conn, program, now).await?);
    if !verb.starts() || verb.is_done(row) {
        beyond.retain(|field| field.name == "environment");
    }
    within(beyond)?;
    let stale = versions.is_some_and(|versions| !versions.contains(&row.updated_at));
    if stale && !verb.is_done(row) { Err(ProgramRefused::Stale.into()) } else { Ok(()) }
}

fn within(beyond: Vec<Field>) -> Result<(), Error> {
    if beyond.is_empty() { Ok(()) } else { Err(ProgramRefused::Wider(beyond).into()) }
}

impl Keys {
    /// Creates a key for a program. Defaults come from the program's own key: its environment, its networks, and 90
    /// days or its own expiry if that is earlier. Only this response contains the secret.
    ///
    /// # Errors
    /// [`Error::NotFound`] for any other project; [`Error::Invalid`] with every invalid member; [`Error::Program`] if
    /// the key would exceed the program's key, or the number was used before; [`Error::Conflict`] if the project has as
    /// many keys as the policy allows.
    pub async fn create_by_program(
        &self,
        program: &Program,
        project: ProjectId,
        asked: &Asked,
        once: Option<&Once>,
    ) -> Result<(KeyView, PlainSecret), Error> {
        program.in_project(project)?;
        let now = self.ground.now();
        let (usual, maker) = {
            let mut reader = self.ground.pool.read().await?;
            let mut conn = reader.conn();
            let maker = maker(&mut conn, program, now).await?;
            // Before the request is parsed: a time that was in the future when the request was first sent may have
            // passed.
            check_once(&mut conn, once.map(Once::number), once.map(Once::request)).await?;
            (crate::policy::read(&mut conn).await?.usual_period(), maker)
        };
        let new = asked.read(program, &maker, usual, once, now)?;
        let made = self.create_as(&Actor::Program(program.clone()), new).await;
        made.map_err(|error| named(error, asked.end.as_ref()))
    }

    /// Returns a key of the program's project.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the key does not exist or belongs to another project.
    pub async fn get_by_program(&self, program: &Program, project: ProjectId, id: KeyId) -> Result<KeyView, Error> {
        program.in_project(project)?;
        let (actor, now) = (Actor::Program(program.clone()), self.ground.now());
        let mut reader = self.ground.pool.read().await?;
        let row = find(&mut reader.conn(), &actor, id, Action::SeeKeys, now).await?;
        view(row, &Viewer::acting(&actor), Some(Role::Operator), now)
    }

    /// Edits a key of the program's project, if it is in one of these states; `None`: in any.
    ///
    /// # Errors
    /// As [`Keys::create_by_program`]; [`ProgramRefused::Stale`] if the key is in another state; [`Error::Conflict`] if
    /// it is deleted.
    pub async fn edit_by_program(
        &self,
        program: &Program,
        project: ProjectId,
        id: KeyId,
        versions: Option<&[i64]>,
        changes: &Changes,
    ) -> Result<KeyView, Error> {
        let now = self.get_by_program(program, project, id).await?;
        // The write compares this version again, because the key may change after this read.
        let version = match versions {
            Some(versions) if !versions.contains(&now.version) => return Err(ProgramRefused::Stale.into()),
            Some(_) => Some(now.version),
            None => None,
        };
        let edited = changes.read(version, self.ground.now())?;
        let edited = self.apply_edit(&Actor::Program(program.clone()), id, edited).await;
        edited.map_err(|error| named(error, changes.end.as_ref()))
    }

    /// Deactivates a key of the program's project, if it is in one of these states; `None`: in any. Repeating the call
    /// is not an error.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the key does not exist or belongs to another project; [`Error::Conflict`] if it is
    /// deleted; [`Error::Program`] if it belongs to another environment, or is in another state.
    pub async fn deactivate_by_program(&self, who: Program, at: &At, versions: Versions) -> Result<KeyView, Error> {
        self.change_by_program(who, at, versions, Verb::Deactivate).await
    }

    /// Activates a key of the program's project, under the same condition. Repeating the call is not an error.
    ///
    /// # Errors
    /// As [`Keys::deactivate_by_program`]; [`Error::Program`] if the key exceeds the program's key; [`Error::Stopped`]
    /// while it is stopped by an administrator.
    pub async fn activate_by_program(&self, who: Program, at: &At, versions: Versions) -> Result<KeyView, Error> {
        self.change_by_program(who, at, versions, Verb::Activate).await
    }

    /// Deletes a key of the program's project, under the same condition. It can be restored for seven days. Repeating
    /// the call is not an error.
    ///
    /// # Errors
    /// As [`Keys::deactivate_by_program`].
    pub async fn delete_by_program(&self, who: Program, at: &At, versions: Versions) -> Result<KeyView, Error> {
        self.change_by_program(who, at, versions, Verb::Delete).await
    }

    /// Restores a key of the program's project to its previous state, under the same condition. Repeating the call is
    /// not an error.
    ///
    /// # Errors
    /// As [`Keys::activate_by_program`].
    pub async fn restore_by_program(&self, who: Program, at: &At, versions: Versions) -> Result<KeyView, Error> {
        self.change_by_program(who, at, versions, Verb::Restore).await
    }

    async fn change_by_program(
        &self,
        program: Program,
        at: &At,
        versions: Versions,
        verb: Verb,
    ) -> Result<KeyView, Error> {
        program.in_project(at.project)?;
        self.change(Standing::Program(Box::new(program), versions), at.key, verb).await
    }
}

/// The path of a key: its project and its id.
#[derive(Clone, Copy, Debug)]
pub struct At {
    pub project: ProjectId,
    pub key: KeyId,
}

/// The states of a key in which a change may run (`If-Match`); `None`: in any.
pub type Versions = Option<Vec<i64>>;

/// Renames the error field of a rule that forms and programs share, from the form's field to the member that the
/// program sent.
fn named(error: Error, end: Option<&End>) -> Error {
    let name = if matches!(end, Some(End::Days(_))) { "expires_in_days" } else { "expires_at" };
    match error {
        Error::Invalid(fields) => Error::Invalid(
            fields
                .into_iter()
                .map(|field| if field.name == "expires" { Field { name, ..field } } else { field })
                .collect(),
        ),
        other => other,
    }
}
