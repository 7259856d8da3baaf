//! Requests at a live explorer, as bytes.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use burn::tensor::Device;
use image::ImageFormat;
use morphvae::data::strokes::strokes;
use morphvae::evaluation::encode;
use morphvae::network::{Architecture, Inference, NetworkConfig, Vae};
use morphvae_explorer::{Explorer, LatentMap, ModelFacts, Place, ShownImages};

use crate::seeds;
use crate::targets::Subject;

/// How long an answer is waited for before the server is told that no more will come.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long the server may think before it is given up.
const LONGEST: Duration = Duration::from_secs(15);

/// Requests between two that ask whether it is still well.
const OFTEN: u64 = 20;

/// An explorer of a tiny network, and requests that it answers.
pub fn open(_: &Path) -> Subject {
    let explorer = start();
    let host = explorer.url().trim_start_matches("http://").to_owned();
    let seeds = requests(&host);
    let mut count = 0_u64;
    Subject {
        seeds,
        check: Box::new(move |_, request| {
            // The server lives as long as this.
            let _ = &explorer;
            count += 1;
            let status = ask(&host, request)?;
            if count.is_multiple_of(OFTEN) {
                well(&host)?;
            }
            Ok(status)
        }),
    }
}

fn start() -> Explorer {
    let config = NetworkConfig {
        architecture: Architecture::Reference { base_channels: 1 },
        ..NetworkConfig::default()
    };
    let network = Inference::new(&Vae::new(config, 1, &Device::flex()).expect("a small network can be made"));
    let digits = strokes(0, 20, 5);
    let shown = Arc::new(ShownImages::of(&digits.test));
    let codes = encode(&network, shown.images()).expect("a network takes its images");
    let facts = ModelFacts {
        classes: digits.classes,
        ..ModelFacts::default()
    };
    let map = LatentMap::new(network, facts, shown, codes).expect("they belong together");
    let place = Place {
        port: Some(0),
        ..Place::default()
    };
    Explorer::start(&place, map, None).expect("there is a free port")
}

fn requests(host: &str) -> Vec<Vec<u8>> {
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").into_bytes();
    let post = |path: &str, kind: &str, body: &[u8]| {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: \
             {length}\r\n\r\n"
        );
        [head.as_bytes(), body].concat()
    };
    let json = |path: &str, body: &str| post(path, "application/json", body.as_bytes());
    let mut requests: Vec<Vec<u8>> = [
        "/",
        "/page/style.css",
        "/api/model",
        "/api/points",
        "/api/image/3",
        "/api/watch",
    ]
    .map(get)
    .to_vec();
    requests.push(json("/api/decode", r#"{"points":[[0.5,-0.5],[1,2]]}"#));
    for path in ["line", "spherical", "spline", "geodesic"] {
        let body = format!(r#"{{"keys":[[0,0],[1,1],[-1,0.5]],"path":"{path}","cycle":true,"frames":8}}"#);
        requests.push(json("/api/path", &body));
    }
    requests.push(post("/api/encode", "application/octet-stream", &[9; 1024]));
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
        requests.push(post("/api/encode", "image/png", &seeds::encoded(format)[1]));
    }
    let origin = format!("GET /api/model HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n\r\n");
    let chunked = format!(
        "POST /api/decode HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n17\r\n\
         {{\"points\":[[0.5,-0.5]]}}\r\n0\r\n\r\n"
    );
    requests.extend([origin, chunked].map(String::into_bytes));
    requests
}

/// Sends bytes as they are; the status that comes back, if any does. A fault of the server's is an error.
fn ask(host: &str, request: &[u8]) -> Result<String, String> {
    let reply = exchange(host, request).map_err(|error| format!("no connection: {error}"))?;
    let head = String::from_utf8_lossy(&reply[..reply.len().min(16)]).into_owned();
    match head.get(9..12) {
        Some("503") => Ok("busy".to_owned()),
        Some(status) if status.starts_with('5') => Err(format!("answered {status}")),
        Some(status) => Ok(format!("answered {} {}", status_words(status), reason(&reply))),
        None if reply.is_empty() => Ok("hung up".to_owned()),
        None => Err(format!("answered no HTTP: {head:?}")),
    }
}

/// Statuses are told apart by letters, for answers that differ only in numbers count as alike.
fn status_words(status: &str) -> String {
    status.bytes().map(|digit| char::from(b'a' + digit % 16)).collect()
}

/// The body, where it says what was wrong.
fn reason(reply: &[u8]) -> String {
    let reply = String::from_utf8_lossy(reply);
    let body = reply.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let end = body.char_indices().nth(100).map_or(body.len(), |(end, _)| end);
    match body.starts_with("{\"error") {
        true => body[..end].to_owned(),
        false => String::new(),
    }
}

fn exchange(host: &str, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(host)?;
    let patience = if is_whole(request) {
        PATIENCE
    } else {
        Duration::from_millis(5)
    };
    stream.set_read_timeout(Some(patience))?;
    // A server that has heard enough closes early.
    let _ = stream.write_all(request);
    let mut reply = Vec::new();
    if stream.read_to_end(&mut reply).is_err() && reply.is_empty() {
        // It waits for more, which does not come.
        let _ = stream.shutdown(Shutdown::Write);
        stream.set_read_timeout(Some(LONGEST))?;
        let _ = stream.read_to_end(&mut reply);
    }
    Ok(reply)
}

/// Whether the server can be expected to answer without hearing more.
fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(Ok(0), |length| length.trim().parse()).unwrap_or(0);
    let chunked = head.contains("transfer-encoding");
    // Only then does it hang up after its answer.
    head.contains("connection: close") && (chunked || request.len() - end - 4 >= length)
}

/// Whether it still does what it did.
fn well(host: &str) -> Result<(), String> {
    let body = r#"{"points":[[0.5,-0.5]]}"#;
    let length = body.len();
    let request = format!(
        "POST /api/decode HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let reply = exchange(host, request.as_bytes()).map_err(|error| format!("no longer answers: {error}"))?;
    if reply.starts_with(b"HTTP/1.1 200") {
        Ok(())
    } else {
        Err(format!(
            "no longer well: {:?}",
            String::from_utf8_lossy(&reply[..reply.len().min(200)])
        ))
    }
}
