//! DOM morphing: updates a tree without changing equal nodes, with idiomorph and the callbacks in this module.

use super::find;
use js_sys::{Function, Object, Reflect};
use leptos::prelude::document;
use wasm_bindgen::{JsCast, JsValue, prelude::*};
use web_sys::{Document, Element, Node};

#[wasm_bindgen(raw_module = "./idiomorph.js")]
extern "C" {
    #[wasm_bindgen(js_namespace = Idiomorph)]
    fn morph(old: &Node, new: &Node, config: &JsValue) -> JsValue;
}

/// Sets a callback of idiomorph. If it returns `false`, the node is not changed.
fn set_callback(of: &Object, name: &str, decide: Function) {
    let _ = Reflect::set(of, &name.into(), &decide);
}

/// Compares the `id` attribute. The property is not reliable: on a form with a field named `id`, it returns that
/// field.
fn has_id(element: &Element, id: &str) -> bool {
    element.get_attribute("id").is_some_and(|it| it == id)
}

fn element(node: &Node) -> Option<&Element> {
    node.dyn_ref::<Element>()
}

/// Whether the old node stays unchanged.
fn is_kept(old: &Element, new: &Element) -> bool {
    match old.tag_name().as_str() {
        // An island with the same properties keeps its state and content.
        "LEPTOS-ISLAND" => true,
        // A toast stays until its timeout.
        _ if has_id(old, "toasts") => has_toast(old) && !has_toast(new),
        _ => false,
    }
}

fn has_toast(region: &Element) -> bool {
    region.query_selector(".toast").is_ok_and(|it| it.is_some())
}

/// Whether component and properties are equal. The children are not compared.
fn is_same_island(old: &Element, new: &Element) -> bool {
    ["data-component", "data-props"].iter().all(|name| old.get_attribute(name) == new.get_attribute(name))
}

/// Replaces an island with another one, which is not hydrated yet.
///
/// The element itself stays: idiomorph continues from the old element, through the siblings of the new one.
fn replace_island(old: &Element, new: &Element) {
    for name in ["data-component", "data-props"] {
        let _ = match new.get_attribute(name) {
            Some(value) => old.set_attribute(name, &value),
            None => old.remove_attribute(name),
        };
    }
    old.set_inner_html(&new.inner_html());
    let _ = old.set_attribute("data-fresh", "");
}

fn config() -> JsValue {
    let rules = Object::new();
    let before_morph = Closure::<dyn Fn(Node, Node) -> bool>::new(|old: Node, new: Node| {
        let (Some(old), Some(new)) = (element(&old), element(&new)) else { return true };
        if old.tag_name() == "LEPTOS-ISLAND" && !is_same_island(old, new) {
            replace_island(old, new);
            return false;
        }
        !is_kept(old, new)
    });
    set_callback(&rules, "beforeNodeMorphed", before_morph.into_js_value().unchecked_into());
    let before_add = Closure::<dyn Fn(Node) -> bool>::new(|node: Node| {
        if let Some(node) = element(&node) {
            mark_dehydrated(node);
            if node.tag_name() == "TR" {
                let _ = node.set_attribute("data-new", "");
            }
        }
        true
    });
    set_callback(&rules, "beforeNodeAdded", before_add.into_js_value().unchecked_into());
    // The reveal dialog stays until the user leaves it, whatever page is below it.
    let before_remove = Closure::<dyn Fn(Node) -> bool>::new(|node: Node| {
        element(&node).is_none_or(|node| !has_id(node, "reveal") || node.has_attribute("data-leaving"))
    });
    set_callback(&rules, "beforeNodeRemoved", before_remove.into_js_value().unchecked_into());
    let config = Object::new();
    let _ = Reflect::set(&config, &"callbacks".into(), &rules);
    config.into()
}

/// Marks an added element's islands as not hydrated.
fn mark_dehydrated(node: &Element) {
    if node.tag_name() == "LEPTOS-ISLAND" {
        let _ = node.set_attribute("data-fresh", "");
    }
    if let Ok(inner) = node.query_selector_all("leptos-island") {
        for at in 0..inner.length() {
            if let Some(island) = inner.item(at).and_then(|it| it.dyn_into::<Element>().ok()) {
                let _ = island.set_attribute("data-fresh", "");
            }
        }
    }
}

/// Morphs the current document into another page.
pub fn morph_page(page: &Document) {
    document().set_title(&page.title());
    if let (Some(here), Some(there)) = (document().document_element(), page.document_element()) {
        let _ = match there.get_attribute("data-theme") {
            Some(theme) => here.set_attribute("data-theme", &theme),
            None => here.remove_attribute("data-theme"),
        };
    }
    if let (Some(here), Some(there)) = (document().body(), page.body()) {
        morph(&here, &there, &config());
    }
}

/// Morphs one part of the current document into the same part of another page.
pub fn morph_part(page: &Document, selector: &str) {
    if let (Some(here), Ok(Some(there))) = (find(selector), page.query_selector(selector)) {
        morph(&here, &there, &config());
    }
}
