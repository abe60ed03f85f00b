//! `/settings/developer/api-keys`: a link to the API keys, and the endpoints for clients.

use super::tabs::SettingsHead;
use crate::{
    domain::count::{format_count, format_count_of},
    features::{
        keys::api::list_keys,
        session::{PageShell, PageTitle, Session, SignedInOnly, load},
    },
    islands::CopyButton,
    ui::{layout::Nav, table::Cell},
};
use leptos::prelude::*;

#[component]
pub fn DeveloperPage() -> impl IntoView {
    let none = String::new;
    let ask = move || list_keys(none(), none(), none(), none(), none());
    view! {
        <PageTitle text="Developer" />
        <SignedInOnly />
        <PageShell nav=Nav::Developer>
            <div class="page--narrow">
                <SettingsHead current="/settings/developer/api-keys" />
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
                    <p>{count} {due} ". Name, access scope, status and dates of each."</p>
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
            ("exchange", "Exchange a key for a token", "/authentication/token"),
            ("verify", "Verify a key", "/v1/keys/verify"),
            ("jwks", "Signing keys", "/.well-known/jwks.json"),
        ]
        .map(|(id, label, path)| {
            let (at, name) = (format!("address-{id}"), format!("Copy the address for: {label}"));
            let (from, address) = (format!("#{at}"), format!("{url}{path}"));
            view! {
                <tr>
                    <th scope="row">{label}</th>
                    <Cell class="cell-address" label="Address">
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
                    <h2 id="dev-token">"From a key to a token"</h2>
                </header>
                <div class="panel__body stack stack--close">
                    <p>
                        "Keep the key on your server. Exchange it for an access token that lives a day or less, and give that to your client."
                    </p>
                    <pre class="code" tabindex="0" role="group" aria-label="Token exchange with curl">
                        {command}
                    </pre>
                    <p>"Check tokens without asking anyone, with the published signing keys, or ask once a request."</p>
                    <p>
                        <a href="/docs/api" rel="external">
                            "Every address that answers programs"
                        </a>
                        ", with what it takes and answers: keys can be made, edited and stopped by program too."
                    </p>
                </div>
            </section>
            <section class="panel wide" aria-labelledby="dev-addresses">
                <header class="panel__head">
                    <h2 id="dev-addresses">"Addresses"</h2>
                </header>
                <table class="table">
                    <caption class="visually-hidden">"Addresses of this Keyward"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"For"</th>
                            <th scope="col">"Address"</th>
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
