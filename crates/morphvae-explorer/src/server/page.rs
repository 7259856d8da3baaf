//! The page's files, given out by name.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::answer::Refusal;
use crate::page;

/// The page itself.
pub(super) async fn index() -> Result<Response, Refusal> {
    find("index.html")
}

/// One of its files.
pub(super) async fn file(Path(name): Path<String>) -> Result<Response, Refusal> {
    find(&name)
}

/// All that is ever given out: a name is looked up in a list, and never in a folder.
fn find(name: &str) -> Result<Response, Refusal> {
    let text = page::file(name).ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "the page has no such file"))?;
    let kind = match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        _ => "text/html; charset=utf-8",
    };
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
