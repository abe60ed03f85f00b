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
    let lead = "It was used already, or it is too old. Ask for a new one.";
    view! {
        <PageTitle text="This link opens nothing" />
        <Gate title="This link opens nothing any more" lead=lead.to_owned() foot=known.map(instance_footer)>
            <div class="actions">
                <a class="button button--primary" href=again rel="external">
                    {label}
                </a>
            </div>
        </Gate>
    }
    .into_any()
}
