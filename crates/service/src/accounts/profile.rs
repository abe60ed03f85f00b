//! User profile: name and time zone.

use super::Accounts;
use crate::{
    Error, InvalidField,
    actor::{Actor, Caller},
    time_format::{abbreviation, zoned},
};
use keyward_domain::user::{AccountForm, PersonName};
use keyward_store::{
    self as store,
    accounts::UserRow,
    change_log::{Change, Topic},
    write_queue::WriteOutcome,
};

/// Returns the names of all known time zones in alphabetical order.
fn zones() -> Vec<String> {
    let mut zones: Vec<_> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    zones.sort_unstable();
    zones
}

/// Parses a time zone name. Empty: use the browser's time zone.
fn parse_zone(text: &str) -> Result<Option<String>, InvalidField> {
    match text.trim() {
        "" => Ok(None),
        name if zones().iter().any(|zone| zone == name) => Ok(Some(name.to_owned())),
        _ => Err(InvalidField::new("zone", "Choose a time zone from the list.")),
    }
}

fn facts(name: &str, zone: Option<&str>) -> serde_json::Value {
    serde_json::json!({"name": name, "zone": zone})
}

impl Accounts {
    /// Returns the user's own account, for the profile page.
    ///
    /// # Errors
    /// If the database cannot be read.
    #[tracing::instrument(name = "accounts.profile", skip_all)]
    pub async fn profile(&self, caller: &Caller) -> Result<AccountForm, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        let row = store::accounts::by_id(&mut reader.conn(), caller.user.into()).await?.ok_or(Error::NotFound)?;
        let there = zoned(self.context.now(), &caller.zone);
        Ok(AccountForm {
            name: row.name,
            email: row.email,
            zone: row.zone,
            zones: zones(),
            now: format!("{} {}", there.strftime("%-d %B %Y, %H:%M"), abbreviation(&there)),
        })
    }

    /// Saves the user's name and time zone (an IANA name; empty: the browser's time zone).
    ///
    /// # Errors
    /// [`Error::Invalid`] with every invalid field.
    #[tracing::instrument(name = "accounts.save_profile", skip_all)]
    pub async fn save_profile(&self, caller: &Caller, name: &str, zone: &str) -> Result<(), Error> {
        let mut errors = Vec::new();
        let name = name.parse::<PersonName>().map_err(|e| errors.push(InvalidField::new("name", e)));
        let zone = parse_zone(zone).map_err(|e| errors.push(e));
        let (Ok(name), Ok(zone)) = (name, zone) else { return Err(Error::Invalid(errors)) };
        let (actor, user, now) = (Actor::User(caller.clone()), caller.user, self.context.now());
        let write = self.context.queue.write(move |tx| {
            let (actor, name, zone) = (actor.clone(), name.clone(), zone.clone());
            Box::pin(async move {
                let row: UserRow = store::accounts::by_id(tx, user.into()).await?.ok_or(Error::NotFound)?;
                if row.name == name.as_str() && row.zone == zone {
                    return Ok(WriteOutcome::unaudited(()));
                }
                if !store::accounts::set_profile(tx, row.id, name.as_str(), zone.as_deref()).await? {
                    return Err(Error::Internal("the user was deleted in the transaction that read it"));
                }
                let event = actor
                    .event(now, "user.changed", format!("user:{user}"), &row.name)
                    .with_acting_role("self")
                    .with_detail(serde_json::json!({
                        "before": facts(&row.name, row.zone.as_deref()), "after": facts(name.as_str(), zone.as_deref()),
                    }));
                Ok(WriteOutcome::audited((), event).notify(Change { topic: Topic::User, id: row.id }))
            })
        });
        write.await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_those_that_the_bundled_list_has() {
        let zones = zones();
        assert!(zones.len() > 400 && zones.is_sorted(), "{}", zones.len());
        for name in ["Europe/Berlin", "Asia/Kathmandu", "UTC"] {
            assert_eq!(parse_zone(name), Ok(Some(name.to_owned())));
        }
        assert_eq!(parse_zone("  "), Ok(None));
        for bad in ["Mars/Olympus", "europe/berlin", "../etc/passwd", "Europe/Berlin\0"] {
            assert!(parse_zone(bad).is_err(), "{bad}");
        }
    }
}
