//! Navigation entries: the links in the sidebar, and the tabs of the settings pages.

use super::{FEATURES, access::Access};
use crate::ui::layout::NavLink;

/// A group of links in the sidebar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    Main,
    Settings,
    Administration,
}

/// A link in the sidebar. Users without access to its page do not see it.
#[derive(Clone, Copy, Debug)]
pub struct NavEntry {
    pub section: Section,
    /// Position in the section, from 1.
    pub position: u8,
    /// The access of the page.
    pub access: Access,
    pub link: NavLink,
}

/// Returns the links of a section that the signed-in user has access to. `admin` says whether the user is an
/// administrator.
pub fn links(section: Section, admin: bool) -> Vec<NavLink> {
    let entries = FEATURES.iter().flat_map(|feature| feature.navigation);
    let mut visible: Vec<_> =
        entries.filter(|entry| entry.section == section && entry.access.is_granted(Some(admin))).collect();
    visible.sort_by_key(|entry| entry.position);
    visible.into_iter().map(|entry| entry.link).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::page_access;
    use std::collections::HashSet;

    #[test]
    fn an_entry_has_the_access_of_its_page() {
        let pages = page_access();
        let mut places = HashSet::new();
        for entry in FEATURES.iter().flat_map(|feature| feature.navigation) {
            let path = entry.link.path;
            let (_, access) = pages.iter().find(|(page, _)| page == path).expect(path);
            assert_eq!(entry.access, *access, "{path}");
            // The layout draws these sections before the session is loaded.
            assert!(entry.section == Section::Administration || entry.access == Access::SignedIn, "{path}");
            assert!(places.insert((format!("{:?}", entry.section), entry.position)), "{path}: the position is taken");
        }
    }
}
