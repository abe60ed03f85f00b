//! Page routes: the declaration of a page with its access and its dialogs.

use super::access::Access;
use leptos::tachys::view::iterators::StaticVec;
use leptos_router::{
    ChooseView, NestedRoute, PathSegment, PossibleRouteMatch, SsrMode,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    path,
};

/// A page, with its dialogs if it has any.
pub struct PageRoute {
    pub route: AnyNestedRoute,
    /// Each path with its access: that of the page, and those of its dialogs.
    declared: Vec<(Vec<PathSegment>, Access)>,
}

impl PageRoute {
    /// Returns the paths as the router mounts them (`/keys/{id}/edit`), with their access.
    pub fn access(&self) -> impl Iterator<Item = (String, Access)> {
        self.declared.iter().map(|(segments, access)| (axum_path(segments), *access))
    }
}

/// Declares a page, or a dialog in the list of [`page_with_dialogs`]. Every page is rendered completely on the server.
pub fn page<P, V>(access: Access, path: P, view: V) -> PageRoute
where
    P: PossibleRouteMatch + Clone + Send + 'static,
    V: ChooseView,
{
    let declared = vec![(segments(&path), access)];
    let route = NestedRoute::new(path, view).ssr_mode(SsrMode::Async).into_any_nested_route();
    PageRoute { route, declared }
}

/// Declares a page with dialogs, whose paths are relative to the path of the page. The view draws the dialog in its
/// `Outlet`.
pub fn page_with_dialogs<P, V>(access: Access, path: P, view: V, dialogs: Vec<PageRoute>) -> PageRoute
where
    P: PossibleRouteMatch + Clone + Send + 'static,
    V: ChooseView,
{
    let own = segments(&path);
    let mut routes = vec![page(access, path!(""), || ())];
    routes.extend(dialogs);
    let declared = routes.iter().flat_map(|route| &route.declared);
    let declared = declared.map(|(segments, access)| ([own.as_slice(), segments].concat(), *access)).collect();
    let children = StaticVec::from(routes.into_iter().map(|it| it.route).collect::<Vec<_>>());
    let route = NestedRoute::new(path, view).ssr_mode(SsrMode::Async).child(children).into_any_nested_route();
    PageRoute { route, declared }
}

fn segments(path: &impl PossibleRouteMatch) -> Vec<PathSegment> {
    let mut segments = Vec::new();
    path.generate_path(&mut segments);
    segments
}

fn axum_path(segments: &[PathSegment]) -> String {
    let mut path = String::new();
    for segment in segments {
        match segment {
            PathSegment::Param(name) => path.push_str(&format!("/{{{name}}}")),
            segment => match segment.as_raw_str().trim_matches('/') {
                "" => {}
                text => path.push_str(&format!("/{text}")),
            },
        }
    }
    if path.is_empty() { "/".to_owned() } else { path }
}
