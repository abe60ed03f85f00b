//! Projects: creation, members, invitations, archiving and scopes. Tests check who is authorized and what is stored
//! afterwards.

use crate::support::{
    TestServer,
    browser::{Browser, Page},
    html::error_of,
    json_of,
    test_data::{KeyForms as _, change_key},
};
use keyward::{
    domain::{ids::ProjectId, project::Joined, transition::Transition},
    service::{
        Error,
        actor::{Actor, Caller, Origin},
        projects::{Projects, ScopesChoice},
        scopes::ScopeDraft,
        tokens::{DAY_LIFE, TokenParameters},
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

const PEOPLE: [&str; 6] = ["anonymous", "viewer", "operator", "owner", "other", "root"];

/// A browser and a caller for each role, with a project of the owner's.
struct Team {
    project: ProjectId,
    owner: Caller,
    callers: Vec<(&'static str, Caller)>,
    browsers: Vec<(&'static str, Browser)>,
}

impl Team {
    async fn new(bench: &TestServer) -> Self {
        let owner = bench.create_user("owner@pelagic.example", false).await;
        let project = bench.project_of(&owner).await;
        let mut team = Self { project, owner: owner.clone(), callers: vec![("owner", owner)], browsers: Vec::new() };
        team.browsers.push(("anonymous", bench.browser()));
        for (who, role) in [("viewer", Some("viewer")), ("operator", Some("operator")), ("other", None), ("root", None)]
        {
            let caller = bench.create_user(&format!("{who}@pelagic.example"), who == "root").await;
            if let Some(role) = role {
                bench.add_member(project, &caller, role).await;
            }
            team.callers.push((who, caller));
        }
        for who in &PEOPLE[1..] {
            team.browsers.push((who, bench.signed_in(&format!("{who}@pelagic.example")).await));
        }
        team
    }

    fn browser(&mut self, who: &str) -> &mut Browser {
        &mut self.browsers.iter_mut().find(|(it, _)| *it == who).expect("a browser").1
    }

    fn caller(&self, who: &str) -> &Caller {
        &self.callers.iter().find(|(it, _)| *it == who).expect("a caller").1
    }
}

/// Returns all stored rows of projects, members and invitations.
async fn stored(bench: &TestServer) -> Vec<String> {
    let mut all = bench
        .query_texts(
            "SELECT name || ' ' || token_life_max || CASE WHEN archived_at IS NULL THEN '' ELSE ' archived' END || \
             CASE WHEN own_scopes THEN ' own' ELSE '' END FROM projects ORDER BY id",
        )
        .await;
    all.extend(bench.query_texts("SELECT scope FROM project_scopes ORDER BY scope").await);
    all.extend(bench.query_texts("SELECT u.email || ' ' || m.role FROM members m JOIN users u ON u.id = m.user_id ORDER BY u.email, m.role").await);
    all.extend(bench.query_texts("SELECT role || CASE WHEN withdrawn_at IS NULL THEN '' ELSE ' withdrawn' END || CASE WHEN used_at IS NULL THEN '' ELSE ' used' END FROM invitations ORDER BY id").await);
    all.extend(bench.query_texts("SELECT name FROM scopes WHERE retired_at IS NOT NULL ORDER BY name").await);
    all
}

async fn last_event_detail(bench: &TestServer, action: &str) -> Value {
    let texts =
        bench.query_texts(&format!("SELECT detail FROM audit_events WHERE action = '{action}' ORDER BY seq")).await;
    serde_json::from_str(texts.last().unwrap_or_else(|| panic!("no {action}"))).expect("JSON")
}

/// Returns the error message at a field of a form response with status 422.
fn field_error(page: &Page, field: &str) -> String {
    assert_eq!(page.status, 422, "{field}: {}", page.text());
    error_of(page, field)
}

/// Returns a page with an id or a code masked, percent-encoded or not.
fn masked(page: &Page, word: &str) -> String {
    page.masked(&[word, &word.replace('-', "%2D").replace('_', "%5F")])
}

/// Returns the code in an invitation link.
fn code(link: &str) -> String {
    link.split("code=").nth(1).expect("a code").chars().take(43).collect()
}

async fn invite(browser: &mut Browser, project: ProjectId, role: &str) -> String {
    let page =
        browser.post(&format!("/projects/{project}/invite"), &[("id", &project.to_string()), ("role", role)]).await;
    assert_eq!(page.status, 200, "{}", page.text());
    code(page.text())
}

async fn verify(bench: &TestServer, secret: &str) -> (bool, String) {
    let body = bench.browser().json("/v1/keys/verify", &json!({"key": secret})).await.json();
    (body["valid"] == true, body["code"].as_str().unwrap_or_default().to_owned())
}

on_both_engines! {
    async fn who_may_do_what(bench: TestServer) {
        let mut team = Team::new(&bench).await;
        let id = team.project.to_string();
        let missing = Uuid::from_bytes(crate::support::random()).to_string();
        let operator = team.caller("operator").user.to_string();
        let viewer = team.caller("viewer").user.to_string();
        // Every change, by every user but the owner. The tests below cover the owner.
        let asks: [(String, Vec<(&str, &str)>); 10] = [
            ("/edit".into(), vec![("version", "owner’s project"), ("name", "Stolen")]),
            ("/archive".into(), vec![]),
            ("/unarchive".into(), vec![]),
            ("/life".into(), vec![("version", "86400"), ("amount", "2"), ("unit", "hours")]),
            ("/invite".into(), vec![("role", "owner")]),
            (format!("/invitations/{missing}/withdraw"), vec![("invitation", &missing)]),
            (format!("/members/{viewer}/edit"), vec![("user", &viewer), ("version", "viewer"), ("role", "owner")]),
            (format!("/members/{operator}/remove"), vec![("user", &operator)]),
            ("/scopes".into(), vec![("set", "own"), ("scopes[]", "data:read")]),
            (String::new(), vec![("config", "{}")]),
        ];
        let before = stored(&bench).await;
        // The page behind a denied form is rendered for an administrator, and the audit log records the view.
        let changes = "SELECT COUNT(*) FROM audit_events WHERE action <> 'project.seen_by_administrator'";
        let events = bench.query_number(changes).await;
        for (ask, fields) in &asks {
            for who in PEOPLE.into_iter().filter(|who| *who != "owner") {
                let here = [&[("id", id.as_str())][..], fields.as_slice()].concat();
                let nowhere = [&[("id", missing.as_str())][..], fields.as_slice()].concat();
                if who == "root" && ask == "/scopes" {
                    continue;
                }
                let page = team.browser(who).post(&format!("/projects/{id}{ask}"), &here).await;
                let none = team.browser(who).post(&format!("/projects/{missing}{ask}"), &nowhere).await;
                let expected = match who {
                    "anonymous" => 303,
                    "viewer" | "operator" => 403,
                    // The dialogs of the page explain that an owner is required.
                    "root" if !ask.is_empty() => 403,
                    _ => 404,
                };
                assert_eq!(page.status, expected, "{who} {ask}: {}", page.text());
                assert_eq!(none.status, if who == "anonymous" { 303 } else { 404 }, "{who} {ask}");
                if who == "other" {
                    assert_eq!(masked(&page, &id), masked(&none, &missing), "{who} {ask}: another's is as what is not there");
                }
                assert_eq!(stored(&bench).await, before, "{who} {ask}");
            }
        }
        // The owner is not an administrator, and only administrators choose scopes.
        let page = team.browser("owner").post(&format!("/projects/{id}/scopes"), &[("id", &id), ("set", "own")]).await;
        assert_eq!(page.status, 403);
        // Only an administrator can join a project without an invitation.
        for who in ["viewer", "operator", "other"] {
            let page = team.browser(who).post(&format!("/projects/{id}/join"), &[("id", &id), ("role", "owner")]).await;
            assert_eq!(page.status, if who == "other" { 404 } else { 403 }, "{who}");
        }
        for path in ["", "/keys"] {
            assert_eq!(team.browser("viewer").get(&format!("/projects/{id}{path}")).await.status, 200, "{path}");
        }
        assert_eq!(stored(&bench).await, before);
        assert_eq!(bench.query_number(changes).await, events);
        // The same through the pages: a non-member gets the response of an unknown project.
        for path in ["", "/edit", "/archive", "/invite", "/keys", "/keys/new", "/members", "/leave"] {
            let page = team.browser("other").get(&format!("/projects/{id}{path}")).await;
            let none = team.browser("other").get(&format!("/projects/{missing}{path}")).await;
            assert_eq!((page.status, page.masked(&[&id])), (404, none.masked(&[&missing])), "{path}");
        }
    }

    async fn a_project_is_made_renamed_and_given_a_token_life(bench: TestServer) {
        let mut team = Team::new(&bench).await;
        let owner = team.owner.clone();
        let browser = team.browser("owner");
        assert!(field_error(&browser.post("/projects/new", &[("name", " ")]).await, "name").contains("Enter a project name"));
        let page = browser.post("/projects/new", &[("name", " Storm desk ")]).await;
        assert_eq!(page.status, 303, "{}", page.text());
        let id = page.location().trim_start_matches("/projects/").trim_end_matches("?done=created").to_owned();
        let page = browser.get(&format!("/projects/{id}?done=created")).await;
        assert!(page.status == 200 && page.text().contains("Storm desk") && page.text().contains("Project created."));

        // Two users rename the project from the same name: the second one gets an error and keeps the typed name.
        let path = format!("/projects/{id}/edit");
        let page = browser.post(&path, &[("id", &id), ("version", "Storm desk"), ("name", "Tide desk")]).await;
        assert_eq!(page.location(), format!("/projects/{id}?done=renamed"));
        let page = browser.post(&path, &[("id", &id), ("version", "Storm desk"), ("name", "Wind desk")]).await;
        assert_eq!(page.status, 409);
        assert!(page.text().contains("This project was renamed elsewhere"));
        assert_eq!(page.input("name"), "Wind desk");
        assert_eq!(last_event_detail(&bench, "project.renamed").await, json!({"before": {"name": "Storm desk"}, "after": {"name": "Tide desk"}}));

        let life = |amount: &'static str, unit: &'static str, version: &'static str| {
            vec![("id", id.clone()), ("version", version.to_owned()), ("amount", amount.to_owned()), ("unit", unit.to_owned())]
        };
        for (amount, unit, field) in [("0", "days", "amount"), ("x", "hours", "amount"), ("31", "days", "amount"), ("1", "years", "unit")] {
            let fields = life(amount, unit, "86400");
            let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            field_error(&browser.post(&format!("/projects/{id}/life"), &fields).await, field);
        }
        for (amount, unit, version, status) in [("12", "hours", "86400", 303), ("30", "days", "43200", 303), ("1", "days", "43200", 409)] {
            let fields = life(amount, unit, version);
            let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(browser.post(&format!("/projects/{id}/life"), &fields).await.status, status, "{amount} {unit}");
        }
        assert_eq!(bench.events("project.token_life_set").await, 2);
        let seen = json_of(&bench.app.projects.get(&owner, id.parse().unwrap()).await.unwrap());
        assert_eq!((&seen["token_life"], &seen["name"], &seen["role"]), (&json!("30 days"), &json!("Tide desk"), &json!("owner")));
    }

    async fn an_archived_project_refuses_its_keys_and_tokens_until_it_is_unarchived(bench: TestServer) {
        let mut team = Team::new(&bench).await;
        let key = bench.create_key(&team.owner, "Gateway").await;
        let id = key.project.to_string();
        let issued = bench.app.tokens.exchange(&key.secret, None, &TokenParameters::for_own_project(DAY_LIFE)).await.expect("readable").expect("a token");
        let config = format!("/v1/projects/{id}/config");
        assert_eq!(bench.browser().bearer(&config, &issued.access_token).await.status, 200);
        let page = team.browser("owner").post(&format!("/projects/{id}/archive"), &[("id", &id)]).await;
        assert_eq!(page.location(), format!("/projects/{id}?done=archived"));
        assert_eq!(verify(&bench, &key.secret).await, (false, "project_archived".into()));
        assert_eq!(bench.browser().bearer(&config, &issued.access_token).await.status, 401);
        let token = bench.browser().json("/authentication/token", &json!({"secret_key": key.secret})).await;
        assert!(token.status >= 400 && token.text().contains("project_archived"), "{}", token.text());
        let refused = bench.app.keys.create_from(&team.owner, bench.draft(key.project, "Another")).await;
        assert!(matches!(refused, Err(Error::Conflict(_))));
        // Order of the rules: deleted comes before archived, archived before inactive.
        change_key(&bench.app.keys, &team.owner, key.id, Transition::Deactivate).await.unwrap();
        assert_eq!(verify(&bench, &key.secret).await.1, "project_archived");
        change_key(&bench.app.keys, &team.owner, key.id, Transition::Delete).await.unwrap();
        assert_eq!(verify(&bench, &key.secret).await.1, "deleted");
        change_key(&bench.app.keys, &team.owner, key.id, Transition::Restore).await.unwrap();
        change_key(&bench.app.keys, &team.owner, key.id, Transition::Activate).await.unwrap();
        // An archived project is last in the list and marked as archived.
        let list = json_of(&bench.app.projects.list(&team.owner).await.unwrap());
        assert_eq!(list[0]["archived"], true);
        // A repeated request changes nothing.
        team.browser("owner").post(&format!("/projects/{id}/archive"), &[("id", &id)]).await;
        assert_eq!(bench.events("project.archived").await, 1);
        for _ in 0..2 {
            assert_eq!(team.browser("owner").post(&format!("/projects/{id}/unarchive"), &[("id", &id)]).await.status, 303);
        }
        assert_eq!(bench.events("project.unarchived").await, 1);
        assert!(verify(&bench, &key.secret).await.0);
        assert_eq!(bench.browser().bearer(&config, &issued.access_token).await.status, 200);
    }

    async fn an_invitation_works_once(bench: TestServer) {
        let mut team = Team::new(&bench).await;
        let project = team.project;
        let id = project.to_string();
        let browser = team.browser("owner");
        let form = format!("/projects/{id}/invite");
        field_error(&browser.post(&form, &[("id", &id), ("role", "king")]).await, "role");
        field_error(&browser.post(&form, &[("id", &id), ("role", "viewer"), ("email", "x")]).await, "email");
        // The link occurs only in the response to the form, which is not cacheable, and in no response to a GET.
        let page = browser.post(&format!("/projects/{id}/invite"), &[("id", &id), ("role", "operator"), ("email", "new@x.example")]).await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert!(page.header("cache-control").contains("no-store"));
        assert!(page.text().contains("Copy the invitation link now"));
        // The page has no script that could read the link, and contains the link once.
        assert!(!page.text().contains("keyward.js") && page.text().matches("/join?code=").count() == 1);
        let code = code(page.text());
        for path in [format!("/projects/{id}"), format!("/projects/{id}/invite")] {
            let page = browser.get(&path).await;
            assert!(!page.text().contains(&code) && page.status == 200, "{path}");
        }
        assert!(browser.get(&format!("/projects/{id}")).await.text().replace("<wbr>", "").contains("new@x.example"));
        assert_eq!(bench.query_number(&format!("SELECT COUNT(*) FROM audit_events WHERE detail LIKE '%{code}%'")).await, 0);
        assert_eq!(last_event_detail(&bench, "member.invited").await["after"]["role"], "operator");

        // A visitor with the link sees the invitation. To accept it they must sign in, and return to it afterwards.
        let join = format!("/join?code={code}");
        let page = team.browser("anonymous").get(&join).await;
        assert!(page.status == 200 && page.text().contains("owner invited you") && page.text().contains("Sign in to join"), "{}", page.text());
        assert!(!page.text().contains("/signup"), "sign-up is closed");
        let page = team.browser("anonymous").post(&join, &[("code", &code)]).await;
        assert_eq!(page.location(), format!("/login?next=%2Fjoin%3Fcode%3D{code}"));
        // An existing member keeps their role, and does not consume the invitation.
        let page = team.browser("viewer").get(&join).await;
        assert!(page.text().contains("You are already a member of this project"));
        let page = team.browser("viewer").post(&join, &[("code", &code)]).await;
        assert_eq!(page.location(), format!("/projects/{id}?done=already"));
        let page = team.browser("other").post(&join, &[("code", &code)]).await;
        assert_eq!(page.location(), format!("/projects/{id}?done=joined"));
        assert_eq!(team.browser("other").get(&format!("/projects/{id}")).await.status, 200);
        assert_eq!(last_event_detail(&bench, "member.joined").await["after"]["role"], "operator");
        assert_eq!(bench.events("member.joined").await, 1);

        // Used, withdrawn, expired and unknown invitations get the same response.
        let withdrawn = invite(team.browser("owner"), project, "viewer").await;
        let members = bench.app.projects.members(&team.owner, project).await.unwrap();
        let open = members.invitations.first().expect("an invitation").id.to_string();
        let path = format!("/projects/{id}/invitations/{open}/withdraw");
        for status in [303, 409] {
            let page = team.browser("owner").post(&path, &[("id", &id), ("invitation", &open)]).await;
            assert_eq!(page.status, status, "{}", page.text());
        }
        assert_eq!(bench.events("invitation.withdrawn").await, 1);
        let expired = invite(team.browser("owner"), project, "viewer").await;
        bench.clock.advance(7 * 86_400);
        team.browsers.retain(|(who, _)| *who == "anonymous");
        let root = bench.signed_in("root@pelagic.example").await;
        team.browsers.push(("root", root));
        let unknown = "A".repeat(43);
        for (who, accepts) in [("anonymous", false), ("root", false), ("root", true)] {
            let mut answers = Vec::new();
            for code in [&code, &withdrawn, &expired, &unknown] {
                let (browser, path) = (team.browser(who), format!("/join?code={code}"));
                let page = if accepts { browser.post(&path, &[("code", code)]).await } else { browser.get(&path).await };
                assert_eq!(page.status, 404, "{who}: {}", page.text());
                assert!(page.text().contains("Invitation links can be used once and expire after 7 days."), "{}", page.text());
                answers.push(masked(&page, code));
            }
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        }
        assert_eq!(bench.events("member.joined").await, 1);
    }

    async fn an_invitation_is_mailed_after_the_commit_if_there_is_mail(bench: TestServer) {
        let mut team = Team::new(&bench).await;
        let id = team.project.to_string();
        bench.mail.set_up();
        let page = team.browser("owner").post(&format!("/projects/{id}/invite"), &[("id", &id), ("role", "viewer"), ("email", "New@X.example")]).await;
        assert_eq!(page.location(), format!("/projects/{id}?done=invited"), "{}", page.text());
        let letters = bench.mail.take();
        assert_eq!((letters.len(), letters[0].to.as_str()), (1, "new@x.example"));
        let code = code(&letters[0].text);
        // Without an email address no email is sent: the page shows the link.
        let project = team.project;
        assert_eq!(invite(team.browser("owner"), project, "viewer").await.len(), 43);
        assert!(bench.mail.take().is_empty());
        let other = team.caller("other").clone();
        let joined = bench.app.projects.accept(&other, &code).await.expect("it works");
        assert_eq!(joined, Joined { project: team.project, already: false });
    }

    async fn a_removed_member_loses_access_at_once_and_the_keys_stay(bench: TestServer) {
        let mut team = Team::new(&bench).await;
        let (project, id) = (team.project, team.project.to_string());
        let operator = team.caller("operator").clone();
        let (key, secret) = bench.app.keys.create_from(&operator, bench.draft(project, "Night export")).await.expect("a key");
        let user = operator.user.to_string();
        let edit = format!("/projects/{id}/members/{user}/edit");
        assert_eq!(team.browser("owner").get(&edit).await.status, 200);
        let page = team.browser("owner").post(&edit, &[("id", &id), ("user", &user), ("version", "operator"), ("role", "owner")]).await;
        assert_eq!(page.location(), format!("/projects/{id}?done=role"), "{}", page.text());
        // The role has changed since the form was rendered.
        let page = team.browser("owner").post(&edit, &[("id", &id), ("user", &user), ("version", "operator"), ("role", "viewer")]).await;
        assert_eq!(page.status, 409);
        assert_eq!(last_event_detail(&bench, "member.role_changed").await, json!({
            "before": {"role": "operator"}, "after": {"role": "owner"}, "invitations_withdrawn": 0,
        }));
        // A form whose member id differs from the one in its path is rejected.
        let other = team.caller("viewer").user.to_string();
        let page = team.browser("owner").post(&edit, &[("id", &id), ("user", &other), ("version", "viewer"), ("role", "owner")]).await;
        assert_eq!(page.status, 422);

        // When an owner who sent an invitation is removed, the invitation is withdrawn.
        let code = invite(team.browser("operator"), project, "owner").await;
        let remove = format!("/projects/{id}/members/{user}/remove");
        let page = team.browser("owner").post(&remove, &[("id", &id), ("user", &user)]).await;
        assert_eq!(page.location(), format!("/projects/{id}?done=removed"));
        assert_eq!(last_event_detail(&bench, "member.removed").await["invitations_withdrawn"], 1);
        assert_eq!(team.browser("operator").get(&format!("/projects/{id}")).await.status, 404);
        assert_eq!(team.browser("operator").get(&format!("/keys/{}", key.id)).await.status, 404);
        assert_eq!(team.browser("operator").post(&format!("/join?code={code}"), &[("code", &code)]).await.status, 404);
        assert_eq!(team.browser("owner").post(&remove, &[("id", &id), ("user", &user)]).await.status, 404);
        assert!(verify(&bench, secret.expose()).await.0);
        assert!(team.browser("owner").get(&format!("/keys/{}", key.id)).await.text().contains("by operator"));

        let page = team.browser("viewer").post(&format!("/projects/{id}/leave"), &[("id", &id)]).await;
        assert_eq!(page.location(), "/projects?done=left");
        assert_eq!(team.browser("viewer").get(&format!("/projects/{id}")).await.status, 404);
        assert_eq!(bench.events("member.left").await, 1);
    }

    async fn a_project_always_keeps_an_owner(bench: TestServer) {
        let team = Team::new(&bench).await;
        let (project, owner, second) = (team.project, team.owner.clone(), team.caller("operator").clone());
        let projects = &bench.app.projects;
        let alone = |done: Result<(), Error>| assert!(matches!(done, Err(Error::Conflict(words)) if words.contains("at least one owner")));
        alone(projects.leave(&owner, project).await);
        alone(projects.leave(&owner, project).await);
        alone(projects.remove_member(&owner, project, owner.user).await);
        alone(projects.set_role(&owner, project, owner.user, "owner", "viewer").await);
        // Two owners leave concurrently, each on a node of their own: one of them gets an error and stays.
        let elsewhere = Projects::new(crate::support::open_context(&bench.location, bench.clock.clone()).await);
        for round in 0..6 {
            bench.execute_sql("UPDATE members SET role = 'owner' WHERE role = 'operator'").await;
            let (a, b) = match round % 3 {
                0 => tokio::join!(projects.leave(&owner, project), elsewhere.leave(&second, project)),
                1 => tokio::join!(
                    projects.set_role(&owner, project, owner.user, "owner", "viewer"),
                    elsewhere.leave(&second, project)
                ),
                _ => tokio::join!(
                    projects.remove_member(&owner, project, second.user),
                    elsewhere.remove_member(&second, project, owner.user)
                ),
            };
            let done = [a.is_ok(), b.is_ok()];
            assert_eq!(done.iter().filter(|it| **it).count(), 1, "{round}: {done:?}");
            let owners = format!("SELECT COUNT(*) FROM members WHERE project_id = {} AND role = 'owner'", bench.literal(project));
            assert_eq!(bench.query_number(&owners).await, 1, "{round}");
            bench.execute_sql(&format!("DELETE FROM members WHERE project_id = {}", bench.literal(project))).await;
            bench.add_member(project, &owner, "owner").await;
            bench.add_member(project, &second, "operator").await;
        }
    }

    async fn an_owner_who_cannot_sign_in_is_none_and_links_end_with_their_reason(bench: TestServer) {
        let mut team = Team::new(&bench).await;
        let (project, id) = (team.project, team.project.to_string());
        let (owner, second) = (team.owner.clone(), team.caller("operator").clone());
        let projects = &bench.app.projects;
        // The other owner is disabled: they do not count as a remaining owner, and can be removed.
        bench.execute_sql("UPDATE members SET role = 'owner' WHERE role = 'operator'").await;
        bench.execute_sql("UPDATE users SET active = FALSE WHERE email = 'operator@pelagic.example'").await;
        assert!(matches!(projects.leave(&owner, project).await, Err(Error::Conflict(_))));
        projects.remove_member(&owner, project, second.user).await.unwrap();
        bench.execute_sql("UPDATE users SET active = TRUE").await;
        // Removing a member invalidates an open invitation to them.
        let viewer = team.caller("viewer").clone();
        let fields = [("id", id.as_str()), ("role", "operator"), ("email", "viewer@pelagic.example")];
        bench.mail.set_up();
        let form = format!("/projects/{id}/invite");
        assert_eq!(team.browser("owner").post(&form, &fields).await.location(), format!("/projects/{id}?done=invited"));
        let letter = bench.mail.take().pop().expect("a letter");
        let history = json_of(&bench.app.audit.project_history(&viewer, project, None).await.unwrap()).to_string();
        assert!(history.contains("created an invitation") && !history.contains("viewer@pelagic.example"), "{history}");
        projects.remove_member(&owner, project, viewer.user).await.unwrap();
        assert!(matches!(projects.accept(&viewer, &code(&letter.text)).await, Err(Error::NotFound)));
        // An owner cannot send email through an archived project: invitations to it are denied.
        bench.execute_sql("UPDATE projects SET archived_at = 1").await;
        assert_eq!(team.browser("owner").post(&form, &fields).await.status, 409);
    }

    async fn an_invitation_used_twice_at_once_lets_one_in(bench: TestServer) {
        let mut team = Team::new(&bench).await;
        let elsewhere = Projects::new(crate::support::open_context(&bench.location, bench.clock.clone()).await);
        let (other, root) = (team.caller("other").clone(), team.caller("root").clone());
        let project = team.project;
        let code = invite(team.browser("owner"), project, "viewer").await;
        let (a, b) = tokio::join!(bench.app.projects.accept(&other, &code), elsewhere.accept(&root, &code));
        assert_eq!([a.is_ok(), b.is_ok()].iter().filter(|it| **it).count(), 1, "{a:?} {b:?}");
        assert_eq!(bench.events("member.joined").await, 1);
        // One user accepts twice concurrently: they join once, and the other response reports the existing membership.
        let code = invite(team.browser("owner"), project, "viewer").await;
        let person = bench.create_user("late@pelagic.example", false).await;
        let (a, b) = tokio::join!(bench.app.projects.accept(&person, &code), elsewhere.accept(&person, &code));
        assert!(a.is_ok() || b.is_ok(), "{a:?} {b:?}");
        assert_eq!(bench.events("member.joined").await, 2);
    }

    async fn an_administrator_views_after_reauthentication_and_joins(bench: TestServer) {
        let mut team = Team::new(&bench).await;
        let (project, id) = (team.project, team.project.to_string());
        let key = bench.create_key(&team.owner, "Gateway").await;
        // A request for an embedded resource, or by a script of another origin, gets no project content and records no
        // audit event.
        let as_part = |dest: &str, site: &str| {
            let request = axum::http::Request::get(format!("/projects/{id}")).header("accept", "text/html");
            request.header("sec-fetch-dest", dest).header("sec-fetch-site", site)
        };
        for (dest, site) in [("image", "same-site"), ("iframe", "same-origin"), ("script", "cross-site"), ("empty", "same-site"), ("empty", "cross-site")] {
            let page = team.browser("root").send(as_part(dest, site), String::new()).await;
            assert!(page.status == 403 && !page.text().contains("project-id"), "{dest} {site}: {} {}", page.status, page.text());
        }
        assert_eq!(bench.events("project.seen_by_administrator").await, 0);
        for (dest, site) in [("document", "cross-site"), ("empty", "same-origin")] {
            assert_eq!(team.browser("root").send(as_part(dest, site), String::new()).await.status, 200, "{dest} {site}");
        }
        let page = team.browser("root").get(&format!("/projects/{id}")).await;
        assert!(page.status == 200 && page.text().contains("You are viewing this project as an administrator"), "{}", page.text());
        assert!(!page.text().contains("Save config") && !page.text().contains("/archive\""));
        team.browser("root").get(&format!("/projects/{id}")).await;
        assert_eq!(bench.events("project.seen_by_administrator").await, 1, "once in the time that a proof counts");
        let before = stored(&bench).await;
        for ask in ["archive", "edit", "invite", "leave"] {
            let page = team.browser("root").post(&format!("/projects/{id}/{ask}"), &[("id", &id), ("role", "viewer")]).await;
            assert_eq!(page.status, 403, "{ask}: {}", page.text());
        }
        assert_eq!(stored(&bench).await, before);
        let root = team.caller("root").clone();
        assert!(matches!(bench.app.keys.create_from(&root, bench.draft(project, "Mine")).await, Err(Error::NotFound)));

        // 15 minutes later, every page and form requires reauthentication. Nothing is shown or changed.
        bench.clock.advance(15 * 60 + 1);
        let page = team.browser("root").get(&format!("/projects/{id}")).await;
        assert_eq!(page.status, 403);
        assert!(page.text().contains(&format!("/confirm?next=/projects/{id}")) && !page.text().contains("project-id"));
        for path in ["keys", "scopes", "join"] {
            let path = format!("/projects/{id}/{path}");
            let page = team.browser("root").get(&path).await;
            assert!(page.status == 403 && page.text().contains("/confirm?next="), "{path}: {} {}", page.status, page.text());
            assert!(!page.text().contains("Gateway"), "{path}: {}", page.text());
        }
        for (path, field) in [("scopes", ("set", "own")), ("join", ("role", "owner"))] {
            let page = team.browser("root").post(&format!("/projects/{id}/{path}"), &[("id", &id), field]).await;
            assert_eq!(page.status, 403, "{path}: {}", page.text());
        }
        assert_eq!(stored(&bench).await, before);
        let needs_proof = |error: Option<Error>| assert!(matches!(error, Some(Error::ReauthenticationRequired)), "{error:?}");
        needs_proof(bench.app.projects.get(&root, project).await.err());
        needs_proof(bench.app.projects.members(&root, project).await.err());
        needs_proof(bench.app.keys.list_by_project(&root, project).await.err());
        needs_proof(bench.app.projects.scopes_form(&root, project).await.err());
        needs_proof(bench.app.projects.join(&root, project, "owner").await.err());
        let choice = ScopesChoice { version: String::new(), default: true, scopes: Vec::new(), retire: Vec::new() };
        needs_proof(bench.app.projects.set_scopes(&root, project, choice).await.err());
        assert_eq!(bench.events("project.seen_by_administrator").await, 1);

        let root = bench.app.accounts.caller(root.user, Origin::default(), bench.app.context.now()).await.unwrap().unwrap();
        // The page hides these refusals of the actions behind its own.
        let as_root = Actor::User(root.clone());
        let missing = |outcome: Result<(), Error>| assert!(matches!(outcome, Err(Error::NotFound)), "{outcome:?}");
        missing(bench.app.projects.rename(&as_root, project, None, "Taken").await);
        missing(bench.app.projects.archive(&as_root, project, false).await);
        missing(bench.app.projects.leave(&root, project).await);
        let again = bench.app.projects.join(&team.owner, project, "owner").await;
        assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
        let promoted = bench.app.projects.join(team.caller("viewer"), project, "owner").await;
        assert!(matches!(promoted, Err(Error::Forbidden(_))), "{promoted:?}");
        bench.app.projects.join(&root, project, "operator").await.expect("joined");
        assert_eq!(last_event_detail(&bench, "member.joined").await, json!({"after": {"role": "operator"}, "as": "administrator"}));
        assert!(team.browser("viewer").get(&format!("/projects/{id}")).await.text().replace("<wbr>", "").contains("root@pelagic.example"));
        // A member can view the project without reauthentication, and can now create keys.
        assert_eq!(team.browser("root").get(&format!("/projects/{id}")).await.status, 200);
        bench.app.keys.create_from(&root, bench.draft(project, "Mine")).await.expect("a key");
        assert_eq!(bench.key_row(key.id).await.unwrap().name, "Gateway");
    }

    async fn scopes_are_chosen_and_what_keys_hold_is_retired(bench: TestServer) {
        let mut team = Team::new(&bench).await;
        let (project, id) = (team.project, team.project.to_string());
        // The key holds data:read and usage:read.
        let key = bench.create_key(&team.owner, "Gateway").await;
        let (root, choose) = (team.caller("root").clone(), format!("/projects/{id}/scopes"));
        let form = bench.app.projects.scopes_form(&root, project).await.unwrap();
        assert_eq!((form.default, form.scopes[0].keys), (true, 1));
        let version = form.version;
        let mut fields = vec![("id", id.as_str()), ("version", &version), ("set", "own"), ("scopes[]", "data:write")];
        let unknown = [("id", id.as_str()), ("version", &version), ("set", "own"), ("scopes[]", "no:such")];
        assert!(field_error(&team.browser("root").post(&choose, &unknown).await, "scopes").contains("no:such"));
        // The form shows how many keys hold each removed scope. Nothing changes until each one is confirmed.
        let page = team.browser("root").post(&choose, &fields).await;
        assert_eq!(page.status, 422);
        assert!(page.text().contains("1 key has data:read") && page.text().contains("Retire usage:read in this project: 1 key keeps it"), "{}", page.text());
        fields.push(("retire[]", "data:read"));
        let words = field_error(&team.browser("root").post(&choose, &fields).await, "retire");
        assert!(words.contains("usage:read") && !words.contains("data:read"), "{words}");
        assert_eq!(bench.events("project.scopes_set").await, 0);
        fields.push(("retire[]", "usage:read"));
        let page = team.browser("root").post(&choose, &fields).await;
        assert_eq!(page.location(), format!("/projects/{id}?done=scopes"), "{}", page.text());
        assert_eq!(last_event_detail(&bench, "project.scopes_set").await["after"], json!({"default": false, "scopes": ["data:write"]}));
        let page = team.browser("root").post(&choose, &fields).await;
        assert_eq!(page.status, 409, "another choice was made meanwhile");
        // The key keeps the scopes, and no new key can get them.
        let seen = json_of(&bench.app.projects.get(&team.owner, project).await.unwrap());
        assert_eq!(seen["retired"], json!([{"name": "data:read", "keys": 1}, {"name": "usage:read", "keys": 1}]));
        let held = bench.app.verify.verify_secret(&key.secret, &Default::default()).await.unwrap().unwrap().snapshot;
        assert_eq!(held.scopes, ["data:read", "usage:read"]);
        assert!(matches!(bench.app.keys.create_from(&team.owner, bench.draft(project, "New")).await, Err(Error::Invalid(_))));

        // In the catalog, a scope in use can be retired but not removed.
        let page = team.browser("root").post("/admin/scopes/data:write/remove", &[("name", "data:write")]).await;
        assert!(page.status == 409 && page.text().contains("Retire it instead"), "{}", page.text());
        for who in ["owner", "other", "viewer"] {
            let page = team.browser(who).post("/admin/scopes/data:write/retire", &[("name", "data:write")]).await;
            assert_eq!(page.status, 404, "{who}");
        }
        for _ in 0..2 {
            let page = team.browser("root").post("/admin/scopes/data:write/retire", &[("name", "data:write")]).await;
            assert_eq!(page.location(), "/admin/scopes?done=retired", "{}", page.text());
        }
        assert_eq!(bench.events("scope.retired").await, 1);
        let mut draft = bench.draft(project, "New");
        draft.scopes = vec!["data:write".into()];
        assert!(matches!(bench.app.keys.create_from(&team.owner, draft.clone()).await, Err(Error::Invalid(_))));
        assert!(team.browser("root").get("/admin/scopes").await.text().contains("retired"));
        let page = team.browser("root").post("/admin/scopes/data:write/unretire", &[("name", "data:write")]).await;
        assert_eq!(page.location(), "/admin/scopes?done=unretired");
        bench.app.keys.create_from(&team.owner, draft).await.expect("offered again");
        // An unused scope can still be removed.
        let draft = ScopeDraft { name: "probe:read".into(), description: "Probe".into(), in_default: false, granted_by: String::new() };
        bench.app.scopes.add(&root, &draft).await.unwrap();
        bench.app.scopes.retire(&root, "probe:read", false).await.unwrap();
        let page = team.browser("root").post("/admin/scopes/probe:read/remove", &[("name", "probe:read")]).await;
        assert_eq!(page.status, 303, "{}", page.text());
        // The project returns to the default set.
        let version = bench.app.projects.scopes_form(&root, project).await.unwrap().version;
        let page = team.browser("root").post(&choose, &[("id", &id), ("version", &version), ("set", "default")]).await;
        assert_eq!(page.status, 303, "{}", page.text());
        assert_eq!(stored(&bench).await.iter().filter(|it| it.contains("own")).filter(|it| it.ends_with(" own")).count(), 0);
    }

    /// Changes that need no counts do not read the keys of other projects. A key that cannot be decoded makes each
    /// count fail.
    async fn changes_without_counts_do_not_read_all_keys(bench: TestServer) {
        let root = bench.create_user("root@pelagic.example", true).await;
        let owner = bench.create_user("owner@pelagic.example", false).await;
        let member = bench.create_user("member@pelagic.example", false).await;
        let other = bench.create_user("other@pelagic.example", false).await;
        let project = bench.project_of(&owner).await;
        bench.add_member(project, &member, "viewer").await;
        let key = bench.create_key(&other, "Unreadable").await;
        bench.execute_sql(&format!("UPDATE keys SET scopes = 'none' WHERE id = {}", bench.literal(key.id))).await;
        assert!(bench.app.scopes.list(&root).await.is_err(), "a count reads it");
        bench.app.projects.set_role(&owner, project, member.user, "viewer", "operator").await.unwrap();
        let version = bench.app.projects.scopes_form(&root, project).await.unwrap().version;
        let choice = ScopesChoice { version, default: false, scopes: vec!["data:read".into()], retire: Vec::new() };
        bench.app.projects.set_scopes(&root, project, choice).await.unwrap();
        let draft = ScopeDraft { name: "data:read".into(), description: "Read".into(), in_default: true, granted_by: String::new() };
        bench.app.scopes.edit(&root, &draft).await.unwrap();
    }

    async fn a_project_s_keys_are_made_and_grouped_by_whom_they_were_issued_to(bench: TestServer) {
        let mut team = Team::new(&bench).await;
        let (project, id) = (team.project, team.project.to_string());
        let keys = format!("/projects/{id}/keys");
        assert!(team.browser("operator").get(&keys).await.text().contains("No API keys yet"));
        for (name, to) in [("Desk", ""), ("Ada two", "Ada"), ("Bo one", "Bo"), ("Ada one", "Ada")] {
            let number = team.browser("operator").get(&format!("{keys}/new")).await.input("number").to_owned();
            let page = team.browser("operator").post(&format!("{keys}/new"), &[("number", &number), ("project", &id), ("name", name), ("issued_to", to)]).await;
            assert_eq!(page.status, 200, "{}", page.text());
            assert!(page.header("cache-control").contains("no-store") && page.text().contains(&format!("data-leave=\"{keys}\"")));
            assert!(page.text().contains("kw_live_"));
        }
        // The path and the form name different projects.
        let other = bench.project_of(team.caller("other")).await.to_string();
        let page = team.browser("operator").post(&format!("{keys}/new"), &[("project", &other), ("name", "x")]).await;
        assert_eq!(page.status, 422);
        let page = json_of(&bench.app.keys.list_by_project(team.caller("viewer"), project).await.unwrap());
        let groups: Vec<_> = page["groups"].as_array().unwrap().iter().map(|it| (it["to"].clone(), it["keys"].as_array().unwrap().len())).collect();
        assert_eq!(groups, [(json!("Ada"), 2), (json!("Bo"), 1), (Value::Null, 1)]);
        let html = team.browser("viewer").get(&keys).await;
        assert!(html.text().contains("2 keys") && !html.text().contains("Generate API key") && !html.text().contains("Delete key"));
        // An operator can delete every key of the project. A key of another project is not found.
        let ada = bench.query_texts("SELECT name FROM keys ORDER BY name").await;
        assert_eq!(ada.len(), 4);
        let key = page["groups"][0]["keys"][0]["id"].as_str().unwrap().to_owned();
        let delete = format!("{keys}/{key}/delete");
        assert_eq!(team.browser("viewer").post(&delete, &[("project", &id), ("id", &key)]).await.status, 403);
        assert_eq!(team.browser("operator").get(&delete).await.status, 200);
        let page = team.browser("operator").post(&delete, &[("project", &id), ("id", &key)]).await;
        assert_eq!(page.location(), format!("{keys}?done=deleted"));
        assert_eq!(bench.app.keys.list_by_project(team.caller("operator"), project).await.unwrap().total, 3);
        let elsewhere = bench.create_key(team.caller("other"), "Theirs").await;
        bench.add_member(elsewhere.project, team.caller("operator"), "operator").await;
        let (delete, key) = (format!("{keys}/{}/delete", elsewhere.id), elsewhere.id.to_string());
        assert_eq!(team.browser("operator").get(&delete).await.status, 404);
        assert_eq!(team.browser("operator").post(&delete, &[("project", &id), ("id", &key)]).await.status, 404);
        assert!(bench.key_row(elsewhere.id).await.unwrap().deleted_at.is_none());
        assert_eq!(bench.app.projects.create(&Actor::Operator, team.owner.user, "Of the command line").await.is_ok(), project != elsewhere.project);
    }
}
