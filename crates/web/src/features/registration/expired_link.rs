//! Error page for an invalid one-time link.

use crate::{
    features::session::{PageTitle, SessionInfo, instance_footer},
    response_status::status,
    ui::bare_layout::Gate,
};
use leptos::prelude::*;

/// The same page for a link that was used, has expired, or never existed.
pub fn expired_link(known: Option<SessionInfo>, again: &'static str, label: &'static str) -> AnyView {
    status(404);
    let lead = "It was already used, or it has expired. Request a new one.";
    view! {
        <PageTitle text="This link is no longer valid" />
        <Gate title="This link is no longer valid" lead=lead.to_owned() foot=known.map(instance_footer)>
            <div class="actions">
                <a class="button button--primary" href=again rel="external">
                    {label}
                </a>
            </div>
        </Gate>
    }
    .into_any()
}
