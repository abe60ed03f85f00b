//! File permission check for files with secrets.

use std::path::Path;

/// Permission bits that expose a file: group write, and read, write, or execute for others. Group read is often
/// intended and is not included.
const EXPOSED: u32 = 0o027;

/// Returns a warning if other users of this machine can read or change a file. `None` if they cannot, or if the file
/// does not exist.
pub fn exposure(what: &str, path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & EXPOSED != 0).then(|| {
        format!(
            "{what} {path} has mode {mode:04o}: other users of this machine can read or change it; run: chmod 600 {path}",
            path = path.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn files_that_others_can_use_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyward.key");
        assert_eq!(exposure("the key file", &path), None);
        std::fs::write(&path, "x").unwrap();
        for (mode, exposed) in
            [(0o600, false), (0o400, false), (0o640, false), (0o660, true), (0o644, true), (0o666, true)]
        {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let warning = exposure("the key file", &path);
            assert_eq!(warning.is_some(), exposed, "{mode:o}");
            assert!(
                warning.is_none_or(|it| it.contains(&format!("{mode:04o}")) && it.contains("chmod 600")),
                "{mode:o}"
            );
        }
    }
}
