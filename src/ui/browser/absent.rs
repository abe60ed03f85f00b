//! The server's side of [`super`]: nothing to do.

use leptos::web_sys::Element;

pub fn focus_soon(_id: &str) {}
pub fn focus_if_lost(_id: &str) {}
pub fn focus_first_invalid(_form: &Element) {}
pub fn keep_focus_during(_dialog: &Element, _change: impl FnOnce()) {}
pub fn hide_popover(_id: &str) {}
pub fn leave(_to: &str) {}
pub fn zone() -> Option<String> {
    None
}
pub fn say_instant(_seconds: i64) -> Option<String> {
    None
}
pub fn say_end_of_day(_date: &str) -> Option<String> {
    None
}
pub fn copy_keys() -> &'static str {
    "Ctrl+C"
}
pub fn copy(_text: String, _done: impl FnOnce(bool) + 'static) {}
pub fn select(_element: &Element) {}
