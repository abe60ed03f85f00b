//! Keys, by a program: what a person can do, within the scopes of its token, in the one project that its key belongs to.
//!
//! **What it makes only narrows.** A key that a program makes lies within its own: no more scopes, networks or life, the same
//! environment and project. A key that it edits lies afterwards within its own, or within what it was before, in everything at once:
//! the edit of a key that reaches further in one thing must not widen it in another. What it starts again lies within its own. So a
//! program widens nothing beyond itself, itself included, and neither does what it made. From when a key works and how often are no
//! rights, its own among them: it could make another without a limit.

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

/// How far the key behind a program reaches now, if it may still write: of management, no further than the token.
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

/// Whether a program may make this key: it has made none with this number, and the key lies within its own.
pub(super) async fn check_new(conn: &mut Conn<'_>, actor: &Actor, new: &NewKey, now: Timestamp) -> Result<(), Error> {
    let Actor::Program(program) = actor else { return Ok(()) };
    let maker = maker(conn, program, now).await?;
    check_once(conn, new.number, new.request.as_ref()).await?;
    within(Reach::of_new(new).beyond(&maker))
}

/// Whether a key was made with this number before.
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

/// Whether a program may make this of a key.
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
    // A program for tests does not touch what is live.
    if before.environment == maker.environment && after.narrows(&before, now) {
        return Ok(());
    }
    within(after.beyond(&maker))
}

/// Whether a program may do this to a key: of its environment, and to start it again, one that lies within its own. `versions` are
/// the states in which it is to be done; where there is nothing left to do, in any.
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
    /// Makes a key for a program. What is not said is as the program's own: its environment, its networks, 90 days or as long as it
    /// lasts. The secret is in the answer, and nowhere else.
    ///
    /// # Errors
    /// [`Error::NotFound`] for any other project; [`Error::Invalid`] with every wrong member; [`Error::Program`] if the key would reach
    /// further than the program's, or the number was used before; [`Error::Conflict`] if the project has as many as the policy allows.
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
            // Before anything is read: an instant that was to come when it was first sent may have passed.
            check_once(&mut conn, once.map(Once::number), once.map(Once::request)).await?;
            (crate::policy::read(&mut conn).await?.usual_period(), maker)
        };
        let new = asked.read(program, &maker, usual, once, now)?;
        let made = self.create_as(&Actor::Program(program.clone()), new).await;
        made.map_err(|error| named(error, asked.end.as_ref()))
    }

    /// One key of the program's project.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not there or of another project.
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
    /// As [`Keys::create_by_program`]; [`ProgramRefused::Stale`] if it is in another state; [`Error::Conflict`] if it is deleted.
    pub async fn edit_by_program(
        &self,
        program: &Program,
        project: ProjectId,
        id: KeyId,
        versions: Option<&[i64]>,
        changes: &Changes,
    ) -> Result<KeyView, Error> {
        let now = self.get_by_program(program, project, id).await?;
        // Of the states that would do, the one in which it is: what is read here is compared again where it is changed.
        let version = match versions {
            Some(versions) if !versions.contains(&now.version) => return Err(ProgramRefused::Stale.into()),
            Some(_) => Some(now.version),
            None => None,
        };
        let edited = changes.read(version, self.ground.now())?;
        let edited = self.apply_edit(&Actor::Program(program.clone()), id, edited).await;
        edited.map_err(|error| named(error, changes.end.as_ref()))
    }

    /// Deactivates a key of the program's project, if it is in one of these states; `None`: in any. Twice is no error.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not there or of another project; [`Error::Conflict`] if it is deleted; [`Error::Program`] if it is
    /// of another environment, or in another state.
    pub async fn deactivate_by_program(&self, who: Program, at: &At, versions: Versions) -> Result<KeyView, Error> {
        self.change_by_program(who, at, versions, Verb::Deactivate).await
    }

    /// Activates a key of the program's project, likewise. Twice is no error.
    ///
    /// # Errors
    /// As [`Keys::deactivate_by_program`]; [`Error::Program`] if it reaches further than the program's; [`Error::Stopped`] while an
    /// administrator holds it.
    pub async fn activate_by_program(&self, who: Program, at: &At, versions: Versions) -> Result<KeyView, Error> {
        self.change_by_program(who, at, versions, Verb::Activate).await
    }

    /// Deletes a key of the program's project, likewise: for seven days it can be restored. Twice is no error.
    ///
    /// # Errors
    /// As [`Keys::deactivate_by_program`].
    pub async fn delete_by_program(&self, who: Program, at: &At, versions: Versions) -> Result<KeyView, Error> {
        self.change_by_program(who, at, versions, Verb::Delete).await
    }

    /// Restores a key of the program's project, likewise, to the state that it had. Twice is no error.
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

/// A key, as an address names it.
#[derive(Clone, Copy, Debug)]
pub struct At {
    pub project: ProjectId,
    pub key: KeyId,
}

/// The states of a key in which something is to be done; `None`: in any.
pub type Versions = Option<Vec<i64>>;

/// The rules that people and programs share name the field of the form. A program learns of the member that it sent.
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
