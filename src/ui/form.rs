//! Forms that work by themselves, and without a reload where there is JavaScript.

use super::browser;
use crate::error::{AppError, ErrorKind, Refusal};
use leptos::{
    context::Provider,
    form::FromFormData,
    html,
    prelude::*,
    server_fn::{ServerFn, client::Client},
    web_sys::SubmitEvent,
};
use serde::de::DeserializeOwned;

/// What the parts of a form need to know of it.
#[derive(Clone, Copy)]
pub struct FormState {
    /// Why it was refused.
    pub error: Signal<Option<AppError>>,
    /// It has been sent, and no answer has come.
    pub pending: Signal<bool>,
    refusal: StoredValue<Option<Refusal>>,
}

impl FormState {
    /// The state of the form that this component stands in.
    pub fn here() -> Self {
        expect_context()
    }

    /// What is wrong with this field.
    pub fn wrong(self, name: &'static str) -> Signal<Option<String>> {
        Signal::derive(move || self.error.with(|error| error.as_ref()?.field(name).map(str::to_owned)))
    }

    /// Everything that was typed under this name before the form was refused; `None` if it was not.
    pub fn typed_all(self, name: &str) -> Option<Vec<String>> {
        self.refusal.with_value(|it| Some(it.as_ref()?.values.get(name).cloned().unwrap_or_default()))
    }

    /// What was typed under this name before the form was refused.
    pub fn typed(self, name: &str) -> Option<String> {
        self.typed_all(name).map(|all| all.into_iter().next().unwrap_or_default())
    }

    /// The page was drawn with what was typed before.
    pub fn refused(self) -> bool {
        self.refusal.with_value(Option::is_some)
    }

    /// Whether this field has the focus when the page opens: the first wrong one, else the one that the form names.
    pub fn starts_at(self, name: &str, unless_refused: bool) -> bool {
        self.refusal.with_value(|it| match it {
            Some(it) if !it.error.fields.is_empty() => it.error.fields[0].field == name,
            _ => unless_refused,
        })
    }
}

/// A form that posts to `to`, its own page. With JavaScript the action takes it, and the page stays.
#[component]
pub fn Form<S>(
    action: ServerAction<S>,
    /// The path of the page, with a query if it matters where the form was.
    #[prop(into)]
    to: String,
    #[prop(optional)] class: &'static str,
    children: Children,
) -> impl IntoView
where
    S: ServerFn<Error = AppError> + DeserializeOwned + Clone + Send + Sync + 'static,
    S::Output: Send + Sync + 'static,
    S::Client: Client<AppError>,
{
    let (value, version) = (action.value(), action.version());
    let error = move || value.with(|value| value.as_ref()?.as_ref().err().cloned());
    let submit = move |event: SubmitEvent| match S::from_event(&event) {
        Ok(input) => {
            action.dispatch(input);
        }
        Err(_) => {
            let sentence = "This form could not be read. Load the page again and retry.";
            value.set(Some(Err(AppError::new(ErrorKind::Invalid, sentence))));
            version.update(|n| *n += 1);
        }
    };
    let inner = Inner {
        to,
        class,
        error: Signal::derive(error),
        version: Signal::derive(move || version.get()),
        pending: action.pending().into(),
        submit: Box::new(submit),
    };
    inner.draw(children)
}

/// The form without its type, so that the browser gets this code once and not once a form.
struct Inner {
    to: String,
    class: &'static str,
    error: Signal<Option<AppError>>,
    version: Signal<usize>,
    pending: Signal<bool>,
    submit: Box<dyn Fn(SubmitEvent)>,
}

impl Inner {
    fn draw(self, children: Children) -> AnyView {
        let Self { to, class, error, version, pending, submit } = self;
        let path = to.split('?').next().unwrap_or_default();
        // Only the server gives this, to a page that will not be hydrated.
        let refusal = use_context::<Refusal>().filter(|it| it.path == path);
        let first = refusal.as_ref().map(|it| it.error.clone());
        let error =
            Signal::derive(move || if version.get() == 0 && !pending.get() { first.clone() } else { error.get() });
        let state = FormState { error, pending, refusal: StoredValue::new(refusal) };
        // Several forms may share an action, one a row: only the one that was sent moves the focus.
        let sent = StoredValue::new(false);

        let node = NodeRef::<html::Form>::new();
        Effect::new(move |_| {
            if version.get() == 0 || !sent.get_value() {
                return;
            }
            sent.set_value(false);
            let Some(form) = node.get_untracked() else { return };
            if error.with_untracked(Option::is_some) {
                browser::focus_first_invalid(&form);
            } else {
                // It is done: nothing that was typed stays behind.
                form.reset();
            }
        });
        let take = move |event: SubmitEvent| {
            event.prevent_default();
            if !pending.get_untracked() {
                sent.set_value(true);
                submit(event);
            }
        };
        view! {
            <form
                method="post"
                action=to
                class=(!class.is_empty()).then_some(class)
                aria-busy=move || pending.get().then_some("true")
                node_ref=node
                on:submit=take
            >
                <Provider value=state>{children()}</Provider>
            </form>
        }
        .into_any()
    }
}
