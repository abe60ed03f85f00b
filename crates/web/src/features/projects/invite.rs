//! Invitations: the form, the one page that shows the link, and the dialog that revokes an invitation.

use super::{
    dialog::{DialogSpec, current_project, error_dialog, form_dialog, path_segment, project_path},
    list::role_label as role_word,
    members::role_field,
};
use crate::{
    domain::{
        project::{Invited, Role},
        registration::INVITATION_LIFETIME,
        time::format_duration,
    },
    features::{keys::InBrowserNavigation, session::PageTitle},
    islands::CopyButton,
    ui::{
        dialog::{Away, Dialog, DialogHead},
        field::Field,
        notice::{Notice, Tone},
        time::Exactly,
    },
};
use leptos::prelude::*;

const OWNERS: &str = "Only a project owner can do this.";

#[component]
pub fn InvitePage() -> impl IntoView {
    let project = current_project();
    // Set in the response to the form submission: the page shows the link once.
    if let Some(invited) = use_context::<Invited>() {
        return link_dialog(project_path(&project), invited);
    }
    if !project.may_manage_members {
        return error_dialog(&project, 403, OWNERS);
    }
    let words = DialogSpec {
        path: "invite".into(),
        title: "Invite member".into(),
        lead: format!(
            "The invitation link can be used once and expires after {}. Anyone with the link can join.",
            format_duration(INVITATION_LIFETIME)
        ),
        button: ("Invite member", "Inviting…"),
        danger: false,
        opener: "invite",
        focus_cancel: false,
    };
    form_dialog(&project, words, || {
        view! {
            {role_field(Role::Operator)}
            <Field
                name="email"
                label="Email"
                kind="email"
                hint="If email is configured, the link is sent to this address. Otherwise, you copy the link and send it yourself."
                optional=true
            />
        }
        .into_any()
    })
}

fn link_dialog(back: String, invited: Invited) -> AnyView {
    let live = use_context::<InBrowserNavigation>().is_some();
    // Exposed for display: this is the only page that shows the link.
    let link = invited.link.map(|link| link.expose().to_owned()).unwrap_or_default();
    let failed = invited.mail_failed.then(|| {
        view! { <Notice tone=Tone::Danger>"The email could not be sent. Copy the link and send it yourself."</Notice> }
    });
    let copy =
        live.then(|| view! { <CopyButton from=".secret__value".to_owned() label="Copy".to_owned() main=true /> });
    view! {
        <PageTitle text="Copy invitation link" />
        <Dialog id="reveal" described=true opener="invite" leave=back.clone()>
            <DialogHead id="reveal" title="Copy the invitation link now" lead="It cannot be shown again and can be used once." />
            <div class="dialog__body">
                <div class="stack stack--close">
                    {failed}
                    <div class="secret">
                        <div class="secret__bar">
                            <span class="muted">"Invitation"</span>
                            <div class="actions">{copy}</div>
                        </div>
                        <code class="secret__value">{link}</code>
                    </div>
                    <dl class="facts">
                        <dt>"Role"</dt>
                        <dd>{role_word(invited.role)}</dd>
                        <dt>"Recipient"</dt>
                        <dd>{invited.email.unwrap_or_else(|| "Anyone with the link".to_owned())}</dd>
                        <dt>"Expires"</dt>
                        <dd>
                            <Exactly at=invited.ends />
                        </dd>
                    </dl>
                </div>
            </div>
            <footer class="dialog__foot">
                <Away to=back label="Done" />
            </footer>
        </Dialog>
    }
    .into_any()
}

#[component]
pub fn WithdrawPage() -> impl IntoView {
    let (project, invitation) = (current_project(), path_segment(4));
    if !project.may_manage_members {
        return error_dialog(&project, 403, OWNERS);
    }
    let words = DialogSpec {
        path: format!("invitations/{invitation}/withdraw"),
        title: "Revoke this invitation?".into(),
        lead: "The invitation link stops working immediately.".into(),
        button: ("Revoke invitation", "Revoking…"),
        danger: true,
        opener: "members",
        focus_cancel: true,
    };
    form_dialog(&project, words, move || {
        view! { <input type="hidden" name="invitation" value=invitation /> }.into_any()
    })
}
