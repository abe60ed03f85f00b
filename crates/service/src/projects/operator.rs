//! Projects, for the operator at the command line.

use super::Projects;
use crate::{Error, actor::Actor};
use keyward_domain::{email::Email, ids::ProjectId};
use keyward_store::{self as store, members::MemberRow};

impl Projects {
    /// Returns the projects with this id or exactly this name.
    ///
    /// # Errors
    /// If the database cannot be read.
    #[tracing::instrument(name = "projects.find_as_operator", skip_all)]
    pub async fn find_as_operator(&self, text: &str) -> Result<Vec<ProjectId>, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        let mut conn = reader.conn();
        let mut found: Vec<ProjectId> =
            store::projects::ids_by_name(&mut conn, text).await?.into_iter().map(Into::into).collect();
        if let Ok(id) = text.parse::<ProjectId>()
            && !found.contains(&id)
            && store::projects::by_id(&mut conn, id.into()).await?.is_some()
        {
            found.push(id);
        }
        Ok(found)
    }

    /// Creates a project that the user with this email address owns.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an invalid name, or if there is no active user with this address.
    #[tracing::instrument(name = "projects.create_as_operator", skip_all)]
    pub async fn create_as_operator(&self, owner: &str, name: &str) -> Result<ProjectId, Error> {
        let unknown_owner = || {
            Error::field(
                "owner",
                "No active user has this email address. To list the users, run: keyward admin list-users",
            )
        };
        // An address that is not valid belongs to no user.
        let email = owner.parse::<Email>().map_err(|_| unknown_owner())?;
        let found = {
            let mut reader = self.context.pool.acquire_reader().await?;
            store::accounts::by_email(&mut reader.conn(), &email).await?
        };
        let person = found.filter(|row| row.active).ok_or_else(unknown_owner)?;
        self.create(&Actor::Operator, person.id.into(), name).await
    }

    /// Returns the members of a project, owners first.
    ///
    /// # Errors
    /// If the database cannot be read.
    #[tracing::instrument(name = "projects.members_as_operator", skip_all, fields(project.id = %id))]
    pub async fn members_as_operator(&self, id: ProjectId) -> Result<Vec<MemberRow>, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        Ok(store::members::list(&mut reader.conn(), id.into()).await?)
    }
}
