//! Scope catalog of the instance. Administrators manage it; for all other callers it does not exist.

use super::{
    Context, Error, InvalidField,
    actor::{Actor, Caller},
    permissions::{AdminPermission, is_allowed},
    read_list,
};
use keyward_domain::{
    count::format_grouped,
    scope::{CatalogScope, Description, GrantedBy, ScopeName},
};
use keyward_store::{
    self as store,
    scopes::{Scope, Uses},
    write_queue::WriteOutcome,
};

/// Form values of a scope, not parsed.
#[derive(Clone, Debug)]
pub struct ScopeDraft {
    pub name: String,
    pub description: String,
    pub in_default: bool,
    /// `operator` or `owner`. Empty: `operator`.
    pub granted_by: String,
}

impl ScopeDraft {
    /// Parses every field and collects all errors.
    fn parse(&self) -> Result<Scope, Error> {
        let mut errors = Vec::new();
        let name = parse_name(self.name.trim()).map_err(|e| errors.push(e));
        let description =
            self.description.parse::<Description>().map_err(|e| errors.push(InvalidField::new("description", e)));
        let granted_by = match self.granted_by.as_str() {
            "" => Ok(GrantedBy::default()),
            text => text.parse().map_err(|e| errors.push(InvalidField::new("granted_by", e))),
        };
        match (name, description, granted_by) {
            (Ok(name), Ok(description), Ok(granted_by)) => Ok(Scope {
                name: name.into(),
                description: description.as_str().to_owned(),
                in_default: self.in_default,
                granted_by: granted_by.as_str(),
            }),
            _ => Err(Error::Invalid(errors)),
        }
    }
}

/// Parses a scope name and rejects reserved names.
fn parse_name(text: &str) -> Result<ScopeName, InvalidField> {
    let name: ScopeName = text.parse().map_err(|e| InvalidField::new("name", e))?;
    // Compared without case: `Keyward:admin` must not be confusable with the built-in scope.
    if name.as_str().to_ascii_lowercase().starts_with("keyward:") {
        return Err(InvalidField::new(
            "name",
            "Names that start with keyward: are reserved for the management API. Choose another name.",
        ));
    }
    Ok(name)
}

/// Result of a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    Removed,
    /// Nothing was removed because the scope is in use.
    InUse(Uses),
}

/// Formats the reason why a scope in use is kept, with the counts.
pub fn in_use_message(uses: Uses) -> String {
    let counted = |n: i64, one: &str, many: &str| match n {
        0 => None,
        1 => Some(format!("1 {one}")),
        n => Some(format!("{} {many}", format_grouped(n.unsigned_abs()))),
    };
    let users = [
        counted(uses.keys, "key", "keys"),
        counted(uses.deleted, "deleted key that can still be restored", "deleted keys that can still be restored"),
        counted(uses.projects, "project that selected it", "projects that selected it"),
        counted(uses.grants, "grant to an application", "grants to applications"),
    ];
    let users: Vec<_> = users.into_iter().flatten().collect();
    format!(
        "This scope is in use: {}. Retire it instead: keys that have it keep it, and it cannot be added to new keys.",
        users.join(", ")
    )
}

fn audit_json(description: &str, in_default: bool, granted_by: &str) -> serde_json::Value {
    serde_json::json!({"description": description, "in_default": in_default, "granted_by": granted_by})
}

fn before(row: &store::scopes::CatalogScopeRow) -> serde_json::Value {
    audit_json(&row.description, row.in_default, &row.granted_by)
}

fn after(scope: &Scope) -> serde_json::Value {
    audit_json(&scope.description, scope.in_default, scope.granted_by)
}

/// Checks the administrator permission. For all other callers the catalog does not exist.
fn require_administrator(caller: &Caller) -> Result<Actor, Error> {
    if is_allowed(caller.admin, AdminPermission::WriteCatalogue) {
        Ok(Actor::User(caller.clone()))
    } else {
        Err(Error::NotFound)
    }
}

/// Use cases of the scope catalog.
#[derive(Clone)]
pub struct Scopes {
    context: Context,
}

impl Scopes {
    pub fn new(context: Context) -> Self {
        Self { context }
    }

    /// Returns all scopes, in the order in which forms offer them.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the caller is not an administrator.
    #[tracing::instrument(name = "scopes.list", skip_all)]
    pub async fn list(&self, caller: &Caller) -> Result<Vec<CatalogScope>, Error> {
        require_administrator(caller)?;
        let mut reader = self.context.pool.acquire_list_reader().await?;
        let count = |n: i64| u64::try_from(n).unwrap_or_default();
        let rows = read_list(async { Ok(store::scopes::list_with_counts(&mut reader.conn()).await?) }).await?;
        let read = rows.into_iter().map(|row| {
            Ok(CatalogScope {
                name: row.name.parse().map_err(|_| store::Error::Corrupt("name of a scope"))?,
                description: row.description,
                in_default: row.in_default,
                granted_by: row.granted_by.parse().map_err(|_| store::Error::Corrupt("granter of a scope"))?,
                keys: count(row.keys),
                projects: count(row.projects),
                retired: row.retired,
            })
        });
        read.collect()
    }

    /// Adds a scope at the end of the catalog.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the caller is not an administrator; [`Error::Invalid`] with every invalid field, `name`
    /// if it is taken.
    #[tracing::instrument(name = "scopes.add", skip_all)]
    pub async fn add(&self, caller: &Caller, draft: &ScopeDraft) -> Result<(), Error> {
        let (actor, now) = (require_administrator(caller)?, self.context.now());
        let scope = draft.parse()?;
        let write = self.context.queue.write(move |tx| {
            let (actor, scope) = (actor.clone(), scope.clone());
            Box::pin(async move {
                if !store::scopes::insert(tx, &scope).await? {
                    return Err(Error::field("name", "A scope with this name already exists."));
                }
                let event = actor
                    .event(now, "scope.added", format!("scope:{}", scope.name), &scope.name)
                    .with_acting_role("administrator")
                    .with_detail(serde_json::json!({"after": after(&scope)}));
                Ok(WriteOutcome::audited((), event))
            })
        });
        write.await
    }

    /// Changes the description and the settings of a scope. The name does not change. Keys that have the scope keep it.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the caller is not an administrator or the scope does not exist; [`Error::Invalid`] with
    /// every invalid field.
    #[tracing::instrument(name = "scopes.edit", skip_all)]
    pub async fn edit(&self, caller: &Caller, draft: &ScopeDraft) -> Result<(), Error> {
        let (actor, now) = (require_administrator(caller)?, self.context.now());
        let scope = draft.parse()?;
        let write = self.context.queue.write(move |tx| {
            let (actor, scope) = (actor.clone(), scope.clone());
            Box::pin(async move {
                let row = store::scopes::by_name(tx, &scope.name).await?.ok_or(Error::NotFound)?;
                if !store::scopes::edit(tx, &scope).await? {
                    return Err(Error::NotFound);
                }
                let event = actor
                    .event(now, "scope.edited", format!("scope:{}", scope.name), &scope.name)
                    .with_acting_role("administrator")
                    .with_detail(serde_json::json!({"before": before(&row), "after": after(&scope)}));
                Ok(WriteOutcome::audited((), event))
            })
        });
        write.await
    }

    /// Removes a scope that is not in use.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the caller is not an administrator or the scope does not exist; [`Error::Invalid`] for a
    /// built-in scope.
    #[tracing::instrument(name = "scopes.remove", skip_all)]
    pub async fn remove(&self, caller: &Caller, name: &str) -> Result<Removal, Error> {
        let (actor, now) = (require_administrator(caller)?, self.context.now());
        let name = parse_name(name.trim()).map_err(|e| Error::Invalid(vec![e]))?;
        let write = self.context.queue.write(move |tx| {
            let (actor, name) = (actor.clone(), name.clone());
            Box::pin(async move {
                let row = store::scopes::by_name(tx, name.as_str()).await?.ok_or(Error::NotFound)?;
                let uses = store::scopes::uses(tx, name.as_str(), now.micros()).await?;
                if uses != (Uses { keys: 0, deleted: 0, projects: 0, grants: 0 }) {
                    return Ok(WriteOutcome::unaudited(Removal::InUse(uses)));
                }
                if !store::scopes::remove(tx, name.as_str()).await? {
                    return Err(Error::NotFound);
                }
                let event = actor
                    .event(now, "scope.removed", format!("scope:{name}"), name.as_str())
                    .with_acting_role("administrator")
                    .with_detail(serde_json::json!({"before": before(&row)}));
                Ok(WriteOutcome::audited(Removal::Removed, event))
            })
        });
        write.await
    }

    /// Retires a scope: new keys cannot get it, and keys that have it keep it. `again`: offers the scope again
    /// everywhere it was offered before.
    ///
    /// Repeating the call is not an error.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the caller is not an administrator or the scope does not exist.
    #[tracing::instrument(name = "scopes.retire", skip_all)]
    pub async fn retire(&self, caller: &Caller, name: &str, again: bool) -> Result<(), Error> {
        let (actor, now) = (require_administrator(caller)?, self.context.now());
        // Built-in scopes are allowed here: once they are retired, no new key can manage other keys.
        let name: ScopeName = name.trim().parse().map_err(|e| Error::field("name", e))?;
        let write = self.context.queue.write(move |tx| {
            let (actor, name) = (actor.clone(), name.clone());
            Box::pin(async move {
                store::scopes::by_name(tx, name.as_str()).await?.ok_or(Error::NotFound)?;
                let at = (!again).then_some(now.micros());
                if !store::scopes::set_retired(tx, name.as_str(), at).await? {
                    return Ok(WriteOutcome::unaudited(()));
                }
                let keys = store::scopes::key_count(tx, name.as_str()).await?;
                let action = if again { "scope.unretired" } else { "scope.retired" };
                let event = actor
                    .event(now, action, format!("scope:{name}"), name.as_str())
                    .with_acting_role("administrator")
                    .with_detail(serde_json::json!({
                        "before": {"retired": again}, "after": {"retired": !again}, "keys": keys,
                    }));
                Ok(WriteOutcome::audited((), event))
            })
        });
        write.await
    }
}
