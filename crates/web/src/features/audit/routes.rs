//! Page and navigation of the audit log. The export is a download, mounted in `http::audit_export`.

use super::AuditPage;
use crate::{
    features::{
        Feature,
        access::{Access, AdminPermission},
        navigation::{NavEntry, Section},
        page_route::{PageRoute, page},
    },
    ui::{icon::Icon, layout::NavLink},
};
use leptos_router::path;

pub const FEATURE: Feature = Feature { pages, forms: Vec::new, navigation: &[AUDIT_LOG] };

pub const AUDIT_LOG: NavEntry = NavEntry {
    section: Section::Administration,
    position: 5,
    access: ACCESS,
    link: NavLink { path: "/admin/audit", label: "Audit log", icon: Icon::Log },
};

const ACCESS: Access = Access::Administrator(AdminPermission::ReadLog);

fn pages() -> Vec<PageRoute> {
    vec![page(ACCESS, path!("/admin/audit"), AuditPage)]
}
