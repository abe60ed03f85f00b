use super::*;
use crate::verify::shared_attributes::{SharedAttributes, tests::some};
use keyward_domain::{key::Lifecycle, network::Networks};
use std::sync::Arc;
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_seconds(1_000_000);
const OWN: Uuid = Uuid::from_u128(7);
const OTHER: Uuid = Uuid::from_u128(8);

/// A valid key and a request that it satisfies. Each test changes something.
struct Case {
    terms: SharedAttributes,
    lifecycle: Lifecycle,
    projects: Vec<ProjectId>,
    scopes: Vec<Cow<'static, str>>,
    ip: Option<IpAddr>,
}

fn good() -> Case {
    Case {
        terms: some(),
        lifecycle: Lifecycle { active: true, not_before: None, expires_at: None, deleted_at: None },
        projects: vec![],
        scopes: vec![],
        ip: None,
    }
}

fn micros(from_now: i64) -> Option<Timestamp> {
    Some(Timestamp::from_micros(NOW.micros() + from_now))
}

impl Case {
    fn by(&self, by: CredentialKind) -> Result<(), DenyReason> {
        let facts = KeySnapshot {
            id: Uuid::nil(),
            project: OWN.into(),
            name: "Gateway".into(),
            issued_to: None,
            lifecycle: self.lifecycle,
            shared: Arc::new(self.terms.clone()),
        };
        decide_by(by, &facts, &VerifyRequest { projects: &self.projects, scopes: &self.scopes, ip: self.ip }, NOW)
    }

    fn code(&self) -> &'static str {
        self.by(CredentialKind::Secret).map_or_else(|refused| refused.code(), |()| "good")
    }
}

type Break = fn(&mut Case);

/// All rules in the order of evaluation, each with a change that violates only this rule.
const RULES: [(&str, Break); 8] = [
    ("deleted", |case| case.lifecycle.deleted_at = Some(NOW)),
    ("project_archived", |case| case.terms.project_archived = true),
    ("inactive", |case| case.lifecycle.active = false),
    ("not_yet_valid", |case| case.lifecycle.not_before = micros(1)),
    ("expired", |case| case.lifecycle.expires_at = Some(NOW)),
    ("wrong_project", |case| case.projects = vec![OTHER.into()]),
    ("wrong_network", |case| case.terms.networks = Networks::parse("192.0.2.0/24").unwrap()),
    ("missing_scope", |case| case.scopes = vec!["b".into()]),
];

#[test]
fn every_rule_refuses_alone_and_of_every_two_the_earlier_is_named() {
    assert_eq!(good().code(), "good");
    for (at, (first, break_first)) in RULES.iter().enumerate() {
        let mut alone = good();
        break_first(&mut alone);
        assert_eq!(alone.code(), *first);
        for (second, break_second) in &RULES[at + 1..] {
            let mut both = good();
            break_second(&mut both);
            assert_eq!(both.code(), *second);
            break_first(&mut both);
            assert_eq!(both.code(), *first, "{first} before {second}");
        }
    }
    let mut all = good();
    for (_, break_it) in RULES {
        break_it(&mut all);
    }
    assert_eq!(all.code(), "deleted");
}

#[test]
fn a_key_holds_from_not_before_until_the_instant_before_it_expires() {
    for (not_before, expires_at, code) in [
        (None, None, "good"),
        (Some(-1), None, "good"),
        (Some(0), None, "good"),
        (Some(1), None, "not_yet_valid"),
        (None, Some(1), "good"),
        (None, Some(0), "expired"),
        (None, Some(-1), "expired"),
        (Some(0), Some(1), "good"),
        (Some(0), Some(0), "expired"),
        (Some(1), Some(2), "not_yet_valid"),
        (Some(1), Some(0), "not_yet_valid"),
    ] {
        let mut case = good();
        case.lifecycle.not_before = not_before.and_then(micros);
        case.lifecycle.expires_at = expires_at.and_then(micros);
        assert_eq!(case.code(), code, "from {not_before:?} until {expires_at:?}");
    }
}

#[test]
fn a_key_is_of_one_of_the_projects_asked_for() {
    for (requested, code) in [
        (vec![], "good"),
        (vec![OWN], "good"),
        (vec![OTHER], "wrong_project"),
        (vec![OTHER, OWN], "good"),
        (vec![OWN, OTHER], "good"),
        (vec![OTHER, Uuid::max()], "wrong_project"),
        (vec![Uuid::nil()], "wrong_project"),
    ] {
        let case = Case { projects: requested.iter().copied().map(ProjectId::from).collect(), ..good() };
        assert_eq!(case.code(), code, "{requested:?}");
    }
}

#[test]
fn a_key_is_used_from_one_of_its_networks() {
    for (networks, from, code) in [
        ("", None, "good"),
        ("", Some("192.0.2.1"), "good"),
        ("0.0.0.0/0", Some("0.0.0.0"), "good"),
        ("0.0.0.0/0", Some("255.255.255.255"), "good"),
        ("0.0.0.0/0", Some("::ffff:203.0.113.9"), "good"),
        ("0.0.0.0/0", Some("2001:db8::1"), "wrong_network"),
        ("0.0.0.0/0", None, "wrong_network"),
        ("::/0", Some("2001:db8::1"), "good"),
        ("::/0", Some("192.0.2.1"), "wrong_network"),
        ("::/0", None, "wrong_network"),
        ("192.0.2.7/32", Some("192.0.2.7"), "good"),
        ("192.0.2.7/32", Some("::ffff:192.0.2.7"), "good"),
        ("192.0.2.7/32", Some("192.0.2.6"), "wrong_network"),
        ("192.0.2.7/32", Some("192.0.2.8"), "wrong_network"),
        ("2001:db8::7/128", Some("2001:db8::7"), "good"),
        ("2001:db8::7/128", Some("2001:db8::6"), "wrong_network"),
        ("2001:db8::7/128", Some("2001:db8::8"), "wrong_network"),
        ("::ffff:192.0.2.0/120", Some("192.0.2.255"), "good"),
        ("::ffff:192.0.2.0/120", Some("::ffff:192.0.3.0"), "wrong_network"),
        ("10.0.0.0/8 2001:db8::/32", Some("2001:db8:ffff::1"), "good"),
        ("10.0.0.0/8 2001:db8::/32", Some("11.0.0.0"), "wrong_network"),
    ] {
        let mut case = Case { ip: from.map(|it| it.parse().unwrap()), ..good() };
        case.terms.networks = Networks::parse(networks).unwrap();
        assert_eq!(case.code(), code, "{from:?} in {networks:?}");
        assert_eq!(case.by(CredentialKind::Token), Ok(()), "networks bind the secret, not its tokens");
    }
}

#[test]
fn a_key_has_all_the_scopes_asked_for() {
    for (held, requested, missing) in [
        (&[][..], &[][..], None),
        (&[], &["a"], Some("a")),
        (&["a"], &[], None),
        (&["a"], &["a"], None),
        (&["a", "b"], &["b", "a", "b"], None),
        (&["a", "b"], &["a", "c", "d"], Some("c")),
        (&["a:read"], &["a"], Some("a")),
        (&["a"], &["A"], Some("A")),
        (&["a"], &[""], Some("")),
    ] {
        let mut case = Case { scopes: requested.iter().copied().map(Cow::from).collect(), ..good() };
        case.terms.scopes = held.iter().copied().map(ToOwned::to_owned).collect();
        let expected = missing.map_or(Ok(()), |it| Err(DenyReason::MissingScope(it.to_owned())));
        assert_eq!(
            (case.by(CredentialKind::Secret), case.by(CredentialKind::Token)),
            (expected.clone(), expected),
            "{requested:?} of {held:?}"
        );
    }
}

#[test]
fn a_token_is_asked_all_but_the_networks() {
    for (code, break_it) in RULES {
        let mut case = good();
        break_it(&mut case);
        let by_token = case.by(CredentialKind::Token).map_or_else(|refused| refused.code(), |()| "good");
        assert_eq!(by_token, if code == "wrong_network" { "good" } else { code });
    }
}
