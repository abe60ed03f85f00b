//! What a running integration would notice of an edit, said before it is saved.

use crate::ui::{
    browser,
    notice::{Notice, Tone},
};
use leptos::{html, prelude::*};

/// Watches the form that it stands in.
#[island]
pub fn EditEffects(
    /// The scopes that the key has.
    had: Vec<String>,
    /// It is in use: somebody would notice.
    used: bool,
) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    let said = RwSignal::new(Vec::<String>::new());
    Effect::new(move |_| {
        let Some(here) = node.get() else { return };
        let Ok(Some(form)) = here.closest("form") else { return };
        let had = had.clone();
        let watched = form.clone();
        let look = move || {
            let kept = browser::checked(&watched, "scopes[]");
            let gone: Vec<String> = had.iter().filter(|scope| !kept.contains(scope)).cloned().collect();
            let ends = browser::value_of(&watched, "[name=expires]");
            said.set(sentences(&gone, &ends));
        };
        look();
        browser::hear(&form, "change", move |_| look());
    });
    let words = move || {
        let all = said.get();
        (!all.is_empty()).then(|| {
            let who = if used { "A running integration will notice." } else { "Nobody has used this key yet." };
            view! {
                <Notice tone=Tone::Warning>
                    <strong>{who}</strong>
                    " "
                    {all.join(" ")}
                </Notice>
            }
        })
    };
    view! {
        <div role="status" node_ref=node>
            {words}
        </div>
    }
}

fn sentences(gone: &[String], ends: &str) -> Vec<String> {
    let mut said = Vec::new();
    if !gone.is_empty() {
        said.push(format!("Calls that need {} are refused from the next request on.", gone.join(" or ")));
    }
    if ends != "keep" && !ends.is_empty() {
        said.push("Its new end counts for access tokens made from it too.".to_owned());
    }
    said
}
