//! `/admin/users/invite`: invites a user by email address. Without an email service it shows the link to pass on.

use super::list::LIST;
use crate::{
    domain::{people::InvitedUser, registration::INVITATION_LIFETIME, time::format_duration},
    features::{keys::InBrowserNavigation, session::PageTitle},
    islands::CopyButton,
    ui::{
        button::Submit,
        dialog::{Away, Dialog, DialogHead},
        field::Field,
        form::Form,
        notice::Refused,
    },
};
use leptos::prelude::*;

#[component]
pub fn InvitePage() -> impl IntoView {
    // Set in the response to the form submission. No page that can be fetched contains the link.
    if let Some(InvitedUser { email, link: Some(link) }) = use_context::<InvitedUser>() {
        return link_dialog(email, link);
    }
    view! {
        <PageTitle text="Invite user" />
        <Dialog class="dialog--small" opener="create" leave=LIST>
            <Form to="/admin/users/invite">{form()}</Form>
        </Dialog>
    }
    .into_any()
}

fn form() -> AnyView {
    view! {
        <DialogHead title="Invite user" close=LIST />
        <div class="dialog__body">
            <div class="fields">
                <Refused />
                <Field
                    name="email"
                    label="Email"
                    kind="email"
                    hint=format!(
                        "The invitation link lets the recipient create an account. It can be used once and expires after {}.",
                        format_duration(INVITATION_LIFETIME)
                    )
                    required=true
                    autofocus=true
                />
            </div>
        </div>
        <footer class="dialog__foot">
            <Away to=LIST label="Cancel" />
            <Submit label="Invite user" working="Inviting…" />
        </footer>
    }
    .into_any()
}

fn link_dialog(email: String, link: String) -> AnyView {
    let copy = use_context::<InBrowserNavigation>().map(|_| {
        view! { <CopyButton from="#invitation".to_owned() label="Copy link".to_owned() main=true /> }
    });
    view! {
        <PageTitle text="Invitation link" />
        <Dialog class="dialog--small" described=true opener="create" leave=LIST>
            <DialogHead title=format!("Send this link to {email}") />
            <div class="dialog__body">
                <div class="stack stack--close">
                    <p id="dialog-lead">
                        {format!(
                            "Keyward did not send an email. Copy this link now and send it yourself. It cannot be shown again, can be \
                             used once, and expires after {}.",
                            format_duration(INVITATION_LIFETIME)
                        )}
                    </p>
                    <p class="code">
                        <code id="invitation">{link}</code>
                    </p>
                </div>
            </div>
            <footer class="dialog__foot">
                {copy} <Away to=LIST label="Done" class="button" />
            </footer>
        </Dialog>
    }
    .into_any()
}
