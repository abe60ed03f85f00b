//! Form actions: the POST handlers of pages, with and without JavaScript.
//!
//! A form posts to the path of its page; with JavaScript, the browser's navigation fetches the same response. This
//! module mounts a `post` handler for each such page. The handler decodes the fields of a [`FormAction`] and runs it in
//! the context of a page. The response is a redirect (303, to a path of this server), or the page: with the errors
//! beside the fields (422), or with a result that is shown once, such as a new key.

use super::{AppState, context, drafts, error_page, form_table::Table, pages, plain, sessions::Visit};
use crate::{
    app::NoScripts,
    domain::{
        consent::Answered,
        filter::KeyFilter,
        key::KeyView,
        people::InvitedUser,
        policy::PolicySaved,
        security::{Entrance, Proof},
        sensitive::Password,
    },
    error::{AppError, ErrorKind, Refusal},
    features::{
        action::FormAction,
        admin::api::{AdminActivateKey, AdminChangeChosen, AdminDeactivateKey, AdminDeleteKey, AdminRestoreKey},
        authorize::api::{
            AnswerAuthorization, AnswerDevice, CheckDevice, RegisterClient, RemoveClient, RevokeGrant, RevokeMine,
        },
        entry::api::{AskReset, AskSignUp, ResetPassword, SignUp},
        keys::api::{ActivateKey, CreateKey, DeactivateKey, DeleteKey, EditKey, RestoreKey},
        policy::api::SavePolicy,
        projects::api::{
            AcceptInvitation, ArchiveProject, CreateProject, Invite, JoinProject, LeaveProject, RemoveMember,
            RenameProject, SaveConfig, SetRole, SetScopes, SetTokenLife, UnarchiveProject, WithdrawInvitation,
        },
        scopes::api::{AddScope, EditScope, RemoveScope, RetireScope, UnretireScope},
        security::api::{
            ChangePassword, ConfirmSecondFactor, EndOtherSessions, EndSession, NewRecoveryCodes, TurnOffSecondFactor,
        },
        session::{
            api::{Confirm, SetUp, SignIn, SignInCode, SignOut},
            login_for, own_path,
        },
        settings::api::{SaveAccount, SaveTheme},
        users::api::{
            DeleteUser, DisableUser, EnableUser, InviteUser, MakeAdministrator, TransferProject, UnmakeAdministrator,
        },
    },
    ui::form::DRAFT,
    ui::markup::escape_text,
};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{Html, IntoResponse as _, Response},
    routing::post,
};
use http_body_util::LengthLimitError;
use leptos::{
    prelude::{Owner, provide_context},
    reactive::computed::ScopedFuture,
};
use leptos_axum::ResponseOptions;
use memchr::memchr_iter;
use percent_encoding::percent_decode;
use std::{collections::BTreeMap, sync::Arc};
use zeroize::Zeroizing;

/// Maximum length of a form with a config, in bytes: a config of 256 KiB, indented and percent-encoded.
pub const CONFIG_FORM_MAX: usize = 4 * 1024 * 1024;
/// Maximum length of a form with two fields for each project of a user, in bytes: [`PAIRS_MAX`] pairs with an ID.
const PROJECTS_FORM_MAX: usize = 256 * 1024;
/// Maximum length of all other forms, in bytes: 50 keys, or several hundred scopes.
const FORM_MAX: usize = 64 * 1024;
/// Maximum number of pairs in a form. Decoding takes time for each pair, on a thread that other requests need.
const PAIRS_MAX: usize = 2_000;
/// Maximum length of a value that is rendered again, in bytes. Only a config can be longer.
const REFILL_MAX: usize = 8 * 1024;
/// Fields that are never rendered again.
const NOT_REFILLED: [&str; 5] = ["password", "new_password", PROOF, "one_time_code", DRAFT];
/// Field for reauthentication, available in every form.
const PROOF: &str = "proof";
const NOT_TEXT: &str = "This form is not text. Fill it in once more.";
/// Page for the second factor. If the pending sign-in has expired there, the user starts again.
const CODE: &str = "/login/code";
/// Page for reauthentication only.
const CONFIRM: &str = "/confirm";

/// Result of a form action that succeeded.
enum Next {
    /// 303 to a path of this server.
    See(String),
    /// A page that redirects to another origin. It is needed because `form-action` also applies to redirects after a
    /// form and cannot name an IPv6 address.
    Leave(String),
    /// The page again, with a result in its context. `once`: the result is shown only in this response.
    Show { answer: Arc<dyn Fn() + Send + Sync>, once: bool },
}

/// Returns a [`Next::Show`] with this result.
fn show<T: Clone + Send + Sync + 'static>(answer: T, once: bool) -> Next {
    Next::Show { answer: Arc::new(move || provide_context(answer.clone())), once }
}

/// Mounts all forms, each at the path of its page.
pub fn mount(router: Router<AppState>) -> Router<AppState> {
    all(Table::new(router)).router
}

/// Returns the paths of all forms in axum's syntax, for the authorization tests.
pub fn form_paths() -> Vec<&'static str> {
    all(Table::new(Router::new())).paths
}

fn all(forms: Table) -> Table {
    forms
        .route("/login", post(form::<SignIn>(entered)))
        .route("/login/code", post(form::<SignInCode>(|_, parts| Next::See(next_path(parts, "/keys")))))
        .route("/confirm", post(form::<Confirm>(|_, parts| Next::See(next_path(parts, "/keys")))))
        .route("/signup", post(form::<AskSignUp>(|(), _| Next::See("/signup?asked=yes".into()))))
        .route("/signup/new", post(form::<SignUp>(|next, _| Next::See(next))))
        .route("/reset", post(form::<AskReset>(|(), _| Next::See("/reset?asked=yes".into()))))
        .route("/reset/new", post(form::<ResetPassword>(|(), _| Next::See("/login?done=reset".into()))))
        .route("/setup", post(form::<SetUp>(|_, _| Next::See("/keys".into()))))
        .route("/logout", post(form::<SignOut>(|(), parts| Next::See(login_for(&next_path(parts, "/keys"))))))
        .route("/keys/new", post(form::<CreateKey>(|created, _| show(created, true))))
        .route("/keys/{id}/edit", post(form::<EditKey>(|key, parts| list(parts, "edited", &key))))
        .route("/keys/{id}/deactivate", post(form::<DeactivateKey>(|key, parts| list(parts, "deactivated", &key))))
        .route("/keys/{id}/activate", post(form::<ActivateKey>(|key, parts| list(parts, "activated", &key))))
        .route("/keys/{id}/delete", post(form::<DeleteKey>(|key, parts| list(parts, "deleted", &key))))
        .route("/keys/{id}/restore", post(form::<RestoreKey>(|key, parts| list(parts, "restored", &key))))
        .route(
            "/admin/keys/{id}/deactivate",
            post(form::<AdminDeactivateKey>(|key, parts| list(parts, "deactivated", &key))),
        )
        .route("/admin/keys/{id}/activate", post(form::<AdminActivateKey>(|key, parts| list(parts, "activated", &key))))
        .route("/admin/keys/{id}/delete", post(form::<AdminDeleteKey>(|key, parts| list(parts, "deleted", &key))))
        .route("/admin/keys/{id}/restore", post(form::<AdminRestoreKey>(|key, parts| list(parts, "restored", &key))))
        .route("/admin/keys/chosen", post(form::<AdminChangeChosen>(|done, _| show(done, false))))
        .route("/admin/policy", post(form::<SavePolicy>(|saved, _| policy(saved))))
        .route("/admin/scopes/new", post(form::<AddScope>(|_, _| Next::See("/admin/scopes?done=added".into()))))
        .route(
            "/admin/scopes/{name}/edit",
            post(form::<EditScope>(|_, _| Next::See("/admin/scopes?done=saved".into()))),
        )
        .route(
            "/admin/scopes/{name}/remove",
            post(form::<RemoveScope>(|_, _| Next::See("/admin/scopes?done=removed".into()))),
        )
        .route("/admin/users/invite", post(form::<InviteUser>(|invited, _| invitation(invited))))
        .route(
            "/admin/users/{id}/delete",
            post(form::<DeleteUser>(|(), _| Next::See("/admin/users?done=deleted".into()))),
        )
        .route("/admin/users/{id}/disable", post(form::<DisableUser>(|(), parts| person(parts, "disabled"))))
        .route("/admin/users/{id}/enable", post(form::<EnableUser>(|(), parts| person(parts, "enabled"))))
        .route(
            "/admin/users/{id}/make-administrator",
            post(form::<MakeAdministrator>(|(), parts| person(parts, "made"))),
        )
        .route(
            "/admin/users/{id}/transfer/{project}",
            post(form::<TransferProject>(|(), parts| person(parts, "transferred"))),
        )
        .route(
            "/admin/users/{id}/unmake-administrator",
            post(form::<UnmakeAdministrator>(|(), parts| person(parts, "unmade"))),
        )
        .route(
            "/admin/scopes/{name}/retire",
            post(form::<RetireScope>(|_, _| Next::See("/admin/scopes?done=retired".into()))),
        )
        .route(
            "/admin/scopes/{name}/unretire",
            post(form::<UnretireScope>(|_, _| Next::See("/admin/scopes?done=unretired".into()))),
        )
        .route(
            "/join",
            post(form::<AcceptInvitation>(|joined, _| {
                let done = if joined.already { "already" } else { "joined" };
                Next::See(format!("/projects/{}?done={done}", joined.project))
            })),
        )
        .route("/projects/new", post(form::<CreateProject>(|id, _| Next::See(format!("/projects/{id}?done=created")))))
        .route("/projects/{id}/archive", post(form::<ArchiveProject>(|(), parts| project(parts, "archived"))))
        .route("/projects/{id}/edit", post(form::<RenameProject>(|(), parts| project(parts, "renamed"))))
        .route(
            "/projects/{id}/invitations/{invitation}/withdraw",
            post(form::<WithdrawInvitation>(|(), parts| project(parts, "withdrawn"))),
        )
        .route(
            "/projects/{id}/invite",
            post(form::<Invite>(|invited, parts| match invited.link {
                Some(_) => show(invited, true),
                None => project(parts, "invited"),
            })),
        )
        .route("/projects/{id}/join", post(form::<JoinProject>(|(), parts| project(parts, "joined"))))
        .route("/projects/{id}/keys/new", post(form::<CreateKey>(|created, _| show(created, true))))
        .route(
            "/projects/{id}/keys/{key}/delete",
            post(form::<DeleteKey>(|key, _| Next::See(format!("/projects/{}/keys?done=deleted", key.project_id)))),
        )
        .route("/projects/{id}/leave", post(form::<LeaveProject>(|(), _| Next::See("/projects?done=left".into()))))
        .route("/projects/{id}/life", post(form::<SetTokenLife>(|(), parts| project(parts, "life"))))
        .route("/projects/{id}/members/{user}/edit", post(form::<SetRole>(|(), parts| project(parts, "role"))))
        .route(
            "/projects/{id}/members/{user}/remove",
            post(form::<RemoveMember>(|(), parts| project(parts, "removed"))),
        )
        .route("/projects/{id}/scopes", post(form::<SetScopes>(|(), parts| project(parts, "scopes"))))
        .route("/projects/{id}/unarchive", post(form::<UnarchiveProject>(|(), parts| project(parts, "unarchived"))))
        .route(
            "/projects/{id}",
            post(form::<SaveConfig>(|_, parts| Next::See(format!("{}?done=saved", parts.uri.path())))),
        )
        .route("/settings/account", post(form::<SaveAccount>(|_, _| Next::See("/settings/account?done=saved".into()))))
        .route("/settings/security/password", post(form::<ChangePassword>(|_, _| security("password"))))
        .route("/settings/security/session", post(form::<EndSession>(|_, _| security("ended"))))
        .route("/settings/security/sessions", post(form::<EndOtherSessions>(|_, _| security("others"))))
        .route("/settings/security/second-factor", post(form::<ConfirmSecondFactor>(|codes, _| show(codes, true))))
        .route("/settings/security/second-factor/off", post(form::<TurnOffSecondFactor>(|_, _| security("off"))))
        .route("/settings/security/recovery-codes", post(form::<NewRecoveryCodes>(|codes, _| show(codes, true))))
        .route("/settings/security/grant", post(form::<RevokeMine>(|(), _| security("revoked"))))
        .route("/authorize", post(form::<AnswerAuthorization>(|answer, _| told(answer))))
        .route("/device", post(form::<CheckDevice>(|code, _| device(&code))))
        .route(
            "/device/confirm",
            post(form::<AnswerDevice>(|allowed, _| {
                Next::See(format!("/device?done={}", if allowed { "allowed" } else { "denied" }))
            })),
        )
        .route("/projects/{id}/clients/new", post(form::<RegisterClient>(|_, parts| project(parts, "registered"))))
        .route(
            "/projects/{id}/clients/{client}/remove",
            post(form::<RemoveClient>(|(), parts| project(parts, "client-removed"))),
        )
        .route("/projects/{id}/grants/{grant}/revoke", post(form::<RevokeGrant>(|(), parts| project(parts, "revoked"))))
        .route("/settings/theme", post(form::<SaveTheme>(|_, parts| Next::See(next_path(parts, "/settings/account")))))
}

/// Redirects to the list behind the dialog, with its filter and a message on the action.
fn list(parts: &Parts, done: &str, key: &KeyView) -> Next {
    let path = parts.uri.path();
    let list = if path.starts_with("/admin/") { "/admin/keys" } else { "/keys" };
    let query = parts.uri.query().unwrap_or_default();
    let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
    let kept = KeyFilter::read(|name| Some(pairs.iter().find(|(it, _)| it == name)?.1.clone().into_owned())).query();
    let and = if kept.is_empty() { "" } else { "&" };
    Next::See(format!("{list}?{kept}{and}done={done}&key={}", key.id))
}

/// Redirects to the security page, with a message on the action.
fn security(done: &str) -> Next {
    Next::See(format!("/settings/security?done={done}"))
}

/// Sends the authorization response to the client (RFC 6749 section 4.1.2): redirects the browser, or posts a message
/// to the opener window.
fn told(answer: Answered) -> Next {
    match answer {
        // Exposed for the redirect: this is the only response that contains the code.
        Answered::Leave(to) if to.expose().starts_with("http://[") => Next::Leave(to.expose().to_owned()),
        Answered::Leave(to) => Next::See(to.expose().to_owned()),
        message => show(message, true),
    }
}

/// Redirects to the confirmation page for the device with this user code.
fn device(code: &str) -> Next {
    let code: String = url::form_urlencoded::byte_serialize(code.trim().as_bytes()).collect();
    Next::See(format!("/device/confirm?user_code={code}"))
}

/// Redirects to the next page, or to the second factor with the same query, which holds the next page.
fn entered(entrance: Entrance, parts: &Parts) -> Next {
    let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    match entrance {
        Entrance::In => Next::See(next_path(parts, "/keys")),
        Entrance::Code => Next::See(format!("/login/code{query}")),
    }
}

/// Redirects to the project page behind the dialog, with a message on the action.
fn project(parts: &Parts, done: &str) -> Next {
    let page: Vec<_> = parts.uri.path().split('/').take(3).collect();
    Next::See(format!("{}?done={done}", page.join("/")))
}

/// Redirects to the user's page behind the dialog, with a message on the action.
fn person(parts: &Parts, done: &str) -> Next {
    let id = parts.uri.path().trim_start_matches("/admin/users/").split('/').next().unwrap_or_default();
    Next::See(format!("/admin/users/{id}?done={done}"))
}

/// Shows the effects of a policy change for confirmation. Redirects with a message if the policy was saved.
fn policy(saved: PolicySaved) -> Next {
    match saved {
        PolicySaved::Saved => Next::See("/admin/policy?done=saved".into()),
        touches => show(touches, false),
    }
}

/// Redirects with a message if the invitation was sent by email. Otherwise shows its one-time link once.
fn invitation(invited: InvitedUser) -> Next {
    if invited.link.is_none() { Next::See("/admin/users?done=invited".into()) } else { show(invited, true) }
}

/// Returns the path in `?next=` if it is a path of this server, otherwise the default.
fn next_path(parts: &Parts, otherwise: &str) -> String {
    let query = parts.uri.query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "next")
        .and_then(|(_, path)| own_path(&path).map(ToOwned::to_owned))
        .unwrap_or_else(|| otherwise.to_owned())
}

type Answering = std::pin::Pin<Box<dyn Future<Output = Response> + Send>>;
/// A decoded form: the action, and the conversion of its output to a [`Next`].
type Action = Box<dyn FnOnce(Parts) -> Acting + Send>;
type Acting = std::pin::Pin<Box<dyn Future<Output = Result<Next, AppError>> + Send>>;
/// Decodes the body of one form. Returns `None` if the body does not have the fields of the action.
type Decode = Arc<dyn Fn(&str) -> Option<Action> + Send + Sync>;

/// Returns the handler of one form. To limit code size, only decoding and the call are generic; the rest is
/// [`respond`].
fn form<A: FormAction>(
    next: fn(A::Output, &Parts) -> Next,
) -> impl Fn(State<AppState>, Request) -> Answering + Clone + Send + Sync + 'static {
    handler(Arc::new(move |text: &str| {
        // Leptos decodes the arguments of server functions in the same way.
        let fields = serde_qs::Config::new(5, false).deserialize_str::<A>(text).ok()?;
        let action: Action =
            Box::new(move |parts| Box::pin(async move { fields.run().await.map(|output| next(output, &parts)) }));
        Some(action)
    }))
}

fn handler(decode: Decode) -> impl Fn(State<AppState>, Request) -> Answering + Clone + Send + Sync + 'static {
    move |State(state), request| Box::pin(respond(state, request, decode.clone()))
}

async fn respond(state: AppState, request: Request, decode: Decode) -> Response {
    let (mut parts, body) = request.into_parts();
    let (mut cookies, mut mark) = (Vec::<HeaderValue>::new(), None);
    let (values, outcome) = match read(&parts, body).await {
        Ok(text) => {
            let values = refill(&text);
            mark = drafts::mark(&text);
            let outcome = match decode(&text) {
                Some(action) if is_about(parts.uri.path(), &values) => {
                    match take_proof(&state, &mut parts, &text).await {
                        Ok(()) => {
                            let (outcome, options) = run(&state, &parts, action(parts.clone())).await;
                            if let Ok(set) = options.0.read() {
                                cookies.extend(set.headers.get_all(header::SET_COOKIE).iter().cloned());
                            }
                            outcome
                        }
                        Err(error) => Err(error),
                    }
                }
                _ => Err(AppError::new(
                    ErrorKind::Invalid,
                    "This form could not be read. Open the page again and fill it in once more.",
                )),
            };
            (values, outcome)
        }
        // The same response as to a form whose `Content-Length` is too large. There are no values to render again.
        Err(error) if error.kind == ErrorKind::TooLarge => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(error) => (BTreeMap::new(), Err(error)),
    };
    let forgotten = if outcome.is_ok() { drafts::forget(&state, &parts).await } else { None };
    match outcome {
        Ok(Next::See(path)) => {
            let mut response = see(&path);
            for cookie in cookies.into_iter().chain(forgotten) {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Ok(Next::Leave(to)) => leave(&parts.headers, &to),
        Err(error) if error.kind == ErrorKind::SignedOut && parts.uri.path() == CODE => {
            see(&format!("/login{}", parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default()))
        }
        Ok(Next::Show { answer, once }) => {
            let still = once && !pages::is_live(&parts.headers);
            let more = Arc::new(move || {
                if still {
                    provide_context(NoScripts);
                }
                answer();
            });
            let mut response = redraw(state, parts, StatusCode::OK, more).await;
            if let Some(cookie) = forgotten {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(error) if error.kind == ErrorKind::SignedOut => {
            // The query can contain the code of an invitation: the redirect after sign-in must preserve it.
            let here = parts.uri.path_and_query().map_or(parts.uri.path(), |it| it.as_str());
            let back: String = url::form_urlencoded::byte_serialize(here.as_bytes()).collect();
            let mut response = see(&format!("/login?next={back}"));
            let from = drafts::address(&parts.extensions);
            if let Some(cookie) = drafts::keep(&state, from, mark.as_deref(), parts.uri.path(), &values).await {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(error) => {
            let path = parts.uri.path().to_owned();
            let leaves = error.kind == ErrorKind::StepUp && !proof_of(&state, &parts).await.is_typed();
            // The user must sign out and in again; the draft preserves the submitted values.
            let kept = if leaves {
                drafts::keep(&state, drafts::address(&parts.extensions), mark.as_deref(), &path, &values).await
            } else {
                None
            };
            let mut response = refuse(state, parts, Refusal { path, error, values, is_draft: false }).await;
            if let Some(cookie) = kept {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
    }
}

/// Returns the reauthentication method of the user who submitted the form.
async fn proof_of(state: &AppState, parts: &Parts) -> Proof {
    match parts.extensions.get::<Visit>().and_then(|visit| visit.caller.as_ref()) {
        Some(caller) => state.app.accounts.proof_of(caller).await.unwrap_or_default(),
        None => Proof::default(),
    }
}

/// Renders the page again with the errors of a rejected form.
pub(super) async fn refuse(state: AppState, parts: Parts, refusal: Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.error.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let proof = proof_of(&state, &parts).await;
    let more = Arc::new(move || {
        provide_context(refusal.clone());
        provide_context(proof);
    });
    let mut response = redraw(state, parts, status, more).await;
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().entry(header::RETRY_AFTER).or_insert(HeaderValue::from_static("2"));
    }
    response
}

/// Checks the reauthentication field of a form, if the form has one and the request has a session. On success the
/// action sees a recent reauthentication.
pub(super) async fn take_proof(state: &AppState, parts: &mut Parts, text: &str) -> Result<(), AppError> {
    let Some(visit) = parts.extensions.get::<Visit>().cloned() else { return Ok(()) };
    let mut fields = url::form_urlencoded::parse(text.as_bytes());
    let proof = fields.find(|(name, _)| name == PROOF).map(|(_, proof)| Password::new(proof.into_owned()));
    let Some(proof) = proof.filter(|proof| !proof.expose().is_empty()) else { return Ok(()) };
    if parts.uri.path() == CONFIRM || visit.caller.is_none() {
        return Ok(());
    }
    context::check_proof(&state.app, &visit, &proof).await?;
    parts.extensions.insert(visit.proved(state.app.ground.now()));
    Ok(())
}

/// Returns whether the ID fields of a form match the IDs in its path.
fn is_about(path: &str, values: &BTreeMap<String, Vec<String>>) -> bool {
    let segments: Vec<_> = path.trim_start_matches("/admin").trim_matches('/').split('/').collect();
    let named: &[(&str, &str)] = match segments[..] {
        [_, "new"] | ["keys", "chosen"] | ["users", "invite"] => return true,
        ["projects", project, "keys", "new"] => &[("project", project)],
        ["projects", _, "keys", key, ..] => &[("id", key)],
        ["projects", project, "clients", client, "remove"] => &[("id", project), ("client", client)],
        ["projects", project, "grants", grant, _] => &[("id", project), ("grant", grant)],
        ["projects", project, "members", user, _] => &[("id", project), ("user", user)],
        ["projects", project, "invitations", invitation, _] => &[("id", project), ("invitation", invitation)],
        ["keys" | "projects" | "users", id, ..] => &[("id", id)],
        ["scopes", name, ..] => &[("name", name)],
        _ => return true,
    };
    named.iter().all(|(field, named)| {
        let named = named.replace("%2F", "/").replace("%2f", "/");
        values.get(*field).is_some_and(|said| said.iter().eq([&named]))
    })
}

/// Returns the body of a form as text.
///
/// # Errors
/// [`ErrorKind::Invalid`] for another content type, too many pairs, or bytes that are not UTF-8;
/// [`ErrorKind::TooLarge`] above [`CONFIG_FORM_MAX`]; [`ErrorKind::Broken`] for an incomplete body.
pub(super) async fn read(parts: &Parts, body: Body) -> Result<Zeroizing<String>, AppError> {
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let wrong = |words: &str| AppError::new(ErrorKind::Invalid, words);
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Err(wrong("This form was sent in a way that Keyward does not read. Use the form on this page."));
    }
    let bytes = axum::body::to_bytes(body, CONFIG_FORM_MAX).await.map_err(|error| match is_too_long(&error) {
        true => AppError::new(ErrorKind::TooLarge, "This form is too long. Shorten it."),
        false => AppError::new(ErrorKind::Broken, "This form did not arrive complete. Send it again."),
    })?;
    check(&bytes).map_err(wrong)?;
    String::from_utf8(bytes.into()).map(Zeroizing::new).map_err(|_| wrong(NOT_TEXT))
}

/// Returns the maximum body length of a route, in bytes.
pub fn longest(route: Option<&str>) -> usize {
    match route {
        Some("/projects/{id}") => CONFIG_FORM_MAX,
        Some("/admin/users/{id}/delete") => PROJECTS_FORM_MAX,
        _ => FORM_MAX,
    }
}

/// Checks a form before it is decoded. It has at most [`PAIRS_MAX`] pairs, and its bytes are UTF-8, including
/// percent-encoded bytes. The decoders would replace other bytes with U+FFFD.
///
/// # Errors
/// The message for the user.
pub(super) fn check(form: &[u8]) -> Result<(), &'static str> {
    if memchr_iter(b'&', form).count() >= PAIRS_MAX {
        return Err("This form has too many fields. Send fewer at a time.");
    }
    // The form can contain a password. A vector that grows would leave copies of it in memory.
    let mut decoded = Zeroizing::new(Vec::<u8>::with_capacity(form.len()));
    decoded.extend(percent_decode(form));
    std::str::from_utf8(&decoded).map(|_| ()).map_err(|_| NOT_TEXT)
}

/// Returns whether reading a body failed because of its length.
pub(super) fn is_too_long(error: &axum::Error) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if error.is::<LengthLimitError>() {
            return true;
        }
        next = error.source();
    }
    false
}

/// Runs an action in the context of a page. Also returns the response options that the action set.
async fn run(state: &AppState, parts: &Parts, action: Acting) -> (Result<Next, AppError>, ResponseOptions) {
    let (parts, options) = (parts.clone(), ResponseOptions::default());
    let owner = Owner::new();
    let action = owner.with(|| {
        provide_context(parts);
        provide_context(options.clone());
        pages::provide(state);
        ScopedFuture::new(action)
    });
    (action.await, options)
}

/// Returns the submitted values by input name. Values that are longer than their field permits are omitted.
pub(super) fn refill(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut values = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        let name = name.split('[').next().unwrap_or_default();
        if !NOT_REFILLED.contains(&name) && (value.len() <= REFILL_MAX || name == "config") {
            values.entry(name.to_owned()).or_default().push(value.into_owned());
        }
    }
    values
}

/// Returns a 303 response: the browser requests the next page with GET, and Back does not submit the form again.
pub(super) fn see(path: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    // A path of this server contains only characters that are valid in a header. Any other value redirects to `/keys`.
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/keys"));
    response.headers_mut().insert(header::LOCATION, location);
    response
}

/// Returns a page that redirects immediately.
fn leave(headers: &HeaderMap, to: &str) -> Response {
    let href = escape_text(to).replace('"', "&quot;");
    let body = format!(
        r#"<div class="gate"><main class="gate__main"><header class="gate__head"><h1>Back to the program</h1></header>
<div class="actions"><a class="button button--primary" href="{href}">Continue</a></div></main></div>"#
    );
    let page = plain::document(headers, "Back to the program · Keyward", &[], &body);
    let mut response = Html(page).into_response();
    let said = response.headers_mut();
    said.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(error_page::CSP));
    if let Ok(refresh) = HeaderValue::from_str(&format!("0;url={to}")) {
        said.insert(header::REFRESH, refresh);
    }
    response
}

/// Renders the page of the form again, with the values of `more` in its context.
async fn redraw(state: AppState, mut parts: Parts, status: StatusCode, more: pages::Context) -> Response {
    parts.method = Method::GET;
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_TYPE);
    let request = Request::from_parts(parts, Body::empty());
    let mut response = pages::draw(state, request, Some(more)).await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = status;
    }
    response
}
