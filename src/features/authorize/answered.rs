//! Where the person's answer goes: the browser is led there, or the window that opened ours is told.

use crate::{
    domain::consent::{Answered, Message},
    features::session::PageTitle,
    response_status::Go,
    ui::gate::Gate,
};
use leptos::{nonce::use_nonce, prelude::*};

/// Tells the opener, if it is of that origin, and closes the window.
const TELL: &str = "const{dataset:it}=document.getElementById('answer'),said={};\
    for(const name of['code','state','iss','error','error_description'])if(name in it)said[name]=it[name];\
    window.opener?.postMessage(said,it.origin);window.close()";

/// Draws nothing that asks anything.
pub fn answered(answer: Answered) -> AnyView {
    match answer {
        // Exposed to be followed: an error, or the one answer that carries the code.
        Answered::Leave(to) => view! { <Go to=to.expose().to_owned() /> }.into_any(),
        Answered::Post(message) => told(message),
    }
}

fn told(message: Message) -> AnyView {
    let Message { origin, code, error, error_description, state, iss } = message;
    let lead =
        if error.is_none() { "The page that asked goes on, if it is still open." } else { "Nothing was allowed." };
    // Exposed to be told: this is the one answer that may.
    let code = code.map(|code| code.expose().to_owned());
    view! {
        <PageTitle text="You can close this window" />
        <Gate title="You can close this window" lead=lead.to_owned()>
            <div
                id="answer"
                hidden
                data-origin=origin
                data-code=code
                data-error=error
                data-error_description=error_description
                data-state=state
                data-iss=iss
            ></div>
            <script nonce=use_nonce() inner_html=TELL></script>
        </Gate>
    }
    .into_any()
}
