//! Submit buttons of forms, and controls that show only an icon.

use super::icon::Icon;
use leptos::prelude::*;

/// Class of a control that shows only an icon. The style sheet shows its accessible name, `aria-label`, as a tooltip on
/// hover and on focus.
pub const ICON_BUTTON: &str = "button button--quiet button--icon";

/// A button that shows only an icon and opens a popover.
#[component]
pub fn IconButton(
    icon: Icon,
    /// Accessible name and tooltip: "Actions for key Starter Integration".
    #[prop(into)]
    name: String,
    /// Id of the popover.
    #[prop(into)]
    opens: String,
    #[prop(optional, into)] id: Option<String>,
) -> impl IntoView {
    view! {
        <button class=ICON_BUTTON type="button" id=id popovertarget=opens aria-label=name>
            {icon.view()}
        </button>
    }
    .into_any()
}

/// A link that shows only an icon.
#[component]
pub fn IconLink(
    icon: Icon,
    /// Accessible name and tooltip: "Delete key Starter Integration".
    #[prop(into)]
    name: String,
    #[prop(into)] to: String,
    /// Whether the link replaces the history entry instead of adding one.
    #[prop(optional)]
    replaces: bool,
) -> impl IntoView {
    view! {
        <a class=ICON_BUTTON href=to data-replace=replaces.then_some("") aria-label=name>
            {icon.view()}
        </a>
    }
    .into_any()
}

/// Submits its form. While the request is pending, it shows the progress label and ignores clicks
/// (`navigation::forms`).
#[component]
pub fn Submit(
    /// Label: "Delete key".
    label: &'static str,
    /// Progress label: "Deleting…".
    working: &'static str,
    #[prop(default = "button button--primary")] class: &'static str,
    /// Accessible name, if the label alone is ambiguous: "Activate key Starter Integration".
    #[prop(optional, into)]
    name: Option<String>,
) -> impl IntoView {
    view! {
        <button class=class aria-label=name>
            <span class="button__swap">
                <span>{label}</span>
                <span>{working}</span>
            </span>
        </button>
    }
    .into_any()
}
