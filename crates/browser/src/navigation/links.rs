//! Link clicks, and the browser's Back and Forward buttons.

use super::{
    dialogs, find, on, on_after,
    visit::{HistoryMode, take_own_popstate, visit, visit_list_page},
};
use leptos::prelude::{document, window};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlAnchorElement, HtmlElement, MouseEvent};

pub fn listen() {
    on_after(&document(), "click", on_click);
    on(&window(), "popstate", |_: Event| {
        if take_own_popstate() {
            return;
        }
        // A revealed secret stays visible, whatever page is below it.
        if find("#reveal").is_none()
            && let Ok(here) = window().location().href()
        {
            visit(here, HistoryMode::Keep);
        }
    });
}

fn on_click(event: MouseEvent) {
    let modified = event.meta_key() || event.ctrl_key() || event.shift_key() || event.alt_key();
    if event.default_prevented() || event.button() != 0 || modified {
        return;
    }
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let Some(link) = target
        .and_then(|it| it.closest("a[href]").ok().flatten())
        .and_then(|it| it.dyn_into::<HtmlAnchorElement>().ok())
    else {
        return;
    };
    let elsewhere = !link.target().is_empty() || link.has_attribute("download") || link.rel() == "external";
    if elsewhere || window().location().origin().is_ok_and(|ours| link.origin() != ours) || !link.hash().is_empty() {
        return;
    }
    event.prevent_default();
    close_menus();
    let replaces = link.has_attribute("data-replace");
    match link.closest("dialog").ok().flatten() {
        Some(dialog) if replaces => dialogs::close_to(&dialog, link.href()),
        _ if link.closest(".pager").is_ok_and(|it| it.is_some()) => visit_list_page(link.href(), &link),
        _ => visit(link.href(), if replaces { HistoryMode::Replace } else { HistoryMode::Push }),
    }
}

/// Closes open menus after the user selected an entry.
pub fn close_menus() {
    for menu in super::all("[popover]:popover-open") {
        if let Ok(menu) = menu.dyn_into::<HtmlElement>() {
            let _ = menu.hide_popover();
        }
    }
}
