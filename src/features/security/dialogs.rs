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
        <PageTitle text="Turn off the second factor" />
        <Dialog class="dialog--small" described=true opener="turn-off" leave=PAGE>
            <Form to=OFF>
                <DialogHead title="Turn off the second factor?" close=PAGE />
                <div class="dialog__body">
                    <div class="fields">
                        <Refused />
                        <p id="dialog-lead">
                            "Your password alone then signs you in, and your recovery codes are worth nothing. If the policy asks a second factor of you, you set up another at once."
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
                    <Away to=PAGE label="I have saved them" class="button button--primary" autofocus=true />
                </footer>
            </Dialog>
        }
        .into_any();
    }
    view! {
        <PageTitle text="New recovery codes" />
        <Dialog class="dialog--small" described=true opener="new-codes" leave=PAGE>
            <Form to=CODES>
                <DialogHead title="Make new recovery codes?" close=PAGE />
                <div class="dialog__body">
                    <div class="fields">
                        <Refused />
                        <p id="dialog-lead">"The codes that you have now are worth nothing afterwards."</p>
                    </div>
                </div>
                <footer class="dialog__foot">
                    <Away to=PAGE label="Cancel" autofocus=true />
                    <Submit label="Make new codes" working="Making…" />
                </footer>
            </Form>
        </Dialog>
    }
    .into_any()
}
