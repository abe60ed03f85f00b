//! Time zone cookie: sends the browser's time zone name to the server, which has the time zone data.

use js_sys::{Array, Intl::DateTimeFormat, Object, Reflect};
use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::HtmlDocument;

/// Lifetime of the cookie: one year, in seconds.
const YEAR: u32 = 31_536_000;

/// Sets a cookie with an IANA time zone name such as `Europe/Berlin`.
pub fn set_cookie() {
    let options = DateTimeFormat::new(&Array::new(), &Object::new()).resolved_options();
    let zone = Reflect::get(&options, &"timeZone".into()).ok().and_then(|it| it.as_string());
    if let (Some(zone), Ok(document)) = (zone, document().dyn_into::<HtmlDocument>()) {
        let _ = document.set_cookie(&format!("zone={zone}; path=/; max-age={YEAR}; samesite=lax"));
    }
}
