//! Asking for a page, and putting it in place of this one.

use super::{all, dialogs, find, focus, morph, offers, toasts};
use js_sys::{Function, Promise, Reflect};
use leptos::{
    prelude::{document, window},
    task::spawn_local,
};
use std::cell::Cell;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, DomParser, Element, RequestInit, Response, SupportedType, Url, UrlSearchParams};

/// What becomes of the address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Trace {
    /// A new entry in the history.
    Push,
    /// In place of the entry that is there.
    Replace,
    /// The browser has changed it already.
    Keep,
}

/// A page that the server has answered with.
pub struct Answer {
    /// Where it came from in the end.
    pub url: String,
    pub redirected: bool,
    pub ok: bool,
    pub page: Document,
}

thread_local! {
    static LATEST: Cell<u32> = const { Cell::new(0) };
}

/// A number that is greater than all before: of several answers on their way only the last one asked for counts.
fn next() -> u32 {
    LATEST.with(|latest| {
        latest.set(latest.get() + 1);
        latest.get()
    })
}

fn is_latest(turn: u32) -> bool {
    LATEST.with(|latest| latest.get() == turn)
}

/// Asks for a page.
///
/// # Errors
/// If no answer comes, or it is no page.
pub async fn ask(to: &str, form: Option<&UrlSearchParams>) -> Result<Answer, JsValue> {
    let init = RequestInit::new();
    let headers = web_sys::Headers::new()?;
    headers.set("accept", "text/html")?;
    // The server then knows that a page is there that can do more than show.
    headers.set("x-keyward-live", "1")?;
    init.set_headers(headers.as_ref());
    if let Some(form) = form {
        init.set_method("POST");
        init.set_body(form.as_ref());
    }
    let response: Response = JsFuture::from(window().fetch_with_str_and_init(to, &init)).await?.dyn_into()?;
    let text = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
    let page = DomParser::new()?.parse_from_string(&text, SupportedType::TextHtml)?;
    Ok(Answer { url: response.url(), redirected: response.redirected(), ok: response.ok(), page })
}

/// Goes to a page of ours.
pub fn visit(to: String, trace: Trace) {
    let turn = next();
    busy(true);
    spawn_local(async move {
        let answer = ask(&to, None).await;
        if !is_latest(turn) {
            return;
        }
        busy(false);
        match answer {
            Ok(answer) => {
                let url = if answer.redirected { answer.url.clone() } else { to };
                show(answer, &url, trace);
            }
            // The browser says best why it cannot be reached.
            Err(_) => leave(&to),
        }
    });
}

/// Puts a page in place of this one, with its address. A page of another frame (signing in, an error) is loaded as a whole.
pub fn show(answer: Answer, url: &str, trace: Trace) {
    if answer.page.query_selector(".shell").ok().flatten().is_none() || find(".shell").is_none() {
        return leave(url);
    }
    next();
    busy(false);
    let scroll = trace == Trace::Push && path(url) != window().location().pathname().unwrap_or_default();
    address(url, trace);
    let opener = opener();
    morph::whole(&answer.page);
    settle();
    focus::after(opener);
    if scroll && find("dialog[open]").is_none() {
        window().scroll_to_with_x_and_y(0.0, 0.0);
    }
}

/// Loads another page in place of this one, so that nothing of it remains.
pub fn leave(to: &str) {
    let _ = window().location().assign(to);
}

fn path(url: &str) -> String {
    Url::new_with_base(url, &window().location().href().unwrap_or_default())
        .map(|url| url.pathname())
        .unwrap_or_default()
}

fn opener() -> Option<String> {
    find("dialog[open]").and_then(|dialog| dialog.get_attribute("data-opener"))
}

/// The address without what was to be said once.
fn said(url: &str) -> Option<String> {
    let url = Url::new_with_base(url, &window().location().href().ok()?).ok()?;
    url.search_params().delete("done");
    url.search_params().delete("key");
    Some(url.href())
}

fn address(url: &str, trace: Trace) {
    let Ok(history) = window().history() else { return };
    let url = said(url).unwrap_or_else(|| url.to_owned());
    let _ = match trace {
        Trace::Push if window().location().href().is_ok_and(|here| here == url) => Ok(()),
        Trace::Push => history.push_state_with_url(&JsValue::NULL, "", Some(&url)),
        Trace::Replace => history.replace_state_with_url(&JsValue::NULL, "", Some(&url)),
        Trace::Keep => Ok(()),
    };
}

/// A message stands in the address only until it has been said: loading the page again does not repeat it.
pub fn forget_what_was_said() {
    if let Ok(here) = window().location().href()
        && (here.contains("done=") || here.contains("key="))
    {
        address(&here, Trace::Replace);
    }
}

/// What has to be done after every change of the page.
pub fn settle() {
    dialogs::settle();
    offers::settle();
    toasts::settle();
    hydrate();
}

/// Marks every island of the page as asleep: none has been woken yet.
pub fn all_asleep() {
    for island in all("leptos-island") {
        let _ = island.set_attribute("data-fresh", "");
    }
}

/// Wakes the islands that are asleep, by the function that the loading script of the page has left.
fn hydrate() {
    let Ok(wake) = Reflect::get(&window(), &"__hydrateIsland".into()).and_then(JsCast::dyn_into::<Function>) else {
        return;
    };
    for island in all("leptos-island[data-fresh]") {
        let _ = island.remove_attribute("data-fresh");
        let name = island.get_attribute("data-component").unwrap_or_default();
        let _ = wake.call2(&JsValue::NULL, &island, &name.into());
    }
}

/// Says, to those who look and those who listen, that the next page is on its way.
fn busy(is: bool) {
    let Some(html): Option<Element> = document().document_element() else { return };
    let _ = if is { html.set_attribute("data-busy", "") } else { html.remove_attribute("data-busy") };
}

/// Lets what is going on come to its end first.
pub async fn pause(milliseconds: i32) {
    let promise = Promise::new(&mut |done, _| {
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&done, milliseconds);
    });
    let _ = JsFuture::from(promise).await;
}
