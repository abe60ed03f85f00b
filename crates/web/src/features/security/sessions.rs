//! Sessions of the user, each with a button that ends it.

use crate::{
    domain::{security::SessionView, time::Timestamp},
    ui::{button::Submit, form::Form, notice::Refused, time::Ago},
};
use leptos::prelude::*;

pub fn sessions(list: Vec<SessionView>, now: Timestamp) -> AnyView {
    let others = list.iter().any(|session| !session.here);
    let rows = list.into_iter().map(|session| row(session, now)).collect_view();
    let all = others.then(|| {
        view! {
            <Form to="/settings/security/sessions">
                <Refused />
                <Submit label="End all other sessions" working="Ending…" class="button button--warn" />
            </Form>
        }
    });
    view! {
        <section class="panel" aria-labelledby="sessions-title">
            <header class="panel__head">
                <h2 id="sessions-title">"Sessions"</h2>
                {all}
            </header>
            // One form for all rows: each button carries the handle of the session that it ends.
            <Form to="/settings/security/session">
                <Refused />
                <ul class="rows">{rows}</ul>
            </Form>
        </section>
    }
    .into_any()
}

fn row(session: SessionView, now: Timestamp) -> AnyView {
    let SessionView { handle, device, ip, since, seen, here } = session;
    let from = ip.map(|ip| format!(" from {ip}"));
    let seen = if here { "Active now".into_any() } else { view! { "Last active " <Ago at=seen now /> }.into_any() };
    let end = if here {
        view! { <span class="tag">"This session"</span> }.into_any()
    } else {
        let name = format!("End session: {device}");
        view! {
            <button class="button button--warn" name="session" value=handle aria-label=name>
                "End session"
            </button>
        }
        .into_any()
    };
    view! {
        <li>
            <div>
                <h3>{device}</h3>
                <p>{seen} ". Signed in " <Ago at=since now /> {from} "."</p>
            </div>
            {end}
        </li>
    }
    .into_any()
}
