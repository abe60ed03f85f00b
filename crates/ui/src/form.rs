//! Forms that work by themselves. Where there is JavaScript `live::forms` sends them, and only what changed is drawn anew.

use super::proof::ProofField;
use crate::error::{AppError, ErrorKind, Refusal};
use keyward_domain::security::Proof;
use leptos::{context::Provider, prelude::*};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// The field of a form that names the person to whom it is drawn.
pub const DRAFT: &str = "draft";

/// Given as context on the pages of a person who is signed in: what their forms say of them. If the session has ended when a form
/// is sent, what was typed is kept for that person.
#[derive(Clone, Debug)]
pub struct DraftMark(pub String);

/// What the parts of a form need to know of it: whether it was refused, why, and what had been typed.
#[derive(Clone, Default)]
pub struct FormState {
    refusal: Option<Arc<Refusal>>,
    /// Some part of the form has the field for a proof already.
    asks: Arc<AtomicBool>,
}

impl FormState {
    /// The state of the form that this component stands in.
    pub fn here() -> Self {
        use_context().unwrap_or_default()
    }

    /// Why it was refused.
    pub fn error(&self) -> Option<&AppError> {
        self.refusal.as_ref().map(|it| &it.error)
    }

    /// What is wrong with this field.
    pub fn wrong(&self, name: &str) -> Option<String> {
        self.error()?.field(name).map(str::to_owned)
    }

    /// Everything that was typed under this name before the form was refused; `None` if it was not.
    pub fn typed_all(&self, name: &str) -> Option<Vec<String>> {
        Some(self.refusal.as_ref()?.values.get(name).cloned().unwrap_or_default())
    }

    /// What was typed under this name before the form was refused.
    pub fn typed(&self, name: &str) -> Option<String> {
        self.typed_all(name).map(|all| all.into_iter().next().unwrap_or_default())
    }

    /// The value of a hidden field that names the state from which an edit starts. It stays the one of the form as it was filled in, so
    /// that saving detects a later change. After a response with 409 it is `current`: the user was told of the change, and saving
    /// again saves.
    pub fn base(&self, name: &str, current: String) -> String {
        let refusal = self.refusal.as_ref().filter(|it| it.is_draft || it.error.kind != ErrorKind::Conflict);
        refusal.and_then(|it| it.values.get(name)?.first().cloned()).unwrap_or(current)
    }

    /// The page was drawn with what was typed before.
    pub fn refused(&self) -> bool {
        self.refusal.is_some()
    }

    /// How a proof of who they are is to be asked for, if the form was refused for want of one and nothing asks for it yet.
    pub fn ask_for_proof(&self) -> Option<Proof> {
        let wanted = self.error().is_some_and(|it| it.kind == ErrorKind::StepUp || it.field("proof").is_some());
        (wanted && !self.asks.swap(true, Ordering::Relaxed)).then(|| use_context().unwrap_or_default())
    }

    /// This part of the form asks for a proof, whatever became of the form.
    pub fn asks_for_proof(&self) {
        self.asks.store(true, Ordering::Relaxed);
    }

    /// Whether this field has the focus when the page opens: the first wrong one, else the one that the form names.
    pub fn starts_at(&self, name: &str, unless_refused: bool) -> bool {
        match self.error() {
            Some(error) if !error.fields.is_empty() => error.fields[0].field == name,
            _ => unless_refused,
        }
    }
}

/// A form that posts to `to`, its own page.
#[component]
pub fn Form(
    /// The path of the page, with a query if it matters where the form was.
    #[prop(into)]
    to: String,
    #[prop(optional)] class: Option<&'static str>,
    /// The browser sends it itself, and nothing of this page outlives it: signing in and out.
    #[prop(optional)]
    plain: bool,
    children: Children,
) -> impl IntoView {
    let path = to.split('?').next().unwrap_or_default();
    let refusal = use_context::<Refusal>().filter(|it| it.path == path).map(Arc::new);
    let state = FormState { refusal, asks: Arc::default() };
    let inside = view! { <Provider value=state.clone()>{children()}</Provider> }.into_any();
    // What was typed stays, and goes through with the proof. Forms that say why they were refused ask for it there.
    let proof = state.ask_for_proof().map(|proof| {
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
