//! The person's time zone: the browser knows its name, the server knows its clock changes.

use js_sys::{Array, Intl::DateTimeFormat, Object, Reflect};
use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::HtmlDocument;

/// A year, in seconds.
const YEAR: u32 = 31_536_000;

/// Lets the server know it, by a cookie that holds an IANA name such as `Europe/Berlin`.
pub fn remember() {
    let options = DateTimeFormat::new(&Array::new(), &Object::new()).resolved_options();
    let zone = Reflect::get(&options, &"timeZone".into()).ok().and_then(|it| it.as_string());
    if let (Some(zone), Ok(document)) = (zone, document().dyn_into::<HtmlDocument>()) {
        let _ = document.set_cookie(&format!("zone={zone}; path=/; max-age={YEAR}; samesite=lax"));
    }
}
