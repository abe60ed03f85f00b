//! Token exchange (RFC 8693): no sequence of exchanges and key changes creates a token with more privileges or a longer
//! lifetime than its source.

use crate::support::{Engine, TestServer, test_data::CreatedKey};
use keyward::{
    domain::ids::ProjectId,
    service::{
        clock::Clock as _,
        tokens::{Audience, ExchangeDenyReason, Issued, ParsedToken, Target, TokenParameters},
    },
};
use proptest::{prelude::*, sample::subsequence, test_runner::TestRunner};
use serde_json::json;
use std::{cell::Cell, collections::BTreeSet, sync::Arc};
use tokio::runtime::Handle;
use uuid::Uuid;

const SCOPES: [&str; 5] = ["data:read", "data:write", "usage:read", "keyward:keys.read", "keyward:keys.write"];

/// One step of a random sequence.
#[derive(Clone, Debug)]
enum Step {
    /// Exchanges the key, or the newest token.
    Exchange { of_key: bool, scopes: Option<Vec<&'static str>>, life: Option<i64>, target: u8 },
    /// Sets the scopes of the key.
    Scopes(Vec<&'static str>),
    /// Sets the project's maximum token lifetime, in seconds.
    MaxLifetime(i64),
    /// Advances the clock by this number of seconds.
    Wait(i64),
}

fn scopes() -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(SCOPES.to_vec(), 0..=SCOPES.len())
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let life = prop_oneof![Just(None), (1_i64..10_000).prop_map(Some), Just(Some(i64::MAX))];
    let ask = (proptest::bool::weighted(0.2), proptest::option::of(scopes()), life, 0_u8..6);
    let step = prop_oneof![
        6 => ask.prop_map(|(of_key, scopes, life, target)| Step::Exchange { of_key, scopes, life, target }),
        1 => scopes().prop_map(Step::Scopes),
        1 => (60_i64..5_000).prop_map(Step::MaxLifetime),
        1 => (0_i64..600).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 1..14)
}

/// The expected state of the key.
struct ExpectedKeyState<'b> {
    bench: &'b TestServer,
    made: &'b CreatedKey,
    held: BTreeSet<String>,
    ceiling: i64,
    end: i64,
    /// Every token of this sequence with its parsed claims. The newest is the last.
    tokens: Vec<(String, Arc<ParsedToken>)>,
    issued: usize,
    refused: usize,
}

fn set(known: &ParsedToken) -> BTreeSet<String> {
    known.scopes().map(ToOwned::to_owned).collect()
}

impl ExpectedKeyState<'_> {
    async fn take(&mut self, step: &Step) {
        match step {
            Step::Scopes(scopes) => {
                self.held = scopes.iter().map(|it| (*it).to_owned()).collect();
                self.bench.execute_sql(&format!("UPDATE keys SET scopes = '{}'", json!(scopes))).await;
            }
            Step::MaxLifetime(seconds) => {
                self.ceiling = *seconds;
                self.bench.execute_sql(&format!("UPDATE projects SET token_life_max = {seconds}")).await;
            }
            Step::Wait(seconds) => self.bench.clock.advance(*seconds),
            Step::Exchange { of_key, scopes, life, target } => {
                self.exchange(*of_key, scopes.as_deref(), *life, *target).await
            }
        }
    }

    async fn exchange(&mut self, of_key: bool, scopes: Option<&[&'static str]>, life: Option<i64>, target: u8) {
        let tokens = &self.bench.app.tokens;
        let (own, other) = (Audience::Project(self.made.project), Audience::Project(ProjectId::from(Uuid::nil())));
        let exactly = Target::Exactly;
        let target = [
            Target::ByScopes,
            Target::ByScopes,
            Target::OwnProject,
            exactly(own),
            exactly(Audience::Management),
            exactly(other),
        ][usize::from(target)];
        let wish = TokenParameters { life, scopes, target };
        let source = self.tokens.last().filter(|_| !of_key).cloned();
        let answer: Result<Issued, ExchangeDenyReason> = match &source {
            Some((token, _)) => tokens.exchange_token(token, false, &wish).await.expect("no fault"),
            None => tokens.exchange(&self.made.secret, None, &wish).await.expect("no fault"),
        };
        let Ok(issued) = answer else {
            self.refused += 1;
            return;
        };
        self.issued += 1;
        let (now, known) = (self.bench.clock.now().seconds(), tokens.parse(&issued.access_token).expect("it is ours"));
        let has = set(&known);
        let requested: Option<BTreeSet<String>> = scopes.map(|it| it.iter().map(|scope| (*scope).to_owned()).collect());
        assert!(has.is_subset(&self.held), "{has:?} of a key with {:?}", self.held);
        assert!(requested.as_ref().is_none_or(|requested| *requested == has), "{has:?} for requested {requested:?}");
        let manages = known.audience == Audience::Management;
        assert!(has.iter().all(|scope| scope.starts_with("keyward:") == manages), "{has:?} for {:?}", known.audience);
        assert!(manages || known.audience == own);
        assert!(
            target == Target::ByScopes || target == exactly(known.audience) || target == Target::OwnProject && !manages
        );
        assert_eq!((known.issued_at, known.expires_at), (now, now + issued.expires_in));
        let most = life.unwrap_or(3_600).min(self.ceiling);
        assert!(known.expires_at > now && known.expires_at <= self.end && issued.expires_in <= most);
        match &source {
            None => assert!(known.via.is_empty()),
            Some((_, from)) => {
                assert!(has.is_subset(&set(from)), "{has:?} of a token with {:?}", from.scopes);
                assert!(
                    known.expires_at <= from.expires_at
                        && known.audience == from.audience
                        && known.subject == from.subject
                );
                assert_eq!(*known.via, *[&*from.via, &[from.jti]].concat());
            }
        }
        self.tokens.push((issued.access_token, known));
    }

    /// Revokes one token. This revokes all tokens that were derived from it, and no others.
    async fn revoke_one(&self, which: usize) {
        let tokens = &self.bench.app.tokens;
        let Some((_, gone)) = (!self.tokens.is_empty()).then(|| &self.tokens[which % self.tokens.len()]) else {
            return;
        };
        tokens.revoke(gone, &Default::default()).await.expect("no fault").expect("it is revoked");
        for (text, known) in &self.tokens {
            let over = known.expires_at <= self.bench.clock.now().seconds();
            let looked = tokens.peek(text).await.expect("no fault").map_or_else(|refused| refused.code(), |_| "good");
            let of_it = known.jti == gone.jti || known.via.contains(&gone.jti);
            let expected = if over {
                "token_expired"
            } else if of_it {
                "token_revoked"
            } else {
                "good"
            };
            assert_eq!(looked, expected);
        }
    }
}

async fn run_random_sequences(engine: Engine, cases: u32) {
    let bench = TestServer::new(engine).await;
    let maren = bench.create_user("maren@pelagic.example", false).await;
    let made = bench.create_key(&maren, "Gateway").await;
    let (issued, refused) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() });
    let walked = runner.run(&(scopes(), steps(), any::<usize>()), |(first, steps, which)| {
        let walk = async {
            let end = bench.clock.now().seconds() + 4_000;
            bench.execute_sql(&format!("UPDATE keys SET expires_at = {}", end * 1_000_000)).await;
            let (held, tokens) = (BTreeSet::new(), Vec::new());
            let mut world =
                ExpectedKeyState { bench: &bench, made: &made, held, ceiling: 0, end, tokens, issued: 0, refused: 0 };
            world.take(&Step::Scopes(first)).await;
            world.take(&Step::MaxLifetime(3_000)).await;
            for step in &steps {
                world.take(step).await;
            }
            world.revoke_one(which).await;
            (world.issued, world.refused)
        };
        let (more, less) = tokio::task::block_in_place(|| Handle::current().block_on(walk));
        issued.set(issued.get() + more);
        refused.set(refused.get() + less);
        Ok(())
    });
    walked.expect("no walk widens anything");
    let (issued, refused) = (issued.into_inner(), refused.into_inner());
    println!("narrowing: {cases} walks on {engine:?}: {issued} tokens issued, {refused} refused");
    assert!(issued > cases as usize && refused > cases as usize / 2, "{issued} {refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_no_exchange_widens() {
    run_random_sequences(Engine::Sqlite, 300).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_no_exchange_widens() {
    run_random_sequences(Engine::Postgres, 60).await;
}
