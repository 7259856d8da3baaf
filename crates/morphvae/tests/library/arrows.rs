//! Inside the library, arrows run one way: what a folder uses comes before it in this order.

use std::fs;
use std::path::Path;

/// From what knows nothing of the others to what knows all of them.
const ORDER: [&str; 20] = [
    "choice",
    "device",
    "memory",
    "random",
    "files",
    "tables",
    "weights",
    "data",
    "probability",
    "network",
    "classification",
    "objective",
    "evaluation",
    "semi_supervised",
    "latent",
    "model",
    "training",
    "benchmark",
    "figures",
    "studio",
];

/// The parts of the library that a file uses, outside of its tests and comments.
fn used(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let paths = lines.flat_map(|line| line.split("crate::").skip(1));
    let names = paths.map(|path| {
        path.split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
            .unwrap_or_default()
    });
    names.map(str::to_owned).collect()
}

/// Whether a file is there for tests alone, as its folder's mod.rs says.
fn is_for_tests(file: &Path) -> bool {
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let module = format!("#[cfg(test)]\nmod {name};");
    let parent = file.parent().unwrap();
    ["mod.rs", "lib.rs"]
        .iter()
        .any(|root| fs::read_to_string(parent.join(root)).is_ok_and(|text| text.contains(&module)))
}

fn check(file: &Path, own: usize, wrong: &mut Vec<String>) {
    if file.is_dir() {
        if !is_for_tests(file) {
            for entry in fs::read_dir(file).unwrap().flatten() {
                check(&entry.path(), own, wrong);
            }
        }
    } else if file.extension().is_some_and(|ending| ending == "rs") && !is_for_tests(file) {
        for name in used(&fs::read_to_string(file).unwrap()) {
            let place = ORDER.iter().position(|part| *part == name);
            let Some(place) = place else {
                wrong.push(format!("{}: crate::{name} has no place in the order", file.display()));
                continue;
            };
            if place > own {
                wrong.push(format!("{}: {} must not know {name}", file.display(), ORDER[own]));
            }
        }
    }
}

#[test]
fn arrows_run_one_way() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    let mut seen = 0;
    for entry in fs::read_dir(&source).unwrap().flatten() {
        let path = entry.path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name == "lib" {
            continue;
        }
        let own = ORDER.iter().position(|part| *part == name);
        check(
            &path,
            own.unwrap_or_else(|| panic!("{name} has no place in the order")),
            &mut wrong,
        );
        seen += 1;
    }
    assert_eq!(seen, ORDER.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
