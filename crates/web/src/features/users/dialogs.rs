//! Dialogs about one user: disable, enable, grant and revoke the administrator role.

use super::page::{load_user, user_path};
use crate::{
    domain::{count::format_count, people::UserView},
    features::session::PageTitle,
    ui::{
        button::Submit,
        dialog::{Away, Dialog, DialogHead},
        field::Field,
        form::{Form, FormState},
        notice::{Notice, Refused, Tone},
    },
};
use leptos::prelude::*;

#[component]
pub fn DisablePage() -> impl IntoView {
    page(UserDialog::Disable)
}

#[component]
pub fn EnablePage() -> impl IntoView {
    page(UserDialog::Enable)
}

#[component]
pub fn MakeAdministratorPage() -> impl IntoView {
    page(UserDialog::Promote)
}

#[component]
pub fn UnmakeAdministratorPage() -> impl IntoView {
    page(UserDialog::Demote)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum UserDialog {
    Disable,
    Enable,
    Promote,
    Demote,
}

impl UserDialog {
    /// The last segment of the path.
    const fn path(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Promote => "make-administrator",
            Self::Demote => "unmake-administrator",
        }
    }

    const fn button(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Disable => ("Disable user", "Disabling…", "button button--danger"),
            Self::Enable => ("Enable user", "Enabling…", "button button--primary"),
            Self::Promote => ("Add administrator role", "Adding…", "button button--primary"),
            Self::Demote => ("Remove administrator role", "Removing…", "button button--danger"),
        }
    }

    fn title(self, name: &str) -> String {
        match self {
            Self::Disable => format!("Disable {name}?"),
            Self::Enable => format!("Enable {name}?"),
            Self::Promote => format!("Add the administrator role to {name}?"),
            Self::Demote => format!("Remove the administrator role from {name}?"),
        }
    }

    /// The consequences of the action.
    const fn consequences(self) -> &'static str {
        match self {
            Self::Disable => {
                "This user is signed out everywhere and cannot sign in. The grants and project invitations that they created are \
                 revoked. Projects and memberships stay. You can enable the user again."
            }
            Self::Enable => {
                "This user can sign in again, with the same role and projects. Keys that were deactivated with the user stay \
                 deactivated."
            }
            Self::Promote => {
                "Administrators see all keys and users. They can deactivate or delete any key, disable or delete any user, and \
                 change the policy."
            }
            Self::Demote => "From the next request on, this user sees only the projects that they are a member of.",
        }
    }
}

fn page(verb: UserDialog) -> AnyView {
    load_user(move |view| {
        let back = user_path(view.user.id);
        let to = format!("{back}/{}", verb.path());
        let title = verb.title(&view.user.name);
        let heading = title.clone();
        view! {
            <PageTitle text=title />
            <Dialog class="dialog--small" described=true opener=format!("do-{}", verb.path()) leave=back.clone()>
                <Form to>{inside(verb, back, heading, view)}</Form>
            </Dialog>
        }
        .into_any()
    })
}

fn inside(verb: UserDialog, back: String, title: String, view: UserView) -> AnyView {
    let (label, working, class) = verb.button();
    let id = view.user.id.to_string();
    let asks = verb == UserDialog::Disable;
    let last = (view.last_administrator && matches!(verb, UserDialog::Disable | UserDialog::Demote)).then(|| {
        view! { <Notice tone=Tone::Warning>"No other administrator can sign in. Add the administrator role to another user first."</Notice> }
    });
    let yourself = (view.user.is_you && matches!(verb, UserDialog::Disable | UserDialog::Demote))
        .then(|| view! { <Notice tone=Tone::Warning>"This is your own account."</Notice> });
    view! {
        <DialogHead title close=back.clone() />
        <div class="dialog__body">
            <div class="stack stack--close">
                <Refused />
                <p id="dialog-lead">{verb.consequences()}</p>
                {last}
                {yourself}
                {asks.then(|| disable_fields(view.live_keys))}
            </div>
            <input type="hidden" name="id" value=id />
        </div>
        <footer class="dialog__foot">
            <Away to=back label="Cancel" autofocus=!asks /> <Submit label working class />
        </footer>
    }
    .into_any()
}

/// The additional fields of the disable dialog.
fn disable_fields(keys: u64) -> AnyView {
    let stop = (keys > 0).then(|| {
        let checked = FormState::from_context().submitted_values("keys").is_some_and(|typed| !typed.is_empty());
        let label = if keys == 1 {
            "Also deactivate the key that this user created".to_owned()
        } else {
            format!("Also deactivate the {} keys that this user created", format_count(keys))
        };
        view! {
            <label class="check">
                <input type="checkbox" name="keys" value="on" checked=checked />
                {label}
            </label>
        }
    });
    view! {
        {reason_field("Recorded in the audit log and shown beside each deactivated key.")}
        {stop}
    }
    .into_any()
}

/// The field for the reason.
pub fn reason_field(hint: &'static str) -> AnyView {
    view! { <Field name="reason" label="Reason" hint required=true autofocus=true /> }.into_any()
}
