//! The WebAssembly entry point of Keyward's pages.

// The macros of wasm-bindgen generate `unsafe` code; this crate contains no other.
#![warn(clippy::unwrap_used, clippy::expect_used)]

// Registers the islands: the linker drops a crate that nothing references.
use keyward_ui as _;

mod navigation;

use wasm_bindgen::prelude::wasm_bindgen;

/// Hydrates the islands of the page and handles its links and forms.
#[wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
    navigation::start();
}
