//! Dialogs over the security page: turn the second factor off, create new recovery codes.

use super::{
    codes::recovery_codes,
    page::{CODES, OFF, PAGE},
};
use crate::{
    domain::security::RecoveryCodes,
    features::session::PageTitle,
    ui::{
        button::Submit,
        dialog::{Away, Dialog, DialogHead},
        form::Form,
        notice::Refused,
    },
};
use leptos::prelude::*;

#[component]
pub fn TurnOffPage() -> impl IntoView {
    view! {
        <PageTitle text="Turn off two-factor authentication" />
        <Dialog class="dialog--small" described=true opener="turn-off" leave=PAGE>
            <Form to=OFF>
                <DialogHead title="Turn off two-factor authentication?" close=PAGE />
                <div class="dialog__body">
                    <div class="fields">
                        <Refused />
                        <p id="dialog-lead">
                            "You will sign in with your password only, and your recovery codes will stop working. If the policy requires two-factor authentication, you must set it up again immediately."
                        </p>
                    </div>
                </div>
                <footer class="dialog__foot">
                    <Away to=PAGE label="Cancel" autofocus=true />
                    <Submit label="Turn off" working="Turning off…" class="button button--danger" />
                </footer>
            </Form>
        </Dialog>
    }
    .into_any()
}

#[component]
pub fn NewCodesPage() -> impl IntoView {
    // Set in the response to the form submission: the page shows the codes.
    if let Some(codes) = use_context::<RecoveryCodes>() {
        return view! {
            <PageTitle text="Save your recovery codes" />
            <Dialog class="dialog--small" opener="new-codes" leave=PAGE>
                <DialogHead title="Save your recovery codes" />
                <div class="dialog__body">
                    <div class="stack stack--close">{recovery_codes(codes)}</div>
                </div>
                <footer class="dialog__foot">
                    <Away to=PAGE label="I have saved my recovery codes" class="button button--primary" autofocus=true />
                </footer>
            </Dialog>
        }
        .into_any();
    }
    view! {
        <PageTitle text="Create new recovery codes" />
        <Dialog class="dialog--small" described=true opener="new-codes" leave=PAGE>
            <Form to=CODES>
                <DialogHead title="Create new recovery codes?" close=PAGE />
                <div class="dialog__body">
                    <div class="fields">
                        <Refused />
                        <p id="dialog-lead">"Your current codes will stop working."</p>
                    </div>
                </div>
                <footer class="dialog__foot">
                    <Away to=PAGE label="Cancel" autofocus=true />
                    <Submit label="Create new codes" working="Creating…" />
                </footer>
            </Form>
        </Dialog>
    }
    .into_any()
}
