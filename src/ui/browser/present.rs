//! The browser's side of [`super`].

use js_sys::{Array, Date, Function, Intl::DateTimeFormat, Object, Reflect};
use leptos::prelude::{document, set_timeout, window};
use std::{cell::Cell, rc::Rc, time::Duration};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Element, HtmlElement};

/// Where focus goes when the thing it came from is gone.
const MAIN: &str = "main";

fn focus_by_id(id: &str) {
    let target = document().get_element_by_id(id).or_else(|| document().get_element_by_id(MAIN));
    if let Some(element) = target.and_then(|e| e.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

/// Moves focus to this element, once what is going on has been drawn.
pub fn focus_soon(id: &str) {
    let id = id.to_owned();
    set_timeout(move || focus_by_id(&id), Duration::ZERO);
}

/// Moves focus to this element if nothing has it: what had it was drawn anew, or is gone.
pub fn focus_if_lost(id: &str) {
    let id = id.to_owned();
    set_timeout(
        move || {
            let lost = document().active_element().is_none_or(|e| e.tag_name() == "BODY");
            if lost {
                focus_by_id(&id);
            }
        },
        Duration::ZERO,
    );
}

/// Moves focus to the first wrong field, opening what hides it; if no field is wrong, to the password that has to be typed
/// again, or to the button.
pub fn focus_first_invalid(form: &Element) {
    let form = form.clone();
    set_timeout(
        move || {
            let find = |selector| form.query_selector(selector).ok().flatten();
            let wrong = find("[aria-invalid=true]").or_else(|| find("[type=password]"));
            let Some(element) = wrong.or_else(|| find("button:not([type=button])")) else { return };
            if let Ok(Some(details)) = element.closest("details") {
                let _ = details.set_attribute("open", "");
            }
            let _ = element.unchecked_into::<HtmlElement>().focus();
        },
        Duration::ZERO,
    );
}

/// Makes a change that moves the focus, and gives it back to whoever had it within this element.
pub fn keep_focus_during(dialog: &Element, change: impl FnOnce()) {
    let held = document().active_element().filter(|e| dialog.contains(Some(e)));
    change();
    if let Some(element) = held.and_then(|e| e.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

/// Closes a popover if it is open.
pub fn hide_popover(id: &str) {
    let open = format!("[id=\"{id}\"]:popover-open");
    let Ok(Some(element)) = document().query_selector(&open) else { return };
    if let Ok(hide) = Reflect::get(&element, &"hidePopover".into()) {
        let _ = hide.unchecked_into::<Function>().call0(&element);
    }
}

/// Loads another page in place of this one, so that nothing of it remains.
pub fn leave(to: &str) {
    let _ = window().location().replace(to);
}

/// The person's IANA time zone, such as `Europe/Berlin`.
pub fn zone() -> Option<String> {
    let options = DateTimeFormat::new(&Array::new(), &Object::new()).resolved_options();
    Reflect::get(&options, &"timeZone".into()).ok()?.as_string()
}

fn say(date: &Date, parts: &[(&str, &str)]) -> Option<String> {
    let options = Object::new();
    for (name, value) in parts {
        let _ = Reflect::set(&options, &(*name).into(), &(*value).into());
    }
    let text = date.to_locale_string("en-GB", &options).as_string()?;
    (text != "Invalid Date").then_some(text)
}

/// An instant in the person's zone: "Thursday 18 February 2027 at 14:32, CET".
pub fn say_instant(seconds: i64) -> Option<String> {
    let date = Date::new(&JsValue::from_f64(seconds as f64 * 1000.0));
    let day = say(&date, &[("weekday", "long"), ("day", "numeric"), ("month", "long"), ("year", "numeric")])?;
    let time = say(&date, &[("hour", "2-digit"), ("minute", "2-digit"), ("timeZoneName", "short")])?;
    Some(format!("{day} at {time}"))
}

/// A day (`YYYY-MM-DD`) in words: "Thursday 18 February 2027".
pub fn say_end_of_day(date: &str) -> Option<String> {
    let date = Date::new(&format!("{date}T00:00:00").into());
    say(&date, &[("weekday", "long"), ("day", "numeric"), ("month", "long"), ("year", "numeric")])
}

/// The keys that copy on this machine.
pub fn copy_keys() -> &'static str {
    let platform = window().navigator().platform().unwrap_or_default();
    if platform.starts_with("Mac") || platform.starts_with("iP") { "⌘C" } else { "Ctrl+C" }
}

/// Puts a text on the clipboard and says whether it is there. On plain HTTP there is no clipboard: then it is not.
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

/// Selects what stands in this element, ready for the copy keys.
pub fn select(element: &Element) {
    if let Ok(Some(selection)) = window().get_selection() {
        let _ = selection.select_all_children(element);
    }
}
