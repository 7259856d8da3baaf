//! The page as one text: its style sheets, its scripts and its data inside its HTML.

use crate::page::file;

/// Nothing is loaded from anywhere, whatever the page is; its worker and the code that it writes are its own.
const POLICY: &str = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
    script-src 'unsafe-inline' 'wasm-unsafe-eval'; worker-src blob:; style-src 'unsafe-inline'; img-src data: blob:\">";

/// The page with `data`, JSON, which it takes in place of what a server would say.
pub(super) fn bundle(data: &str) -> String {
    // In a script, `</` and `<!--` would be read as HTML.
    let data = data.replace('<', "\\u003c");
    let mut page = String::with_capacity(data.len() + (1 << 18));
    for line in text("index.html").lines() {
        let style = between(line, "<link rel=\"stylesheet\" href=\"/page/", "\">");
        let script = between(line, "<script type=\"module\" src=\"/page/", "\">");
        match (style, script, line) {
            (Some(style), ..) => page += &format!("<style>\n{}</style>", text(style)),
            (_, Some(script), _) => {
                page += &format!("<script id=\"morphvae-data\" type=\"application/json\">{data}</script>\n");
                page += &format!("<script type=\"module\">\n{}</script>", scripts(script));
            }
            (.., "<head>") => page += &format!("<head>\n{POLICY}"),
            _ => page += line,
        }
        page.push('\n');
    }
    page
}

/// A module and all that it imports, as one script: each a function that gives what the module exports.
pub(super) fn scripts(main: &str) -> String {
    let mut script = String::from("const modules = {};\n");
    add(main, &mut script, &mut Vec::new());
    script
}

fn add(name: &str, script: &mut String, added: &mut Vec<String>) {
    if added.iter().any(|known| known == name) {
        return;
    }
    added.push(name.to_owned());
    let (mut body, mut exports) = (String::new(), Vec::new());
    for line in text(name).lines() {
        if let Some((names, from)) = import(line) {
            add(from, script, added);
            body += &format!("const {} = modules[\"{from}\"];\n", names.replace(" as ", ": "));
            continue;
        }
        let declaration = line.strip_prefix("export ");
        exports.extend(declaration.and_then(declared));
        body += declaration.unwrap_or(line);
        body.push('\n');
    }
    let exports = exports.join(", ");
    *script += &format!("modules[\"{name}\"] = (() => {{\n{body}return {{ {exports} }};\n}})();\n");
}

/// The braces and the file of `import { ... } from "./FILE";`.
fn import(line: &str) -> Option<(&str, &str)> {
    let (names, from) = line.strip_prefix("import ")?.split_once(" from \"./")?;
    Some((names, from.strip_suffix("\";")?))
}

/// The name that `function NAME(`, `class NAME {` or `const NAME =` declares.
fn declared(declaration: &str) -> Option<&str> {
    let declaration = declaration.strip_prefix("async ").unwrap_or(declaration);
    let (_, rest) = declaration.split_once(' ')?;
    rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .next()
}

fn between<'a>(line: &'a str, start: &str, end: &str) -> Option<&'a str> {
    line.strip_prefix(start)?.split(end).next()
}

fn text(name: &str) -> &'static str {
    file(name).expect("the page names its own files")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_to_be_loaded() {
        let page = bundle("{}");
        for line in page.lines() {
            let loads = [
                "import ",
                "export ",
                "<link rel=\"stylesheet",
                "<script type=\"module\" src",
            ];
            assert!(!loads.iter().any(|start| line.starts_with(start)), "{line}");
        }
        assert!(!page.contains("/page/"));
    }

    #[test]
    fn a_module_comes_once_and_before_those_that_use_it() {
        let script = scripts("main.js");
        for name in ["state.js", "language.js", "texts.js", "plane.js"] {
            assert_eq!(script.matches(&format!("modules[\"{name}\"] = ")).count(), 1, "{name}");
        }
        let place = |name: &str| script.find(&format!("modules[\"{name}\"] = ")).unwrap();
        assert!(place("texts.js") < place("language.js") && place("language.js") < place("main.js"));
    }

    #[test]
    fn imports_and_exports_become_plain_names() {
        assert_eq!(
            import("import { a, b as c } from \"./x.js\";"),
            Some(("{ a, b as c }", "x.js"))
        );
        assert_eq!(declared("async function begin(a) {"), Some("begin"));
        assert_eq!(declared("class Tree {"), Some("Tree"));
        assert_eq!(declared("const TEXTS = {"), Some("TEXTS"));
    }

    #[test]
    fn data_cannot_end_the_script_that_holds_it() {
        assert!(bundle("{\"classes\": [\"</script><b>\"]}").contains("[\"\\u003c/script>\\u003cb>\"]"));
    }
}
