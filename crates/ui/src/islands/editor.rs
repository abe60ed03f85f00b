//! JSON text area with inline syntax errors.

use crate::{browser, field::error_message};
use leptos::{html, prelude::*};

/// The server renders the text area as the island's child: a config is large and must not be in the page twice.
#[island]
pub fn ConfigEditor(
    /// Version of the text. A page with another version replaces the island. With the same version, the edited text
    /// remains (`navigation::morph`).
    version: String,
    /// Error of the last submission.
    refused: Option<String>,
    children: Children,
) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    let fault = RwSignal::new(refused);
    let area = move || node.get_untracked().and_then(|field| browser::text_area(&field));
    Effect::new(move |_| {
        // Checks text that was entered before hydration. A server error remains until the text changes.
        if node.get().is_some()
            && fault.with_untracked(Option::is_none)
            && let Some(area) = area()
        {
            fault.set(syntax_error(&area.value()));
        }
    });
    Effect::new(move |_| {
        let is_wrong = fault.with(Option::is_some);
        if let Some(area) = area() {
            let _ = match is_wrong {
                true => area.set_attribute("aria-invalid", "true"),
                false => area.remove_attribute("aria-invalid"),
            };
        }
    });
    let typed = move |_| {
        if let Some(area) = area() {
            fault.set(syntax_error(&area.value()));
        }
    };
    let go = move |_| {
        if let (Some(area), Some(place)) = (area(), fault.get_untracked().as_deref().and_then(parse_position)) {
            browser::put_cursor(&area, place);
        }
    };
    view! {
        <div class="field" data-version=version node_ref=node on:input=typed>
            <label for="config">"Config"</label>
            {children()}
            <div id="config-state" role="status" class="editor__state">
                {move || match fault.get() {
                    Some(message) => {
                        let found = parse_position(&message).is_some();
                        let jump = found.then(|| view! { <button type="button" class="button button--quiet" on:click=go>"Go to error"</button> });
                        view! { {error_message("config", message)} {jump} }.into_any()
                    }
                    None => view! { <p class="hint">"Valid JSON"</p> }.into_any(),
                }}
            </div>
        </div>
    }
}

/// Returns the syntax error of the text with line and column. The server uses the same message.
fn syntax_error(text: &str) -> Option<String> {
    keyward_domain::json::parse(text).err()
}

/// Parses the line and column of an error message: "Line 3, column 14: …".
fn parse_position(message: &str) -> Option<(usize, usize)> {
    let (line, rest) = message.strip_prefix("Line ")?.split_once(", column ")?;
    Some((line.parse().ok()?, rest.split(':').next()?.parse().ok()?))
}
