//! Walk through the authorization matrix: sends every request as every caller about every object, and checks the
//! response and the database.

use super::{
    fixtures::{
        ALL_CALLERS, CallerKind, ELSEWHERE_TEXTS, HOME_TEXTS, MatrixFixture, ObjectKind, ObjectState, RequestKind,
    },
    response_headers::{self, Responder},
    rows::{Outcome, ReauthRule, Row, Rule, VIEWED_BY_ADMIN},
};
use crate::support::browser::Page;
use keyward::service::actor::REAUTHENTICATION_MAX_AGE;
use std::collections::{BTreeMap, HashSet};

/// A response without the parts that differ each time, and with the request's texts masked: status, headers and body.
pub type NormalizedResponse = (u16, BTreeMap<String, String>, String);

pub fn normalize(page: &Page, words: &[String]) -> NormalizedResponse {
    let mask = |text: &str| words.iter().fold(text.to_owned(), |text, word| text.replace(word, "…"));
    let mut heads = BTreeMap::<String, String>::new();
    for (name, value) in &page.headers {
        if ["x-request-id", "date", "content-length"].contains(&name.as_str()) {
            continue;
        }
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        // The cookie's expiry depends on the system clock.
        let text = text.split("; Expires=").next().unwrap_or_default().to_owned();
        let text = page.nonce().map_or(text.clone(), |nonce| text.replace(nonce, "…"));
        heads.entry(name.to_string()).or_default().push_str(&mask(&text));
    }
    let id = page.header("x-request-id").to_owned();
    let words: Vec<_> = words.iter().map(String::as_str).chain((!id.is_empty()).then_some(id.as_str())).collect();
    (page.status, heads, without_number(page.masked(&words)))
}

/// Removes the one-time number of a form from a page.
fn without_number(html: String) -> String {
    const INPUT: &str = "name=\"number\" value=\"";
    match html.split_once(INPUT) {
        Some((before, after)) => format!("{before}{INPUT}…{}", &after[after.find('"').unwrap_or_default()..]),
        None => html,
    }
}

/// The number of tested cells, and the errors in them.
#[derive(Default)]
pub struct Report {
    pub addresses: usize,
    pub requests: usize,
    pub done: usize,
    pub compared: usize,
    pub wrong: Vec<String>,
}

impl Report {
    /// Prints the numbers, and fails if there are errors.
    pub fn finish(self, kind: &str) {
        let Self { addresses, requests, done, compared, wrong } = self;
        println!(
            "matrix: {addresses} {kind} x {} askers x up to 7 things = {requests} requests: {done} changed something and recorded it, {} did \
             nothing, {compared} answers of another's equal byte for byte to those of nothing",
            ALL_CALLERS.len(),
            requests - done,
        );
        assert!(wrong.is_empty(), "{} cells are wrong:\n{}", wrong.len(), wrong[..wrong.len().min(60)].join("\n"));
    }
}

/// Returns a user who may do the action of this row, and the object. The fallback is the owner and their own object.
pub fn authorized_cell(row: &Row) -> (CallerKind, ObjectState) {
    let cells: Vec<_> = ALL_CALLERS
        .into_iter()
        .rev()
        .flat_map(|who| row.about.states().iter().map(move |which| (who, *which)))
        .filter(|(who, _)| !who.is_signed_out())
        .collect();
    // The event of an administrator who views a project is not the action of the row.
    let succeeds = |(who, which): &&(CallerKind, ObjectState)| {
        let expected = row.expected(*who, *which);
        expected.status == row.status && expected.event != Some(VIEWED_BY_ADMIN)
    };
    let done = cells.iter().filter(succeeds).find(|(who, which)| row.expected(*who, *which).changed);
    let fine = cells.iter().find(succeeds);
    *done.or(fine).unwrap_or(&(CallerKind::Owner, *row.about.states().last().unwrap_or(&ObjectState::Unnamed)))
}

/// Tests these rows.
pub async fn walk(stage: &MatrixFixture, rows: &[Row]) -> Report {
    let mut report = Report { addresses: rows.len(), ..Report::default() };
    let mut ids = HashSet::new();
    let mut events = stage.schema.read_state(&stage.bench).await.events;
    for row in rows {
        let mut of_nobody = BTreeMap::<ObjectState, NormalizedResponse>::new();
        for who in ALL_CALLERS {
            let mut nothing: Option<NormalizedResponse> = None;
            for &which in row.about.states() {
                let at = stage.object(row.about, which);
                let path = at.fill_path(&row.path);
                let page = stage.send(who, row.request_kind, &path, &(row.fields)(&at)).await;
                report.requests += 1;
                let mut wrong: Vec<String> = Vec::new();
                let expected = row.expected(who, which);

                // Check the response.
                if page.status != expected.status {
                    let text: String = String::from_utf8_lossy(&page.bytes).chars().take(300).collect();
                    wrong.push(format!(
                        "the status is {}, not {}: {} {text}",
                        page.status,
                        expected.status,
                        page.location()
                    ));
                } else if page.status == 303 {
                    wrong.extend(redirect_error(
                        row,
                        who,
                        &page,
                        &path,
                        &at.fill_path(row.redirect.unwrap_or_default()),
                    ));
                }
                let program = matches!(row.request_kind, RequestKind::Json | RequestKind::Posted | RequestKind::Bearer);
                let side = match program {
                    true if is_on_fast_path(row.template) => Responder::FastPath,
                    true => Responder::Program,
                    false => Responder::Browser,
                };
                wrong.extend(response_headers::header_errors(&page, side, &mut ids));
                wrong.extend(leaks(row, who, which, &page));
                let text = String::from_utf8_lossy(&page.bytes);
                if stage.secrets().iter().any(|secret| text.contains(secret)) {
                    wrong.push("it shows the secret of a key".to_owned());
                }
                if row.request_kind == RequestKind::Get && page.status == 200 && !text.contains(&at.name) {
                    wrong.push(format!("it does not show {}, which it is about", at.name));
                }

                // Check the stored state.
                let after = stage.schema.read_state(&stage.bench).await;
                // Without a session, sign-out changes nothing.
                let done = expected.changed && !(who.is_signed_out() && row.path.ends_with("/logout"));
                let own_session: &[&str] = if who == CallerKind::Disabled && !done { &["sessions"] } else { &[] };
                let differences = stage.base.differences(&after, own_session);
                let written = after.events - events;
                events = after.events;
                if done {
                    report.done += 1;
                    if differences.is_empty() != (row.default_outcome == Outcome::EventOnly) || written == 0 {
                        wrong.push(format!(
                            "{} rows differ and {written} events were written: it was not done",
                            differences.len()
                        ));
                    }
                    if let Some(event) = expected.event {
                        let newest = format!(
                            "SELECT action || ' by ' || acting FROM audit_events ORDER BY seq DESC LIMIT {written}"
                        );
                        let actions = stage.bench.query_texts(&newest).await;
                        let acting = row.acting_role(who, which);
                        let fits = |it: &String| match it.split_once(" by ") {
                            Some((action, by)) => action == event && acting.is_none_or(|acting| by == acting),
                            None => false,
                        };
                        if !actions.iter().any(fits) {
                            wrong.push(format!("the events are {actions:?}, not {event} by {acting:?}"));
                        }
                    }
                } else {
                    if !differences.is_empty() {
                        wrong.push(format!("nothing may change, but:\n    {}", differences.join("\n    ")));
                    }
                    if written != 0 {
                        wrong.push(format!("{written} events were written"));
                    }
                }
                // The audit log has grown and is not restored.
                if after.tables != stage.base.tables {
                    stage.schema.restore(&stage.bench).await;
                }

                // An object of another project gets the response of a missing object. Callers who are not signed in get
                // the response of an anonymous caller.
                let words = stage.varying_texts(&at);
                // A member's pages contain the project of a purged key elsewhere too, so masking the project's id makes
                // the responses incomparable.
                let long_ago = which == ObjectState::Purged && who.role(ObjectState::Home).is_some();
                let theirs =
                    !expected.changed && !row.can_read_everything(who) && who.role(which).is_none() && !long_ago;
                let is_compared = theirs
                    && !matches!(
                        row.rule,
                        Rule::Anyone
                            | Rule::Link
                            | Rule::LinkSignedIn
                            | Rule::DeviceCode(_)
                            | Rule::Secret
                            | Rule::Token
                            | Rule::AnyToken
                            | Rule::Gateway
                            | Rule::ManagementToken
                    );
                // Masking a whole page takes long.
                let is_needed =
                    which == ObjectState::Missing || who.is_signed_out() || is_compared && nothing.is_some();
                let same = is_needed.then(|| normalize(&page, &words));
                if which == ObjectState::Missing {
                    nothing.clone_from(&same);
                } else if let (Some(nothing), Some(same), true) = (&nothing, &same, is_compared) {
                    report.compared += 1;
                    if same != nothing {
                        wrong.push(format!(
                            "it is not the answer of what is not there: {}",
                            first_difference(same, nothing)
                        ));
                    }
                }
                if let Some(mut seen) = same.filter(|_| who.is_signed_out()) {
                    seen.1.remove("set-cookie");
                    if who == CallerKind::Anonymous {
                        of_nobody.insert(which, seen);
                    } else if !row.varies
                        && !matches!(
                            row.rule,
                            Rule::Secret | Rule::Token | Rule::AnyToken | Rule::Gateway | Rule::ManagementToken
                        )
                        && !row.expected(who, which).changed
                        && seen != of_nobody[&which]
                    {
                        wrong.push("it differs from the anonymous response".to_owned());
                    }
                }
                let cell = format!("{who:?} {:?} {} {which:?}", row.request_kind, row.path);
                report.wrong.extend(wrong.into_iter().map(|it| format!("{cell}: {it}")));
            }
        }
    }
    report
}

/// Returns whether the fast path in front of the routers serves this route.
fn is_on_fast_path(template: &str) -> bool {
    let mut paths = ["/v1/keys/verify", "/v1/keys/verify:batch", "/metrics", "/healthz", "/readyz"].iter();
    paths.any(|path| *path == template) || template.starts_with("/v1/auth")
}

/// Returns both responses from shortly before their first difference.
pub fn first_difference(one: &NormalizedResponse, other: &NormalizedResponse) -> String {
    let texts = [format!("{one:?}"), format!("{other:?}")];
    let letters = texts.each_ref().map(|text| text.chars().collect::<Vec<_>>());
    let same = letters[0].iter().zip(&letters[1]).take_while(|(a, b)| a == b).count();
    let part = |text: &[char]| text[same.saturating_sub(60)..(same + 120).min(text.len())].iter().collect::<String>();
    format!("\n    {}\n    {}", part(&letters[0]), part(&letters[1]))
}

/// Returns an error if a redirect leads to a wrong location.
fn redirect_error(row: &Row, who: CallerKind, page: &Page, path: &str, accepted: &str) -> Option<String> {
    let to = page.location();
    let expected = match row.rule {
        Rule::Redirects(to) => to.to_owned(),
        Rule::SignedOut => "/keys".to_owned(),
        Rule::Anyone => accepted.to_owned(),
        _ if who.is_signed_out() => {
            let next = to
                .strip_prefix("/login?")
                .map(|query| url::form_urlencoded::parse(query.as_bytes()).collect::<Vec<_>>());
            let fine = match next {
                Some(pairs) => pairs.len() == 1 && pairs[0] == ("next".into(), path.into()),
                None => to == "/login" && path == "/keys",
            };
            return (!fine).then(|| format!("it leads to {to}, not to the sign-in page and back"));
        }
        _ if accepted.is_empty() => {
            let ours = to.starts_with('/') && !to.starts_with("//") && !to.starts_with("/login");
            return (!ours).then(|| format!("it leads to {to}"));
        }
        _ => accepted.to_owned(),
    };
    let fits = match expected.strip_suffix('…') {
        Some(start) => to.starts_with(start),
        None => to == expected,
    };
    (!fits).then(|| format!("it leads to {to}, not to {expected}"))
}

/// Returns the texts in a response that the caller may not read.
fn leaks(row: &Row, who: CallerKind, which: ObjectState, page: &Page) -> Vec<String> {
    let text = String::from_utf8_lossy(&page.bytes);
    let heads: String = page.headers.values().map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned()).collect();
    let shows = |word: &&&str| text.contains(**word) || heads.contains(**word);
    let by_power = row.can_read_everything(who);
    // A caller with the secret of a key may read what the key is allowed to do.
    let by_secret =
        matches!(row.request_kind, RequestKind::Json | RequestKind::Posted | RequestKind::Bearer) && page.status == 200;
    // An invitation names its project to every caller with its code.
    let by_secret = by_secret || row.about == ObjectKind::Invitation && which == ObjectState::Home;
    let mut wrong = Vec::new();
    if who.role(ObjectState::Home).is_none() && !by_power && !(by_secret && which != ObjectState::Elsewhere) {
        wrong.extend(HOME_TEXTS.iter().filter(shows).map(|word| format!("it shows {word}")));
    }
    if who.role(ObjectState::Elsewhere).is_none() && !by_power && !(by_secret && which == ObjectState::Elsewhere) {
        wrong.extend(ELSEWHERE_TEXTS.iter().filter(shows).map(|word| format!("it shows {word}")));
    }
    for hidden in ["$argon2", "password_hash", "id_digest"] {
        if text.contains(hidden) {
            wrong.push(format!("it shows {hidden}"));
        }
    }
    wrong
}

/// Sends the requests that require reauthentication as callers whose last authentication is too old. Each is denied,
/// shows nothing of the object, and changes nothing.
pub async fn run_with_old_authentication(stage: &MatrixFixture, rows: &[Row]) -> Report {
    let mut report = Report::default();
    let mut ids = HashSet::new();
    stage.bench.clock.advance(REAUTHENTICATION_MAX_AGE + 1);
    let mut events = stage.schema.read_state(&stage.bench).await.events;
    for row in rows {
        let mut was_tested = false;
        for who in ALL_CALLERS {
            for &which in row.about.states().iter().filter(|which| row.requires_reauth(who, **which)) {
                let at = stage.object(row.about, which);
                let page = stage.send(who, row.request_kind, &at.fill_path(&row.path), &(row.fields)(&at)).await;
                let text = String::from_utf8_lossy(&page.bytes);
                let after = stage.schema.read_state(&stage.bench).await;
                let mut wrong = response_headers::header_errors(&page, Responder::Browser, &mut ids);
                if page.status != 403 {
                    wrong.push(format!("the status is {}, not 403: {}", page.status, page.location()));
                }
                if !text.contains("name=\"proof\"") && !text.contains("/confirm?next=") {
                    wrong.push("it does not ask for a proof".to_owned());
                }
                if row.reauth == ReauthRule::OnlyAdmin {
                    let theirs = HOME_TEXTS.iter().chain(&ELSEWHERE_TEXTS).filter(|word| text.contains(**word));
                    wrong.extend(theirs.map(|word| format!("it shows {word}")));
                }
                // The time of last activity of a session is written occasionally.
                let differences = stage.base.differences(&after, &["sessions"]);
                if !differences.is_empty() || after.events != events {
                    wrong.push(format!("nothing may change, but:\n    {}", differences.join("\n    ")));
                    stage.schema.restore(&stage.bench).await;
                }
                events = after.events;
                report.requests += 1;
                was_tested = true;
                let cell = format!("{who:?} {:?} {} {which:?} with an old proof", row.request_kind, row.path);
                report.wrong.extend(wrong.into_iter().map(|it| format!("{cell}: {it}")));
            }
        }
        report.addresses += usize::from(was_tested);
        if row.reauth != ReauthRule::Never && !was_tested {
            report.wrong.push(format!("{}: no caller had to reauthenticate", row.path));
        }
    }
    report
}
