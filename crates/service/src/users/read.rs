//! User list and user details.

use super::{Users, authorize};
use crate::{
    Error,
    actor::{Actor, Caller},
    permissions::AdminPermission,
    read_list,
    time_format::moment_from_micros,
};
use keyward_domain::{
    email::Email,
    ids::UserId,
    people::{UserPage, UserProject, UserSummary, UserView},
    project::Role,
};
use keyward_store::{self as store, users::PersonRow};
use uuid::Uuid;

/// Number of users per page of the list.
pub const PAGE_SIZE: usize = 50;
/// Maximum number of users that a form offers to choose from.
const CHOICES: i64 = 500;
/// Maximum length of a search text, in characters.
const SEARCH_MAX: usize = 200;

/// Parses the cursor in `?after=`: ID and title of the last user of the previous page.
fn parse_cursor(text: &str) -> Option<(String, Uuid)> {
    let (id, title) = text.split_once('.')?;
    // PostgreSQL does not accept NUL in text.
    Some((title.to_owned(), id.parse().ok()?)).filter(|(title, _)| !title.contains('\0'))
}

fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}

fn summary(row: PersonRow, caller: &Caller) -> UserSummary {
    UserSummary {
        is_you: UserId::from(row.id) == caller.user,
        id: row.id.into(),
        name: row.name,
        email: row.email,
        admin: row.admin,
        active: row.active,
        projects: count(row.projects),
        keys: count(row.keys),
        created: moment_from_micros(row.created_at, &caller.zone),
        signed_in: row.last_sign_in_at.map(|at| moment_from_micros(at, &caller.zone)),
    }
}

impl Users {
    /// Returns one page of the users whose name or address contains the search text, sorted by name. An invalid `after`
    /// starts at the first page.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the caller is not an administrator.
    #[tracing::instrument(name = "users.list", skip_all)]
    pub async fn list(&self, caller: &Caller, search: &str, after: &str) -> Result<UserPage, Error> {
        read_list(async {
            let mut reader = self.context.pool.acquire_list_reader().await?;
            let mut conn = reader.conn();
            authorize(&mut conn, &Actor::User(caller.clone()), AdminPermission::ManageUsers).await?;
            let text: String = search.chars().take(SEARCH_MAX).collect();
            let (title, id) = parse_cursor(after).unwrap_or((String::new(), Uuid::nil()));
            let total = store::users::count(&mut conn, &text).await?;
            let mut rows = store::users::page(&mut conn, &text, (&title, id), PAGE_SIZE as i64 + 1).await?;
            let more = rows.len() > PAGE_SIZE;
            rows.truncate(PAGE_SIZE);
            let next = rows.last().filter(|_| more).map(|last| format!("{}.{}", last.id.simple(), last.title));
            let users = rows.into_iter().map(|row| summary(row, caller)).collect();
            Ok(UserPage { users, next, total: count(total), now: self.context.now() })
        })
        .await
    }

    /// Returns one user with their projects.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the user does not exist or the caller is not an administrator.
    #[tracing::instrument(name = "users.get", skip_all, fields(user.id = %id))]
    pub async fn get(&self, caller: &Caller, id: UserId) -> Result<UserView, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        let mut conn = reader.conn();
        authorize(&mut conn, &Actor::User(caller.clone()), AdminPermission::ManageUsers).await?;
        let row = store::users::by_id(&mut conn, id.into()).await?.ok_or(Error::NotFound)?;
        let mut projects = Vec::new();
        for row in store::users::projects(&mut conn, id.into()).await? {
            let role: Role = row.role.parse().map_err(|_| store::Error::Corrupt("role of a member"))?;
            projects.push(UserProject {
                alone: role.is_owner() && row.other_owners == 0,
                id: row.id.into(),
                name: row.name,
                role,
                keys: count(row.keys),
                archived: row.archived_at.is_some(),
            });
        }
        let last = row.admin && row.active && store::users::administrators(&mut conn).await? <= 1;
        let others = store::users::others(&mut conn, row.id, CHOICES).await?.into_iter().map(Into::into).collect();
        let live_keys = count(store::users::live_key_count(&mut conn, row.id).await?);
        Ok(UserView {
            user: summary(row, caller),
            projects,
            live_keys,
            last_administrator: last,
            others,
            now: self.context.now(),
        })
    }

    /// Returns all users by name, for the command line.
    ///
    /// # Errors
    /// If the database cannot be read.
    #[tracing::instrument(name = "users.list_rows", skip_all)]
    pub async fn list_rows(&self) -> Result<Vec<PersonRow>, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        Ok(store::users::page(&mut reader.conn(), "", ("", Uuid::nil()), i64::MAX).await?)
    }

    /// Returns the user with this address, for the command line.
    ///
    /// # Errors
    /// [`Error::NotFound`] if no user has it.
    #[tracing::instrument(name = "users.find_by_email", skip_all)]
    pub async fn find_by_email(&self, email: &str) -> Result<UserId, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        let row = store::users::by_email(&mut reader.conn(), &Email::from_row(email)).await?;
        row.map(|row| row.id.into()).ok_or(Error::NotFound)
    }
}
