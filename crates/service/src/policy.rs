//! Instance policy: read where it is enforced, changed by administrators.

use super::{
    Context, Error, InvalidField,
    actor::{Actor, Caller},
    keys,
    permissions::AdminPermission,
};
use keyward_domain::{
    count::{COUNT_MAX, format_count_of, format_grouped},
    expiry::DAYS_MAX,
    policy::{Policy, PolicyDraft, PolicyForm, PolicySaved, SecondFactor, SignUp},
    time::{DAY, Timestamp, format_duration},
};
use keyward_store::{
    self as store, Engine,
    change_log::Change,
    policy::{AffectedCounts, PolicyRow},
    write_queue::WriteOutcome,
};
use sha2::{Digest as _, Sha256};

/// Maximum token lifetime that a policy can allow, in seconds: 366 days.
const TOKEN_LIFE_MOST: i64 = 366 * DAY;
/// Units of the token lifetime in the form, in seconds, largest first.
const UNITS: [i64; 3] = [86_400, 3_600, 60];

/// Use cases of the policy.
#[derive(Clone)]
pub struct Policies {
    context: Context,
}

/// Reads the current policy inside the caller's transaction or connection.
pub(super) async fn load(conn: &mut Engine<'_>) -> Result<Policy, Error> {
    Ok(store::policy::get(conn).await?.try_into()?)
}

/// Returns the policy as JSON, for the audit log and for the version digest.
fn audit_json(policy: &Policy) -> serde_json::Value {
    serde_json::json!({
        "key_life_max_days": policy.key_life_max, "may_never_expire": policy.may_never_expire,
        "token_life_max_seconds": policy.token_life_max, "sign_up": policy.sign_up,
        "keys_per_project": policy.keys_per_project, "second_factor": policy.second_factor,
    })
}

/// Returns a digest of JSON data. A form sends it back to identify the version that the user has seen.
fn version_digest(what: &serde_json::Value) -> String {
    hex::encode(&Sha256::digest(what.to_string())[..16])
}

/// Converts the policy to form values.
fn draft(policy: &Policy) -> PolicyDraft {
    let unit = UNITS.into_iter().find(|unit| policy.token_life_max % unit == 0).unwrap_or(60);
    let number = |it: Option<u32>| it.map(|it| it.to_string()).unwrap_or_default();
    PolicyDraft {
        key_life_max: number(policy.key_life_max),
        may_never_expire: policy.may_never_expire,
        token_life: (policy.token_life_max / unit).to_string(),
        token_unit: unit.to_string(),
        sign_up: policy.sign_up.as_str().to_owned(),
        keys_per_project: number(policy.keys_per_project),
        second_factor: policy.second_factor.as_str().to_owned(),
        version: version_digest(&audit_json(policy)),
    }
}

/// Parses an optional number.
fn number(field: &'static str, text: &str, most: u32) -> Result<Option<u32>, InvalidField> {
    match text.trim() {
        "" => Ok(None),
        text => match text.parse() {
            Ok(n) if (1..=most).contains(&n) => Ok(Some(n)),
            _ => Err(InvalidField::new(
                field,
                format!("Enter a whole number from 1 to {}, or leave the field blank.", format_grouped(most.into())),
            )),
        },
    }
}

fn token_life(text: &str, unit: &str) -> Result<i64, InvalidField> {
    let wrong = || {
        InvalidField::new(
            "token_life",
            format!("Enter a whole number. The lifetime can be from 1 minute to {}.", format_duration(TOKEN_LIFE_MOST)),
        )
    };
    let unit = unit.parse().ok().filter(|unit| UNITS.contains(unit)).ok_or_else(wrong)?;
    let life = text.trim().parse::<i64>().ok().and_then(|n| n.checked_mul(unit)).ok_or_else(wrong)?;
    if (60..=TOKEN_LIFE_MOST).contains(&life) { Ok(life) } else { Err(wrong()) }
}

/// Parses every field and collects all errors. `mail`: whether email is configured.
fn parse(draft: &PolicyDraft, mail: bool) -> Result<Policy, Error> {
    let mut errors = Vec::new();
    let key_life_max = number("key_life_max", &draft.key_life_max, DAYS_MAX.into()).map_err(|e| errors.push(e));
    let token_life_max = token_life(&draft.token_life, &draft.token_unit).map_err(|e| errors.push(e));
    let sign_up = match draft.sign_up.parse() {
        Ok(SignUp::Open) if !mail => Err(InvalidField::new(
            "sign_up",
            "Email is not configured, so addresses cannot be confirmed. Configure email, or choose another option.",
        )),
        read => read.map_err(|e| InvalidField::new("sign_up", e)),
    };
    let sign_up = sign_up.map_err(|e| errors.push(e));
    let keys_per_project = number("keys_per_project", &draft.keys_per_project, 1_000_000).map_err(|e| errors.push(e));
    let second_factor = draft.second_factor.parse().map_err(|e| errors.push(InvalidField::new("second_factor", e)));
    match (key_life_max, token_life_max, sign_up, keys_per_project, second_factor) {
        (Ok(key_life_max), Ok(token_life_max), Ok(sign_up), Ok(keys_per_project), Ok(second_factor)) => Ok(Policy {
            key_life_max,
            may_never_expire: draft.may_never_expire,
            token_life_max,
            sign_up,
            keys_per_project,
            second_factor,
        }),
        _ => Err(Error::Invalid(errors)),
    }
}

/// Formats a count with its noun: "1 key", "3 keys".
fn counted(n: i64, one: &str) -> String {
    format_count_of(u64::try_from(n).unwrap_or_default(), one, &format!("{one}s"))
}

/// Returns one sentence for each kind of object that a stricter policy affects.
fn impact_lines(before: &Policy, after: &Policy, touched: &AffectedCounts) -> Vec<String> {
    let mut lines = Vec::new();
    let verb = |n: i64, s: &str| if n == 1 { format!("{s}s") } else { s.to_owned() };
    if let Some(days) = after.key_life_max
        && before.key_life_max.is_none_or(|had| days < had)
        && touched.longer > 0
    {
        let (n, many) = (touched.longer, counted(touched.longer, "key"));
        let days = counted(days.into(), "day");
        let its = if n == 1 { "Its" } else { "Their" };
        lines.push(format!("{many} {} more than {days} from now. {its} expiry does not change.", verb(n, "expire")));
    }
    if before.allows_never() && !after.allows_never() && touched.endless > 0 {
        let n = touched.endless;
        lines.push(format!("{} never {}. This does not change.", counted(n, "key"), verb(n, "expire")));
    }
    if after.token_life_max < before.token_life_max && touched.tokens > 0 {
        let n = touched.tokens;
        let (many, allow) = (counted(n, "project"), verb(n, "allow"));
        lines.push(format!("{many} {allow} a longer token lifetime. The new maximum applies to new tokens."));
    }
    if let Some(most) = after.keys_per_project
        && before.keys_per_project.is_none_or(|had| most < had)
        && touched.crowded > 0
    {
        let n = touched.crowded;
        let (many, has) = (counted(n, "project"), if n == 1 { "has" } else { "have" });
        lines.push(format!(
            "{many} {has} more than {}. Existing keys stay, but no more can be created.",
            counted(most.into(), "key")
        ));
    }
    let required_users = |policy: &Policy| match policy.second_factor {
        SecondFactor::Optional => 0,
        SecondFactor::Administrators => touched.administrators,
        SecondFactor::Required => touched.people,
    };
    if required_users(after) > required_users(before) {
        let all = u64::try_from(required_users(after)).unwrap_or_default();
        let n = if all > COUNT_MAX { all } else { all - u64::try_from(required_users(before)).unwrap_or_default() };
        lines.push(format!(
            "Two-factor authentication becomes required for {}. Users who have not set it up must do so.",
            format_count_of(n, "user", "users")
        ));
    }
    lines
}

impl Policies {
    pub fn new(context: Context) -> Self {
        Self { context }
    }

    /// Returns the current policy.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn get(&self) -> Result<Policy, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        load(&mut reader.conn()).await
    }

    /// Returns the data for the policy form.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the caller is not an administrator.
    #[tracing::instrument(name = "policy.form", skip_all)]
    pub async fn form(&self, caller: &Caller) -> Result<PolicyForm, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        let mut conn = reader.conn();
        keys::require_administrator(&mut conn, caller, AdminPermission::WritePolicy).await?;
        Ok(PolicyForm { draft: draft(&load(&mut conn).await?), mail: self.context.mail.is_configured() })
    }

    /// Saves the policy.
    ///
    /// A stricter policy that affects existing objects requires confirmation: the first call returns
    /// [`PolicySaved::NeedsConfirmation`] with the affected objects and a digest. The policy is saved when `confirmed`
    /// is that digest. Existing objects are not changed.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the caller is not an administrator; [`Error::Invalid`] with every invalid field;
    /// [`Error::Conflict`] if the policy changed after the form was rendered; [`Error::ReauthenticationRequired`]
    /// without recent reauthentication.
    #[tracing::instrument(name = "policy.save", skip_all)]
    pub async fn save(&self, caller: &Caller, draft: PolicyDraft, confirmed: &str) -> Result<PolicySaved, Error> {
        // Check permission first, so that other users see no validation errors.
        self.form(caller).await?;
        let policy = parse(&draft, self.context.mail.is_configured())?;
        let (caller, confirmed, now) = (caller.clone(), confirmed.to_owned(), self.context.now());
        let write = self.context.queue.write(move |tx| {
            let (caller, policy, draft, confirmed) = (caller.clone(), policy.clone(), draft.clone(), confirmed.clone());
            Box::pin(async move {
                keys::require_administrator(tx, &caller, AdminPermission::WritePolicy).await?;
                caller.require_reauthentication("policy.changed", now)?;
                store::policy::lock(tx).await?;
                let before = load(tx).await?;
                if draft.version != version_digest(&audit_json(&before)) {
                    return Err(Error::Conflict(
                        "The policy was changed elsewhere. Reload the page, then save again.",
                    ));
                }
                if before == policy {
                    return Ok(WriteOutcome::unaudited(PolicySaved::Saved));
                }
                let touched = count_affected(tx, &policy, now).await?;
                let lines = impact_lines(&before, &policy, &touched);
                let confirms = version_digest(&serde_json::json!([audit_json(&policy), lines]));
                if !lines.is_empty() && confirmed != confirms {
                    return Ok(WriteOutcome::unaudited(PolicySaved::NeedsConfirmation { draft: Box::new(draft), lines, confirms }));
                }
                store::policy::set(tx, &PolicyRow::from(&policy)).await?;
                let event = Actor::User(caller)
                    .event(now, "policy.changed", "policy", "Policy").with_acting_role("administrator")
                    .with_detail(serde_json::json!({"before": audit_json(&before), "after": audit_json(&policy), "touches": lines}));
                Ok(WriteOutcome::audited(PolicySaved::Saved, event).notify(Change::policy()))
            })
        });
        write.await
    }
}

async fn count_affected(conn: &mut Engine<'_>, policy: &Policy, now: Timestamp) -> Result<AffectedCounts, Error> {
    let end = policy.key_life_max.map_or(i64::MAX, |days| now.plus_seconds(i64::from(days) * DAY).micros());
    let most = policy.keys_per_project.map_or(i64::MAX, i64::from);
    Ok(store::policy::count_affected(conn, end, policy.token_life_max, most).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any() -> Policy {
        Policy {
            key_life_max: None,
            may_never_expire: true,
            token_life_max: 30 * DAY,
            sign_up: SignUp::Closed,
            keys_per_project: None,
            second_factor: SecondFactor::Optional,
        }
    }

    #[test]
    fn a_form_says_what_holds_and_is_read_back_as_that() {
        for token_life_max in [60, 90 * 60, 7_200, DAY, 30 * DAY] {
            let policy = Policy { token_life_max, key_life_max: Some(90), keys_per_project: Some(3), ..any() };
            assert_eq!(parse(&draft(&policy), false).unwrap(), policy);
        }
        let wrong = PolicyDraft {
            key_life_max: "0".into(),
            token_life: "59".into(),
            token_unit: "1".into(),
            sign_up: "open".into(),
            keys_per_project: "many".into(),
            second_factor: "some".into(),
            ..PolicyDraft::default()
        };
        let Err(Error::Invalid(fields)) = parse(&wrong, false) else { panic!("it is wrong") };
        let names: Vec<_> = fields.iter().map(|field| field.name).collect();
        assert_eq!(names, ["key_life_max", "token_life", "sign_up", "keys_per_project", "second_factor"]);
        let open = PolicyDraft { sign_up: "open".into(), ..draft(&any()) };
        assert_eq!(parse(&open, true).unwrap().sign_up, SignUp::Open);
    }

    #[test]
    fn only_what_is_stricter_and_touches_something_is_said() {
        let many = AffectedCounts { longer: 2, endless: 1, tokens: 1, crowded: 3, administrators: 1, people: 5 };
        let strict = Policy {
            key_life_max: Some(1),
            token_life_max: DAY,
            keys_per_project: Some(10),
            second_factor: SecondFactor::Required,
            ..any()
        };
        assert_eq!(
            impact_lines(&any(), &strict, &many),
            [
                "2 keys expire more than 1 day from now. Their expiry does not change.",
                "1 key never expires. This does not change.",
                "1 project allows a longer token lifetime. The new maximum applies to new tokens.",
                "3 projects have more than 10 keys. Existing keys stay, but no more can be created.",
                "Two-factor authentication becomes required for 5 users. Users who have not set it up must do so.",
            ]
        );
        assert!(impact_lines(&strict, &any(), &many).is_empty(), "nothing is touched by a milder one");
        let none = AffectedCounts { longer: 0, endless: 0, tokens: 0, crowded: 0, administrators: 0, people: 0 };
        assert!(impact_lines(&any(), &strict, &none).is_empty());
    }
}
