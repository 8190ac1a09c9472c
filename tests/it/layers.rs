//! The imports between modules compared with the layer picture of `src/lib.rs`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Modules by step, from left to right. A module may use modules of steps further right, nothing else.
const STEPS: [&[&str]; 7] = [
    &["cli"],
    &["schedule"],
    &["extract", "lake", "simulator"],
    &["remote", "convert", "privacy", "objects", "ledger", "plan"],
    &["catalog", "config"],
    &["telemetry", "fail_point"],
    &["domain"],
];

/// The simulator shares nothing with the client, not even vocabulary.
const ALONE: &str = "simulator";

#[test]
fn modules_import_only_from_steps_to_their_right() {
    let mut wrong = Vec::new();
    for (module, file, used) in imports() {
        if module == used {
            continue;
        }
        let from = step(&module).unwrap_or_else(|| {
            panic!("{module} is not in the picture: add it here and in src/lib.rs")
        });
        let to = step(&used)
            .unwrap_or_else(|| panic!("{}: {used} is not in the picture", file.display()));
        if to <= from || module == ALONE {
            wrong.push(format!("{}: {module} must not use {used}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_picture_names_every_module() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let named: Vec<&str> = STEPS.iter().flat_map(|step| step.iter().copied()).collect();
    for entry in fs::read_dir(source)
        .expect("src")
        .map(|entry| entry.expect("an entry").path())
    {
        let module = module_name(&entry);
        if !["lib", "main"].contains(&module.as_str()) {
            assert!(
                named.contains(&module.as_str()),
                "{module} is missing from the picture"
            );
        }
    }
}

#[test]
fn the_test_sees_an_import_that_breaks_the_picture() {
    let used = modules_used(
        "use crate::remote::Client;\nfn f() { crate::ledger::Ledger::open(); }\n// crate::objects is prose\n",
    );

    assert_eq!(used, ["remote", "ledger"]);
}

fn step(module: &str) -> Option<usize> {
    STEPS.iter().position(|step| step.contains(&module))
}

/// Every use of a crate module outside tests: module, file, module used.
fn imports() -> Vec<(String, PathBuf, String)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(&source)
        .expect("src")
        .map(|entry| entry.expect("an entry").path())
    {
        let module = module_name(&entry);
        if module != "lib" && module != "main" {
            collect(&entry, &module, &mut files);
        }
    }
    files
        .into_iter()
        .flat_map(|(file, module)| {
            let text = fs::read_to_string(&file).expect("a source file");
            modules_used(&text)
                .into_iter()
                .map(move |used| (module.clone(), file.clone(), used))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn collect(path: &Path, module: &str, files: &mut BTreeMap<PathBuf, String>) {
    if path.join("Cargo.toml").exists() {
        // A crate of its own, which can use nothing of this one.
    } else if path.is_dir() {
        for entry in fs::read_dir(path).expect("a folder") {
            collect(&entry.expect("an entry").path(), module, files);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        files.insert(path.to_owned(), module.to_owned());
    }
}

fn module_name(path: &Path) -> String {
    path.file_stem()
        .expect("a name")
        .to_string_lossy()
        .into_owned()
}

fn modules_used(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1))
        .inspect(|rest| {
            assert!(
                !rest.starts_with('{'),
                "write one `use crate::…` line per module: grouped ones are not read here"
            )
        })
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect::<String>()
        })
        .filter(|module| !module.is_empty())
        .collect()
}
