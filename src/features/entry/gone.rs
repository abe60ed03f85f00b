//! Error page for an invalid one-time link.

use crate::{
    features::session::{Known, PageTitle, foot},
    response_status::status,
    ui::gate::Gate,
};
use leptos::prelude::*;

/// The same page for a link that was used, has expired, or never existed.
pub fn gone(known: Option<Known>, again: &'static str, label: &'static str) -> AnyView {
    status(404);
    let lead = "It was used already, or it is too old. Ask for a new one.";
    view! {
        <PageTitle text="This link opens nothing" />
        <Gate title="This link opens nothing any more" lead=lead.to_owned() foot=known.map(foot)>
            <div class="actions">
                <a class="button button--primary" href=again rel="external">
                    {label}
                </a>
            </div>
        </Gate>
    }
    .into_any()
}
