//! The one-time display of recovery codes.

use crate::domain::security::RecoveryCodes;
use leptos::prelude::*;

/// The codes, to be copied, printed, or written down.
pub fn recovery_codes(codes: RecoveryCodes) -> AnyView {
    let rows = codes
        .codes
        .into_iter()
        .map(|code| {
            // Exposed for display to their owner.
            let text = code.expose().to_owned();
            view! {
                <li>
                    <code>{text}</code>
                </li>
            }
        })
        .collect_view();
    view! {
        <div class="secret">
            <ol class="recovery" aria-label="Recovery codes">
                {rows}
            </ol>
        </div>
        <p>
            "Each code can be used once if you lose your phone. Print the codes or save them in a password manager, not only on your phone. They won't be shown again."
        </p>
    }
    .into_any()
}
