//! Key restrictions (networks, start, rate limit) and the description: set and changed in forms, through the service, at
//! the command line, and by programs, validated for each field, recorded in the audit log, and enforced when the key is
//! used.

use crate::support::{
    TestServer,
    browser::{Browser, Page, form},
    html::{area, elements},
    test_data::{KEEP, KeyEdit, KeyForms as _},
};
use axum::http::Request;
use keyward::{
    domain::{ids::KeyId, key::Status, time::Timestamp},
    service::{
        Error, InvalidField,
        actor::{Actor, Caller},
        clock::Clock as _,
        keys::{KeyDraft, OperatorKeyFilter, PatchDraft, RestrictionsDraft},
        tokens::{Target, TokenParameters},
        verify::VerifyRequest,
    },
};

/// The optional fields of the form that edits a key. The rows of the authorization matrix name the other ones.
pub const EDIT_FIELDS: &[&str] =
    &["expires_on", "scopes", "issued_to", "description", "networks", "not_before", "rate", "per", "burst"];
/// The optional fields of the forms for a new key.
pub const NEW_FIELDS: &[&str] = &[
    "environment",
    "expires_on",
    "scopes",
    "issued_to",
    "description",
    "networks",
    "not_before",
    "rate",
    "per",
    "burst",
];
const EMAIL: &str = "maren@pelagic.example";
const DAY: i64 = 86_400;

fn rules(networks: &str, not_before: &str, rate: &str) -> RestrictionsDraft {
    RestrictionsDraft {
        networks: networks.into(),
        not_before: not_before.into(),
        rate: rate.into(),
        ..RestrictionsDraft::default()
    }
}

/// Formats a timestamp as RFC 3339 in UTC.
fn format_utc(at: Timestamp) -> String {
    keyward::service::time_format::rfc3339(at)
}

fn invalid_fields<T>(answer: Result<T, Error>) -> Vec<InvalidField> {
    match answer.map(|_| ()) {
        Err(Error::Invalid(fields)) => fields,
        other => panic!("it was not refused for its fields: {other:?}"),
    }
}

fn names(fields: &[InvalidField]) -> Vec<&'static str> {
    fields.iter().map(|field| field.name).collect()
}

async fn edit(bench: &TestServer, caller: &Caller, id: KeyId, rules: RestrictionsDraft) -> KeyEdit {
    let form = bench.app.keys.edit_form(caller, id).await.unwrap();
    KeyEdit {
        version: form.version,
        name: form.key.name,
        expires: KEEP.into(),
        expires_on: String::new(),
        scopes: form.key.scopes,
        issued_to: form.key.issued_to.unwrap_or_default(),
        restrictions: rules,
    }
}

/// Returns the reason code of verify for a request from this address, or `good`.
async fn code(bench: &TestServer, secret: &str, ip: Option<&str>) -> &'static str {
    let question = VerifyRequest { ip: ip.map(|ip| ip.parse().unwrap()), ..VerifyRequest::default() };
    bench.app.verify.verify_secret(secret, &question).await.unwrap().map_or_else(|refused| refused.code(), |_| "good")
}

/// Returns the detail of the newest audit event of this action.
async fn last_event_detail(bench: &TestServer, action: &str) -> serde_json::Value {
    let newest = format!("SELECT detail FROM audit_events WHERE action = '{action}' ORDER BY seq DESC LIMIT 1");
    serde_json::from_str(&bench.query_texts(&newest).await[0]).unwrap()
}

/// Returns the error message of a field.
fn field_error<'a>(page: &'a Page, name: &str) -> &'a str {
    let marked = format!("id=\"{name}-error\"");
    let found = page.text().split(&marked).nth(1).unwrap_or_else(|| panic!("{name} is not wrong: {}", page.text()));
    found.split("</svg>").nth(1).and_then(|rest| rest.split("</p>").next()).unwrap_or_default()
}

/// Returns whether the section "More" of the form is open.
fn is_open(page: &Page) -> bool {
    let details =
        page.text().split("<details").find(|rest| rest.split('>').next().is_some_and(|tag| tag.contains("more")));
    let tag =
        details.unwrap_or_else(|| panic!("there is no More: {}", page.text())).split('>').next().unwrap_or_default();
    tag.contains(" open")
}

on_both_engines! {
    async fn a_key_is_created_with_restrictions_that_apply(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let project = bench.project_of(&maren).await;
        let from = bench.clock.now().plus_seconds(DAY);
        let from = Timestamp::from_seconds(from.seconds());
        let draft = KeyDraft {
            restrictions: rules("10.0.0.0/8, 2001:db8::/32\n192.0.2.7", &format_utc(from), "100/minute,burst=20"),
            ..bench.draft(project, "Gateway")
        };
        let (key, secret) = bench.app.keys.create_from(&maren, draft).await.unwrap();
        assert_eq!(key.status, Status::Scheduled);
        assert_eq!(key.networks.to_strings(), ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7/32"]);
        assert_eq!(key.not_before, Some(from));
        assert_eq!(key.rate_limit.unwrap().describe(), "100 requests per minute, burst 20");
        let event = last_event_detail(&bench, "key.created").await;
        assert_eq!(event["after"]["networks"], serde_json::json!(["10.0.0.0/8", "2001:db8::/32", "192.0.2.7/32"]));
        assert_eq!(event["after"]["not_before"], from.micros());
        assert_eq!(event["after"]["rate_limit"], "100/minute,burst=20");

        // The key is denied until the last microsecond before its start. Afterwards it is accepted from its networks
        // only.
        let (secret, inside) = (secret.expose(), Some("10.255.255.255"));
        assert_eq!(code(&bench, secret, inside).await, "not_yet_valid");
        bench.clock.advance(from.seconds_since(bench.clock.now()));
        assert_eq!(bench.clock.now().seconds_since(from), -1, "less than a second before");
        assert_eq!(code(&bench, secret, inside).await, "not_yet_valid");
        bench.clock.advance(1);
        assert_eq!(code(&bench, secret, inside).await, "good");
        assert_eq!(bench.app.keys.get_for(&maren, key.id).await.unwrap().status, Status::Active);
        for (ip, expected) in [
            (Some("11.0.0.0"), "wrong_network"),
            (Some("192.0.2.7"), "good"),
            (Some("192.0.2.8"), "wrong_network"),
            (Some("::ffff:10.1.2.3"), "good"),
            (Some("2001:db9::"), "wrong_network"),
            (None, "wrong_network"),
        ] {
            assert_eq!(code(&bench, secret, ip).await, expected, "{ip:?}");
        }
    }

    async fn at_the_instant_itself_it_works(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let now = bench.clock.now();
        let set = async |at: i64| bench.execute_sql(&format!("UPDATE keys SET not_before = {at} WHERE id = {}", bench.literal(made.id))).await;
        set(now.micros()).await;
        assert_eq!(bench.app.keys.get_for(&maren, made.id).await.unwrap().status, Status::Active);
        set(now.micros() + 1).await;
        assert_eq!(bench.app.keys.get_for(&maren, made.id).await.unwrap().status, Status::Scheduled);
    }

    async fn all_errors_are_reported_together_and_nothing_is_created(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let project = bench.project_of(&maren).await;
        let now = bench.clock.now();
        let create = async |draft: KeyDraft| bench.app.keys.create_from(&maren, draft).await;
        let draft = |rules: RestrictionsDraft| KeyDraft { restrictions: rules, ..bench.draft(project, "Gateway") };
        let all = KeyDraft {
            name: "  ".into(),
            expires: "soon".into(),
            restrictions: RestrictionsDraft { per: "week".into(), ..rules("10.0.0.5/8", "yesterday", "100") },
            ..bench.draft(project, "")
        };
        let fields = invalid_fields(create(all).await);
        assert_eq!(names(&fields), ["name", "expires", "networks", "not_before", "per"]);
        assert!(fields[2].message.contains("inside 10.0.0.0/8"), "{fields:?}");
        let past = invalid_fields(create(draft(rules("", &format_utc(now.plus_seconds(-60)), ""))).await);
        assert!(names(&past) == ["not_before"] && past[0].message.contains("has passed"), "{past:?}");
        let late = invalid_fields(create(draft(rules("", &format_utc(now.plus_seconds(91 * DAY)), ""))).await);
        assert!(names(&late) == ["not_before"] && late[0].message.contains("would expire first, on"), "{late:?}");
        let many = |count| (0..count).map(|n| format!("10.0.{n}.0/24\n")).collect::<String>();
        assert!(invalid_fields(create(draft(rules(&many(51), "", ""))).await)[0].message.contains("at most 50"));
        for (rate, per, burst, field) in [
            ("1000001", "minute", "", "rate"),
            ("0", "minute", "", "rate"),
            ("", "minute", "5", "rate"),
            ("5", "minute", "1000001", "burst"),
        ] {
            let input = RestrictionsDraft { rate: rate.into(), per: per.into(), burst: burst.into(), ..RestrictionsDraft::default() };
            assert_eq!(names(&invalid_fields(create(draft(input)).await)), [field], "{rate} {per} {burst}");
        }
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM keys").await, 0);
        let (key, _) = create(draft(rules(&many(50), "", "1000000/day,burst=1000000"))).await.unwrap();
        assert_eq!(key.networks.iter().count(), 50);
    }

    async fn an_edit_changes_the_restrictions_and_logs_the_old_ones(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let from = Timestamp::from_seconds(bench.clock.now().plus_seconds(DAY).seconds());
        let change = edit(&bench, &maren, made.id, rules("192.0.2.0/24", &format_utc(from), "5/second")).await;
        let key = bench.app.keys.edit_from(&maren, made.id, change).await.unwrap();
        assert_eq!((key.status, key.networks.to_string()), (Status::Scheduled, "192.0.2.0/24".to_owned()));
        let event = last_event_detail(&bench, "key.edited").await;
        let side = |side: &str| {
            let facts = &event[side];
            (facts["networks"].clone(), facts["not_before"].clone(), facts["rate_limit"].clone())
        };
        use serde_json::json;
        assert_eq!(side("before"), (json!([]), json!(null), json!(null)));
        assert_eq!(side("after"), (json!(["192.0.2.0/24"]), json!(from.micros()), json!("5/second")));
        let history = bench.signed_in(EMAIL).await.get(&format!("/keys/{}", made.id)).await;
        for words in ["<code>192.0.2.0/24", "5 requests per second", "no limit", "any network", "Scheduled"] {
            assert!(history.text().contains(words), "{words}: {}", history.text());
        }
        // An edit with empty fields removes the restrictions, and the page shows that.
        let change = edit(&bench, &maren, made.id, RestrictionsDraft::default()).await;
        let key = bench.app.keys.edit_from(&maren, made.id, change).await.unwrap();
        assert!(key.networks.is_empty() && key.not_before.is_none() && key.rate_limit.is_none());
        let page = bench.signed_in(EMAIL).await.get(&format!("/keys/{}", made.id)).await;
        assert!(page.text().contains("Any network") && page.text().contains("No limit"), "{}", page.text());
        assert_eq!(code(&bench, &made.secret, None).await, "good");
    }

    async fn a_start_after_the_end_is_an_error_of_the_changed_field(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let project = bench.project_of(&maren).await;
        let from = bench.clock.now().plus_seconds(30 * DAY);
        let draft = KeyDraft { restrictions: rules("", &format_utc(from), ""), ..bench.draft(project, "Gateway") };
        let id = bench.app.keys.create_from(&maren, draft).await.unwrap().0.id;
        let kept = RestrictionsDraft { not_before: KEEP.into(), ..RestrictionsDraft::default() };
        let change = KeyEdit { expires: "7d".into(), ..edit(&bench, &maren, id, kept.clone()).await };
        let fields = invalid_fields(bench.app.keys.edit_from(&maren, id, change).await);
        assert!(names(&fields) == ["expires"] && fields[0].message.contains("Choose a later expiry"), "{fields:?}");
        let change = edit(&bench, &maren, id, rules("", &format_utc(from.plus_seconds(90 * DAY)), "")).await;
        assert_eq!(names(&invalid_fields(bench.app.keys.edit_from(&maren, id, change).await)), ["not_before"]);
        // If neither is changed, the edit succeeds whatever the stored values are.
        bench.execute_sql(&format!("UPDATE keys SET expires_at = not_before WHERE id = {}", bench.literal(id))).await;
        let change = edit(&bench, &maren, id, kept).await;
        bench.app.keys.edit_from(&maren, id, change).await.unwrap();
    }

    /// The form shows the time to the minute. An unchanged time keeps its microseconds, whatever else the edit changes.
    async fn an_unedited_start_does_not_change(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let exact = bench.clock.now().plus_seconds(DAY).micros() / 60_000_000 * 60_000_000 + 59_999_999;
        bench.execute_sql(&format!("UPDATE keys SET not_before = {exact} WHERE id = {}", bench.literal(made.id))).await;
        let mut browser = bench.signed_in(EMAIL).await;
        browser.cookie = browser.cookie.map(|cookie| format!("{cookie}; zone=Europe/Berlin"));
        let path = format!("/keys/{}/edit", made.id);
        let id = made.id.to_string();
        for name in ["One", "Two"] {
            let page = browser.get(&path).await;
            let (version, shown) = (page.input("version").to_owned(), page.input("not_before").to_owned());
            assert_eq!(page.input("not_before_was"), shown);
            assert_eq!(shown.len(), "2026-12-01T09:00".len());
            // The browser's time zone has changed before the form is sent, for example on a journey.
            browser.cookie = browser.cookie.map(|cookie| cookie.replace("zone=Europe/Berlin", "zone=Asia/Tokyo"));
            let fields = [
                ("id", id.as_str()),
                ("version", version.as_str()),
                ("name", name),
                ("expires", "keep"),
                ("not_before", shown.as_str()),
                ("not_before_was", shown.as_str()),
                ("networks", "10.0.0.0/8"),
            ];
            let page = browser.post(&path, &fields).await;
            assert_eq!(page.status, 303, "{}", page.text());
            let row = bench.key_row(made.id).await.unwrap();
            assert_eq!((row.name.as_str(), row.not_before), (name, Some(exact)));
        }
    }

    async fn without_scripts_the_form_shows_errors_and_keeps_the_input(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let project = bench.project_of(&maren).await.to_string();
        let mut browser = bench.signed_in(EMAIL).await;
        for path in ["/keys/new".to_owned(), format!("/projects/{project}/keys/new")] {
            let page = browser.get(&path).await;
            assert!(page.text().contains("Time zone: UTC"), "{}", page.text());
            assert!(!is_open(&page), "nothing is set: {}", page.text());
            let number = page.input("number").to_owned();
            let with = |networks: &'static str, not_before: &'static str, burst: &'static str| {
                vec![
                    ("number", number.clone()),
                    ("project", project.clone()),
                    ("name", "Gateway".to_owned()),
                    ("expires", "90d".to_owned()),
                    ("networks", networks.to_owned()),
                    ("not_before", not_before.to_owned()),
                    ("rate", "100".to_owned()),
                    ("per", "hour".to_owned()),
                    ("burst", burst.to_owned()),
                ]
            };
            let fields = with("</textarea><b>&amp;", "2020-02-29T09:00", "0");
            let pairs: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let page = browser.post(&path, &pairs).await;
            assert_eq!(page.status, 422, "{}", page.text());
            assert!(field_error(&page, "networks").contains("is not a valid network"), "{}", field_error(&page, "networks"));
            assert!(field_error(&page, "not_before").contains("29 February 2020, 09:00:00 UTC has passed"));
            assert!(field_error(&page, "burst").contains("as the burst"));
            assert!(is_open(&page), "{}", page.text());
            assert!(page.text().contains("\n&lt;/textarea&gt;&lt;b&gt;&amp;amp;</textarea>"), "{}", page.text());
            assert!(!page.text().contains("<b>"), "{}", page.text());
            assert_eq!((page.input("not_before"), page.input("rate"), page.input("burst")), ("2020-02-29T09:00", "100", "0"));
            let networks = area(&page, "networks");
            assert!(networks.attribute("autofocus").is_some(), "the first wrong field: {networks:?}");
            assert_eq!(networks.attribute("aria-invalid"), Some("true"));
            assert!(page.text().contains("<option value=\"hour\" selected"), "{}", page.text());
            let fields = with("10.0.0.0/8", "", "20");
            let pairs: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let page = browser.post(&path, &pairs).await;
            assert_eq!(page.status, 200, "{}", page.text());
            assert!(page.text().contains("100 requests per hour, burst 20"), "{}", page.text());
        }
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM keys WHERE rate_limit = '100/hour,burst=20'").await, 2);
    }

    async fn a_link_fills_the_rules_in(bench: TestServer) {
        bench.create_user(EMAIL, false).await;
        let mut browser = bench.signed_in(EMAIL).await;
        let page = browser
            .get("/keys/new?network=10.0.0.0/8&network=2001:db8::/32&not_before=2031-02-18T09:00&rate=100/day,burst=5")
            .await;
        assert!(page.text().contains("\n10.0.0.0/8\n2001:db8::/32</textarea>"), "{}", page.text());
        assert_eq!((page.input("not_before"), page.input("rate"), page.input("burst")), ("2031-02-18T09:00", "100", "5"));
        assert!(page.text().contains("<option value=\"day\" selected") && is_open(&page));
        let page = browser.get("/keys/new?description=Nightly+export%0Afor+berth+7").await;
        assert_eq!(area(&page, "description").text, "Nightly export\nfor berth 7");
        assert!(is_open(&page));
        let page = browser.get("/keys/new?rate=often").await;
        assert_eq!(page.input("rate"), "");
    }

    async fn a_viewer_sets_none_of_it(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let viewer = bench.create_user("ida@pelagic.example", false).await;
        let stranger = bench.create_user("tove@drift.example", false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        bench.add_member(made.project, &viewer, "viewer").await;
        let change = edit(&bench, &maren, made.id, rules("10.0.0.0/8", "", "1/day")).await;
        let before = bench.stored_key(made.id).await;
        let keys = &bench.app.keys;
        assert!(matches!(keys.edit_from(&viewer, made.id, change.clone()).await, Err(Error::Forbidden(_))));
        assert!(matches!(keys.edit_from(&stranger, made.id, change).await, Err(Error::NotFound)));
        let draft = KeyDraft { restrictions: rules("10.0.0.0/8", "", ""), ..bench.draft(made.project, "Theirs") };
        assert!(matches!(keys.create_from(&viewer, draft.clone()).await, Err(Error::Forbidden(_))));
        assert!(matches!(keys.create_from(&stranger, draft).await, Err(Error::NotFound)));
        assert_eq!(bench.stored_key(made.id).await, before);
    }

    async fn the_command_line_changes_what_it_names_and_nothing_else(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let patch = PatchDraft { networks: Some("10.0.0.0/8 192.0.2.7".into()), ..PatchDraft::default() };
        let before = bench.key_row(made.id).await.unwrap();
        bench.app.keys.patch_from(&Actor::Operator, made.id, &patch).await.unwrap();
        let after = bench.key_row(made.id).await.unwrap();
        assert_eq!(after.networks().unwrap(), ["10.0.0.0/8", "192.0.2.7/32"]);
        assert_eq!((&after.name, after.scopes().unwrap(), after.expires_at), (&before.name, before.scopes().unwrap(), before.expires_at));
        let who = "SELECT actor || ' ' || acting FROM audit_events WHERE action = 'key.edited'";
        assert_eq!(bench.query_texts(who).await, ["operator command line"]);
        let bad = PatchDraft {
            name: Some(String::new()),
            networks: Some("somewhere".into()),
            rate: Some(["often".into(), String::new(), String::new()]),
            ..PatchDraft::default()
        };
        let fields = invalid_fields(bench.app.keys.patch_from(&Actor::Operator, made.id, &bad).await);
        assert_eq!(names(&fields), ["name", "networks", "rate"]);
        assert_eq!(bench.events("key.edited").await, 1);
    }

    async fn a_description_is_stored_found_and_recorded(bench: TestServer) {
        const TEXT: &str = "Ночная выгрузка\nfür die Straße, Émile 50%";
        let maren = bench.create_user(EMAIL, false).await;
        let project = bench.project_of(&maren).await;
        bench.create_key(&maren, "Another").await;
        let draft = |text: &str| KeyDraft { description: text.into(), ..bench.draft(project, "Gateway") };
        let keys = &bench.app.keys;
        let (key, _) = keys.create_from(&maren, draft(&format!(" {}\r\n", TEXT.replace('\n', "\r\n")))).await.unwrap();
        assert_eq!(key.description.as_deref(), Some(TEXT));
        assert_eq!(last_event_detail(&bench, "key.created").await["after"]["description"], TEXT);
        let found = async |text: &str| {
            let filter = OperatorKeyFilter { text: Some(text.into()), ..OperatorKeyFilter::default() };
            let page = keys.list_as_operator(filter).next_page().await.unwrap().unwrap_or_default();
            page.into_iter().map(|key| key.name).collect::<Vec<_>>()
        };
        for text in ["ночная", "НОЧНАЯ", "Выгрузка für", "STRASSE", "emile", "50%"] {
            assert_eq!(found(text).await, ["Gateway"], "{text}");
        }
        assert!(found("_очная").await.is_empty() && found("ночной").await.is_empty());

        // An edit that does not name the description keeps it. Folding a long text does not cut off its end.
        let patch = |text: &str| PatchDraft { description: Some(text.into()), ..PatchDraft::default() };
        let rename = PatchDraft { name: Some("Renamed".into()), ..PatchDraft::default() };
        assert_eq!(keys.patch_from(&maren, key.id, &rename).await.unwrap().description.as_deref(), Some(TEXT));
        let long = format!("{}Конец", "漢".repeat(495));
        keys.patch_from(&maren, key.id, &patch(&long)).await.unwrap();
        assert_eq!(keys.get_for(&maren, key.id).await.unwrap().description.as_ref(), Some(&long));
        let event = last_event_detail(&bench, "key.edited").await;
        assert_eq!((&event["before"]["description"], &event["after"]["description"]), (&TEXT.into(), &long.as_str().into()));
        assert_eq!(found("КОНЕЦ").await, ["Renamed"]);
        assert!(found("ночная").await.is_empty());
        let history = bench.app.audit.key_history(&maren, key.id, None).await.unwrap();
        let changed = history.events[0].changed.iter().find(|it| it.what == "Description").unwrap();
        assert_eq!((changed.before.as_deref(), changed.after.as_deref()), (Some(TEXT), Some(long.as_str())));

        // Rejected texts change nothing. White space alone removes the description.
        let before = bench.stored_key(key.id).await;
        for (text, words) in [
            ("é".repeat(501), "Use at most 500 characters. You entered 501."),
            ("a\tb".into(), "Remove the tab or control character."),
            ("\u{202E}".into(), "Remove the tab or control character."),
            ("\u{200B}\n\u{3164}".into(), "Use at least one visible character."),
        ] {
            let fields = invalid_fields(keys.patch_from(&maren, key.id, &patch(&text)).await);
            assert_eq!((names(&fields), fields[0].message.as_str()), (vec!["description"], words));
            assert_eq!(names(&invalid_fields(keys.create_from(&maren, draft(&text)).await)), ["description"]);
        }
        assert_eq!(bench.stored_key(key.id).await, before);
        assert_eq!(keys.patch_from(&maren, key.id, &patch(" \r\n ")).await.unwrap().description, None);
        assert_eq!(last_event_detail(&bench, "key.edited").await["after"]["description"], serde_json::Value::Null);
        let sql = "SELECT COUNT(*) FROM keys WHERE description IS NULL AND description_folded IS NULL";
        assert_eq!(bench.query_number(sql).await, 2);
        assert!(found("конец").await.is_empty());
    }

    async fn a_form_takes_a_description_and_the_page_shows_its_lines(bench: TestServer) {
        const TEXT: &str = "Nightly export\n\n<b>berth</b> 7";
        let maren = bench.create_user(EMAIL, false).await;
        let project = bench.project_of(&maren).await.to_string();
        let mut browser = bench.signed_in(EMAIL).await;
        for path in ["/keys/new".to_owned(), format!("/projects/{project}/keys/new")] {
            let number = browser.get(&path).await.input("number").to_owned();
            let long = format!("</textarea>{}", "x".repeat(490));
            let fields = |text| [("number", number.as_str()), ("project", &project), ("name", "Export"), ("description", text)];
            let page = browser.post(&path, &fields(&long)).await;
            assert_eq!((page.status, area(&page, "description").text), (422, long.clone()));
            let error = field_error(&page, "description");
            assert!(error.starts_with("Use at most 500 characters. You entered 501."), "{error}");
            assert!(is_open(&page), "{}", page.text());
            let page = browser.post(&path, &fields("Nightly export\r\n\r\n<b>berth</b> 7\r\n")).await;
            assert_eq!(page.status, 200, "{}", page.text());
        }
        assert_eq!(bench.query_texts("SELECT description FROM keys").await, [TEXT, TEXT]);

        let mut pages = bench.app.keys.list_as_operator(OperatorKeyFilter::default());
        let key = pages.next_page().await.unwrap().unwrap().remove(0).id;
        let found = elements(&browser.get(&format!("/keys/{key}")).await);
        let label = found.iter().position(|it| it.text == "Description").unwrap();
        // The empty line is one space.
        assert_eq!((found[label + 1].name.as_str(), found[label + 1].text.as_str()), ("dd", "Nightly export <b>berth</b> 7"));
        assert_eq!((found[label + 2].name.as_str(), found[label + 3].name.as_str()), ("br", "br"));

        let path = format!("/keys/{key}/edit");
        let page = browser.get(&path).await;
        assert!(is_open(&page) && area(&page, "description").text == TEXT, "{}", page.text());
        let id = key.to_string();
        let edit = async |browser: &mut Browser, more: &[(&str, &str)]| {
            let version = browser.get(&path).await.input("version").to_owned();
            let fields = [("id", id.as_str()), ("version", &version), ("name", "Export"), ("expires", "keep")];
            assert_eq!(browser.post(&path, &[&fields, more].concat()).await.status, 303);
        };
        // The form of the previous release does not have the field.
        edit(&mut browser, &[]).await;
        assert_eq!(bench.key_row(key).await.unwrap().description.as_deref(), Some(TEXT));
        edit(&mut browser, &[("description", "")]).await;
        assert_eq!(bench.key_row(key).await.unwrap().description, None);
        let found = elements(&browser.get(&format!("/keys/{key}")).await);
        let label = found.iter().position(|it| it.text == "Description").unwrap();
        assert_eq!(found[label + 1].text, "Not set");
    }

    async fn a_program_sets_finds_and_removes_a_description(bench: TestServer) {
        use serde_json::{Value, json};
        const SCOPES: [&str; 2] = ["keyward:keys.read", "keyward:keys.write"];
        let maren = bench.create_user(EMAIL, false).await;
        let project = bench.project_of(&maren).await;
        let draft = KeyDraft { scopes: SCOPES.map(String::from).to_vec(), ..bench.draft(project, "Manager") };
        let (_, secret) = bench.app.keys.create_from(&maren, draft).await.unwrap();
        let wish = TokenParameters { life: None, scopes: Some(&SCOPES[..]), target: Target::ByScopes };
        let token = bench.app.tokens.exchange(secret.expose(), None, &wish).await.unwrap().expect("a token").access_token;
        let send = async |method: &str, path: &str, body: Value| {
            let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
            let request = request.header("if-match", "*").header("content-type", "application/json");
            bench.browser().send(request, if body.is_null() { String::new() } else { body.to_string() }).await
        };
        let list = format!("/v1/projects/{project}/keys");
        let made = send("POST", &list, json!({"name": "Nightly", "description": "Ночная выгрузка\r\nк пирсу 7 "})).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let mut made = made.json();
        assert_eq!(made["description"], "Ночная выгрузка\nк пирсу 7");
        made.as_object_mut().unwrap().remove("secret");
        let path = format!("{list}/{}", made["key_id"].as_str().unwrap());
        assert_eq!(send("GET", &path, Value::Null).await.json(), made);
        let found = async |text: &str| {
            let page = send("GET", &format!("{list}?{}", form(&[("text", text)])), Value::Null).await.json();
            page["keys"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found("НОЧНАЯ").await, ["Nightly"]);
        assert_eq!(found("пирсу 7").await, ["Nightly"]);
        assert_eq!(found("выгрузка\r\nк пирсу").await, ["Nightly"]);

        let page = send("PATCH", &path, json!({"description": "я".repeat(501)})).await;
        assert_eq!((page.status, page.problem().as_str()), (422, "invalid"));
        let errors = json!([{"name": "description", "detail": "Use at most 500 characters. You entered 501."}]);
        assert_eq!(page.json()["errors"], errors);
        assert_eq!(send("PATCH", &path, json!({"description": 7})).await.problem(), "invalid_body");
        let renamed = send("PATCH", &path, json!({"name": "Renamed"})).await.json();
        assert_eq!((&renamed["name"], &renamed["description"]), (&json!("Renamed"), &made["description"]));
        let removed = send("PATCH", &path, json!({"description": null})).await;
        assert_eq!((removed.status, &removed.json()["description"]), (200, &Value::Null));
        assert!(found("ночная").await.is_empty());
        let plain = send("POST", &list, json!({"name": "Plain"})).await.json();
        assert_eq!(plain["description"], Value::Null);
    }
}
