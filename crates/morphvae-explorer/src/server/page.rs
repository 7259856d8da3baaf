//! The page's files, compiled in.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::answer::Refusal;

/// A file of the page.
#[derive(Clone, Copy, Debug)]
struct PageFile {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

macro_rules! files {
    ($($name:literal: $kind:literal,)*) => {
        &[$(PageFile { name: $name, kind: $kind, text: include_str!(concat!("../../page/", $name)) },)*]
    };
}

/// All that is ever given out: a name is looked up here, and never in a folder.
const FILES: &[PageFile] = files! {
    "index.html": "text/html; charset=utf-8",
};

/// The page itself.
pub(super) async fn index() -> Result<Response, Refusal> {
    find("index.html")
}

/// One of its files.
pub(super) async fn file(Path(name): Path<String>) -> Result<Response, Refusal> {
    find(&name)
}

fn find(name: &str) -> Result<Response, Refusal> {
    let file = FILES.iter().find(|file| file.name == name);
    let file = file.ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "the page has no such file"))?;
    Ok(([(header::CONTENT_TYPE, file.kind)], file.text).into_response())
}
