//! Invitations: the form, the one page that shows the link, and the dialog that withdraws an invitation.

use super::{
    dialog::{DialogSpec, current_project, error_dialog, form_dialog, path_segment, project_path},
    list::role_label as role_word,
    members::role_field,
};
use crate::{
    domain::project::{Invited, Role},
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

const OWNERS: &str = "Only an owner of this project may do this.";

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
        title: "Invite to this project".into(),
        lead: "The link works once, for 7 days. Whoever opens it can join.".into(),
        button: ("Invite", "Inviting…"),
        danger: false,
        opener: "invite",
        focus_cancel: false,
    };
    form_dialog(&project, words, || {
        view! {
            {role_field(Role::Operator)}
            <Field
                name="email"
                label="E-mail"
                kind="email"
                hint="If this Keyward sends mail, the link is mailed there; otherwise you copy it."
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
        view! { <Notice tone=Tone::Danger>"The letter could not be sent. Hand the link over yourself."</Notice> }
    });
    let copy =
        live.then(|| view! { <CopyButton from=".secret__value".to_owned() label="Copy".to_owned() main=true /> });
    view! {
        <PageTitle text="Copy this link" />
        <Dialog id="reveal" described=true opener="invite" leave=back.clone()>
            <DialogHead id="reveal" title="Copy this link now" lead="It cannot be shown again. Give it to one person." />
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
                        <dt>"For"</dt>
                        <dd>{invited.email.unwrap_or_else(|| "Whoever has the link".to_owned())}</dd>
                        <dt>"Ends"</dt>
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
        title: "Withdraw this invitation?".into(),
        lead: "Its link stops working at once.".into(),
        button: ("Withdraw invitation", "Withdrawing…"),
        danger: true,
        opener: "members",
        focus_cancel: true,
    };
    form_dialog(&project, words, move || {
        view! { <input type="hidden" name="invitation" value=invitation /> }.into_any()
    })
}
