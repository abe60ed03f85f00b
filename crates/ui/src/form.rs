//! Forms that work with and without JavaScript. A form posts to the path of its page; with JavaScript,
//! `navigation::forms` submits it and updates only the changed parts of the page.

use super::reauth_field::ProofField;
use crate::error::{AppError, ErrorKind, RejectedForm};
use keyward_domain::security::ReauthenticationMethod;
use leptos::{context::Provider, prelude::*};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Name of the hidden field that identifies the user for whom the form was rendered.
pub const DRAFT: &str = "draft";

/// Value of the [`DRAFT`] field, provided as context on pages with a session.
///
/// If the session has ended when a form is submitted, the server saves the submitted values for that user.
#[derive(Clone, Debug)]
pub struct DraftMark(pub String);

/// State of a form for its fields: whether it was denied, why, and the submitted values.
#[derive(Clone, Default)]
pub struct FormState {
    rejected: Option<Arc<RejectedForm>>,
    /// Whether a part of the form already has a reauthentication field.
    has_reauth_field: Arc<AtomicBool>,
}

impl FormState {
    /// Returns the state of the enclosing form.
    pub fn from_context() -> Self {
        use_context().unwrap_or_default()
    }

    /// The error of the last submission.
    pub fn error(&self) -> Option<&AppError> {
        self.rejected.as_ref().map(|it| &it.error)
    }

    /// Returns the error message of a field.
    pub fn field_error(&self, name: &str) -> Option<String> {
        self.error()?.field(name).map(str::to_owned)
    }

    /// Returns all submitted values of a field. `None` if the form was not denied.
    pub fn submitted_values(&self, name: &str) -> Option<Vec<String>> {
        Some(self.rejected.as_ref()?.values.get(name).cloned().unwrap_or_default())
    }

    /// Returns the first submitted value of a field.
    pub fn submitted_value(&self, name: &str) -> Option<String> {
        self.submitted_values(name).map(|all| all.into_iter().next().unwrap_or_default())
    }

    /// Value of a hidden field that contains the version from which an edit starts.
    ///
    /// It stays the version at which the user filled in the form, so that saving detects a later change. After a
    /// response with 409 it is `current`: the user was informed of the change, and saving again overwrites it.
    pub fn base_version(&self, name: &str, current: String) -> String {
        let refusal = self.rejected.as_ref().filter(|it| it.is_draft || it.error.kind != ErrorKind::Conflict);
        refusal.and_then(|it| it.values.get(name)?.first().cloned()).unwrap_or(current)
    }

    /// Whether the form was rendered with previously submitted values.
    pub fn is_rejected(&self) -> bool {
        self.rejected.is_some()
    }

    /// Returns the reauthentication method, if the form was denied for lack of it and no other part has the field. At
    /// most one caller gets it.
    pub fn take_reauth_field(&self) -> Option<ReauthenticationMethod> {
        let wanted = self.error().is_some_and(|it| it.kind == ErrorKind::StepUp || it.field("proof").is_some());
        (wanted && !self.has_reauth_field.swap(true, Ordering::Relaxed)).then(|| use_context().unwrap_or_default())
    }

    /// Registers that a part of the form always has a reauthentication field.
    pub fn set_has_reauth_field(&self) {
        self.has_reauth_field.store(true, Ordering::Relaxed);
    }

    /// Whether this field has the initial focus: the first invalid field or, without field errors, the default of the
    /// form.
    pub fn has_initial_focus(&self, name: &str, unless_refused: bool) -> bool {
        match self.error() {
            Some(error) if !error.fields.is_empty() => error.fields[0].field == name,
            _ => unless_refused,
        }
    }
}

/// A form that posts to `to`, the path of its own page.
#[component]
pub fn Form(
    /// Path of the page. It includes the query if the response depends on it.
    #[prop(into)]
    to: String,
    #[prop(optional)] class: Option<&'static str>,
    /// Whether the browser submits the form itself and loads a new document. Used for signing in and out, so that no
    /// state of this page remains.
    #[prop(optional)]
    plain: bool,
    children: Children,
) -> impl IntoView {
    let path = to.split('?').next().unwrap_or_default();
    let refusal = use_context::<RejectedForm>().filter(|it| it.path == path).map(Arc::new);
    let state = FormState { rejected: refusal, has_reauth_field: Arc::default() };
    let inside = view! { <Provider value=state.clone()>{children()}</Provider> }.into_any();
    // The submitted values remain and are sent again with the reauthentication. Forms with a [`super::notice::Refused`]
    // render the field there.
    let proof = state.take_reauth_field().map(|proof| {
        view! {
            <Provider value=state>
                <div class="form-proof">
                    <ProofField proof />
                </div>
            </Provider>
        }
    });
    let mark = use_context::<DraftMark>().filter(|_| !plain);
    view! {
        <form method="post" action=to class=class data-plain=plain.then_some("")>
            {mark.map(|mark| view! { <input type="hidden" name=DRAFT value=mark.0 /> })}
            {proof}
            {inside}
        </form>
    }
    .into_any()
}
