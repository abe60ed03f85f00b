//! Documentation links: every relative link leads to an existing file and heading. Also limits the size of the README.

use std::{
    collections::HashMap,
    path::{Component, Path, PathBuf},
};

/// Maximum size of the README, in bytes.
const README_MAX: usize = 6 * 1024;

/// Documents outside of `docs/`.
const DOCUMENTS: [&str; 8] = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "bench/README.md",
    "examples/gateways/README.md",
    "examples/token-endpoint/README.md",
    "examples/verify/README.md",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Adds every Markdown file below a folder.
fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

fn documents() -> Vec<PathBuf> {
    let mut found: Vec<_> = DOCUMENTS.iter().map(|name| root().join(name)).collect();
    collect(&root().join("docs"), &mut found);
    found.sort();
    found
}

/// Lines outside of fenced code blocks, with their numbers.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut fence = None;
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let start = line.trim_start();
        let marker = ["```", "~~~"].into_iter().find(|marker| start.starts_with(*marker));
        match (fence, marker) {
            (None, Some(marker)) => fence = Some(marker),
            (Some(open), Some(marker)) if open == marker => fence = None,
            (None, None) => lines.push((number + 1, line)),
            (Some(_), _) => {}
        }
    }
    lines
}

/// Removes the code spans of a line.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("``")
}

/// Returns the targets of all inline links and images, with their line numbers.
fn links(text: &str) -> Vec<(usize, String)> {
    let lines = prose(text);
    // A link text may continue on the next line.
    let joined: String = lines.iter().map(|(_, line)| without_code(line) + "\n").collect();
    let mut found = Vec::new();
    for (at, _) in joined.match_indices("](") {
        let rest = &joined[at + 2..];
        let Some(end) = rest.find(')') else { continue };
        let line = joined[..at].matches('\n').count();
        let target = rest[..end].split_whitespace().next().unwrap_or_default();
        found.push((lines[line].0, target.to_owned()));
    }
    found
}

/// Returns the anchor that GitHub generates for a heading: lowercase, hyphens for spaces, no other punctuation.
fn anchor(heading: &str) -> String {
    let mut text = String::new();
    let mut rest = heading.trim();
    // The anchor of a heading with a link contains only the link text.
    while let Some((before, link)) = rest.split_once("](") {
        text.push_str(before);
        rest = link.split_once(')').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    text.chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
            _ => None,
        })
        .flat_map(char::to_lowercase)
        .collect()
}

/// Returns the anchors of a document. A repeated heading has a number as its suffix.
fn anchors(text: &str) -> Vec<String> {
    let mut counts = HashMap::new();
    let headings = prose(text).into_iter().filter_map(|(_, line)| {
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        (1..=6).contains(&level).then(|| line[level..].strip_prefix(' ')).flatten()
    });
    headings
        .map(|heading| {
            let name = anchor(heading);
            let count = counts.entry(name.clone()).or_insert(0);
            *count += 1;
            if *count == 1 { name } else { format!("{name}-{}", *count - 1) }
        })
        .collect()
}

/// Removes `.` and `..` from a path. Returns `None` if the path leads out of the repository.
fn normalize(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    clean.starts_with(root()).then_some(clean)
}

/// Returns the fault of a link in a document, or `None` if the link is valid.
fn fault(document: &Path, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    if target.starts_with('/') {
        return Some("a link must be relative".to_owned());
    }
    let (file, heading) = target.split_once('#').map_or((target, None), |(file, heading)| (file, Some(heading)));
    let path = match file {
        "" => document.to_owned(),
        file => match document.parent().and_then(|folder| normalize(&folder.join(file))) {
            Some(path) => path,
            None => return Some("it leads out of the repository".to_owned()),
        },
    };
    if !path.exists() {
        return Some("the file does not exist".to_owned());
    }
    let heading = heading?;
    if path.extension().is_none_or(|extension| extension != "md") {
        return Some("only Markdown files have headings".to_owned());
    }
    let is_known = anchors(&read(&path)).contains(&heading.to_owned());
    (!is_known).then(|| "the heading does not exist".to_owned())
}

#[test]
fn links_lead_to_files_and_headings_that_exist() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for document in documents() {
        for (line, target) in links(&read(&document)) {
            count += 1;
            if let Some(fault) = fault(&document, &target) {
                let name = document.strip_prefix(root()).unwrap_or(&document).display();
                wrong.push(format!("{name}:{line}: {target}: {fault}"));
            }
        }
    }
    assert!(count > 100, "the links were found: {count}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_page_of_the_manual_is_in_its_index() {
    let docs = root().join("docs");
    let index = docs.join("README.md");
    let listed: Vec<_> =
        links(&read(&index)).into_iter().filter_map(|(_, target)| normalize(&docs.join(target))).collect();
    let mut pages = Vec::new();
    collect(&docs, &mut pages);
    let missing: Vec<_> =
        pages.iter().filter(|page| **page != index && !listed.contains(page)).map(|page| page.display()).collect();
    assert!(missing.is_empty(), "not in docs/README.md: {missing:?}");
}

#[test]
fn the_readme_is_short() {
    let size = read(&root().join("README.md")).len();
    assert!(size <= README_MAX, "README.md has {size} bytes, more than {README_MAX}: move details to docs/");
}

#[test]
fn faults_are_found() {
    let document = root().join("docs/README.md");
    for right in ["guide/keys.md", "guide/keys.md#fields", "../README.md", "#guide", "https://example.com/#x"] {
        assert_eq!(fault(&document, right), None, "{right}");
    }
    for wrong in ["guide/none.md", "guide/keys.md#none", "#none", "/docs/README.md", "../../README.md", "../LICENSE#x"]
    {
        assert!(fault(&document, wrong).is_some(), "{wrong}");
    }
}

#[test]
fn links_and_headings_are_parsed() {
    let text = "# One `two`\n\nA [link](a.md) and an ![image](b.png), `[no](c.md)`\n\n```sh\n# no heading [no](d.md)\n```\n\n## A, b & c\n\n## \
                [Linked](e.md) part\n\n[wrapped\ntext](f.md#x)\n\n## A, b & c\n";
    let found: Vec<_> = links(text).into_iter().map(|(_, target)| target).collect();
    assert_eq!(found, ["a.md", "b.png", "e.md", "f.md#x"]);
    assert_eq!(anchors(text), ["one-two", "a-b--c", "linked-part", "a-b--c-1"]);
}
