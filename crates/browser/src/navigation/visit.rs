//! Page visits: fetches a page and replaces the current one.

use super::{all, dependent_options, dialogs, find, focus, morph, toasts};
use js_sys::{Function, Promise, Reflect};
use leptos::{
    prelude::{document, window},
    task::spawn_local,
};
use std::cell::Cell;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, DomParser, Element, RequestInit, Response, SupportedType, Url, UrlSearchParams};

/// Effect of a visit on the browser history.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum HistoryMode {
    /// Adds a history entry.
    Push,
    /// Replaces the current history entry.
    Replace,
    /// No effect: the browser already changed the URL.
    Keep,
}

/// A page from the server.
pub struct PageResponse {
    /// Final URL after redirects.
    pub url: String,
    pub redirected: bool,
    pub ok: bool,
    pub page: Document,
}

thread_local! {
    static LATEST: Cell<u32> = const { Cell::new(0) };
    /// Whether `history.back()` was called for a page that is already shown.
    static IS_GOING_BACK: Cell<bool> = const { Cell::new(false) };
}

/// Returns the next request number. Of several pending requests, only the response to the last one is used.
fn next() -> u32 {
    LATEST.with(|latest| {
        latest.set(latest.get() + 1);
        latest.get()
    })
}

fn is_latest(turn: u32) -> bool {
    LATEST.with(|latest| latest.get() == turn)
}

/// Fetches a page.
///
/// # Errors
/// If there is no response, or it is not a page.
pub async fn fetch_page(to: &str, form: Option<&UrlSearchParams>) -> Result<PageResponse, JsValue> {
    let init = RequestInit::new();
    let headers = web_sys::Headers::new()?;
    headers.set("accept", "text/html")?;
    // Tells the server that the request comes from in-browser navigation.
    headers.set("x-keyward-live", "1")?;
    init.set_headers(headers.as_ref());
    if let Some(form) = form {
        init.set_method("POST");
        init.set_body(form.as_ref());
    }
    let response: Response = JsFuture::from(window().fetch_with_str_and_init(to, &init)).await?.dyn_into()?;
    let text = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
    let page = DomParser::new()?.parse_from_string(&text, SupportedType::TextHtml)?;
    Ok(PageResponse { url: response.url(), redirected: response.redirected(), ok: response.ok(), page })
}

/// Visits a page of this origin.
pub fn visit(to: String, trace: HistoryMode) {
    visit_then(to, trace, || ());
}

/// Visits another page of a list. Then scrolls to the start of the list and focuses it, as if it were a new page:
/// pressing Enter again must not activate the pager's next link.
pub fn visit_list_page(to: String, link: &Element) {
    let list = link.closest("[data-list], .panel, section").ok().flatten().and_then(|it| it.get_attribute("id"));
    visit_then(to, HistoryMode::Push, move || {
        let list = list.and_then(|id| document().get_element_by_id(&id)).or_else(|| find("#main"));
        if let Some(list) = list {
            focus::focus_start(&list);
        }
    });
}

/// Visits a page of this origin, and calls `then` after it is shown.
fn visit_then(to: String, trace: HistoryMode, then: impl FnOnce() + 'static) {
    let turn = next();
    set_busy(true);
    spawn_local(async move {
        let answer = fetch_page(&to, None).await;
        if !is_latest(turn) {
            return;
        }
        set_busy(false);
        match answer {
            Ok(answer) => {
                let url = if answer.redirected { answer.url.clone() } else { to };
                show(answer, &url, trace);
                then();
            }
            // Without a response, a full page load shows the browser's own error page.
            Err(_) => load_document(&to),
        }
    });
}

/// Replaces the current page and its URL. A page with another layout (sign-in, an error) is loaded as a new document.
pub fn show(answer: PageResponse, url: &str, trace: HistoryMode) {
    if answer.page.query_selector(".shell").ok().flatten().is_none() || find(".shell").is_none() {
        return load_document(url);
    }
    next();
    set_busy(false);
    let scroll = trace == HistoryMode::Push && path(url) != window().location().pathname().unwrap_or_default();
    let opener = opener();
    let is_dialog = |page: &Document| page.query_selector("dialog[open]").is_ok_and(|it| it.is_some());
    update_url(url, trace, is_dialog(&document()) && !is_dialog(&answer.page));
    morph::morph_page(&answer.page);
    after_morph();
    focus::restore_focus(opener);
    if scroll && find("dialog[open]").is_none() {
        window().scroll_to_with_x_and_y(0.0, 0.0);
    }
}

/// Loads a new document, so that no state of this page remains.
pub fn load_document(to: &str) {
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

/// Returns the URL without the parameters of a one-time message.
fn without_flash_parameters(url: &str) -> Option<String> {
    let url = Url::new_with_base(url, &window().location().href().ok()?).ok()?;
    url.search_params().delete("done");
    url.search_params().delete("key");
    Some(url.href())
}

/// Updates the URL of the current history entry, or adds an entry.
///
/// Each added entry stores the URL of the entry before it. If a dialog closes to that URL, this goes back to that
/// entry. A second entry with the same URL would make the user press Back twice.
fn update_url(url: &str, trace: HistoryMode, closes_dialog: bool) {
    let Ok(history) = window().history() else { return };
    let url = without_flash_parameters(url).unwrap_or_else(|| url.to_owned());
    let here = window().location().href().unwrap_or_default();
    let _ = match trace {
        HistoryMode::Push if here == url => Ok(()),
        HistoryMode::Push => history.push_state_with_url(&here.into(), "", Some(&url)),
        HistoryMode::Replace if closes_dialog && previous(&history).is_some_and(|it| it == url) => {
            IS_GOING_BACK.set(true);
            history.back()
        }
        HistoryMode::Replace => history.replace_state_with_url(&history.state().unwrap_or_default(), "", Some(&url)),
        HistoryMode::Keep => Ok(()),
    };
}

/// Returns the URL of the previous history entry, if this page added the current one.
fn previous(history: &web_sys::History) -> Option<String> {
    without_flash_parameters(&history.state().ok()?.as_string()?)
}

/// Returns whether a `popstate` event comes from [`update_url`], which already shows the page.
pub fn take_own_popstate() -> bool {
    IS_GOING_BACK.replace(false)
}

/// Removes the parameters of a one-time message from the URL, so that reloading the page does not repeat it.
pub fn remove_flash_parameters() {
    if let Ok(here) = window().location().href()
        && (here.contains("done=") || here.contains("key="))
    {
        update_url(&here, HistoryMode::Replace, false);
    }
}

/// Updates dialogs, dependent options, toasts, and islands. Runs after every change of the page.
pub fn after_morph() {
    dialogs::after_morph();
    dependent_options::after_morph();
    toasts::after_morph();
    hydrate();
}

/// Marks all islands of the page as not hydrated.
pub fn mark_dehydrated() {
    for island in all("leptos-island") {
        let _ = island.set_attribute("data-fresh", "");
    }
}

/// Hydrates marked islands with the function that the page's loading script defines.
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

/// Marks the document while the next page is loading.
fn set_busy(is: bool) {
    let Some(html): Option<Element> = document().document_element() else { return };
    let _ = if is { html.set_attribute("data-busy", "") } else { html.remove_attribute("data-busy") };
}

/// Waits, so that pending work of the browser finishes first.
pub async fn pause(milliseconds: i32) {
    let promise = Promise::new(&mut |done, _| {
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&done, milliseconds);
    });
    let _ = JsFuture::from(promise).await;
}
