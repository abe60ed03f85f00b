//! Active grants: list rows, and the section on the user's security page.

use super::api::my_grants;
use crate::{
    domain::{
        consent::{GrantView, ProjectGrants},
        time::Timestamp,
    },
    features::session::load,
    ui::{form::Form, notice::Refused, time::Ago},
};
use leptos::prelude::*;

/// The path to which the form of [`own_grants`] is posted.
const REVOKE: &str = "/settings/security/grant";

/// The section with the user's own grants.
pub fn own_grants() -> AnyView {
    let draw = |allowed: ProjectGrants| {
        let ProjectGrants { grants, now, .. } = allowed;
        if grants.is_empty() {
            return view! { <p class="panel__body">"No active grants. Applications to which you give access are listed here."</p> }.into_any();
        }
        // One form for all rows: each button carries the id of the grant that it revokes.
        let revoke = |grant: &GrantView| {
            let name = format!("Revoke grant to {}", grant.client);
            view! {
                <button class="button button--warn" name="grant" value=grant.id.to_string() aria-label=name>
                    "Revoke"
                </button>
            }
            .into_any()
        };
        view! {
            <Form to=REVOKE>
                <Refused />
                {grant_rows(grants, now, false, revoke)}
            </Form>
        }
        .into_any()
    };
    view! {
        <section class="panel" aria-labelledby="grants-title">
            <header class="panel__head">
                <h2 id="grants-title">"Grants"</h2>
            </header>
            {load(my_grants, draw)}
        </section>
    }
    .into_any()
}

/// The rows of a list of grants. `in_project`: the list is on a project's page, so each row names the user and not the
/// project.
pub fn grant_rows(
    grants: Vec<GrantView>,
    now: Timestamp,
    in_project: bool,
    revoke: impl Fn(&GrantView) -> AnyView,
) -> AnyView {
    let rows = grants.into_iter().map(|grant| row(revoke(&grant), grant, now, in_project)).collect_view();
    view! { <ul class="rows">{rows}</ul> }.into_any()
}

fn row(revoke: AnyView, grant: GrantView, now: Timestamp, in_project: bool) -> AnyView {
    let GrantView { client, project, person, yours, scopes, since, until, last_used, .. } = grant;
    let scopes = if scopes.is_empty() { "none".to_owned() } else { scopes.join(", ") };
    let about = if in_project {
        format!("Scopes: {scopes}. Allowed by ")
    } else {
        format!("{}. Scopes: {scopes}. Allowed ", project.name)
    };
    let by = in_project.then(|| format!("{} ", if yours { "you".to_owned() } else { person }));
    let used = match last_used {
        Some(at) => view! { "last used " <Ago at now /> }.into_any(),
        None => "never used".into_any(),
    };
    view! {
        <li>
            <div>
                <h3>{client}</h3>
                <p>{about} {by} <Ago at=since now /> ", " {used} ". Expires " <Ago at=until now /> "."</p>
            </div>
            {revoke}
        </li>
    }
    .into_any()
}
