//! Browser implementation of [`super`].

use js_sys::{Array, Function, Reflect};
use leptos::prelude::{document, set_timeout, window};
use std::{cell::Cell, rc::Rc, time::Duration};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, CustomEvent, CustomEventInit, Element, Event, Headers, HtmlElement, HtmlInputElement, HtmlTextAreaElement,
    RequestInit, Response, Url, UrlSearchParams,
};

/// Whether this runs in a browser.
pub const IS_BROWSER: bool = true;

/// Focuses the element with this id after the current rendering.
pub fn focus_soon(id: &str) {
    let id = id.to_owned();
    set_timeout(
        move || {
            if let Some(element) = document().get_element_by_id(&id).and_then(|it| it.dyn_into::<HtmlElement>().ok()) {
                let _ = element.focus();
            }
        },
        Duration::ZERO,
    );
}

/// Waits for a duration.
pub async fn pause(time: Duration) {
    gloo_timers::future::sleep(time).await;
}

/// Calls a server function with the browser's own `fetch` and JSON. The client of Leptos would add a tenth to the
/// download.
///
/// Returns the response or, as `Err`, the error response. `None` if there is no response.
pub async fn call(path: &str, arguments: &[(&str, &str)]) -> Option<Result<ApiResponse, ApiResponse>> {
    let form = UrlSearchParams::new().ok()?;
    for (name, value) in arguments {
        form.append(name, value);
    }
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_body(form.as_ref());
    let headers = Headers::new().ok()?;
    headers.set("accept", "application/json").ok()?;
    init.set_headers(headers.as_ref());
    let response: Response =
        JsFuture::from(window().fetch_with_str_and_init(path, &init)).await.ok()?.dyn_into().ok()?;
    let json = JsFuture::from(response.json().ok()?).await.ok()?;
    Some(if response.ok() { Ok(ApiResponse(json)) } else { Err(ApiResponse(json)) })
}

/// JSON response of a server function.
pub struct ApiResponse(JsValue);

impl ApiResponse {
    /// Whether the response is neither `null` nor `undefined`.
    pub fn is_some(&self) -> bool {
        !self.0.is_null() && !self.0.is_undefined()
    }

    /// Returns the response if it is a string.
    pub fn text(&self) -> Option<String> {
        self.0.as_string()
    }

    /// Returns the message of an error response: that of the first invalid field or, if there is none, the general one.
    pub fn error_message(&self) -> Option<String> {
        let message = |of: &JsValue| Reflect::get(of, &"message".into()).ok()?.as_string();
        let fields: Option<Array> = Reflect::get(&self.0, &"fields".into()).ok().and_then(|it| it.dyn_into().ok());
        fields.and_then(|fields| message(&fields.get(0))).or_else(|| message(&self.0))
    }
}

/// Dispatches a bubbling event from this element.
pub fn dispatch(from: &Element, name: &str) {
    let init = CustomEventInit::new();
    init.set_bubbles(true);
    if let Ok(event) = CustomEvent::new_with_event_init_dict(name, &init) {
        let _ = from.dispatch_event(&event);
    }
}

/// Adds an event listener that stays until the element is removed.
pub fn listen(element: &Element, name: &str, hear: impl FnMut(Event) + 'static) {
    let closure = Closure::<dyn FnMut(Event)>::new(hear);
    let _ = element.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
    closure.forget();
}

/// Finds an element. The selector `.secret` finds the selected representation of the secret.
pub fn find(selector: &str) -> Option<Element> {
    let find = |selector: &str| document().query_selector(selector).ok().flatten();
    if selector != ".secret" {
        return find(selector);
    }
    uncheck("mask");
    let tab = find(".secret [name=as]:checked")?.get_attribute("value")?;
    find(&format!(".secret [data-panel={tab}] code"))
}

/// Unchecks a check box. The mask must be off to select the text, because it also hides the text from a selection.
pub fn uncheck(id: &str) {
    if let Some(input) = document().get_element_by_id(id).and_then(|it| it.dyn_into::<HtmlInputElement>().ok()) {
        input.set_checked(false);
    }
}

/// Clicks a control within this element.
pub fn press(within: &Element, selector: &str) {
    if let Some(it) = within.query_selector(selector).ok().flatten().and_then(|it| it.dyn_into::<HtmlElement>().ok()) {
        it.click();
    }
}

/// Returns the value of a form field of any kind within this element.
pub fn value_of(within: &Element, selector: &str) -> String {
    let found = within.query_selector(selector).ok().flatten();
    found.and_then(|it| Reflect::get(&it, &"value".into()).ok()?.as_string()).unwrap_or_default()
}

/// Returns the values of the checked check boxes with this name.
pub fn checked(within: &Element, name: &str) -> Vec<String> {
    let Ok(list) = within.query_selector_all(&format!("input[name='{name}']:checked")) else { return Vec::new() };
    (0..list.length())
        .filter_map(|at| list.item(at)?.dyn_into::<HtmlInputElement>().ok().map(|it| it.value()))
        .collect()
}

/// Returns the text area within this element.
pub fn text_area(within: &Element) -> Option<HtmlTextAreaElement> {
    within.query_selector("textarea").ok().flatten()?.dyn_into().ok()
}

/// Places the cursor at a line and column. Both start at one. Columns count characters.
pub fn put_cursor(area: &HtmlTextAreaElement, (line, column): (usize, usize)) {
    let text = area.value();
    let start: usize = text.split('\n').take(line.saturating_sub(1)).map(|line| line.encode_utf16().count() + 1).sum();
    let within = text.split('\n').nth(line.saturating_sub(1)).unwrap_or_default();
    let before: usize = within.chars().take(column.saturating_sub(1)).map(char::len_utf16).sum();
    let at = u32::try_from(start + before).unwrap_or_default();
    let _ = area.focus();
    let _ = area.set_selection_range(at, at);
}

/// Downloads a text as a file.
pub fn save(name: &str, text: &str) {
    let Ok(blob) = Blob::new_with_str_sequence(&Array::of1(&text.into())) else { return };
    let Ok(url) = Url::create_object_url_with_blob(&blob) else { return };
    if let Some(link) = document().create_element("a").ok().and_then(|it| it.dyn_into::<HtmlElement>().ok()) {
        let _ = link.set_attribute("href", &url);
        let _ = link.set_attribute("download", name);
        link.click();
    }
    let _ = Url::revoke_object_url(&url);
}

/// Returns the keyboard shortcut for copying on this platform.
pub fn copy_keys() -> &'static str {
    let platform = window().navigator().platform().unwrap_or_default();
    if platform.starts_with("Mac") || platform.starts_with("iP") { "⌘C" } else { "Ctrl+C" }
}

/// Copies a text to the clipboard and reports the success to `done`. On plain HTTP there is no clipboard, so it
/// reports `false`.
pub fn copy(text: String, done: impl FnOnce(bool) + 'static) {
    let navigator = window().navigator();
    let there = Reflect::get(&navigator, &"clipboard".into()).is_ok_and(|it| !it.is_undefined() && !it.is_null());
    if !there {
        return done(false);
    }
    let done = Rc::new(Cell::new(Some(done)));
    let answer = |copied: bool| {
        let done = done.clone();
        Closure::once_into_js(move || {
            if let Some(done) = done.take() {
                done(copied);
            }
        })
    };
    let (yes, no) = (answer(true), answer(false));
    let writing = navigator.clipboard().write_text(&text);
    if let Ok(then) = Reflect::get(&writing, &"then".into()) {
        let _ = then.unchecked_into::<Function>().call2(&writing, &yes, &no);
    }
}

/// Selects the content of this element, so that the user can copy it with the keyboard.
pub fn select(element: &Element) {
    if let Ok(Some(selection)) = window().get_selection() {
        let _ = selection.select_all_children(element);
    }
}
