//! Form submission without page loads. A form with a pending request is not submitted again.

use super::{
    find, focus,
    links::close_menus,
    on_after, refresh,
    visit::{self, HistoryMode, fetch_page, show, visit},
};
use leptos::{prelude::document, task::spawn_local};
use wasm_bindgen::JsCast;
use web_sys::{
    Element, Event, EventInit, EventTarget, FormData, HtmlFormElement, HtmlInputElement, HtmlTextAreaElement,
    SubmitEvent, UrlSearchParams,
};

/// Attribute of a form while its response is pending.
const BUSY: &str = "aria-busy";

pub fn listen() {
    on_after(&document(), "submit", on_submit);
    // A form with `data-auto` is submitted on change: the filters of a list.
    on_after(&document(), "change", |event: Event| {
        let Some(target) = event.target().and_then(|it| it.dyn_into::<Element>().ok()) else { return };
        if let Some(form) =
            target.closest("form[data-auto]").ok().flatten().and_then(|it| it.dyn_into::<HtmlFormElement>().ok())
        {
            let _ = form.request_submit();
        }
    });
}

fn on_submit(event: SubmitEvent) {
    let Some(form) = event.target().and_then(|it| it.dyn_into::<HtmlFormElement>().ok()) else { return };
    if event.default_prevented() || form.has_attribute("data-plain") {
        return;
    }
    event.prevent_default();
    if form.has_attribute(BUSY) {
        return;
    }
    let Ok(data) = FormData::new_with_form(&form) else { return };
    let submitter: Option<Element> = event.submitter().map(Into::into);
    if let Some(button) = &submitter
        && let (Some(name), Some(value)) = (button.get_attribute("name"), button.get_attribute("value"))
    {
        let _ = data.append_with_str(&name, &value);
    }
    let Ok(values) = UrlSearchParams::new_with_str_sequence_sequence(&data) else { return };
    let to = form.get_attribute("action").unwrap_or_default();
    let sent = text_values(&form);
    close_menus();
    if form.get_attribute("method").is_none_or(|method| !method.eq_ignore_ascii_case("post")) {
        return visit(query(&to, &data), HistoryMode::Push);
    }
    if let Some(theme) = values.get("theme") {
        show_theme(&theme);
    }
    set_progress(&form, submitter.as_ref(), true);
    spawn_local(async move {
        let answer = fetch_page(&to, Some(&values)).await;
        set_progress(&form, submitter.as_ref(), false);
        let Ok(answer) = answer else { return show_no_response(&form) };
        let refused = !answer.ok;
        let url = match answer.page.get_element_by_id("reveal").and_then(|it| it.get_attribute("data-leave")) {
            // The URL of a one-time response is that of the list below the dialog.
            Some(list) => list,
            None if answer.redirected => answer.url.clone(),
            None => here(),
        };
        if refused && answer.page.query_selector(".shell").ok().flatten().is_none() {
            return show_page_error(&form, &answer.page);
        }
        let newer: Vec<_> = text_values(&form).into_iter().filter(|field| !sent.contains(field)).collect();
        show(answer, &url, HistoryMode::Replace);
        if !refused {
            refresh::notify_tabs();
        }
        if !newer.is_empty() {
            visit::pause(0).await;
            restore_text(&form, &newer);
        } else if refused {
            visit::pause(0).await;
            focus::focus_first_invalid();
        }
    });
}

/// Shows a theme before the server has stored it. The response sets the attribute again.
fn show_theme(theme: &str) {
    if let Some(html) = document().document_element() {
        let _ = match theme {
            "light" | "dark" => html.set_attribute("data-theme", theme),
            _ => html.remove_attribute("data-theme"),
        };
    }
}

/// Returns the text fields of a form with their names.
fn fields(form: &HtmlFormElement) -> Vec<(String, Field)> {
    let Ok(found) =
        form.query_selector_all("input[name]:not([type=hidden], [type=checkbox], [type=radio]), textarea[name]")
    else {
        return Vec::new();
    };
    (0..found.length())
        .filter_map(|at| {
            let element = found.item(at)?.dyn_into::<Element>().ok()?;
            let name = element.get_attribute("name")?;
            let field = match element.dyn_into::<HtmlInputElement>() {
                Ok(input) => Field::Line(input),
                Err(other) => Field::Area(other.dyn_into().ok()?),
            };
            Some((name, field))
        })
        .collect()
}

/// A text field.
enum Field {
    Line(HtmlInputElement),
    Area(HtmlTextAreaElement),
}

impl Field {
    fn value(&self) -> String {
        match self {
            Self::Line(field) => field.value(),
            Self::Area(field) => field.value(),
        }
    }

    /// Sets the value and dispatches an `input` event, as if the user had typed it.
    fn set(&self, value: &str) {
        let target: &EventTarget = match self {
            Self::Line(field) => {
                field.set_value(value);
                field
            }
            Self::Area(field) => {
                field.set_value(value);
                field
            }
        };
        let init = EventInit::new();
        init.set_bubbles(true);
        if let Ok(event) = Event::new_with_event_init_dict("input", &init) {
            let _ = target.dispatch_event(&event);
        }
    }
}

fn text_values(form: &HtmlFormElement) -> Vec<(String, String)> {
    fields(form).into_iter().map(|(name, field)| (name, field.value())).collect()
}

/// Restores text that the user entered while the response was pending, because it is newer than the response.
fn restore_text(form: &HtmlFormElement, newer: &[(String, String)]) {
    if !form.is_connected() {
        return;
    }
    for (name, field) in fields(form) {
        if let Some((_, value)) = newer.iter().find(|(it, _)| *it == name)
            && field.value() != *value
        {
            field.set(value);
        }
    }
}

fn here() -> String {
    leptos::prelude::window().location().href().unwrap_or_default()
}

/// Returns the URL of a GET form without empty parameters.
fn query(to: &str, data: &FormData) -> String {
    let values = UrlSearchParams::new_with_str_sequence_sequence(data).ok();
    let kept: Vec<String> = values
        .map(|values| values.to_string().as_string().unwrap_or_default())
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.ends_with('='))
        .map(ToOwned::to_owned)
        .collect();
    if kept.join("&").is_empty() { to.to_owned() } else { format!("{to}?{}", kept.join("&")) }
}

/// Shows or removes the progress state of the buttons. A form in this state is not submitted again.
fn set_progress(form: &HtmlFormElement, submitter: Option<&Element>, is: bool) {
    let Ok(buttons) = form.query_selector_all("button:not([type=button])") else { return };
    let _ = if is { form.set_attribute(BUSY, "true") } else { form.remove_attribute(BUSY) };
    for button in (0..buttons.length()).filter_map(|at| buttons.item(at)?.dyn_into::<Element>().ok()) {
        let _ =
            if is { button.set_attribute("aria-disabled", "true") } else { button.remove_attribute("aria-disabled") };
        let pressed = submitter.is_none_or(|it| it == &button);
        for (name, value) in [(BUSY, "true"), ("data-done", "")] {
            let _ = if is && pressed { button.set_attribute(name, value) } else { button.remove_attribute(name) };
        }
    }
}

/// Shows an error in the unchanged form if there is no response.
fn show_no_response(form: &HtmlFormElement) {
    show_error(form, "Keyward did not respond. Check your connection and try again. Your entries are kept.");
}

/// Shows the message of an error page without the page layout in the form.
fn show_page_error(form: &HtmlFormElement, page: &web_sys::Document) {
    let words = page.query_selector("main p").ok().flatten().and_then(|it| it.text_content());
    show_error(form, words.as_deref().unwrap_or("An internal error occurred. Try again in a moment."));
}

fn show_error(form: &HtmlFormElement, words: &str) {
    let place = form.query_selector("[data-refused]").ok().flatten().or_else(|| find("#toasts"));
    let Some(place) = place else { return };
    place.set_text_content(None);
    let notice = |name: &str, class: &str, text: &str| {
        let made = document().create_element(name).ok()?;
        let _ = made.set_attribute("class", class);
        made.set_text_content(Some(text));
        Some(made)
    };
    if place.get_attribute("id").is_some_and(|id| id == "toasts") {
        if let Some(toast) = notice("div", "toast", words) {
            let _ = place.append_child(&toast);
        }
        return super::toasts::after_morph();
    }
    if let (Some(outer), Some(text)) = (notice("div", "notice", ""), notice("p", "", words)) {
        let _ = outer.set_attribute("role", "alert");
        let _ = outer.set_attribute("data-tone", "danger");
        let _ = outer.append_child(&text);
        let _ = place.append_child(&outer);
    }
}
