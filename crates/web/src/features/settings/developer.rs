//! `/settings/developer/api-keys`: a link to the API keys, and the endpoints for clients.

use super::{routes::DEVELOPER, tabs::SettingsHead};
use crate::{
    domain::{
        count::{format_count, format_count_of},
        filter::KeyFilter,
    },
    features::{
        keys::api::list_keys,
        session::{PageShell, PageTitle, Session, SignedInOnly, load},
    },
    islands::CopyButton,
    ui::table::Cell,
};
use leptos::prelude::*;

#[component]
pub fn DeveloperPage() -> impl IntoView {
    let ask = move || list_keys(KeyFilter::default(), String::new());
    view! {
        <PageTitle text="Developer" />
        <SignedInOnly />
        <PageShell nav=DEVELOPER>
            <div class="page--narrow">
                <SettingsHead current=DEVELOPER />
                <div class="stack">
                    <section class="panel" aria-labelledby="dev-keys">
                        {load(ask, |page| keys(page.total, page.expiring))}
                    </section>
                    <Addresses />
                </div>
            </div>
        </PageShell>
    }
    .into_any()
}

fn keys(total: u64, expiring: u64) -> AnyView {
    let count = format_count_of(total, "key", "keys");
    let due = (expiring > 0).then(|| {
        let verb = if expiring == 1 { "expires" } else { "expire" };
        view! { ", " <span class="due">{format!("{} {verb} this week", format_count(expiring))}</span> }
    });
    view! {
        <ul class="rows">
            <li>
                <div>
                    <h2 id="dev-keys">"API Keys"</h2>
                    <p>{count} {due} ". Create, edit, and delete your keys."</p>
                </div>
                <a class="button button--primary" href="/keys">
                    "API Keys"
                </a>
            </li>
        </ul>
    }
    .into_any()
}

/// The endpoint URLs of this Keyward instance.
#[component]
fn Addresses() -> impl IntoView {
    let session = Session::current();
    let draw = |url: String| {
        let url = url.trim_end_matches('/').to_owned();
        let command = format!(
            "curl {url}/authentication/token \\\n  -H 'Content-Type: application/json' \\\n  -d \"{{\\\"secret_key\\\": \\\"$KEYWARD_SECRET_KEY\\\"}}\""
        );
        let rows = [
            ("exchange", "Token exchange", "/authentication/token"),
            ("verify", "Key verification", "/v1/keys/verify"),
            ("jwks", "Signing keys", "/.well-known/jwks.json"),
        ]
        .map(|(id, label, path)| {
            let (at, name) = (format!("address-{id}"), format!("Copy URL: {label}"));
            let (from, address) = (format!("#{at}"), format!("{url}{path}"));
            view! {
                <tr>
                    <th scope="row">{label}</th>
                    <Cell class="cell-address" label="URL">
                        <code id=at>{address}</code>
                    </Cell>
                    <td class="cell-menu">
                        <CopyButton from label=name main=false />
                    </td>
                </tr>
            }
        })
        .collect_view();
        view! {
            <section class="panel" aria-labelledby="dev-token">
                <header class="panel__head">
                    <h2 id="dev-token">"Exchange a key for an access token"</h2>
                </header>
                <div class="panel__body stack stack--close">
                    <p>
                        "Keep the key on your server. Exchange it for a short-lived access token, and send the token to your client."
                    </p>
                    <pre class="code" tabindex="0" role="group" aria-label="Token exchange with curl">
                        {command}
                    </pre>
                    <p>"Verify tokens offline with the published signing keys, or call the verify endpoint for each request."</p>
                    <p>
                        <a href="/docs/api" rel="external">
                            "API reference"
                        </a>
                        ": all endpoints, including those that create, edit, and deactivate keys."
                    </p>
                </div>
            </section>
            <section class="panel wide" aria-labelledby="dev-addresses">
                <header class="panel__head">
                    <h2 id="dev-addresses">"Endpoints"</h2>
                </header>
                <table class="table">
                    <caption class="visually-hidden">"Endpoints of this Keyward instance"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Purpose"</th>
                            <th scope="col">"URL"</th>
                            <th class="cell-menu" scope="col">
                                <span class="visually-hidden">"Copy"</span>
                            </th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </section>
        }
    };
    view! { <Suspense>{move || session.get().and_then(Result::ok).map(|known| draw(known.instance.public_url))}</Suspense> }
        .into_any()
}
