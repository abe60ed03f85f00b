//! HTML escaping: markup in stored or sent text adds no element and no attribute to any page, for any user.

use crate::{
    authorization_matrix::{
        fixtures::{CallerKind, MatrixFixture, ObjectKind, ObjectState, RequestKind},
        rows,
    },
    support::{
        Engine, TestServer,
        browser::form,
        config, database,
        html::{elements, shape, text_of},
    },
};
use keyward::store::Pool;
use serde_json::json;

/// Markup that closes every kind of element and quotation.
const HOSTILE: &str = "</textarea></title></script></style></noscript></option></select></template></svg>--></form></dialog>\
    <form method=post action=/admin/users/x/make-administrator data-plain><button>Continue</button></form>\
    <meta http-equiv=refresh content=0><base href=//evil.example><img src=x onerror=alert(1)>\
    &lt;b&gt;&#60;i&#62; \" onfocus=a(1) autofocus x=\" ' onfocus=b(1) y=' ` z=${1} {{7*7}}";

/// Returns a text of the same length and words, without a character that has a meaning to a parser.
fn harmless() -> String {
    HOSTILE.chars().map(|c| if "<>\"'&`;".contains(c) { '_' } else { c }).collect()
}

/// Writes a text into every column with text from users, without validation.
///
/// Events after `last` are removed, so that each pass begins with the same log.
async fn write_everywhere(bench: &TestServer, text: &str, last: i64) {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let (plain, list) = (quoted(text), quoted(&json!([text, "data:read"]).to_string()));
    let config = quoted(&json!({"a": text, text: [1]}).to_string());
    let detail = quoted(&json!({"before": {"name": text, text: 1}, "after": {"name": format!("{text}!")}}).to_string());
    let redirects = quoted(&json!([format!("web/http://127.0.0.1/{text}")]).to_string());
    let drop = match bench.app.context.pool {
        Pool::Sqlite { .. } => "DROP TRIGGER IF EXISTS audit_events_stay; DROP TRIGGER IF EXISTS audit_events_remain",
        Pool::Postgres(_) => "DROP TRIGGER IF EXISTS audit_events_stay ON audit_events",
    };
    bench
        .execute_sql(&format!(
            "{drop};
            DELETE FROM audit_events WHERE seq > {last};
            DELETE FROM looks;
            UPDATE users SET name = {plain}, email = {plain} || email;
            UPDATE scopes SET description = {plain};
            UPDATE projects SET name = {plain}, config = {config};
            UPDATE keys SET name = {plain}, issued_to = {plain}, description = {plain}, created_by_name = {plain}, note = {plain}, note_by = {plain},
                note_at = created_at, preview = {plain}, scopes = {list};
            UPDATE sessions SET agent = {plain}, ip = {plain};
            UPDATE audit_events SET actor_name = {plain}, target_name = {plain}, reason = {plain}, agent = {plain}, ip = {plain},
                request_id = {plain}, detail = {detail};
            UPDATE invitations SET email = {plain}, invited_by_name = {plain};
            UPDATE oauth_clients SET name = {plain}, redirects = {redirects}, created_by_name = {plain};
            UPDATE grants SET user_name = {plain}, client_name = {plain}, scopes = {list};"
        ))
        .await;
}

/// The query parameters of pages.
const QUERY: &str = "search text next done key after status project code invitation name actor target from user_code client_id \
    state redirect_uri refused sort kind";
const READERS: [CallerKind; 3] = [CallerKind::Viewer, CallerKind::Owner, CallerKind::Administrator];

/// Renders every page of every object for these users, with and without a text in its query.
async fn render_all(stage: &MatrixFixture, everybody: &[CallerKind], text: &str) -> Vec<(String, u16, Vec<String>)> {
    let query = form(&QUERY.split_whitespace().map(|name| (name, text)).collect::<Vec<_>>());
    let mut drawn = Vec::new();
    for row in rows::pages() {
        let things = row
            .about
            .states()
            .iter()
            .filter(|it| matches!(it, ObjectState::Unnamed | ObjectState::Home | ObjectState::Stopped));
        for (&who, &which) in everybody.iter().flat_map(|who| things.clone().map(move |which| (who, which))) {
            let path = stage.object(row.about, which).fill_path(&row.path);
            let page = stage.send(who, RequestKind::Get, &path, &[]).await;
            drawn.push((format!("{who:?} {path}"), page.status, shape(&page)));
            if who != CallerKind::Viewer && which != ObjectState::Stopped {
                let sign = if path.contains('?') { '&' } else { '?' };
                let page = stage.send(who, RequestKind::Get, &format!("{path}{sign}{query}"), &[]).await;
                drawn.push((format!("{who:?} {path} with a query"), page.status, shape(&page)));
            }
        }
    }
    drawn
}

/// Submits every form with this text, so that it is refused and rendered again.
async fn submit_all_rejected(stage: &MatrixFixture, text: &str) -> Vec<(String, u16, Vec<String>)> {
    // Too long for every text field.
    let typed = format!("{text}{}", "x".repeat(600));
    let mut drawn = Vec::new();
    for row in rows::forms() {
        let which = if row.about == ObjectKind::Nothing { ObjectState::Unnamed } else { ObjectState::Home };
        // These forms are throttled after a number of attempts.
        let counted = ["/login", "/confirm", "/signup", "/reset", "/setup", "/settings/security"];
        if !row.about.states().contains(&which) || counted.iter().any(|it| row.path.starts_with(it)) {
            continue;
        }
        let at = stage.object(row.about, which);
        let is_id = |value: &str| value.len() == 36 && value.matches('-').count() == 4;
        let fields: Vec<_> = (row.fields)(&at)
            .into_iter()
            .map(|(name, value)| if is_id(&value) || name == "version" { (name, value) } else { (name, typed.clone()) })
            .collect();
        // A form without a text field would be accepted.
        if !fields.iter().any(|(_, value)| *value == typed) {
            continue;
        }
        for who in [CallerKind::Owner, CallerKind::Administrator] {
            let page = stage.send(who, RequestKind::Form, &at.fill_path(&row.path), &fields).await;
            drawn.push((format!("{who:?} POST {}", row.path), page.status, shape(&page)));
        }
    }
    drawn
}

fn compare(harmless: &[(String, u16, Vec<String>)], hostile: &[(String, u16, Vec<String>)]) -> usize {
    assert_eq!(harmless.len(), hostile.len());
    let mut drawn = 0;
    for ((at, status, elements), (_, hostile_status, hostile_elements)) in harmless.iter().zip(hostile) {
        assert_eq!(status, hostile_status, "{at}");
        drawn += usize::from(elements.len() > 40);
        let other = elements.iter().zip(hostile_elements).find(|(one, two)| one != two);
        assert!(
            other.is_none() && elements.len() == hostile_elements.len(),
            "{at}: markup became elements: {} and {}, first {other:?}",
            elements.len(),
            hostile_elements.len()
        );
    }
    drawn
}

on_both_engines! {
    /// Markup in a config, which once made its author an administrator, is only text in the text area.
    async fn a_config_is_text_to_an_administrator(bench: TestServer) {
        let owner = bench.create_user("owner@pelagic.example", false).await;
        bench.create_user("root@keys.example", true).await;
        let (id, user) = (bench.project_of(&owner).await, owner.user);
        let config = format!(
            "{{\"a\":\"</textarea></form></dialog><form method=post action=/admin/users/{user}/make-administrator data-plain>\
             <input type=hidden name=id value={user}><button class='button button--primary'>Continue</button></form>\"}}"
        );
        let path = format!("/projects/{id}");
        let mut browser = bench.signed_in("owner@pelagic.example").await;
        let version = browser.get(&path).await.input("version").to_owned();
        let page = browser.post(&path, &[("id", &id.to_string()), ("version", &version), ("config", &config)]).await;
        assert_eq!(page.status, 303, "{}", page.text());
        let mut root = bench.signed_in("root@keys.example").await;
        for page in [browser.get(&path).await, root.get(&path).await] {
            assert_eq!(page.status, 200);
            assert_eq!(text_of(&page, "textarea"), config.replace("{\"a\":", "{\n  \"a\": ").replace("\"}", "\"\n}"));
            let planted = format!("/admin/users/{user}/make-administrator");
            assert!(elements(&page).iter().all(|it| it.attribute("action") != Some(&planted)));
        }
        let hostile = shape(&browser.get(&path).await);
        bench.execute_sql(&format!("UPDATE projects SET config = '{{\"a\":\"x\"}}' WHERE id = {}", bench.literal(id))).await;
        assert_eq!(hostile, shape(&browser.get(&path).await), "the page has the elements that it has with another config");
        // A title is only text too.
        bench.execute_sql(&format!("UPDATE projects SET name = 'A & <b>B</title><form>' WHERE id = {}", bench.literal(id))).await;
        let page = browser.get(&path).await;
        assert!(text_of(&page, "head").trim().is_empty());
        let titles: Vec<_> = elements(&page).into_iter().filter(|it| it.name == "title" && it.depth == 2).collect();
        assert_eq!(titles.len(), 1);
        assert!(titles[0].text.starts_with("A & <b>B</title><form>"), "{}", titles[0].text);
    }

    /// All pages and all refused forms, with markup in all stored text and in all request parameters.
    async fn markup_adds_no_element_to_any_page(bench: TestServer) {
        let stage = MatrixFixture::new(bench).await;
        let last = stage.bench.query_number("SELECT MAX(seq) FROM audit_events").await;
        write_everywhere(&stage.bench, &harmless(), last).await;
        let pages = render_all(&stage, &READERS, &harmless()).await;
        write_everywhere(&stage.bench, HOSTILE, last).await;
        let drawn = compare(&pages, &render_all(&stage, &READERS, HOSTILE).await);
        assert!(drawn > 300, "{drawn} pages were drawn");
        write_everywhere(&stage.bench, &harmless(), last).await;
        let forms = submit_all_rejected(&stage, &harmless()).await;
        write_everywhere(&stage.bench, HOSTILE, last).await;
        let refused = compare(&forms, &submit_all_rejected(&stage, HOSTILE).await);
        assert!(refused > 30, "{refused} forms were drawn again");
        // The exported log is JSON Lines, and browsers download it.
        let export = stage.send(CallerKind::Administrator, RequestKind::Form, "/admin/audit/export", &[("from", String::new())]).await;
        assert_eq!((export.header("content-type"), export.header("x-content-type-options")), ("application/x-ndjson", "nosniff"));
        assert!(export.header("content-disposition").starts_with("attachment"));
        for line in export.text().lines() {
            assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
        }
    }

    /// A text area returns exactly the submitted text, with its first line break.
    async fn a_text_area_gives_back_what_was_typed(bench: TestServer) {
        let owner = bench.create_user("owner@pelagic.example", false).await;
        let id = bench.project_of(&owner).await;
        let mut browser = bench.signed_in("owner@pelagic.example").await;
        let path = format!("/projects/{id}");
        let version = browser.get(&path).await.input("version").to_owned();
        for typed in ["\n\n{\"a\": 1,}\n", "{\"a\": \"&amp;&lt;</textarea>\" x\n\n", " \t\n<", "&#10;&", "\r\n[\r\n"] {
            let page = browser.post(&path, &[("id", &id.to_string()), ("version", &version), ("config", typed)]).await;
            assert_eq!(page.status, 422);
            assert_eq!(text_of(&page, "textarea"), typed.replace("\r\n", "\n"), "{typed:?}");
        }
        let form = format!("/projects/{id}/keys/new");
        for typed in ["\n\n10.0.0.0/8 </textarea><b>", "&lt;"] {
            let fields = [("project", id.to_string()), ("name", String::new()), ("networks", typed.to_owned())];
            let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let page = browser.post(&form, &fields).await;
            assert_eq!(page.status, 422, "{}", page.text());
            let areas: Vec<_> = elements(&page).into_iter().filter(|it| it.attribute("name") == Some("networks")).collect();
            assert_eq!(areas.len(), 1);
            assert_eq!((areas[0].name.as_str(), areas[0].text.as_str()), ("textarea", typed));
        }
    }

    /// An email is plain text. Its subject contains no text from users.
    async fn an_email_is_plain_text(bench: TestServer) {
        let owner = bench.create_user("owner@pelagic.example", false).await;
        bench.mail.set_up();
        let id = bench.project_of(&owner).await;
        let name = "</title><b>Buoys</b> & \"more\"";
        bench.execute_sql(&format!("UPDATE projects SET name = '{name}' WHERE id = {}", bench.literal(id))).await;
        bench.app.projects.invite(&owner, id, "viewer", "new@drift.example", &bench.app.config).await.unwrap();
        let letters = bench.mail.take();
        assert_eq!(letters.len(), 1);
        assert!(letters[0].text.contains(name) && !letters[0].subject.contains(name), "{:?}", letters[0]);
        assert_eq!(letters[0].subject, "Your invitation to Keyward");
        assert!(!letters[0].subject.contains(['\r', '\n']));
    }
}

/// The product name, on pages without sign-in and on pages that Leptos does not render.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_name_of_the_product_is_text() {
    let mut drawn = Vec::new();
    for name in [harmless(), HOSTILE.to_owned()] {
        let folder = tempfile::tempdir().expect("a folder");
        let location = database(Engine::Sqlite, &folder).await;
        let settings = keyward::config::Config { name: Some(name.clone()), ..config(crate::support::URL) };
        let bench = TestServer::with_config(location, folder, settings).await;
        bench.create_user("owner@pelagic.example", false).await;
        let mut pages = Vec::new();
        for path in ["/login", "/docs/api", "/reset", "/nothing", "/join?code=x"] {
            let page = bench.browser().get(path).await;
            pages.push((path.to_owned(), page.status, shape(&page)));
        }
        let openapi = bench.browser().get("/openapi.json").await;
        assert!(openapi.json().is_object());
        drawn.push(pages);
    }
    compare(&drawn[0], &drawn[1]);
}

/// Elements with raw text are rendered in one place.
///
/// Leptos escapes neither the children of `textarea`, `script`, `style`, and `noscript` nor a title. One file renders
/// text areas and titles. The other elements contain only constants.
#[test]
fn elements_of_raw_text_are_drawn_in_one_place() {
    // The file, the allowed text, and how often it occurs.
    let allowed = [
        ("ui/markup.rs", "<textarea", 1),
        ("ui/markup.rs", "inner_html=content", 1),
        ("web/features/session/session_context.rs", "<Title ", 1),
        ("ui/icon.rs", "inner_html=SYMBOLS", 1),
        // Every part passes `escape_text`.
        ("ui/breakable.rs", "inner_html=html", 1),
        ("web/app.rs", "inner_html=loader_script(&site, !has_font)", 1),
        ("web/app.rs", "<script", 1),
        ("web/app.rs", "<noscript", 1),
        ("web/features/consent/consent_response.rs", "inner_html=POST_MESSAGE_SCRIPT", 1),
        ("web/features/consent/consent_response.rs", "<script", 1),
        ("web/features/users/list.rs", "inner_html(APPLY)", 1),
        ("web/features/users/list.rs", "html::noscript()", 1),
        ("web/features/audit/filters.rs", "inner_html(APPLY)", 1),
        ("web/features/audit/filters.rs", "html::noscript()", 1),
        ("web/features/keys/filters.rs", "inner_html(APPLY)", 1),
        ("web/features/keys/filters.rs", "html::noscript()", 1),
        // One of Keyward's own pages replaces itself, as the parser read it.
        ("browser/navigation/morph.rs", "set_inner_html(&new.inner_html())", 1),
        // HTML without Leptos: every value passes `plain`, or is a constant.
        ("web/http/static_page.rs", "<title", 1),
    ];
    let marks = [
        "<textarea",
        "<title",
        "<script",
        "<style",
        "<noscript",
        "<Title ",
        "inner_html",
        "outer_html",
        "insert_adjacent",
        "html::textarea",
        "html::title",
        "html::script",
        "html::style",
        "html::noscript",
        "document_write",
    ];
    let mut wrong = Vec::new();
    for (file, code) in crate::architecture::files() {
        let code: String =
            code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        let mut rest = code.clone();
        for (_, text, times) in allowed.iter().filter(|(it, ..)| *it == file) {
            let found = code.matches(text).count();
            if found != *times {
                wrong.push(format!("{file}: {text} is there {found} times, not {times}"));
            }
            rest = rest.replace(text, "");
        }
        for mark in marks {
            if rest.contains(mark) {
                wrong.push(format!(
                    "{file}: {mark}: use ui::markup::TextArea, or PageTitle, or a constant and a line here"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
