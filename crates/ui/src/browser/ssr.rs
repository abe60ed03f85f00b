//! Server implementation of [`super`]: no-ops.

use leptos::web_sys::{Element, Event, HtmlTextAreaElement};
use std::time::Duration;

/// Whether this runs in a browser.
pub const IS_BROWSER: bool = false;

pub fn focus_soon(_id: &str) {}
#[allow(clippy::unused_async, reason = "the browser's side waits")]
pub async fn pause(_time: Duration) {}
#[allow(clippy::unused_async, reason = "the browser's side waits")]
pub async fn call(_path: &str, _arguments: &[(&str, &str)]) -> Option<Result<ApiResponse, ApiResponse>> {
    None
}
pub struct ApiResponse;
impl ApiResponse {
    pub fn is_some(&self) -> bool {
        false
    }
    pub fn text(&self) -> Option<String> {
        None
    }
    pub fn error_message(&self) -> Option<String> {
        None
    }
}
pub fn dispatch(_from: &Element, _name: &str) {}
pub fn listen(_element: &Element, _name: &str, _handler: impl FnMut(Event) + 'static) {}
pub fn find(_selector: &str) -> Option<Element> {
    None
}
pub fn uncheck(_id: &str) {}
pub fn press(_within: &Element, _selector: &str) {}
pub fn value_of(_within: &Element, _selector: &str) -> String {
    String::new()
}
pub fn checked(_within: &Element, _name: &str) -> Vec<String> {
    Vec::new()
}
pub fn text_area(_within: &Element) -> Option<HtmlTextAreaElement> {
    None
}
pub fn put_cursor(_area: &HtmlTextAreaElement, _place: (usize, usize)) {}
pub fn save(_name: &str, _text: &str) {}
pub fn copy_keys() -> &'static str {
    "Ctrl+C"
}
pub fn copy(_text: String, _done: impl FnOnce(bool) + 'static) {}
pub fn select(_element: &Element) {}
