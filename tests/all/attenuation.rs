//! Attenuation: random chains of makers and edits only remove privileges, checked against an independent rule.

use crate::support::{TestServer, test_data::KeyForms as _};
use keyward::{
    domain::{
        ids::{KeyId, SubjectId},
        key::Environment,
        network::Networks,
        scope::ScopeName,
        time::{DAY, Timestamp},
    },
    service::{
        actor::{Actor, ManagementClient, Origin},
        keys::{KeyDraft, KeyPatch, KeySpec, Precondition, Privileges},
    },
};
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use std::collections::BTreeMap;

const READ: &str = "keyward:keys.read";
const WRITE: &str = "keyward:keys.write";
const SCOPES: [&str; 5] = [READ, WRITE, "data:read", "data:write", "usage:read"];
const NETWORKS: [&str; 5] = ["", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "192.0.2.0/24"];
/// Addresses that distinguish these networks.
const ADDRESSES: [&str; 5] = ["8.8.8.8", "10.9.9.9", "10.1.9.9", "10.1.2.3", "192.0.2.7"];

/// Random numbers that determine a step.
type RandomEdit = (u8, u8, u8, u8, u8, u8);

fn scopes(bits: u8) -> Vec<String> {
    // A key without the write scope creates nothing, so most keys get it.
    let bits = if bits & 0b1110_0000 == 0 { bits & !2 } else { bits | 2 };
    SCOPES.iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0).map(|(_, it)| (*it).to_owned()).collect()
}

fn scope_names(scopes: Vec<String>) -> Vec<ScopeName> {
    scopes.iter().map(|scope| scope.parse().unwrap()).collect()
}

fn networks(n: u8) -> Networks {
    Networks::parse(NETWORKS[usize::from(n) % NETWORKS.len()]).unwrap()
}

/// Returns a lifetime in days; `None`: no expiry.
fn lifetime(n: u8) -> Option<i64> {
    match n % 8 {
        0 => None,
        n => Some(i64::from(n) * 10),
    }
}

fn expiry(n: u8, now: Timestamp) -> Option<Timestamp> {
    lifetime(n).map(|days| now.plus_seconds(days * DAY))
}

/// Returns whether `inner` allows nothing that `outer` does not. It does not use the code under test.
fn allows_at_most(outer: &Privileges, inner: &Privileges) -> bool {
    let addresses = ADDRESSES.map(|it| Some(it.parse().unwrap()));
    outer.environment == inner.environment
        && inner.scopes.iter().all(|it| outer.scopes.contains(it))
        && addresses.into_iter().all(|it| !inner.networks.allow(it) || outer.networks.allow(it))
        && match (outer.expires_at, inner.expires_at) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(outer), Some(inner)) => inner <= outer,
        }
}

async fn stored_privileges(bench: &TestServer, id: KeyId) -> Privileges {
    Privileges::from_row(&bench.key_row(id).await.expect("it is there")).expect("it is readable")
}

on_both_engines! {
    async fn chains_of_makers_and_edits(bench: TestServer) {
        let maren = bench.create_user("maren@pelagic.example", false).await;
        let project = bench.project_of(&maren).await;
        let by_person = async |drawn: RandomEdit| {
            let mut draft: KeyDraft = bench.draft(project, "By a person");
            draft.scopes = scopes(drawn.1);
            draft.restrictions.networks = networks(drawn.2).to_string();
            draft.expires = lifetime(drawn.3).map_or_else(|| "never".into(), |days| format!("{days}d"));
            draft.environment = if drawn.4.is_multiple_of(4) { "test".into() } else { "live".into() };
            bench.app.keys.create_from(&maren, draft).await.expect("a person makes any key").0.id
        };
        let drawn = (any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>());
        let steps = proptest::collection::vec(drawn, 24);
        let mut runner = TestRunner::deterministic();
        let (mut made, mut edited, mut refused) = (0, 0, 0);
        for _ in 0..16 {
            let steps: Vec<RandomEdit> = steps.new_tree(&mut runner).unwrap().current();
            let root = by_person(steps[0]).await;
            let others = [by_person(steps[1]).await, by_person(steps[2]).await];
            let bound = stored_privileges(&bench, root).await;
            let mut line = vec![root];
            for step in &steps[3..] {
                let who = line[usize::from(step.0) % line.len()];
                let program = ManagementClient { subject: SubjectId::Key(who), name: "P".into(), project, scopes: vec![READ.into(), WRITE.into()], origin: Origin::default() };
                let (actor, now) = (Actor::Program(program), bench.app.context.now());
                let maker = stored_privileges(&bench, who).await;
                let all: Vec<_> = line.iter().chain(&others).copied().collect();
                let mut before = BTreeMap::new();
                for id in &all {
                    before.insert(*id, stored_privileges(&bench, *id).await);
                }
                // Three of four steps request the maker's privileges, so that chains grow. The fourth requests any.
                let tame = step.5 % 4 != 0;
                let wanted: Vec<String> = match tame {
                    true => maker.scopes.iter().filter(|it| *it == WRITE || scopes(step.1).contains(it)).cloned().collect(),
                    false => scopes(step.1),
                };
                let environment = (!tame && step.5 % 3 == 0).then_some(if step.5 % 2 == 0 { Environment::Test } else { Environment::Live });
                if step.4 % 2 == 0 {
                    let Ok(defaults) = bench.app.keys.defaults(&actor, None).await else {
                        refused += 1;
                        continue;
                    };
                    let spec = KeySpec {
                        environment: environment.unwrap_or(defaults.environment),
                        expires_at: if !tame || step.5 % 5 == 0 { expiry(step.3, now) } else { Some(defaults.expires_at) },
                        scopes: scope_names(wanted),
                        networks: if !tame || step.5 % 3 == 0 { networks(step.2) } else { defaults.networks },
                        ..KeySpec::new(project, "By a program".parse().unwrap())
                    };
                    match bench.app.keys.create(&actor, spec).await {
                        Ok((key, _)) => {
                            let after = stored_privileges(&bench, key.id).await;
                            assert!(allows_at_most(&maker, &after), "{maker:?}\nmade {after:?}");
                            line.push(key.id);
                            made += 1;
                        }
                        Err(_) => refused += 1,
                    }
                } else {
                    let target = all[usize::from(step.0 / 16) % all.len()];
                    let patch = KeyPatch {
                        scopes: (step.5 % 2 == 0).then(|| scope_names(wanted)),
                        networks: (step.5 % 3 == 0).then(|| networks(step.2)),
                        expires_at: (step.5 % 5 == 0).then(|| expiry(step.3, now)),
                        not_before: (step.5 % 7 == 0).then_some(None),
                        name: Some("Edited".parse().unwrap()),
                        ..KeyPatch::default()
                    };
                    match bench.app.keys.edit(&actor, target, patch, Precondition::default()).await {
                        Ok(key) => {
                            let after = stored_privileges(&bench, key.id).await;
                            let was = &before[&target];
                            assert!(allows_at_most(&maker, &after) || allows_at_most(was, &after), "{maker:?}\nmade of {was:?}\n{after:?}");
                            assert!(target != who || allows_at_most(was, &after), "it widened itself: {was:?} to {after:?}");
                            edited += 1;
                        }
                        Err(_) => refused += 1,
                    }
                }
                for id in &line {
                    let now = stored_privileges(&bench, *id).await;
                    assert!(allows_at_most(&bound, &now), "the root reaches {bound:?}, and one of its line {now:?}");
                }
            }
        }
        assert!(made > 40 && edited > 40 && refused > 40, "{made} were made, {edited} edited, {refused} refused");
        println!("narrowing: {made} keys made, {edited} edited, {refused} steps refused");
    }
}
