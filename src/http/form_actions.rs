//! Form actions: the POST handlers of pages, with and without JavaScript.
//!
//! A form posts to the path of its page; with JavaScript, the browser's navigation fetches the same response. This
//! module mounts a `post` handler for each such page. The handler decodes the fields of a [`FormAction`] and runs it in
//! the context of a page. The response is a redirect (303, to a path of this server), or the page: with the errors
//! beside the fields (422), or with a result that is shown once, such as a new key.

use super::{
    AppState, context, drafts, error_page, form_table::FormTable, pages, sessions::SessionContext, static_page,
};
use crate::{
    app::NoScripts,
    domain::{
        consent::ResponseDelivery,
        filter::KeyFilter,
        key::KeyView,
        people::InvitedUser,
        policy::PolicySaved,
        security::{ReauthenticationMethod, SignInStep},
        sensitive::Password,
    },
    error::{AppError, ErrorKind, RejectedForm},
    features::{
        action::FormAction,
        admin::api::{AdminActivateKey, AdminBulkChange, AdminDeactivateKey, AdminDeleteKey, AdminRestoreKey},
        consent::api::{
            CheckDevice, RegisterClient, RemoveClient, RevokeGrant, RevokeOwnGrant, SubmitConsent, SubmitDeviceConsent,
        },
        keys::api::{ActivateKey, CreateKey, DeactivateKey, DeleteKey, EditKey, RestoreKey},
        policy::api::SavePolicy,
        projects::api::{
            AcceptInvitation, ArchiveProject, CreateProject, Invite, JoinProject, LeaveProject, RemoveMember,
            RenameProject, SaveConfig, SetRole, SetScopes, SetTokenLife, UnarchiveProject, WithdrawInvitation,
        },
        registration::api::{RequestPasswordReset, RequestSignUpLink, ResetPassword, SignUp},
        scopes::api::{AddScope, EditScope, RemoveScope, RetireScope, UnretireScope},
        security::api::{
            ChangePassword, ConfirmSecondFactor, EndOtherSessions, EndSession, NewRecoveryCodes, TurnOffSecondFactor,
        },
        session::{
            api::{Confirm, SetUp, SignIn, SignInCode, SignOut},
            local_path, login_url,
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
const NOT_REFILLED: [&str; 5] = ["password", "new_password", PROOF_FIELD, "one_time_code", DRAFT];
/// Field for reauthentication, available in every form.
const PROOF_FIELD: &str = "proof";
const NOT_TEXT: &str = "The form contains invalid text. Fill it in again.";
/// Page for the second factor. If the pending sign-in has expired there, the user starts again.
const SECOND_FACTOR_PAGE: &str = "/login/code";
/// Page for reauthentication only.
const CONFIRM_PAGE: &str = "/confirm";

/// Result of a form action that succeeded.
enum ActionResult {
    /// 303 to a path of this server.
    Redirect(String),
    /// A page that redirects to another origin. It is needed because `form-action` also applies to redirects after a
    /// form and cannot name an IPv6 address.
    ExternalRedirect(String),
    /// The page again, with a result in its context. `once`: the result is shown only in this response.
    Render { provide_result: Arc<dyn Fn() + Send + Sync>, once: bool },
}

/// Returns an [`ActionResult::Render`] with this result.
fn render<T: Clone + Send + Sync + 'static>(answer: T, once: bool) -> ActionResult {
    ActionResult::Render { provide_result: Arc::new(move || provide_context(answer.clone())), once }
}

/// Mounts all forms, each at the path of its page.
pub fn mount(router: Router<AppState>) -> Router<AppState> {
    mount_all(FormTable::new(router)).router
}

/// Returns the paths of all forms in axum's syntax, for the authorization tests.
pub fn form_paths() -> Vec<&'static str> {
    mount_all(FormTable::new(Router::new())).paths
}

fn mount_all(forms: FormTable) -> FormTable {
    forms
        .route("/login", post(form_handler::<SignIn>(after_sign_in)))
        .route(
            "/login/code",
            post(form_handler::<SignInCode>(|_, parts| ActionResult::Redirect(next_path(parts, "/keys")))),
        )
        .route("/confirm", post(form_handler::<Confirm>(|_, parts| ActionResult::Redirect(next_path(parts, "/keys")))))
        .route(
            "/signup",
            post(form_handler::<RequestSignUpLink>(|(), _| ActionResult::Redirect("/signup?asked=yes".into()))),
        )
        .route("/signup/new", post(form_handler::<SignUp>(|next, _| ActionResult::Redirect(next))))
        .route(
            "/reset",
            post(form_handler::<RequestPasswordReset>(|(), _| ActionResult::Redirect("/reset?asked=yes".into()))),
        )
        .route(
            "/reset/new",
            post(form_handler::<ResetPassword>(|(), _| ActionResult::Redirect("/login?done=reset".into()))),
        )
        .route("/setup", post(form_handler::<SetUp>(|_, _| ActionResult::Redirect("/keys".into()))))
        .route(
            "/logout",
            post(form_handler::<SignOut>(|(), parts| ActionResult::Redirect(login_url(&next_path(parts, "/keys"))))),
        )
        .route("/keys/new", post(form_handler::<CreateKey>(|created, _| render(created, true))))
        .route("/keys/{id}/edit", post(form_handler::<EditKey>(|key, parts| redirect_to_list(parts, "edited", &key))))
        .route(
            "/keys/{id}/deactivate",
            post(form_handler::<DeactivateKey>(|key, parts| redirect_to_list(parts, "deactivated", &key))),
        )
        .route(
            "/keys/{id}/activate",
            post(form_handler::<ActivateKey>(|key, parts| redirect_to_list(parts, "activated", &key))),
        )
        .route(
            "/keys/{id}/delete",
            post(form_handler::<DeleteKey>(|key, parts| redirect_to_list(parts, "deleted", &key))),
        )
        .route(
            "/keys/{id}/restore",
            post(form_handler::<RestoreKey>(|key, parts| redirect_to_list(parts, "restored", &key))),
        )
        .route(
            "/admin/keys/{id}/deactivate",
            post(form_handler::<AdminDeactivateKey>(|key, parts| redirect_to_list(parts, "deactivated", &key))),
        )
        .route(
            "/admin/keys/{id}/activate",
            post(form_handler::<AdminActivateKey>(|key, parts| redirect_to_list(parts, "activated", &key))),
        )
        .route(
            "/admin/keys/{id}/delete",
            post(form_handler::<AdminDeleteKey>(|key, parts| redirect_to_list(parts, "deleted", &key))),
        )
        .route(
            "/admin/keys/{id}/restore",
            post(form_handler::<AdminRestoreKey>(|key, parts| redirect_to_list(parts, "restored", &key))),
        )
        .route("/admin/keys/chosen", post(form_handler::<AdminBulkChange>(|done, _| render(done, false))))
        .route("/admin/policy", post(form_handler::<SavePolicy>(|saved, _| after_policy_save(saved))))
        .route(
            "/admin/scopes/new",
            post(form_handler::<AddScope>(|_, _| ActionResult::Redirect("/admin/scopes?done=added".into()))),
        )
        .route(
            "/admin/scopes/{name}/edit",
            post(form_handler::<EditScope>(|_, _| ActionResult::Redirect("/admin/scopes?done=saved".into()))),
        )
        .route(
            "/admin/scopes/{name}/remove",
            post(form_handler::<RemoveScope>(|_, _| ActionResult::Redirect("/admin/scopes?done=removed".into()))),
        )
        .route("/admin/users/invite", post(form_handler::<InviteUser>(|invited, _| after_invite(invited))))
        .route(
            "/admin/users/{id}/delete",
            post(form_handler::<DeleteUser>(|(), _| ActionResult::Redirect("/admin/users?done=deleted".into()))),
        )
        .route(
            "/admin/users/{id}/disable",
            post(form_handler::<DisableUser>(|(), parts| redirect_to_user(parts, "disabled"))),
        )
        .route(
            "/admin/users/{id}/enable",
            post(form_handler::<EnableUser>(|(), parts| redirect_to_user(parts, "enabled"))),
        )
        .route(
            "/admin/users/{id}/make-administrator",
            post(form_handler::<MakeAdministrator>(|(), parts| redirect_to_user(parts, "made"))),
        )
        .route(
            "/admin/users/{id}/transfer/{project}",
            post(form_handler::<TransferProject>(|(), parts| redirect_to_user(parts, "transferred"))),
        )
        .route(
            "/admin/users/{id}/unmake-administrator",
            post(form_handler::<UnmakeAdministrator>(|(), parts| redirect_to_user(parts, "unmade"))),
        )
        .route(
            "/admin/scopes/{name}/retire",
            post(form_handler::<RetireScope>(|_, _| ActionResult::Redirect("/admin/scopes?done=retired".into()))),
        )
        .route(
            "/admin/scopes/{name}/unretire",
            post(form_handler::<UnretireScope>(|_, _| ActionResult::Redirect("/admin/scopes?done=unretired".into()))),
        )
        .route(
            "/join",
            post(form_handler::<AcceptInvitation>(|joined, _| {
                let done = if joined.already { "already" } else { "joined" };
                ActionResult::Redirect(format!("/projects/{}?done={done}", joined.project))
            })),
        )
        .route(
            "/projects/new",
            post(form_handler::<CreateProject>(|id, _| ActionResult::Redirect(format!("/projects/{id}?done=created")))),
        )
        .route(
            "/projects/{id}/archive",
            post(form_handler::<ArchiveProject>(|(), parts| redirect_to_project(parts, "archived"))),
        )
        .route(
            "/projects/{id}/edit",
            post(form_handler::<RenameProject>(|(), parts| redirect_to_project(parts, "renamed"))),
        )
        .route(
            "/projects/{id}/invitations/{invitation}/withdraw",
            post(form_handler::<WithdrawInvitation>(|(), parts| redirect_to_project(parts, "withdrawn"))),
        )
        .route(
            "/projects/{id}/invite",
            post(form_handler::<Invite>(|invited, parts| match invited.link {
                Some(_) => render(invited, true),
                None => redirect_to_project(parts, "invited"),
            })),
        )
        .route(
            "/projects/{id}/join",
            post(form_handler::<JoinProject>(|(), parts| redirect_to_project(parts, "joined"))),
        )
        .route("/projects/{id}/keys/new", post(form_handler::<CreateKey>(|created, _| render(created, true))))
        .route(
            "/projects/{id}/keys/{key}/delete",
            post(form_handler::<DeleteKey>(|key, _| {
                ActionResult::Redirect(format!("/projects/{}/keys?done=deleted", key.project_id))
            })),
        )
        .route(
            "/projects/{id}/leave",
            post(form_handler::<LeaveProject>(|(), _| ActionResult::Redirect("/projects?done=left".into()))),
        )
        .route(
            "/projects/{id}/life",
            post(form_handler::<SetTokenLife>(|(), parts| redirect_to_project(parts, "life"))),
        )
        .route(
            "/projects/{id}/members/{user}/edit",
            post(form_handler::<SetRole>(|(), parts| redirect_to_project(parts, "role"))),
        )
        .route(
            "/projects/{id}/members/{user}/remove",
            post(form_handler::<RemoveMember>(|(), parts| redirect_to_project(parts, "removed"))),
        )
        .route(
            "/projects/{id}/scopes",
            post(form_handler::<SetScopes>(|(), parts| redirect_to_project(parts, "scopes"))),
        )
        .route(
            "/projects/{id}/unarchive",
            post(form_handler::<UnarchiveProject>(|(), parts| redirect_to_project(parts, "unarchived"))),
        )
        .route(
            "/projects/{id}",
            post(form_handler::<SaveConfig>(|_, parts| {
                ActionResult::Redirect(format!("{}?done=saved", parts.uri.path()))
            })),
        )
        .route(
            "/settings/account",
            post(form_handler::<SaveAccount>(|_, _| ActionResult::Redirect("/settings/account?done=saved".into()))),
        )
        .route(
            "/settings/security/password",
            post(form_handler::<ChangePassword>(|_, _| redirect_to_security("password"))),
        )
        .route("/settings/security/session", post(form_handler::<EndSession>(|_, _| redirect_to_security("ended"))))
        .route(
            "/settings/security/sessions",
            post(form_handler::<EndOtherSessions>(|_, _| redirect_to_security("others"))),
        )
        .route(
            "/settings/security/second-factor",
            post(form_handler::<ConfirmSecondFactor>(|codes, _| render(codes, true))),
        )
        .route(
            "/settings/security/second-factor/off",
            post(form_handler::<TurnOffSecondFactor>(|_, _| redirect_to_security("off"))),
        )
        .route(
            "/settings/security/recovery-codes",
            post(form_handler::<NewRecoveryCodes>(|codes, _| render(codes, true))),
        )
        .route(
            "/settings/security/grant",
            post(form_handler::<RevokeOwnGrant>(|(), _| redirect_to_security("revoked"))),
        )
        .route("/authorize", post(form_handler::<SubmitConsent>(|answer, _| send_authorization_response(answer))))
        .route("/device", post(form_handler::<CheckDevice>(|code, _| redirect_to_device_confirmation(&code))))
        .route(
            "/device/confirm",
            post(form_handler::<SubmitDeviceConsent>(|allowed, _| {
                ActionResult::Redirect(format!("/device?done={}", if allowed { "allowed" } else { "denied" }))
            })),
        )
        .route(
            "/projects/{id}/clients/new",
            post(form_handler::<RegisterClient>(|_, parts| redirect_to_project(parts, "registered"))),
        )
        .route(
            "/projects/{id}/clients/{client}/remove",
            post(form_handler::<RemoveClient>(|(), parts| redirect_to_project(parts, "client-removed"))),
        )
        .route(
            "/projects/{id}/grants/{grant}/revoke",
            post(form_handler::<RevokeGrant>(|(), parts| redirect_to_project(parts, "revoked"))),
        )
        .route(
            "/settings/theme",
            post(form_handler::<SaveTheme>(|_, parts| ActionResult::Redirect(next_path(parts, "/settings/account")))),
        )
}

/// Redirects to the list behind the dialog, with its filter and a message on the action.
fn redirect_to_list(parts: &Parts, done: &str, key: &KeyView) -> ActionResult {
    let path = parts.uri.path();
    let list = if path.starts_with("/admin/") { "/admin/keys" } else { "/keys" };
    let query = parts.uri.query().unwrap_or_default();
    let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
    let kept =
        KeyFilter::from_query(|name| Some(pairs.iter().find(|(it, _)| it == name)?.1.clone().into_owned())).to_query();
    let and = if kept.is_empty() { "" } else { "&" };
    ActionResult::Redirect(format!("{list}?{kept}{and}done={done}&key={}", key.id))
}

/// Redirects to the security page, with a message on the action.
fn redirect_to_security(done: &str) -> ActionResult {
    ActionResult::Redirect(format!("/settings/security?done={done}"))
}

/// Sends the authorization response to the client (RFC 6749 section 4.1.2): redirects the browser, or posts a message
/// to the opener window.
fn send_authorization_response(answer: ResponseDelivery) -> ActionResult {
    match answer {
        // Exposed for the redirect: this is the only response that contains the code.
        ResponseDelivery::Redirect(to) if to.expose().starts_with("http://[") => {
            ActionResult::ExternalRedirect(to.expose().to_owned())
        }
        ResponseDelivery::Redirect(to) => ActionResult::Redirect(to.expose().to_owned()),
        message => render(message, true),
    }
}

/// Redirects to the confirmation page for the device with this user code.
fn redirect_to_device_confirmation(code: &str) -> ActionResult {
    let code: String = url::form_urlencoded::byte_serialize(code.trim().as_bytes()).collect();
    ActionResult::Redirect(format!("/device/confirm?user_code={code}"))
}

/// Redirects to the next page, or to the second factor with the same query, which holds the next page.
fn after_sign_in(entrance: SignInStep, parts: &Parts) -> ActionResult {
    let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    match entrance {
        SignInStep::In => ActionResult::Redirect(next_path(parts, "/keys")),
        SignInStep::Code => ActionResult::Redirect(format!("/login/code{query}")),
    }
}

/// Redirects to the project page behind the dialog, with a message on the action.
fn redirect_to_project(parts: &Parts, done: &str) -> ActionResult {
    let page: Vec<_> = parts.uri.path().split('/').take(3).collect();
    ActionResult::Redirect(format!("{}?done={done}", page.join("/")))
}

/// Redirects to the user's page behind the dialog, with a message on the action.
fn redirect_to_user(parts: &Parts, done: &str) -> ActionResult {
    let id = parts.uri.path().trim_start_matches("/admin/users/").split('/').next().unwrap_or_default();
    ActionResult::Redirect(format!("/admin/users/{id}?done={done}"))
}

/// Shows the effects of a policy change for confirmation. Redirects with a message if the policy was saved.
fn after_policy_save(saved: PolicySaved) -> ActionResult {
    match saved {
        PolicySaved::Saved => ActionResult::Redirect("/admin/policy?done=saved".into()),
        touches => render(touches, false),
    }
}

/// Redirects with a message if the invitation was sent by email. Otherwise shows its one-time link once.
fn after_invite(invited: InvitedUser) -> ActionResult {
    if invited.link.is_none() {
        ActionResult::Redirect("/admin/users?done=invited".into())
    } else {
        render(invited, true)
    }
}

/// Returns the path in `?next=` if it is a path of this server, otherwise the default.
fn next_path(parts: &Parts, otherwise: &str) -> String {
    let query = parts.uri.query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "next")
        .and_then(|(_, path)| local_path(&path).map(ToOwned::to_owned))
        .unwrap_or_else(|| otherwise.to_owned())
}

type ResponseFuture = std::pin::Pin<Box<dyn Future<Output = Response> + Send>>;
/// A decoded form: the action, and the conversion of its output to an [`ActionResult`].
type Action = Box<dyn FnOnce(Parts) -> ActionFuture + Send>;
type ActionFuture = std::pin::Pin<Box<dyn Future<Output = Result<ActionResult, AppError>> + Send>>;
/// Decodes the body of one form. Returns `None` if the body does not have the fields of the action.
type Decode = Arc<dyn Fn(&str) -> Option<Action> + Send + Sync>;

/// Returns the handler of one form. To limit code size, only decoding and the call are generic; the rest is
/// [`respond`].
fn form_handler<A: FormAction>(
    next: fn(A::Output, &Parts) -> ActionResult,
) -> impl Fn(State<AppState>, Request) -> ResponseFuture + Clone + Send + Sync + 'static {
    handler(Arc::new(move |text: &str| {
        // Leptos decodes the arguments of server functions in the same way.
        let fields = serde_qs::Config::new(5, false).deserialize_str::<A>(text).ok()?;
        let action: Action =
            Box::new(move |parts| Box::pin(async move { fields.run().await.map(|output| next(output, &parts)) }));
        Some(action)
    }))
}

fn handler(decode: Decode) -> impl Fn(State<AppState>, Request) -> ResponseFuture + Clone + Send + Sync + 'static {
    move |State(state), request| Box::pin(respond(state, request, decode.clone()))
}

async fn respond(state: AppState, request: Request, decode: Decode) -> Response {
    let (mut parts, body) = request.into_parts();
    let (mut cookies, mut mark) = (Vec::<HeaderValue>::new(), None);
    let (values, outcome) = match read_body(&parts, body).await {
        Ok(text) => {
            let values = submitted_values(&text);
            mark = drafts::submitted_mark(&text);
            let outcome = match decode(&text) {
                Some(action) if path_matches_form(parts.uri.path(), &values) => {
                    match check_reauthentication(&state, &mut parts, &text).await {
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
                _ => {
                    Err(AppError::new(ErrorKind::Invalid, "The form could not be read. Reload the page and try again."))
                }
            };
            (values, outcome)
        }
        // The same response as to a form whose `Content-Length` is too large. There are no values to render again.
        Err(error) if error.kind == ErrorKind::TooLarge => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(error) => (BTreeMap::new(), Err(error)),
    };
    let forgotten = if outcome.is_ok() { drafts::discard_accepted(&state, &parts).await } else { None };
    match outcome {
        Ok(ActionResult::Redirect(path)) => {
            let mut response = see_other(&path);
            for cookie in cookies.into_iter().chain(forgotten) {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Ok(ActionResult::ExternalRedirect(to)) => external_redirect_page(&parts.headers, &to),
        Err(error) if error.kind == ErrorKind::SignedOut && parts.uri.path() == SECOND_FACTOR_PAGE => {
            see_other(&format!("/login{}", parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default()))
        }
        Ok(ActionResult::Render { provide_result: answer, once }) => {
            let still = once && !pages::is_in_browser_navigation(&parts.headers);
            let more = Arc::new(move || {
                if still {
                    provide_context(NoScripts);
                }
                answer();
            });
            let mut response = render_again(state, parts, StatusCode::OK, more).await;
            if let Some(cookie) = forgotten {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(error) if error.kind == ErrorKind::SignedOut => {
            // The query can contain the code of an invitation: the redirect after sign-in must preserve it.
            let here = parts.uri.path_and_query().map_or(parts.uri.path(), |it| it.as_str());
            let back: String = url::form_urlencoded::byte_serialize(here.as_bytes()).collect();
            let mut response = see_other(&format!("/login?next={back}"));
            let from = drafts::client_ip(&parts.extensions);
            if let Some(cookie) = drafts::save(&state, from, mark.as_deref(), parts.uri.path(), &values).await {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(error) => {
            let path = parts.uri.path().to_owned();
            let leaves =
                error.kind == ErrorKind::StepUp && !reauthentication_method(&state, &parts).await.is_form_field();
            // The user must sign out and in again; the draft preserves the submitted values.
            let kept = if leaves {
                drafts::save(&state, drafts::client_ip(&parts.extensions), mark.as_deref(), &path, &values).await
            } else {
                None
            };
            let mut response =
                render_rejected(state, parts, RejectedForm { path, error, values, is_draft: false }).await;
            if let Some(cookie) = kept {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
    }
}

/// Returns the reauthentication method of the user who submitted the form.
async fn reauthentication_method(state: &AppState, parts: &Parts) -> ReauthenticationMethod {
    match parts.extensions.get::<SessionContext>().and_then(|visit| visit.caller.as_ref()) {
        Some(caller) => state.app.accounts.reauthentication_method(caller).await.unwrap_or_default(),
        None => ReauthenticationMethod::default(),
    }
}

/// Renders the page again with the errors of a rejected form.
pub(super) async fn render_rejected(state: AppState, parts: Parts, refusal: RejectedForm) -> Response {
    let status = StatusCode::from_u16(refusal.error.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let proof = reauthentication_method(&state, &parts).await;
    let more = Arc::new(move || {
        provide_context(refusal.clone());
        provide_context(proof);
    });
    let mut response = render_again(state, parts, status, more).await;
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().entry(header::RETRY_AFTER).or_insert(HeaderValue::from_static("2"));
    }
    response
}

/// Checks the reauthentication field of a form, if the form has one and the request has a session. On success the
/// action sees a recent reauthentication.
pub(super) async fn check_reauthentication(state: &AppState, parts: &mut Parts, text: &str) -> Result<(), AppError> {
    let Some(visit) = parts.extensions.get::<SessionContext>().cloned() else { return Ok(()) };
    let mut fields = url::form_urlencoded::parse(text.as_bytes());
    let proof = fields.find(|(name, _)| name == PROOF_FIELD).map(|(_, proof)| Password::new(proof.into_owned()));
    let Some(proof) = proof.filter(|proof| !proof.expose().is_empty()) else { return Ok(()) };
    if parts.uri.path() == CONFIRM_PAGE || visit.caller.is_none() {
        return Ok(());
    }
    context::verify_reauthentication(&state.app, &visit, &proof).await?;
    parts.extensions.insert(visit.with_reauthentication(state.app.context.now()));
    Ok(())
}

/// Returns whether the ID fields of a form match the IDs in its path.
fn path_matches_form(path: &str, values: &BTreeMap<String, Vec<String>>) -> bool {
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
        values.get(*field).is_some_and(|submitted| submitted.iter().eq([&named]))
    })
}

/// Returns the body of a form as text.
///
/// # Errors
/// [`ErrorKind::Invalid`] for another content type, too many pairs, or bytes that are not UTF-8;
/// [`ErrorKind::TooLarge`] above [`CONFIG_FORM_MAX`]; [`ErrorKind::Broken`] for an incomplete body.
pub(super) async fn read_body(parts: &Parts, body: Body) -> Result<Zeroizing<String>, AppError> {
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let wrong = |words: &str| AppError::new(ErrorKind::Invalid, words);
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Err(wrong("The form has an unsupported content type. Use the form on this page."));
    }
    let bytes = axum::body::to_bytes(body, CONFIG_FORM_MAX).await.map_err(|error| match is_too_long(&error) {
        true => AppError::new(ErrorKind::TooLarge, "The form is too long. Shorten it."),
        false => AppError::new(ErrorKind::Broken, "The form was not received completely. Submit it again."),
    })?;
    check(&bytes).map_err(wrong)?;
    String::from_utf8(bytes.into()).map(Zeroizing::new).map_err(|_| wrong(NOT_TEXT))
}

/// Returns the maximum body length of a route, in bytes.
pub fn max_body_len(route: Option<&str>) -> usize {
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
        return Err("The form has too many fields. Submit fewer at a time.");
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
async fn run(
    state: &AppState,
    parts: &Parts,
    action: ActionFuture,
) -> (Result<ActionResult, AppError>, ResponseOptions) {
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
pub(super) fn submitted_values(text: &str) -> BTreeMap<String, Vec<String>> {
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
pub(super) fn see_other(path: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    // A path of this server contains only characters that are valid in a header. Any other value redirects to `/keys`.
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/keys"));
    response.headers_mut().insert(header::LOCATION, location);
    response
}

/// Returns a page that redirects immediately.
fn external_redirect_page(headers: &HeaderMap, to: &str) -> Response {
    let href = escape_text(to).replace('"', "&quot;");
    let body = format!(
        r#"<div class="gate"><main class="gate__main"><header class="gate__head"><h1>Return to the application</h1></header>
<div class="actions"><a class="button button--primary" href="{href}">Continue</a></div></main></div>"#
    );
    let page = static_page::document(headers, "Return to the application · Keyward", &[], &body);
    let mut response = Html(page).into_response();
    let response_headers = response.headers_mut();
    response_headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(error_page::CSP));
    if let Ok(refresh) = HeaderValue::from_str(&format!("0;url={to}")) {
        response_headers.insert(header::REFRESH, refresh);
    }
    response
}

/// Renders the page of the form again, with the values of `more` in its context.
async fn render_again(state: AppState, mut parts: Parts, status: StatusCode, more: pages::ContextProvider) -> Response {
    parts.method = Method::GET;
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_TYPE);
    let request = Request::from_parts(parts, Body::empty());
    let mut response = pages::render(state, request, Some(more)).await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = status;
    }
    response
}
