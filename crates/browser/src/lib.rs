//! The WebAssembly entry point. A package of its own, so that the server's library is never compiled as a `cdylib`: that would be
//! compiled to machine code once more, and linked, in every build of the server.

use wasm_bindgen::prelude::wasm_bindgen;

/// Hydrates the islands of the page and handles its links and forms.
#[wasm_bindgen]
pub fn hydrate() {
    keyward::hydrate();
}
