//! Authorization response: redirects the browser to the client, or posts a message to the window that opened the page.

use crate::{
    domain::consent::{ResponseDelivery, ResponseMessage},
    features::session::PageTitle,
    response_status::Redirect,
    ui::bare_layout::Gate,
};
use leptos::{nonce::use_nonce, prelude::*};

/// Posts the response to the opener, restricted to the client's origin, and closes the window.
const POST_MESSAGE_SCRIPT: &str = "const{dataset:it}=document.getElementById('answer'),message={};\
    for(const name of['code','state','iss','error','error_description'])if(name in it)message[name]=it[name];\
    window.opener?.postMessage(message,it.origin);window.close()";

/// Renders the response. The page has no form.
pub fn render_response(answer: ResponseDelivery) -> AnyView {
    match answer {
        // Exposed for the redirect: an error, or the one response that contains the authorization code.
        ResponseDelivery::Redirect(to) => view! { <Redirect to=to.expose().to_owned() /> }.into_any(),
        ResponseDelivery::PostMessage(message) => post_message_page(message),
    }
}

fn post_message_page(message: ResponseMessage) -> AnyView {
    let ResponseMessage { origin, code, error, error_description, state, iss } = message;
    let lead =
        if error.is_none() { "The application continues if its page is still open." } else { "No access was granted." };
    // Exposed for the message: this is the one response that contains the authorization code.
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
            <script nonce=use_nonce() inner_html=POST_MESSAGE_SCRIPT></script>
        </Gate>
    }
    .into_any()
}
