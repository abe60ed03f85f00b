//! OAuth consent and grants: users grant programs access, programs redeem codes for tokens, and grants are revoked.

use crate::support::{
    Engine, TestServer,
    change_feed::{start_change_feed, wait_until},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use keyward::{
    domain::{
        consent::{Authorization, ConsentPrompt, ResponseDelivery},
        ids::{ClientId, GrantId, KeyId, ProjectId, SubjectId},
    },
    service::{
        Error, Services,
        actor::{Actor, Caller, Origin},
        oauth::{CodeRedemption, Consent, Denied, Redeemed},
        verify::{DenyReason, VerifyRequest},
    },
    store::{self, Location, grants::NewGrantRow, write_queue::WriteOutcome},
};
use sha2::{Digest as _, Sha256};
use sqlx::{Connection as _, PgConnection};
use std::time::Duration;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const REDIRECT: &str = "https://buoywatch.example/done";
const DAY: i64 = 86_400;

fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

/// Returns a query with these parameters, which replace those of a valid authorization request.
fn query(client: &str, more: &[(&str, &str)]) -> String {
    let challenge = challenge();
    let mut pairs = vec![
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", REDIRECT),
        ("scope", "data:read usage:read"),
        ("state", "a&b=c ü"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in more {
        pairs.retain(|(it, _)| it != name);
        if !value.is_empty() {
            pairs.push((name, value));
        }
    }
    crate::support::browser::form(&pairs)
}

struct ConsentFixture {
    bench: TestServer,
    owner: Caller,
    operator: Caller,
    project: ProjectId,
    client: ClientId,
    client_id: String,
}

impl ConsentFixture {
    async fn new(bench: TestServer) -> Self {
        let owner = bench.create_user("owner@pelagic.example", false).await;
        let operator = bench.create_user("operator@pelagic.example", false).await;
        let project = bench.project_of(&owner).await;
        bench.add_member(project, &operator, "operator").await;
        let addresses = format!("{REDIRECT}\nhttp://127.0.0.1/cb");
        let client = bench.app.consent.register(&owner, project, "Buoy Watch", &addresses).await.expect("registered");
        Self { client_id: format!("client:{client}"), bench, owner, operator, project, client }
    }

    async fn authorize(&self, caller: &Caller, query: &str) -> Authorization {
        self.bench.app.consent.prompt(Some(caller), query).await.expect("read").0.expect("signed in")
    }

    async fn prompt(&self, caller: &Caller, query: &str) -> ConsentPrompt {
        match self.authorize(caller, query).await {
            Authorization::Prompt(asking) => asking,
            other => panic!("{other:?}"),
        }
    }

    /// Returns the parameters of an immediate response to the client, without a consent prompt.
    async fn immediate_response(&self, query: &str) -> Vec<(String, String)> {
        match self.authorize(&self.operator, query).await {
            Authorization::Answered(answered) => parameters(&answered),
            other => panic!("{query}: {other:?}"),
        }
    }

    async fn allow(&self, caller: &Caller, scopes: &[&str]) -> String {
        let scopes = scopes.iter().map(ToString::to_string).collect();
        let answered =
            self.bench.app.consent.approve(caller, &query(&self.client_id, &[]), scopes, DAY).await.expect("allowed");
        value(&parameters(&answered), "code")
    }

    async fn redeem(&self, code: &str) -> Result<Redeemed, Denied> {
        self.redeem_on(&self.bench.app.consent, code).await
    }

    async fn redeem_on(&self, node: &Consent, code: &str) -> Result<Redeemed, Denied> {
        let coming = CodeRedemption { code, client: &self.client_id, redirect_uri: REDIRECT, verifier: VERIFIER };
        node.redeem(&Origin::default(), coming).await.expect("no fault")
    }

    /// Returns the consent service of a second node. SQLite has one process: two requests meet in its write queue.
    async fn second_node(&self) -> Consent {
        match &self.bench.location {
            Location::Sqlite(_) => self.bench.app.consent.clone(),
            location @ Location::Postgres(_) => {
                let context = crate::support::open_context(location, self.bench.clock.clone()).await;
                Consent::new(context, &self.bench.app.config.public_url)
            }
        }
    }

    async fn grant_and_redeem(&self, caller: &Caller) -> Redeemed {
        let code = self.allow(caller, &["data:read", "usage:read"]).await;
        self.redeem(&code).await.expect("redeemed")
    }

    /// Returns the scopes of the grant's tokens, or the reason why they are denied.
    async fn verdict(&self, grant: GrantId) -> Result<Vec<String>, DenyReason> {
        let question = VerifyRequest::default();
        let decision = self.bench.app.verify.verify_subject(grant.into(), &question).await.expect("no fault");
        decision.map(|good| good.snapshot.scopes.clone())
    }

    async fn events(&self) -> Vec<String> {
        let sql = "SELECT action || COALESCE(': ' || reason, '') FROM audit_events \
            WHERE action LIKE 'grant.%' OR action LIKE 'client.%' ORDER BY seq";
        self.bench.query_texts(sql).await
    }
}

/// Inserts grants of the operator to the program directly into the database.
async fn insert_grants(stage: &ConsentFixture, count: usize) {
    let context = &stage.bench.app.context;
    let now = context.now();
    let rows: Vec<_> = (0..count)
        .map(|_| NewGrantRow {
            id: context.new_id(),
            digest: crate::support::random(),
            user_id: stage.operator.user.into(),
            user_name: stage.operator.name.clone(),
            client_id: Some(stage.client.into()),
            client_name: "Buoy Watch".into(),
            project_id: stage.project.into(),
            scopes: vec!["data:read".into()],
            until: now.plus_seconds(DAY).micros(),
            created_at: now.micros(),
        })
        .collect();
    let write = context.queue.write(move |tx| {
        let rows = rows.clone();
        Box::pin(async move {
            for row in &rows {
                store::grants::insert(tx, row).await?;
            }
            Ok::<_, Error>(WriteOutcome::unaudited(()))
        })
    });
    write.await.expect("grants are laid");
}

fn parameters(answered: &ResponseDelivery) -> Vec<(String, String)> {
    let ResponseDelivery::Redirect(to) = answered else { panic!("{answered:?}") };
    assert!(to.expose().starts_with(&format!("{REDIRECT}?")) || to.expose().starts_with("http://"), "{}", to.expose());
    let url: url::Url = to.expose().parse().expect("an address");
    url.query_pairs().into_owned().collect()
}

fn value(pairs: &[(String, String)], name: &str) -> String {
    pairs.iter().find(|(it, _)| it == name).unwrap_or_else(|| panic!("no {name}: {pairs:?}")).1.clone()
}

on_both_engines! {
    async fn a_code_is_redeemed_once_and_the_second_time_ends_it(bench: TestServer) {
        let stage = ConsentFixture::new(bench).await;
        let asking = stage.prompt(&stage.operator, &query(&stage.client_id, &[])).await;
        assert_eq!((asking.client.as_deref(), asking.host.as_deref()), (Some("Buoy Watch"), Some("buoywatch.example")));
        assert_eq!(asking.scopes.len(), 2);
        assert_eq!((asking.usual, asking.lives.last().expect("lives").seconds), (DAY, DAY));
        let answered = stage.bench.app.consent.approve(&stage.operator, &query(&stage.client_id, &[]), vec!["data:read".into()], DAY).await.unwrap();
        let pairs = parameters(&answered);
        assert_eq!(value(&pairs, "state"), "a&b=c ü");
        assert_eq!(value(&pairs, "iss"), crate::support::URL);
        let code = value(&pairs, "code");
        let redeemed = stage.redeem(&code).await.expect("redeemed");
        assert_eq!(redeemed.scopes, ["data:read"], "what was unticked is not allowed");
        assert_eq!((redeemed.project, redeemed.user), (stage.project, stage.operator.user));
        assert_eq!(redeemed.client.to_string(), stage.client_id);
        assert_eq!(redeemed.until.seconds_since(stage.bench.app.context.now()), DAY);
        assert_eq!(stage.verdict(redeemed.grant).await.expect("good"), ["data:read"]);
        assert!(matches!(stage.redeem(&code).await, Err(Denied::InvalidGrant(_))));
        assert_eq!(stage.verdict(redeemed.grant).await, Err(DenyReason::Deleted));
        assert_eq!(
            stage.events().await,
            ["client.registered", "grant.allowed", "grant.ended: The authorization code was used twice."]
        );
        let dump = stage.bench.query_texts("SELECT detail FROM audit_events").await.join("\n");
        assert!(!dump.contains(&code));
    }

    /// RFC 6749 section 4.1.2: of two simultaneous redemptions one succeeds, and the other one ends the grant.
    async fn of_two_simultaneous_redemptions_one_succeeds(bench: TestServer) {
        let stage = ConsentFixture::new(bench).await;
        let (one, other) = (&stage.bench.app.consent, &stage.second_node().await);
        for round in 1..=8 {
            let code = stage.allow(&stage.operator, &["data:read"]).await;
            let redeemed = <[_; 2]>::from(tokio::join!(stage.redeem_on(one, &code), stage.redeem_on(other, &code)));
            let denied: Vec<_> = redeemed.iter().filter_map(|it| it.as_ref().err()).collect();
            assert!(matches!(denied[..], [Denied::InvalidGrant(_)]), "{redeemed:?}");
            assert_eq!(one.list_own(&stage.operator).await.unwrap().grants, [], "the grant has ended");
            assert_eq!(stage.bench.events("grant.ended").await, round);
        }
    }

    async fn a_code_is_valid_for_one_minute_and_its_client(bench: TestServer) {
        let stage = ConsentFixture::new(bench).await;
        let app = &stage.bench.app;
        let origin = Origin::default();
        for (client, redirect, verifier) in [
            ("loopback", REDIRECT, VERIFIER),
            (stage.client_id.as_str(), "https://buoywatch.example/other", VERIFIER),
            (stage.client_id.as_str(), REDIRECT, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXX"),
            (stage.client_id.as_str(), REDIRECT, ""),
        ] {
            let code = stage.allow(&stage.operator, &[]).await;
            let coming = CodeRedemption { code: &code, client, redirect_uri: redirect, verifier };
            assert!(matches!(app.consent.redeem(&origin, coming).await.unwrap(), Err(Denied::InvalidGrant(_))), "{client} {redirect}");
            assert!(stage.redeem(&code).await.is_err(), "it was tried");
        }
        let code = stage.allow(&stage.operator, &[]).await;
        stage.bench.clock.advance(60);
        assert!(stage.redeem(&code).await.is_err());
        assert!(stage.redeem("nonsense").await.is_err());
        assert_eq!(app.consent.list_own(&stage.operator).await.unwrap().grants, []);
    }

    async fn unredeemed_grants_are_revoked(bench: TestServer) {
        let stage = ConsentFixture::new(bench).await;
        stage.allow(&stage.operator, &["data:read"]).await;
        assert_eq!(stage.bench.app.consent.list_own(&stage.operator).await.unwrap().grants.len(), 1);
        stage.bench.clock.advance(61);
        keyward::service::maintenance::run_once(&stage.bench.app).await.unwrap();
        assert_eq!(stage.bench.app.consent.list_own(&stage.operator).await.unwrap().grants, []);
        assert_eq!(stage.events().await.last().unwrap(), "grant.lapsed");
        stage.bench.clock.advance(40 * DAY);
        keyward::service::maintenance::run_once(&stage.bench.app).await.unwrap();
        for table in ["grants", "authorization_codes"] {
            assert_eq!(stage.bench.query_texts(&format!("SELECT 'x' FROM {table}")).await, [""; 0], "{table}");
        }
    }

    async fn errors_go_to_the_client_if_it_is_known(bench: TestServer) {
        let stage = ConsentFixture::new(bench).await;
        for (more, error) in [
            (&[("response_type", "")][..], "invalid_request"),
            (&[("response_type", "token")], "unsupported_response_type"),
            (&[("response_mode", "fragment")], "invalid_request"),
            (&[("code_challenge", "")], "invalid_request"),
            (&[("code_challenge", "short")], "invalid_request"),
            (&[("code_challenge_method", "")], "invalid_request"),
            (&[("code_challenge_method", "plain")], "invalid_request"),
            (&[("scope", "data:read nothing:read")], "invalid_scope"),
            (&[("scope", "a\"b")], "invalid_scope"),
            (&[("resource", "http://127.0.0.1:3000/projects/0192f3a0-0000-7000-8000-000000000001")], "invalid_target"),
        ] {
            let pairs = stage.immediate_response(&query(&stage.client_id, more)).await;
            assert_eq!(value(&pairs, "error"), error, "{more:?}");
            assert_eq!((value(&pairs, "state"), value(&pairs, "iss")), ("a&b=c ü".into(), crate::support::URL.into()));
            assert!(pairs.iter().all(|(name, _)| name != "code"));
        }
        for more in ["scope=data:read", "state=", "response_type=code", "response_mode=query&response_mode=query", "code_challenge="] {
            let twice = format!("{}&{more}", query(&stage.client_id, &[]));
            assert_eq!(value(&stage.immediate_response(&twice).await, "error"), "invalid_request", "{more}");
        }
        // RFC 8707 section 2: `resource` may be repeated. A grant is for one project.
        let resource = |id: &str| format!("&resource={}/projects/{id}", crate::support::URL);
        let own = resource(&stage.project.to_string());
        let other = resource("0192f3a0-0000-7000-8000-000000000001");
        let several = format!("{}{own}{other}", query(&stage.client_id, &[]));
        let pairs = stage.immediate_response(&several).await;
        assert_eq!(value(&pairs, "error"), "invalid_target");
        assert_eq!(value(&pairs, "error_description"), "A grant is for one project. Send one authorization request for each resource.");
        stage.prompt(&stage.operator, &format!("{}{own}{own}&resource=", query(&stage.client_id, &[]))).await;
        let other = ClientId::from(stage.bench.app.context.new_id());
        for (client, more) in [
            ("", &[][..]),
            ("client:x", &[]),
            (format!("client:{other}").as_str(), &[]),
            (format!("key:{other}").as_str(), &[]),
            ("loopback", &[]),
            ("origin", &[]),
            (stage.client_id.as_str(), &[("redirect_uri", "")]),
            (stage.client_id.as_str(), &[("redirect_uri", "https://buoywatch.example/done/")]),
            (stage.client_id.as_str(), &[("redirect_uri", "https://evil.example/done")]),
            (stage.client_id.as_str(), &[("redirect_uri", "http://127.0.0.1:1/other")]),
        ] {
            let authorization = stage.authorize(&stage.operator, &query(client, more)).await;
            assert!(matches!(authorization, Authorization::Unknown(_)), "{client} {more:?}: {authorization:?}");
            let refused = stage.bench.app.consent.approve(&stage.operator, &query(client, more), vec![], DAY).await;
            assert!(matches!(refused, Err(Error::Conflict(_))), "{client} {more:?}");
        }
        // For a loopback redirect URI, any port is accepted.
        stage.prompt(&stage.operator, &query(&stage.client_id, &[("redirect_uri", "http://127.0.0.1:50123/cb")])).await;
        assert_eq!(stage.events().await, ["client.registered"], "asking leaves nothing behind");
    }

    async fn a_program_on_this_computer_needs_no_registration(bench: TestServer) {
        let stage = ConsentFixture::new(bench).await;
        let resource = format!("{}/projects/{}", crate::support::URL, stage.project);
        let with = |redirect| query("loopback", &[("redirect_uri", redirect), ("resource", &resource), ("client_name", "Bank")]);
        for redirect in ["http://127.0.0.1:50123/cb", "http://[::1]:1/"] {
            let asking = stage.prompt(&stage.operator, &with(redirect)).await;
            assert_eq!((asking.client, asking.host), (None, None), "never a name from the query");
        }
        for redirect in ["http://localhost:1/cb", REDIRECT] {
            assert!(matches!(stage.authorize(&stage.operator, &with(redirect)).await, Authorization::Unknown(_)), "{redirect}");
        }
        let pairs = stage.immediate_response(&query("loopback", &[("redirect_uri", "http://127.0.0.1:1/cb")])).await;
        assert_eq!(value(&pairs, "error"), "invalid_target");
        let here = "http://127.0.0.1:50123/cb";
        let answered = stage.bench.app.consent.approve(&stage.owner, &with(here), vec!["data:read".into()], 3_600).await.unwrap();
        let code = value(&parameters(&answered), "code");
        let coming = CodeRedemption { code: &code, client: "loopback", redirect_uri: here, verifier: VERIFIER };
        let redeemed = stage.bench.app.consent.redeem(&Origin::default(), coming).await.unwrap().expect("redeemed");
        assert_eq!(redeemed.client.to_string(), "loopback");
        let mine = stage.bench.app.consent.list_own(&stage.owner).await.unwrap().grants;
        assert_eq!(mine[0].client, "Unregistered application");
    }

    async fn a_page_is_the_program_of_its_origin(bench: TestServer) {
        let stage = ConsentFixture::new(bench).await;
        let resource = format!("{}/projects/{}", crate::support::URL, stage.project);
        let page = "https://buoywatch.example";
        let by_message = [("redirect_uri", page), ("resource", resource.as_str()), ("response_mode", "web_message")];
        stage.prompt(&stage.operator, &query("origin", &by_message)).await;
        let answered = stage.bench.app.consent.approve(&stage.operator, &query("origin", &by_message), vec![], DAY).await.unwrap();
        let ResponseDelivery::PostMessage(message) = answered else { panic!("{answered:?}") };
        assert_eq!((message.origin.as_str(), message.state.as_deref()), (page, Some("a&b=c ü")));
        let code = message.code.expect("a code").expose().to_owned();
        let coming = CodeRedemption { code: &code, client: "origin", redirect_uri: page, verifier: VERIFIER };
        assert!(stage.bench.app.consent.redeem(&Origin::default(), coming).await.unwrap().is_ok());
        let ResponseDelivery::PostMessage(denied) = stage.bench.app.consent.deny(&query("origin", &by_message)).await.unwrap() else { panic!() };
        assert_eq!((denied.error.as_deref(), denied.code), (Some("access_denied"), None));
        for wrong in [
            [("redirect_uri", "https://evil.example"), by_message[1], by_message[2]],
            [("redirect_uri", REDIRECT), by_message[1], by_message[2]],
            [by_message[0], ("resource", ""), by_message[2]],
            [by_message[0], by_message[1], ("response_mode", "query")],
        ] {
            let authorization = stage.authorize(&stage.operator, &query("origin", &wrong)).await;
            assert!(matches!(authorization, Authorization::Unknown(_)), "{wrong:?}");
        }
        // Several resources name no client, and a repeated response mode delivers no message.
        for more in ["resource=http://127.0.0.1:3000/v1", "response_mode=web_message"] {
            let authorization = stage.authorize(&stage.operator, &format!("{}&{more}", query("origin", &by_message))).await;
            assert!(matches!(authorization, Authorization::Unknown(_)), "{more}");
        }
    }

    async fn a_user_grants_at_most_their_own_scopes(bench: TestServer) {
        let stage = ConsentFixture::new(bench).await;
        let viewer = stage.bench.create_user("viewer@pelagic.example", false).await;
        stage.bench.add_member(stage.project, &viewer, "viewer").await;
        let other = stage.bench.create_user("other@pelagic.example", true).await;
        let all = query(&stage.client_id, &[]);
        for (caller, expected) in [(&viewer, 403), (&other, 404)] {
            assert!(matches!(stage.authorize(caller, &all).await, Authorization::Failed { status, .. } if status == expected));
            let refused = stage.bench.app.consent.approve(caller, &all, vec![], DAY).await;
            assert!(matches!(refused, Err(Error::Forbidden(_) | Error::NotFound)), "{refused:?}");
        }
        stage.bench.execute_sql("UPDATE scopes SET granted_by = 'owner' WHERE name = 'usage:read'").await;
        let asking = stage.prompt(&stage.operator, &all).await;
        assert_eq!((asking.scopes.len(), asking.beyond.as_slice()), (1, &["usage:read".to_owned()][..]));
        for (scopes, life, field) in [
            (vec!["usage:read"], DAY, "scopes"),
            (vec!["data:write"], DAY, "scopes"),
            (vec!["data:read"], DAY + 1, "life"),
            (vec!["data:read"], 0, "life"),
        ] {
            let scopes = scopes.into_iter().map(ToOwned::to_owned).collect();
            match stage.bench.app.consent.approve(&stage.operator, &all, scopes, life).await {
                Err(Error::Invalid(fields)) => assert_eq!(fields[0].name, field),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(stage.prompt(&stage.owner, &all).await.scopes.len(), 2);
        stage.bench.app.projects.archive(&Actor::Operator, stage.project, false).await.unwrap();
        assert!(matches!(stage.authorize(&stage.owner, &all).await, Authorization::Failed { status: 409, .. }));
        assert_eq!(stage.events().await, ["client.registered"]);
    }

    async fn grants_are_revoked_with_their_user(bench: TestServer) {
        let stage = ConsentFixture::new(bench).await;
        let app = stage.bench.app.clone();
        let root = stage.bench.create_user("root@pelagic.example", true).await;
        // The user and a project owner can revoke a grant. An administrator who is not a member cannot.
        let grant = stage.grant_and_redeem(&stage.operator).await.grant;
        assert!(matches!(app.consent.revoke(&root, None, grant).await, Err(Error::NotFound)));
        app.consent.revoke(&stage.operator, None, grant).await.unwrap();
        assert_eq!(stage.verdict(grant).await, Err(DenyReason::Deleted));
        assert!(matches!(app.consent.revoke(&stage.operator, None, grant).await, Err(Error::NotFound)));
        let grant = stage.grant_and_redeem(&stage.operator).await.grant;
        assert_eq!(app.consent.list_by_project(&stage.owner, stage.project).await.unwrap().grants.len(), 1);
        app.consent.revoke(&stage.owner, Some(stage.project), grant).await.unwrap();
        assert_eq!(stage.verdict(grant).await, Err(DenyReason::Deleted));
        let owners = stage.grant_and_redeem(&stage.owner).await.grant;
        assert!(matches!(app.consent.revoke(&stage.operator, Some(stage.project), owners).await, Err(Error::NotFound)));
        assert_eq!(app.consent.list_by_project(&stage.operator, stage.project).await.unwrap().grants, [], "members see their own");
        // A lower role narrows or ends the grant.
        stage.bench.execute_sql("UPDATE scopes SET granted_by = 'owner' WHERE name = 'usage:read'").await;
        let second = stage.bench.create_user("second@pelagic.example", false).await;
        stage.bench.add_member(stage.project, &second, "owner").await;
        let grant = stage.grant_and_redeem(&second).await.grant;
        assert_eq!(stage.verdict(grant).await.unwrap(), ["data:read", "usage:read"]);
        app.projects.set_role(&stage.owner, stage.project, second.user, "owner", "operator").await.unwrap();
        assert_eq!(stage.verdict(grant).await.unwrap(), ["data:read"]);
        app.projects.set_role(&stage.owner, stage.project, second.user, "operator", "viewer").await.unwrap();
        assert_eq!(stage.verdict(grant).await, Err(DenyReason::Deleted));
        stage.bench.execute_sql("UPDATE scopes SET granted_by = 'operator' WHERE name = 'usage:read'").await;
        // The grant ends when the user leaves or is removed, disabled, or deleted.
        app.projects.set_role(&stage.owner, stage.project, second.user, "viewer", "operator").await.unwrap();
        let grant = stage.grant_and_redeem(&second).await.grant;
        app.projects.leave(&second, stage.project).await.unwrap();
        assert_eq!(stage.verdict(grant).await, Err(DenyReason::Deleted));
        stage.bench.add_member(stage.project, &second, "operator").await;
        let grant = stage.grant_and_redeem(&second).await.grant;
        app.projects.remove_member(&stage.owner, stage.project, second.user).await.unwrap();
        assert_eq!(stage.verdict(grant).await, Err(DenyReason::Deleted));
        stage.bench.add_member(stage.project, &second, "operator").await;
        let grant = stage.grant_and_redeem(&second).await.grant;
        app.users.disable(&Actor::User(root.clone()), second.user, "Left us.", false).await.unwrap();
        assert_eq!(stage.verdict(grant).await, Err(DenyReason::Deleted));
        app.users.enable(&Actor::User(root.clone()), second.user).await.unwrap();
        assert_eq!(stage.verdict(grant).await, Err(DenyReason::Deleted), "it stays ended");
        let third = stage.bench.create_user("third@pelagic.example", false).await;
        let own = stage.bench.project_of(&third).await;
        stage.bench.add_member(stage.project, &third, "operator").await;
        let grant = stage.grant_and_redeem(&third).await.grant;
        let plan = vec![(own, keyward::service::users::Disposition::Archive)];
        app.users.delete(&Actor::User(root.clone()), third.user, "Left us.", &plan).await.unwrap();
        assert_eq!(stage.verdict(grant).await, Err(DenyReason::Deleted));
        // The project is archived and restored, and the program is removed.
        let grant = stage.grant_and_redeem(&stage.operator).await.grant;
        app.projects.archive(&Actor::Operator, stage.project, false).await.unwrap();
        assert_eq!(stage.verdict(grant).await, Err(DenyReason::ProjectArchived));
        app.projects.archive(&Actor::Operator, stage.project, true).await.unwrap();
        assert!(stage.verdict(grant).await.is_ok());
        app.consent.remove(&stage.owner, stage.project, stage.client).await.unwrap();
        assert_eq!(stage.verdict(grant).await, Err(DenyReason::Deleted));
        assert_eq!(stage.verdict(owners).await, Err(DenyReason::Deleted));
        let count = |action: &'static str| { let events = &stage; async move { events.events().await.iter().filter(|it| it.starts_with(action)).count() } };
        assert_eq!((count("grant.revoked").await, count("grant.narrowed").await, count("client.removed").await), (2, 1, 1));
        assert_eq!(count("grant.ended").await, 7);
        let changes = stage.bench.query_number("SELECT COUNT(*) FROM changes WHERE topic = 'grant'").await;
        assert_eq!(changes as usize, count("grant.").await, "each has a change");
    }

    /// The grants of a removed program end in many writes. If the process stops in between, the background job ends the
    /// rest.
    async fn the_grants_of_a_removed_program_end_in_many_writes(bench: TestServer) {
        const HOLD: &str = "SELECT COUNT(*) FROM grants WHERE ended_at IS NULL";
        let stage = ConsentFixture::new(bench).await;
        let bench = &stage.bench;
        let grant = stage.grant_and_redeem(&stage.operator).await.grant;
        let remove = || bench.app.consent.remove(&stage.owner, stage.project, stage.client);
        insert_grants(&stage, 450).await;
        {
            let mut head = bench.app.context.queue.head();
            head.mark_unchanged();
            let removing = remove();
            tokio::pin!(removing);
            // The caller is canceled when the first write is committed.
            tokio::select! {
                biased;
                changed = head.changed() => changed.unwrap(),
                _ = &mut removing => {}
            }
        }
        assert!(bench.query_number(HOLD).await < 451, "the first write ends some");
        assert!(matches!(remove().await, Err(Error::NotFound)), "the program is removed first");
        let refused = bench.app.consent.start_device_authorization(None, &stage.client_id, "", None).await.unwrap().unwrap_err();
        assert_eq!(refused, Denied::InvalidClient);
        keyward::service::maintenance::run_once(&bench.app).await.unwrap();
        assert_eq!(bench.query_number(HOLD).await, 0);
        assert_eq!(stage.verdict(grant).await, Err(DenyReason::Deleted));
        assert_eq!(bench.events("grant.ended").await, 451, "each has an event");
        let detail = bench.query_texts("SELECT detail FROM audit_events WHERE action = 'client.removed'").await.remove(0);
        assert!(detail.contains("\"grants_ended\":451"), "{detail}");
    }

    /// After the first write, no token of a removed program is accepted, although its grants end later. This also
    /// applies to other nodes with the grants in memory.
    async fn the_grants_of_a_removed_program_are_refused_at_once(bench: TestServer) {
        let stage = ConsentFixture::new(bench).await;
        let bench = &stage.bench;
        insert_grants(&stage, 450).await;
        bench.clock.advance(1);
        // The newest grant ends in the last write.
        let grant = stage.grant_and_redeem(&stage.operator).await.grant;
        let other = crate::support::service(&bench.location, &bench.folder, bench.clock.clone(), crate::support::URL).await;
        let (here, there) = (start_change_feed(&bench.app).await, start_change_feed(&other).await);
        let verdict = async |app: &Services| {
            app.verify.verify_subject(grant.into(), &VerifyRequest::default()).await.expect("no fault").map(|_| ())
        };
        assert_eq!((verdict(&bench.app).await, verdict(&other).await), (Ok(()), Ok(())));
        {
            let mut head = bench.app.context.queue.head();
            head.mark_unchanged();
            let removing = bench.app.consent.remove(&stage.owner, stage.project, stage.client);
            tokio::pin!(removing);
            // The caller is canceled when the first write is committed.
            tokio::select! {
                biased;
                changed = head.changed() => changed.unwrap(),
                _ = &mut removing => {}
            }
        }
        assert!(bench.query_number("SELECT COUNT(*) FROM grants WHERE ended_at IS NULL").await > 0, "it has not ended");
        assert_eq!(verdict(&bench.app).await, Err(DenyReason::Deleted));
        wait_until("the other node refuses it", async || verdict(&other).await == Err(DenyReason::Deleted)).await;
        here.abort();
        there.abort();
    }

    /// A grant's id is no key's id, and a key's id is no grant's, in the database as in memory.
    async fn a_grant_is_no_key_and_a_key_no_grant(bench: TestServer) {
        let stage = ConsentFixture::new(bench).await;
        let bench = &stage.bench;
        let grant = stage.grant_and_redeem(&stage.operator).await.grant;
        let key = bench.create_key(&stage.owner, "Gateway").await.id;
        let check = async |subject: SubjectId| {
            bench.app.verify.verify_subject(subject, &VerifyRequest::default()).await.expect("no fault").map(|good| good.snapshot.subject())
        };
        let (own_grant, own_key) = (SubjectId::Grant(grant), SubjectId::Key(key));
        let as_key = SubjectId::Key(KeyId::from(uuid::Uuid::from(grant)));
        let as_grant = SubjectId::Grant(GrantId::from(uuid::Uuid::from(key)));
        let feed = start_change_feed(&bench.app).await;
        // The second time the snapshots are in memory.
        for _ in 0..2 {
            assert_eq!((check(own_grant).await, check(own_key).await), (Ok(own_grant), Ok(own_key)));
            assert_eq!((check(as_key).await, check(as_grant).await), (Err(DenyReason::Unknown), Err(DenyReason::Unknown)));
        }
        let counts = bench.app.verify.counts();
        assert_eq!((counts.cached, counts.indexed), (2, 1), "a grant has no secret: {counts:?}");
        feed.abort();
    }

    /// A later write that fails does not undo the removal, so the call returns no error. The background job ends the
    /// rest.
    async fn a_program_is_removed_although_a_later_write_fails(bench: TestServer) {
        const HOLD: &str = "SELECT COUNT(*) FROM grants WHERE ended_at IS NULL";
        let stage = ConsentFixture::new(bench).await;
        let bench = &stage.bench;
        insert_grants(&stage, 250).await;
        bench.execute_sql("UPDATE grants SET scopes = 'none' WHERE id = (SELECT id FROM grants ORDER BY id DESC LIMIT 1)").await;
        bench.app.consent.remove(&stage.owner, stage.project, stage.client).await.unwrap();
        assert_eq!(bench.query_number(HOLD).await, 50, "those of the first write have ended");
        bench.execute_sql("UPDATE grants SET scopes = '[]' WHERE scopes = 'none'").await;
        keyward::service::maintenance::run_once(&bench.app).await.unwrap();
        assert_eq!((bench.query_number(HOLD).await, bench.events("grant.ended").await), (0, 250));
    }

    /// A grant with unreadable scopes does not prevent the end of other grants, of the same program or of another one.
    async fn one_unreadable_grant_of_a_removed_program_keeps_no_other(bench: TestServer) {
        const HOLD: &str = "SELECT COUNT(*) FROM grants WHERE ended_at IS NULL";
        let stage = ConsentFixture::new(bench).await;
        let bench = &stage.bench;
        let other = bench.app.consent.register(&stage.owner, stage.project, "Other", REDIRECT).await.unwrap();
        insert_grants(&stage, 20).await;
        let newest = "id IN (SELECT id FROM grants ORDER BY id DESC LIMIT 5)";
        bench.execute_sql(&format!("UPDATE grants SET client_id = {} WHERE {newest}", bench.literal(other))).await;
        bench.execute_sql("UPDATE grants SET scopes = 'none' WHERE id = (SELECT id FROM grants ORDER BY id LIMIT 1)").await;
        bench.execute_sql("UPDATE oauth_clients SET removed_at = 1").await;
        assert!(bench.app.consent.sweep().await.is_err(), "the error is reported");
        assert_eq!((bench.query_number(HOLD).await, bench.events("grant.ended").await), (1, 19));
        bench.execute_sql("UPDATE grants SET scopes = '[]' WHERE scopes = 'none'").await;
        bench.app.consent.sweep().await.unwrap();
        assert_eq!((bench.query_number(HOLD).await, bench.events("grant.ended").await), (0, 20));
    }

    async fn one_unreadable_grant_with_an_expired_code_keeps_no_other(bench: TestServer) {
        const HOLD: &str = "SELECT COUNT(*) FROM grants WHERE ended_at IS NULL";
        let stage = ConsentFixture::new(bench).await;
        let bench = &stage.bench;
        for _ in 0..3 {
            stage.allow(&stage.operator, &["data:read"]).await;
        }
        bench.execute_sql("UPDATE grants SET scopes = 'none' WHERE id = (SELECT id FROM grants ORDER BY id LIMIT 1)").await;
        bench.clock.advance(600);
        assert!(bench.app.consent.sweep().await.is_err(), "the error is reported");
        assert_eq!((bench.query_number(HOLD).await, bench.events("grant.lapsed").await), (1, 2));
        bench.execute_sql("UPDATE grants SET scopes = '[]' WHERE scopes = 'none'").await;
        bench.app.consent.sweep().await.unwrap();
        assert_eq!((bench.query_number(HOLD).await, bench.events("grant.lapsed").await), (0, 3));
    }

    /// Other writes are processed while the grants of a program end.
    async fn removing_a_program_takes_many_writes(bench: TestServer) {
        let stage = ConsentFixture::new(bench).await;
        let bench = &stage.bench;
        insert_grants(&stage, 450).await;
        let mut commits = 0;
        let mut head = bench.app.context.queue.head();
        head.mark_unchanged();
        let removing = bench.app.consent.remove(&stage.owner, stage.project, stage.client);
        tokio::pin!(removing);
        loop {
            tokio::select! {
                biased;
                changed = head.changed() => { changed.unwrap(); commits += 1; }
                done = &mut removing => { done.unwrap(); break; }
            }
        }
        assert!(commits >= 2, "{commits} writes");
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM grants WHERE ended_at IS NULL").await, 0);
        assert_eq!(bench.events("grant.ended").await, 450);
    }

    /// The number of a user's grants is limited, because they all end in one write together with the user.
    async fn a_person_allows_a_bounded_number_of_things(bench: TestServer) {
        let stage = ConsentFixture::new(bench).await;
        insert_grants(&stage, 500).await;
        let request = query(&stage.client_id, &[]);
        let refused = stage.bench.app.consent.approve(&stage.operator, &request, vec!["data:read".into()], DAY).await;
        assert!(matches!(refused, Err(Error::Conflict(why)) if why.contains("Revoke some")), "{refused:?}");
        stage.grant_and_redeem(&stage.owner).await;
        stage.bench.execute_sql("UPDATE grants SET until = 1").await;
        stage.grant_and_redeem(&stage.operator).await;
    }

    async fn a_grant_ends_at_its_time(bench: TestServer) {
        let stage = ConsentFixture::new(bench).await;
        let grant = stage.grant_and_redeem(&stage.operator).await.grant;
        stage.bench.clock.advance(DAY - 1);
        assert!(stage.verdict(grant).await.is_ok());
        stage.bench.clock.advance(1);
        assert_eq!(stage.verdict(grant).await, Err(DenyReason::Expired));
        assert_eq!(stage.bench.app.consent.list_own(&stage.operator).await.unwrap().grants, []);
    }

    async fn a_device_polls_until_the_decision(bench: TestServer) {
        let stage = ConsentFixture::new(bench).await;
        let app = &stage.bench.app;
        let begin = async |scope| app.consent.start_device_authorization(None, &stage.client_id, scope, None).await.unwrap();
        let poll = async |code: &str| app.consent.poll(&stage.client_id, code).await.unwrap();
        assert_eq!(app.consent.start_device_authorization(None, "loopback", "", None).await.unwrap().unwrap_err(), Denied::UnauthorizedClient);
        assert_eq!(app.consent.start_device_authorization(None, "client:x", "", None).await.unwrap().unwrap_err(), Denied::InvalidClient);
        assert!(matches!(begin("nothing:read").await.unwrap_err(), Denied::InvalidScope(_)));
        let device = begin("data:read").await.unwrap();
        let code = device.device_code.expose();
        assert_eq!(poll(code).await, Err(Denied::AuthorizationPending));
        stage.bench.clock.advance(3);
        assert_eq!(poll(code).await, Err(Denied::SlowDown));
        stage.bench.clock.advance(5);
        assert_eq!(poll(code).await, Err(Denied::SlowDown), "five more each time");
        stage.bench.clock.advance(6);
        assert_eq!(poll(code).await, Err(Denied::AuthorizationPending), "14 of 15 s after the last poll that was accepted");
        assert!(matches!(app.consent.poll("loopback", code).await.unwrap(), Err(Denied::InvalidGrant(_))));
        let typed = device.user_code.to_lowercase().replace('-', " ");
        let Authorization::Prompt(asking) = app.consent.device_prompt(&stage.operator, &typed).await.unwrap() else { panic!() };
        assert_eq!((asking.client.as_deref(), asking.host), (Some("Buoy Watch"), None));
        app.consent.decide_device(&stage.operator, &device.user_code, Some((vec!["data:read".into()], 3_600))).await.unwrap();
        let redeemed = poll(code).await.expect("redeemed");
        assert_eq!(redeemed.scopes, ["data:read"]);
        assert!(stage.verdict(redeemed.grant).await.is_ok());
        assert!(matches!(poll(code).await, Err(Denied::InvalidGrant(_))), "once");
        assert!(app.consent.decide_device(&stage.operator, &device.user_code, None).await.is_err(), "codes work once");
        let device = begin("").await.unwrap();
        app.consent.decide_device(&stage.operator, &device.user_code, None).await.unwrap();
        assert_eq!(poll(device.device_code.expose()).await, Err(Denied::AccessDenied));
        let begun = begin("").await.unwrap();
        stage.bench.clock.advance(600);
        assert_eq!(poll(begun.device_code.expose()).await, Err(Denied::ExpiredToken));
        assert!(app.consent.device_prompt(&stage.operator, &begun.user_code).await.is_err());
        let dump = stage.bench.query_texts("SELECT detail FROM audit_events").await.join("\n");
        assert!(!dump.contains(&begun.user_code));
    }

    /// Timers are not exact: polls up to one second early are accepted, and a rejected poll does not restart the
    /// interval.
    async fn a_device_polls_with_jitter(bench: TestServer) {
        let stage = ConsentFixture::new(bench).await;
        let consent = &stage.bench.app.consent;
        let device = consent.start_device_authorization(None, &stage.client_id, "", None).await.unwrap().unwrap();
        let code = device.device_code.expose();
        for n in 0..12 {
            assert_eq!(consent.poll(&stage.client_id, code).await.unwrap(), Err(Denied::AuthorizationPending), "poll {n}");
            stage.bench.clock.advance_micros(5_000_000 + if n % 2 == 0 { -30_000 } else { 30_000 });
        }
        assert_eq!(stage.bench.query_number("SELECT wait FROM device_codes").await, 5);
        // A client that polls every 2 s and ignores the `slow_down` errors is slowed down, but still receives the
        // decision.
        let mut intervals = Vec::new();
        for _ in 0..60 {
            intervals.push(consent.poll(&stage.client_id, code).await.unwrap().unwrap_err());
            stage.bench.clock.advance(2);
        }
        let pending = intervals.iter().filter(|it| **it == Denied::AuthorizationPending).count();
        assert!((3..=8).contains(&pending), "{pending}: {intervals:?}");
        assert_eq!(stage.bench.query_number("SELECT wait FROM device_codes").await, 30);
        consent.decide_device(&stage.operator, &device.user_code, Some((vec![], 3_600))).await.unwrap();
        assert!(consent.poll(&stage.client_id, code).await.unwrap().is_ok(), "an answer is never held back");
    }

    /// One IP address cannot block the device grant of a program: its own limit applies before that of the program.
    async fn one_address_begins_few_devices(bench: TestServer) {
        let stage = ConsentFixture::new(bench).await;
        let consent = &stage.bench.app.consent;
        let begin = async |ip: &str| consent.start_device_authorization(Some(ip.parse().unwrap()), &stage.client_id, "", None).await.unwrap().map(|_| ());
        for n in 0..20 {
            assert_eq!(begin("203.0.113.7").await, Ok(()), "{n}");
            assert_eq!(begin(&format!("2001:db8:1:2::{n}")).await, Ok(()), "{n}");
        }
        assert_eq!(begin("203.0.113.7").await, Err(Denied::TooManyFromAddress(30)));
        assert_eq!(begin("2001:db8:1:2:ffff::1").await, Err(Denied::TooManyFromAddress(30)), "a /64 is one address");
        assert_eq!(begin("203.0.113.8").await, Ok(()));
        assert_eq!(stage.bench.query_number("SELECT COUNT(*) FROM device_codes").await, 41, "what is refused writes nothing");
        stage.bench.clock.advance(30);
        assert_eq!(begin("203.0.113.7").await, Ok(()));
    }

    /// The limit of an IP address counts the device codes of all programs together.
    async fn one_address_is_limited_over_all_programs(bench: TestServer) {
        let stage = ConsentFixture::new(bench).await;
        let consent = &stage.bench.app.consent;
        let mut programs = vec![stage.client_id.clone()];
        for n in 0..2 {
            let id = consent.register(&stage.owner, stage.project, &format!("Buoy {n}"), REDIRECT).await.unwrap();
            programs.push(format!("client:{id}"));
        }
        let begin = async |n: usize| {
            let from = Some("203.0.113.7".parse().unwrap());
            consent.start_device_authorization(from, &programs[n % 3], "", None).await.unwrap().map(|_| ())
        };
        for n in 0..20 {
            assert_eq!(begin(n).await, Ok(()), "{n}");
        }
        for n in 20..23 {
            assert_eq!(begin(n).await, Err(Denied::TooManyFromAddress(30)), "{n}");
        }
        assert_eq!(stage.bench.query_number("SELECT COUNT(*) FROM device_codes").await, 20);
    }

    /// Granting a management scope to a program requires recent authentication, in a browser and for a device.
    async fn management_scopes_require_recent_authentication(bench: TestServer) {
        const READ: &str = "keyward:keys.read";
        let stage = ConsentFixture::new(bench).await;
        for scope in ["data:read", READ] {
            let sql = format!("INSERT INTO project_scopes (project_id, scope) SELECT id, '{scope}' FROM projects");
            stage.bench.execute_sql(&sql).await;
        }
        stage.bench.execute_sql("UPDATE projects SET own_scopes = (1 = 1)").await;
        let stale = Caller { authenticated_at: stage.bench.app.context.now().plus_seconds(-901), ..stage.owner.clone() };
        let consent = &stage.bench.app.consent;
        let allow = async |caller: &Caller, scope: &str| {
            let request = query(&stage.client_id, &[("scope", scope)]);
            consent.approve(caller, &request, vec![scope.to_owned()], 3_600).await
        };
        let yes = || Some((vec![READ.to_owned()], 3_600));
        let device = consent.start_device_authorization(None, &stage.client_id, READ, None).await.unwrap().unwrap();
        assert!(matches!(allow(&stale, READ).await, Err(Error::ReauthenticationRequired)));
        assert!(matches!(consent.decide_device(&stale, &device.user_code, yes()).await, Err(Error::ReauthenticationRequired)));
        assert_eq!(stage.events().await, ["client.registered"], "nothing was allowed");
        // Other scopes do not require recent authentication.
        allow(&stale, "data:read").await.unwrap();
        allow(&stage.owner, READ).await.unwrap();
        consent.decide_device(&stage.owner, &device.user_code, yes()).await.unwrap();
        assert_eq!(stage.bench.events("grant.allowed").await, 3);
    }

    async fn pending_devices_are_limited(bench: TestServer) {
        let stage = ConsentFixture::new(bench).await;
        let consent = &stage.bench.app.consent;
        for _ in 0..500 {
            consent.start_device_authorization(None, &stage.client_id, "", None).await.unwrap().unwrap();
        }
        assert_eq!(consent.start_device_authorization(None, &stage.client_id, "", None).await.unwrap().unwrap_err(), Denied::Crowded);
        stage.bench.clock.advance(600);
        assert!(consent.start_device_authorization(None, &stage.client_id, "", None).await.unwrap().is_ok());
    }

    async fn guesses_at_a_devices_code_are_paused(bench: TestServer) {
        let stage = ConsentFixture::new(bench).await;
        let app = &stage.bench.app;
        let mut caller = stage.operator.clone();
        caller.origin.ip = Some("203.0.113.7".parse().unwrap());
        let device = app.consent.start_device_authorization(None, &stage.client_id, "", None).await.unwrap().unwrap();
        for _ in 0..3 {
            app.consent.device_prompt(&caller, &device.user_code).await.expect("a right code costs nothing");
        }
        for _ in 0..5 {
            assert!(matches!(app.consent.device_prompt(&caller, "BBBB-BBBB").await, Err(Error::Invalid(_))));
        }
        assert!(matches!(app.consent.device_prompt(&caller, &device.user_code).await, Err(Error::Paused { .. })));
    }
}

/// A redemption waits while another node revokes the grant, and is denied then: of a code, and of a device code.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_a_redemption_waits_for_a_revocation() {
    let stage = ConsentFixture::new(TestServer::new(Engine::Postgres).await).await;
    let consent = &stage.bench.app.consent;
    let Location::Postgres(url) = &stage.bench.location else { unreachable!("it is PostgreSQL") };
    let mut other = PgConnection::connect(url).await.unwrap();
    let device = consent.start_device_authorization(None, &stage.client_id, "", None).await.unwrap().unwrap();
    consent.decide_device(&stage.operator, &device.user_code, Some((vec![], 3_600))).await.unwrap();
    let code = stage.allow(&stage.operator, &["data:read"]).await;
    // A transaction as of a user who leaves the project.
    for sql in ["BEGIN", "SELECT id FROM head WHERE id = 1 FOR UPDATE", "UPDATE grants SET ended_at = created_at"] {
        sqlx::query(sql).execute(&mut other).await.unwrap();
    }
    let both = async {
        let polled = async { consent.poll(&stage.client_id, device.device_code.expose()).await.expect("no fault") };
        <[_; 2]>::from(tokio::join!(stage.redeem(&code), polled))
    };
    tokio::pin!(both);
    assert!(tokio::time::timeout(Duration::from_millis(500), &mut both).await.is_err(), "both wait");
    sqlx::query("COMMIT").execute(&mut other).await.unwrap();
    for redeemed in both.await {
        assert!(matches!(redeemed, Err(Denied::InvalidGrant(_))), "{redeemed:?}");
    }
}
