//! A page as the parser of a browser reads it (html5ever): its elements, and the text in them.

use super::browser::Page;
use html5ever::{parse_document, tendril::TendrilSink as _};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

/// An element: its depth, its name, the names of its attributes, and the text directly in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    pub depth: usize,
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub text: String,
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// What markup in a value would change: all but the texts and the values of attributes.
    pub fn shape(&self) -> String {
        let mut names: Vec<_> = self.attributes.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        format!("{}{} {}", "  ".repeat(self.depth), self.name, names.join(" "))
    }
}

/// All elements, in the order of the page.
pub fn elements(page: &Page) -> Vec<Element> {
    let dom = parse_document(RcDom::default(), html5ever::ParseOpts::default()).one(page.text());
    let mut found = Vec::new();
    walk(&dom.document, 0, &mut found);
    found
}

fn walk(node: &Handle, depth: usize, found: &mut Vec<Element>) {
    let mut depth = depth;
    if let NodeData::Element { name, attrs, .. } = &node.data {
        let mut text = String::new();
        for child in node.children.borrow().iter() {
            if let NodeData::Text { contents } = &child.data {
                text.push_str(&contents.borrow());
            }
        }
        let attributes =
            attrs.borrow().iter().map(|it| (it.name.local.to_string(), it.value.to_string())).collect::<Vec<_>>();
        found.push(Element { depth, name: name.local.to_string(), attributes, text });
        depth += 1;
    }
    for child in node.children.borrow().iter() {
        walk(child, depth, found);
    }
}

/// The shape of a page.
pub fn shape(page: &Page) -> Vec<String> {
    elements(page).iter().map(Element::shape).collect()
}

/// The text of the element with this name, of which there is one.
pub fn text_of(page: &Page, name: &str) -> String {
    let found: Vec<_> = elements(page).into_iter().filter(|it| it.name == name).collect();
    assert_eq!(found.len(), 1, "one {name}: {}", page.text());
    found[0].text.clone()
}
