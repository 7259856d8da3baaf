//! Among the program's files no arrows run in circles: what a file uses never comes back to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

type Graph = BTreeMap<PathBuf, BTreeSet<PathBuf>>;

/// The module that a file is, as a path without an ending: `commands/grid` for `commands/grid/mod.rs`.
fn module(file: &Path) -> PathBuf {
    match file.file_stem().is_some_and(|stem| stem == "mod" || stem == "main") {
        true => file.parent().unwrap().to_owned(),
        false => file.with_extension(""),
    }
}

fn collect(folder: &Path, modules: &mut BTreeMap<PathBuf, PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, modules);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            modules.insert(module(&path), path);
        }
    }
}

/// What a file's `use` lines name in this crate: the deepest module of each path that there is.
fn used(file: &Path, root: &Path, modules: &BTreeMap<PathBuf, PathBuf>) -> BTreeSet<PathBuf> {
    let text = fs::read_to_string(file).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap();
    let mut found = BTreeSet::new();
    let own = module(file);
    for line in code.lines().map(str::trim) {
        let line = line.trim_start_matches("pub ");
        let Some(path) = line.strip_prefix("use ") else {
            continue;
        };
        let names: Vec<&str> = path.split("::").map(|name| name.trim_end_matches(';')).collect();
        let (mut place, names) = match names[0] {
            "crate" => (root.to_owned(), &names[1..]),
            "super" => (own.parent().unwrap().to_owned(), &names[1..]),
            // A module of this file's own.
            name if modules.contains_key(&own.join(name)) => (own.clone(), &names[..]),
            _ => continue,
        };
        for name in names {
            match *name {
                "super" => place = place.parent().unwrap().to_owned(),
                name if modules.contains_key(&place.join(name)) => place = place.join(name),
                _ => break,
            }
        }
        if let Some(target) = modules.get(&place).filter(|target| *target != file) {
            found.insert(target.clone());
        }
    }
    found
}

/// A way from a file back to it.
fn circle(graph: &Graph) -> Option<Vec<PathBuf>> {
    fn walk(at: &PathBuf, way: &mut Vec<PathBuf>, done: &mut BTreeSet<PathBuf>, graph: &Graph) -> bool {
        if way.contains(at) {
            way.push(at.clone());
            return true;
        }
        if done.contains(at) {
            return false;
        }
        way.push(at.clone());
        if graph[at].iter().any(|next| walk(next, way, done, graph)) {
            return true;
        }
        done.insert(way.pop().unwrap());
        false
    }
    let (mut way, mut done) = (Vec::new(), BTreeSet::new());
    graph
        .keys()
        .any(|file| walk(file, &mut way, &mut done, graph))
        .then_some(way)
}

#[test]
fn no_arrows_run_in_circles() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut modules = BTreeMap::new();
    collect(&root, &mut modules);
    let graph: Graph = modules
        .values()
        .map(|file| (file.clone(), used(file, &root, &modules)))
        .collect();
    let arrows: usize = graph.values().map(BTreeSet::len).sum();
    assert!(arrows > graph.len(), "{arrows} arrows among {} files", graph.len());
    assert_eq!(circle(&graph), None);
}

#[test]
fn a_circle_would_be_found() {
    let graph: Graph = [("a", "b"), ("b", "c"), ("c", "a")]
        .map(|(from, to)| (PathBuf::from(from), BTreeSet::from([PathBuf::from(to)])))
        .into();
    assert_eq!(circle(&graph).unwrap().len(), 4);
}
