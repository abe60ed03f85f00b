//! Form routes: the declaration of a form action with its path, its access, and its result.
//!
//! Every parameter of the path is bound to a field of the form, by default to the field of the same name. The handler
//! refuses a form whose fields differ from its path. A form without the bound field is always refused.

use super::{access::Access, action::FormAction};
use crate::error::AppError;
use axum::http::request::Parts;
use leptos::prelude::provide_context;
use std::{pin::Pin, sync::Arc};

/// Maximum length of a form in bytes, unless its route has another: 50 keys, or several hundred scopes.
pub const FORM_MAX: usize = 64 * 1024;

/// Result of a form action that succeeded.
pub enum ActionResult {
    /// 303 to a path of this server.
    Redirect(String),
    /// A page that redirects to another origin. It is needed because `form-action` also applies to redirects after a
    /// form and cannot name an IPv6 address.
    ExternalRedirect(String),
    /// The page again, with a result in its context. `once`: the result is shown only in this response.
    Render { provide_result: Arc<dyn Fn() + Send + Sync>, once: bool },
}

/// Returns an [`ActionResult::Redirect`] to a path of this server.
pub fn redirect(path: impl Into<String>) -> ActionResult {
    ActionResult::Redirect(path.into())
}

/// Returns an [`ActionResult::Render`] with this result.
pub fn render<T: Clone + Send + Sync + 'static>(result: T) -> ActionResult {
    ActionResult::Render { provide_result: Arc::new(move || provide_context(result.clone())), once: false }
}

/// Returns an [`ActionResult::Render`] with a result that is shown only in this response, such as a secret.
pub fn render_once<T: Clone + Send + Sync + 'static>(result: T) -> ActionResult {
    ActionResult::Render { provide_result: Arc::new(move || provide_context(result.clone())), once: true }
}

/// A decoded form: the action, and the conversion of its output to an [`ActionResult`].
pub type Action = Box<dyn FnOnce(Parts) -> ActionFuture + Send>;
pub type ActionFuture = Pin<Box<dyn Future<Output = Result<ActionResult, AppError>> + Send>>;
/// Decodes the body of one form. Returns `None` if the body does not have the fields of the action.
type Decode = Box<dyn Fn(&str) -> Option<Action> + Send + Sync>;

/// A form action at the path of its page.
pub struct FormRoute {
    /// The path in axum's syntax: `/keys/{id}/edit`.
    pub path: &'static str,
    pub access: Access,
    /// Maximum length of the body, in bytes.
    pub max_len: usize,
    /// Whether the submitted values are stored if the user has to sign in again first.
    pub has_draft: bool,
    /// The page of a caller whose session has ended, with the same query. The default is the sign-in page, which
    /// returns to the form.
    pub signed_out_page: Option<&'static str>,
    bindings: Vec<PathBinding>,
    fields: &'static [&'static str],
    decode: Decode,
}

/// A parameter of the path, and the field of the form that must equal it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathBinding {
    pub parameter: &'static str,
    pub field: &'static str,
}

/// Declares a form. `next` converts the output of the action to the response.
pub fn form<A: FormAction>(
    access: Access,
    path: &'static str,
    next: fn(A::Output, &Parts) -> ActionResult,
) -> FormRoute {
    // To limit code size, only decoding and the call are generic.
    let decode: Decode = Box::new(move |text| {
        // Leptos decodes the arguments of server functions in the same way.
        let fields = serde_qs::Config::new(5, false).deserialize_str::<A>(text).ok()?;
        let action: Action =
            Box::new(move |parts| Box::pin(async move { fields.run().await.map(|output| next(output, &parts)) }));
        Some(action)
    });
    let parameters = path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let bindings = parameters.map(|name| PathBinding { parameter: name, field: name }).collect();
    let (max_len, has_draft, signed_out_page) = (FORM_MAX, true, None);
    FormRoute { path, access, max_len, has_draft, signed_out_page, bindings, fields: A::FIELDS, decode }
}

impl FormRoute {
    /// Binds a parameter of the path to a field with another name.
    pub fn bind(mut self, parameter: &'static str, field: &'static str) -> Self {
        self.bindings.retain(|it| it.parameter != parameter);
        self.bindings.push(PathBinding { parameter, field });
        self
    }

    /// Sets the maximum length of the body, in bytes.
    pub fn max_len(mut self, bytes: usize) -> Self {
        self.max_len = bytes;
        self
    }

    /// Never stores the submitted values: they authenticate the user, or grant something.
    pub fn without_draft(mut self) -> Self {
        self.has_draft = false;
        self
    }

    /// Redirects a caller whose session has ended to this page, with the same query.
    pub fn signed_out_page(mut self, page: &'static str) -> Self {
        self.signed_out_page = Some(page);
        self
    }

    /// Returns the bindings of all parameters of the path.
    pub fn bindings(&self) -> &[PathBinding] {
        &self.bindings
    }

    /// Returns whether the action has a field of this name.
    pub fn has_field(&self, name: &str) -> bool {
        self.fields.contains(&name)
    }

    /// Decodes a body. Returns `None` if it does not have the fields of the action.
    pub fn decode(&self, text: &str) -> Option<Action> {
        (self.decode)(text)
    }

    /// Returns whether the form has the field of each parameter exactly once, with the value of the parameter.
    /// `parameters` are the decoded parameters of the request's path.
    pub fn is_bound_to(&self, parameters: &[(&str, &str)], text: &str) -> bool {
        self.bindings.iter().all(|PathBinding { parameter, field }| {
            let named = parameters.iter().find(|(name, _)| name == parameter).map(|(_, value)| *value);
            let pairs = url::form_urlencoded::parse(text.as_bytes());
            // The decoder also accepts `id[]` for the field `id`.
            let mut submitted = pairs.filter(|(name, _)| name.split('[').next() == Some(*field));
            match (named, submitted.next(), submitted.next()) {
                (Some(named), Some((_, submitted)), None) => named == submitted,
                _ => false,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::ids::KeyId,
        features::{action::form_action, form_routes},
    };
    use std::collections::HashSet;

    form_action! {
        /// An action on one object.
        Touch(id: KeyId) -> () {
            let _: KeyId = id;
            Ok(())
        }
    }

    fn touch(path: &'static str) -> FormRoute {
        form::<Touch>(Access::Public, path, |(), _| redirect("/"))
    }

    #[test]
    fn the_field_equals_the_parameter() {
        let (route, key) = (touch("/keys/{id}/touch"), [("id", "a/b c")]);
        for fits in ["id=a/b+c", "name=x&id=a%2Fb%20c", "i%64=a/b+c", "id%5B%5D=a/b+c"] {
            assert!(route.is_bound_to(&key, fits), "{fits}");
        }
        for wrong in ["", "id=", "id=x", "name=a/b+c", "id=a/b+c&id=x", "id=a/b+c&id=a/b+c", "id[]=x&id=a/b+c"] {
            assert!(!route.is_bound_to(&key, wrong), "{wrong}");
        }
        assert!(!route.is_bound_to(&[], "id=a/b+c"), "the path has no such parameter");
    }

    #[test]
    fn another_field_is_bound_by_name() {
        let route = touch("/projects/{id}/keys/{key}").bind("id", "project").bind("key", "id");
        let path = [("id", "p"), ("key", "k")];
        assert!(route.is_bound_to(&path, "project=p&id=k"));
        assert!(!route.is_bound_to(&path, "project=k&id=p"));
        assert!(!route.is_bound_to(&path, "id=k"));
    }

    /// The default is safe: a form without the field of the parameter is refused.
    #[test]
    fn a_parameter_without_a_field_refuses_every_form() {
        let route = touch("/teams/{team}/touch");
        assert!(!route.is_bound_to(&[("team", "t")], "id=t"));
    }

    #[test]
    fn every_parameter_is_bound_to_a_field_of_its_action() {
        let mut paths = HashSet::new();
        for route in form_routes() {
            assert!(paths.insert(route.path), "{} is declared twice", route.path);
            assert_eq!(route.path.matches('{').count(), route.bindings.len(), "{}", route.path);
            for PathBinding { parameter, field } in &route.bindings {
                assert!(route.path.contains(&format!("{{{parameter}}}")), "{} has no {parameter}", route.path);
                assert!(route.has_field(field), "{}: {parameter} is bound to {field}, which is no field", route.path);
            }
        }
    }
}
