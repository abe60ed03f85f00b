//! HTML parser: the elements and texts of a page, parsed like in a browser (html5ever, through `scraper`).

use super::browser::{Browser, Page};
use scraper::{Html, Node};

/// An element: its depth, its name, its attributes, and its direct text.
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

    /// Returns the structure of the element, without texts and attribute values. It changes only if a value is
    /// interpreted as markup.
    pub fn shape(&self) -> String {
        let mut names: Vec<_> = self.attributes.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        format!("{}{} {}", "  ".repeat(self.depth), self.name, names.join(" "))
    }
}

/// Returns all elements in document order.
pub fn elements(page: &Page) -> Vec<Element> {
    let document = Html::parse_document(page.text());
    let mut found = Vec::new();
    for node in document.tree.root().descendants() {
        let Node::Element(element) = node.value() else { continue };
        let texts = node.children().filter_map(|child| child.value().as_text().map(|text| &**text));
        found.push(Element {
            depth: node.ancestors().filter(|it| it.value().is_element()).count(),
            name: element.name().to_owned(),
            attributes: element.attrs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            text: texts.collect(),
        });
    }
    found
}

/// Returns the structure of a page.
pub fn shape(page: &Page) -> Vec<String> {
    // The number of line break opportunities depends on the text of an address.
    elements(page).iter().filter(|it| it.name != "wbr").map(Element::shape).collect()
}

/// Returns the text of an element and of the elements in it, without white space at its ends.
fn page_text(page: &Page, at: usize) -> String {
    let document = Html::parse_document(page.text());
    let node = document.tree.root().descendants().filter(|node| node.value().is_element()).nth(at).expect("an element");
    let texts = node.descendants().filter_map(|it| it.value().as_text().map(|text| text.to_string()));
    texts.collect::<String>().trim().to_owned()
}

/// Returns the text of the only element with this name.
pub fn text_of(page: &Page, name: &str) -> String {
    let found: Vec<_> = elements(page).into_iter().filter(|it| it.name == name).collect();
    assert_eq!(found.len(), 1, "one {name}: {}", page.text());
    found[0].text.clone()
}

/// Returns the text area with this name.
pub fn area(page: &Page, name: &str) -> Element {
    let found = elements(page).into_iter().find(|it| it.name == "textarea" && it.attribute("name") == Some(name));
    found.unwrap_or_else(|| panic!("no text area {name}: {}", page.text()))
}

/// Returns the error message of a field in a rejected form.
pub fn error_of(page: &Page, field: &str) -> String {
    let id = format!("{field}-error");
    let found = elements(page).into_iter().find(|it| it.attribute("id") == Some(id.as_str()));
    found.unwrap_or_else(|| panic!("{field} has no error: {} {}", page.status, page.text())).text
}

/// Returns the names of the fields with an error, in document order.
pub fn fields_with_errors(page: &Page) -> Vec<String> {
    let named = |it: &Element| it.attribute("id")?.strip_suffix("-error").map(ToOwned::to_owned);
    elements(page).iter().filter_map(named).collect()
}

/// A user, as shown on their account page.
pub struct Account {
    pub name: String,
    pub email: String,
    pub is_admin: bool,
}

impl Browser {
    /// Returns the user of the session, or `None` if the account page redirects.
    pub async fn account(&mut self) -> Option<Account> {
        let page = self.get("/settings/account").await;
        if page.status == 303 {
            assert!(page.location().starts_with("/login"), "{}", page.location());
            return None;
        }
        assert_eq!(page.status, 200, "{}", page.text());
        let elements = elements(&page);
        let label = elements.iter().position(|it| it.text == "Email").expect("the label of the email address");
        Some(Account {
            name: page.input("name").to_owned(),
            email: page_text(&page, label + 1),
            is_admin: elements.iter().any(|it| it.attribute("id") == Some("nav-admin")),
        })
    }
}
