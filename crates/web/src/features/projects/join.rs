//! `/join?code=…`: shows an invitation and accepts it.

use super::{api::invitation, members::role_description};
use crate::{
    domain::project::InvitationView,
    error::AppError,
    features::resource::resource,
    features::session::{PageTitle, home_link},
    response_status::status,
    ui::{bare_layout::Gate, button::Submit, form::Form, notice::Refused, time::Exactly},
};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, location::Url};

#[component]
pub fn JoinPage() -> impl IntoView {
    let code = use_query_map().with_untracked(|query| query.get("code").unwrap_or_default());
    let requested_code = code.clone();
    let found = resource(
        || (),
        move |()| {
            let code = requested_code.clone();
            async move { invitation(code).await }
        },
    );
    let draw = move |answer: Result<InvitationView, AppError>| match answer {
        Ok(view) => invitation_view(&code, view),
        Err(error) => invalid_link(error),
    };
    view! { <Suspense>{move || found.get().map(draw.clone())}</Suspense> }.into_any()
}

/// The same page for a link that was used or revoked, has expired, or never existed.
fn invalid_link(error: AppError) -> AnyView {
    status(error.kind.status());
    view! {
        <PageTitle text="Invitation" />
        <Gate title="This link is no longer valid" lead=error.message>
            <div class="actions">{home_link()}</div>
        </Gate>
    }
    .into_any()
}

fn invitation_view(code: &str, view: InvitationView) -> AnyView {
    let here = format!("/join?code={}", Url::escape(code));
    let home = format!("/projects/{}", view.project);
    let next = match (view.signed_in_as, view.member) {
        (Some(_), true) => view! {
            <p>"You are already a member of this project. The link is still valid for another user."</p>
            <div class="actions">
                <a class="button button--primary" href=home>
                    "Go to project"
                </a>
            </div>
        }
        .into_any(),
        (Some(email), false) => {
            let code = code.to_owned();
            view! {
                <Form to=here plain=true>
                    <div class="fields">
                        <Refused />
                        <input type="hidden" name="code" value=code />
                        <p class="hint">{format!("You are signed in as {email}.")}</p>
                        <Submit label="Join project" working="Joining…" class="button button--primary button--wide" />
                    </div>
                </Form>
            }
            .into_any()
        }
        (None, _) => {
            let login = format!("/login?next={}", Url::escape(&here));
            let signup = format!("/signup?invitation={}", Url::escape(code));
            let sign_up = view.sign_up.then(|| {
                view! {
                    <a class="button button--wide" href=signup>
                        "Create account"
                    </a>
                }
            });
            view! {
                <div class="fields">
                    <a class="button button--primary button--wide" href=login>
                        "Sign in to join"
                    </a>
                    {sign_up}
                </div>
            }
            .into_any()
        }
    };
    view! {
        <PageTitle text="Invitation" />
        <Gate title=format!("Join {}", view.name) lead=format!("{} invited you to this project.", view.invited_by)>
            <section class="panel" aria-label="Invitation">
                <div class="panel__body stack stack--close">
                    <dl class="facts">
                        <dt>"Project"</dt>
                        <dd>{view.name.clone()}</dd>
                        <dt>"Role"</dt>
                        <dd>{role_description(view.role)}</dd>
                        <dt>"Link expires"</dt>
                        <dd>
                            <Exactly at=view.ends />
                        </dd>
                    </dl>
                    {next}
                </div>
            </section>
        </Gate>
    }
    .into_any()
}
