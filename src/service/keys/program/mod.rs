//! Keys, by a program: what a person can do, within the scopes of its token, in the one project that its key belongs to.
//!
//! **What it makes only narrows.** A key that a program makes lies within its own: no more scopes, networks or life, the same
//! environment and project. A key that it edits lies afterwards within its own, or within what it was before, in everything at once:
//! the edit of a key that reaches further in one thing must not widen it in another. What it starts again lies within its own. So a
//! program widens nothing beyond itself, itself included, and neither does what it made.

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
    domain::{
        ids::{KeyId, ProjectId},
        key::{KeyView, Status},
        project::Role,
        time::Timestamp,
    },
    secret::PlainSecret,
    service::{
        Error,
        actor::Actor,
        can::Action,
        program::{Program, ProgramRefused, WRITE},
    },
    store::{self, Conn, keys::KeyRow},
};
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
    check_number(conn, new).await?;
    within(Reach::of_new(new).beyond(&maker))
}

/// Whether a key was made with this number before.
pub(super) async fn check_number(conn: &mut Conn<'_>, new: &NewKey) -> Result<(), Error> {
    let (Some(number), Some(request)) = (new.number, new.request) else { return Ok(()) };
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
    let beyond = after.beyond(&maker);
    // A program for tests does not touch what is live.
    if before.environment == maker.environment && after.narrows(&before, now) {
        return Ok(());
    }
    within(beyond)
}

/// Whether a program may do this to a key: of its environment, and to start it again, one that lies within its own.
pub(super) async fn check_change(
    conn: &mut Conn<'_>,
    actor: &Actor,
    row: &KeyRow,
    verb: Verb,
    now: Timestamp,
) -> Result<(), Error> {
    let Actor::Program(program) = actor else { return Ok(()) };
    let mut beyond = Reach::of(row)?.beyond(&maker(conn, program, now).await?);
    if !verb.starts() {
        beyond.retain(|field| field.name == "environment");
    }
    within(beyond)
}

fn within(beyond: Vec<crate::service::Field>) -> Result<(), Error> {
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
            (crate::service::policy::read(&mut conn).await?.usual_period(), maker(&mut conn, program, now).await?)
        };
        let new = asked.read(program, &maker, usual, once, now)?;
        self.create_as(&Actor::Program(program.clone()), new).await
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
        self.apply_edit(&Actor::Program(program.clone()), id, edited).await
    }

    /// Deactivates a key of the program's project. Twice is no error.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not there or of another project; [`Error::Conflict`] if it is deleted; [`Error::Program`] if it is
    /// of another environment.
    pub async fn deactivate_by_program(&self, who: &Program, project: ProjectId, id: KeyId) -> Result<KeyView, Error> {
        self.change_by_program(who, project, id, Verb::Deactivate).await
    }

    /// Activates a key of the program's project. Twice is no error.
    ///
    /// # Errors
    /// As [`Keys::deactivate_by_program`]; [`Error::Program`] if it reaches further than the program's; [`Error::Stopped`] while an
    /// administrator holds it.
    pub async fn activate_by_program(&self, who: &Program, project: ProjectId, id: KeyId) -> Result<KeyView, Error> {
        self.change_by_program(who, project, id, Verb::Activate).await
    }

    /// Deletes a key of the program's project: for seven days it can be restored. Twice is no error.
    ///
    /// # Errors
    /// As [`Keys::deactivate_by_program`].
    pub async fn delete_by_program(&self, who: &Program, project: ProjectId, id: KeyId) -> Result<KeyView, Error> {
        self.change_by_program(who, project, id, Verb::Delete).await
    }

    /// Restores a key of the program's project to the state that it had. Twice is no error.
    ///
    /// # Errors
    /// As [`Keys::activate_by_program`].
    pub async fn restore_by_program(&self, who: &Program, project: ProjectId, id: KeyId) -> Result<KeyView, Error> {
        self.change_by_program(who, project, id, Verb::Restore).await
    }

    async fn change_by_program(
        &self,
        program: &Program,
        project: ProjectId,
        id: KeyId,
        verb: Verb,
    ) -> Result<KeyView, Error> {
        program.in_project(project)?;
        self.change(Standing::Own(Actor::Program(program.clone())), id, verb).await
    }
}
