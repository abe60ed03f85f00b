//! Key privileges, and their comparison for attenuation: a program never widens a key beyond its own key.

use crate::InvalidField;
use keyward_domain::{key::Environment, network::Networks, rate::RateLimit, time::Timestamp};
use keyward_store::{
    self as store,
    keys::{KeyFields, KeyRow},
};

/// The privileges of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Privileges {
    pub environment: Environment,
    pub scopes: Vec<String>,
    pub networks: Networks,
    pub not_before: Option<Timestamp>,
    /// `None`: the key never expires.
    pub expires_at: Option<Timestamp>,
    pub rate_limit: Option<RateLimit>,
}

impl Privileges {
    /// Returns the privileges of a key with these fields.
    pub fn new(environment: Environment, fields: &KeyFields) -> Self {
        Self {
            environment,
            scopes: fields.scopes.clone(),
            networks: fields.networks.clone(),
            not_before: fields.not_before,
            expires_at: fields.expires_at,
            rate_limit: fields.rate_limit,
        }
    }

    /// Returns the privileges of a stored key.
    ///
    /// # Errors
    /// [`store::Error::Corrupt`] if a column contains a value that the code never writes.
    pub fn from_row(row: &KeyRow) -> Result<Self, store::Error> {
        Ok(Self::new(row.environment()?, &row.fields()?))
    }

    /// Returns one error for each privilege in which this key exceeds its creator's key: environment, scopes, networks,
    /// and expiry. The start time and the rate limit are not privileges: a key that creates keys works already, and two
    /// keys can be used twice as often as one.
    pub fn exceeding(&self, maker: &Self) -> Vec<InvalidField> {
        let mut errors = Vec::new();
        if self.environment != maker.environment {
            errors.push(InvalidField::new(
                "environment",
                format!("Your key is limited to the environment {}.", maker.environment),
            ));
        }
        let lacks: Vec<_> = self.scopes.iter().filter(|it| !maker.scopes.contains(it)).map(String::as_str).collect();
        if !lacks.is_empty() {
            errors.push(InvalidField::new(
                "scopes",
                format!("Your key does not have these scopes: {}.", lacks.join(", ")),
            ));
        }
        if !self.networks.is_subset_of(&maker.networks) {
            errors.push(InvalidField::new(
                "networks",
                format!("Your key is limited to these networks: {}.", maker.networks),
            ));
        }
        if maker.expires_at.is_some_and(|end| self.expires_at.is_none_or(|it| it > end)) {
            errors.push(InvalidField::new("expires_at", "Your key expires earlier."));
        }
        errors
    }

    /// Whether no privilege, start time, or rate limit is wider than before.
    pub fn is_subset_of(&self, before: &Self, now: Timestamp) -> bool {
        let from = |it: &Self| it.not_before.unwrap_or(now).max(now);
        let slower = match (&self.rate_limit, &before.rate_limit) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(is), Some(was)) => is.is_within(was),
        };
        self.exceeding(before).is_empty() && from(self) >= from(before) && slower
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn reach() -> Privileges {
        Privileges {
            environment: Environment::Live,
            scopes: vec!["a".into(), "b".into()],
            networks: Networks::parse("10.0.0.0/8").unwrap(),
            not_before: Some(NOW.plus_seconds(10)),
            expires_at: Some(NOW.plus_seconds(100)),
            rate_limit: Some("10/minute".parse().unwrap()),
        }
    }

    fn beyond(reach: &Privileges) -> Vec<&'static str> {
        reach.exceeding(&self::reach()).iter().map(|field| field.name).collect()
    }

    #[test]
    fn each_way_to_reach_further_is_named() {
        let equal = reach();
        assert!(equal.exceeding(&equal).is_empty() && equal.is_subset_of(&equal, NOW));
        assert_eq!(beyond(&Privileges { environment: Environment::Test, ..reach() }), ["environment"]);
        assert_eq!(beyond(&Privileges { scopes: vec!["a".into(), "c".into()], ..reach() }), ["scopes"]);
        assert_eq!(beyond(&Privileges { scopes: vec![], ..reach() }), [""; 0]);
        assert_eq!(beyond(&Privileges { networks: Networks::default(), ..reach() }), ["networks"]);
        assert_eq!(beyond(&Privileges { expires_at: None, ..reach() }), ["expires_at"]);
        assert_eq!(beyond(&Privileges { expires_at: Some(NOW.plus_seconds(101)), ..reach() }), ["expires_at"]);
        assert_eq!(beyond(&Privileges { not_before: None, rate_limit: None, ..reach() }), [""; 0]);
    }

    #[test]
    fn what_only_narrows_begins_no_earlier_and_goes_no_faster() {
        let before = reach();
        for (wider, narrows) in [
            (Privileges { not_before: None, ..reach() }, false),
            (Privileges { not_before: Some(NOW.plus_seconds(9)), ..reach() }, false),
            (Privileges { not_before: Some(NOW.plus_seconds(11)), ..reach() }, true),
            (Privileges { rate_limit: None, ..reach() }, false),
            (Privileges { rate_limit: Some("11/minute".parse().unwrap()), ..reach() }, false),
            (Privileges { rate_limit: Some("1/minute".parse().unwrap()), ..reach() }, true),
            (
                Privileges { networks: Networks::parse("10.1.0.0/16").unwrap(), scopes: vec!["b".into()], ..reach() },
                true,
            ),
        ] {
            assert_eq!(wider.is_subset_of(&before, NOW), narrows, "{wider:?}");
        }
        let begun = NOW.plus_seconds(10);
        assert!(Privileges { not_before: None, ..reach() }.is_subset_of(&before, begun), "it works already");
    }
}
