//! Field names of log lines, one spelling each: the list in `telemetry.rs` against the macros' arguments.

use std::path::Path;

use halo_extract::telemetry::FIELDS;

const MACROS: [&str; 5] = [
    "tracing::error!(",
    "tracing::warn!(",
    "tracing::info!(",
    "tracing::debug!(",
    "tracing::trace!(",
];

#[test]
fn every_log_field_is_in_the_list() {
    let mut unknown = Vec::new();
    visit(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut |file, text| {
            // The simulator is a program of its own that only lies in the same crate.
            if file
                .components()
                .any(|part| part.as_os_str() == "simulator")
            {
                return;
            }
            for field in fields(text) {
                if !FIELDS.contains(&field.as_str()) {
                    unknown.push(format!("{}: {field}", file.display()));
                }
            }
        },
    );
    assert!(
        unknown.is_empty(),
        "not in telemetry::FIELDS:\n{}",
        unknown.join("\n")
    );
}

#[test]
fn the_test_reads_all_forms_of_a_field() {
    let text = "tracing::info!(%site, rows = n, ?page, attempt, \"a message with x = {}\", y);";

    assert_eq!(fields(text), ["site", "rows", "page", "attempt"]);
}

fn visit(folder: &Path, each: &mut impl FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            visit(&path, each);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            each(&path, &std::fs::read_to_string(&path).expect("text"));
        }
    }
}

/// The field names of every logging macro of a source text: arguments before the message.
fn fields(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, length) in MACROS
        .iter()
        .flat_map(|name| text.match_indices(name).map(|(at, _)| (at, name.len())))
    {
        for argument in arguments(&text[at + length..]) {
            let argument = argument.trim();
            if argument.starts_with('"') {
                break;
            }
            let name = argument
                .split('=')
                .next()
                .unwrap_or(argument)
                .trim()
                .trim_start_matches(['%', '?']);
            found.push(name.to_owned());
        }
    }
    found
}

/// The comma-separated arguments up to the closing bracket, brackets and texts respected.
fn arguments(text: &str) -> Vec<String> {
    let (mut depth, mut quoted, mut parts, mut part) = (0, false, Vec::new(), String::new());
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted && depth == 0 => break,
            ')' | ']' | '}' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    parts.push(part);
    parts
}
