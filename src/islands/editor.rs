//! A text field for JSON that says, while one types, where it is none.

use crate::ui::{browser, field::wrong};
use leptos::{html, prelude::*};

#[island]
pub fn ConfigEditor(
    /// What stands in it at first.
    text: String,
    /// Why the server refused it.
    refused: Option<String>,
    read_only: bool,
) -> impl IntoView {
    let node = NodeRef::<html::Textarea>::new();
    let fault = RwSignal::new(refused);
    Effect::new(move |_| {
        if let Some(area) = node.get() {
            // What was typed before the page was woken. An error of the server's stays until something is changed.
            let typed = area.value();
            if fault.with_untracked(Option::is_none) {
                fault.set(check(&typed));
            }
        }
    });
    let typed = move |_| {
        if let Some(area) = node.get_untracked() {
            fault.set(check(&area.value()));
        }
    };
    let go = move |_| {
        if let (Some(area), Some(place)) = (node.get_untracked(), fault.get_untracked().as_deref().and_then(place)) {
            browser::put_cursor(&area, place);
        }
    };
    view! {
        <div class="field">
            <label for="config">"Config"</label>
            <textarea
                class="input input--mono editor"
                id="config"
                name="config"
                rows="14"
                spellcheck="false"
                autocomplete="off"
                readonly=read_only
                aria-invalid=move || fault.with(Option::is_some).then_some("true")
                aria-describedby="config-state config-hint"
                prop:value=text.clone()
                node_ref=node
                on:input=typed
            >
                {text.clone()}
            </textarea>
            <div id="config-state" role="status" class="editor__state">
                {move || match fault.get() {
                    Some(message) => {
                        let found = place(&message).is_some();
                        let jump = found.then(|| view! { <button type="button" class="button button--quiet" on:click=go>"Go there"</button> });
                        view! { {wrong("config", message)} {jump} }.into_any()
                    }
                    None => view! { <p class="hint">"Valid JSON"</p> }.into_any(),
                }}
            </div>
        </div>
    }
}

/// What is wrong with the text, with line and column, in the words that the server would use.
fn check(text: &str) -> Option<String> {
    crate::domain::json::read(text).err()
}

/// Line and column of a message that names them: "Line 3, column 14: …".
fn place(message: &str) -> Option<(usize, usize)> {
    let (line, rest) = message.strip_prefix("Line ")?.split_once(", column ")?;
    Some((line.parse().ok()?, rest.split(':').next()?.parse().ok()?))
}
