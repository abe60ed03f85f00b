//! Status badge: icon and label, so that the status is never shown by color only.

use super::icon::Icon;
use keyward_domain::key::Status;
use leptos::prelude::*;

#[component]
pub fn Badge(status: Status) -> impl IntoView {
    let icon = match status {
        Status::Active => Icon::Active,
        Status::Inactive => Icon::Inactive,
        Status::Scheduled => Icon::Scheduled,
        Status::Expired => Icon::Expired,
        Status::Deleted => Icon::Trash,
    };
    view! {
        <span class="badge" data-status=status.as_str()>
            {icon.view()}
            {status.label()}
        </span>
    }
    .into_any()
}
