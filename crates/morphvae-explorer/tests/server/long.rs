//! What takes long: it keeps nobody else waiting, and ends when nobody waits for it.

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{authority, connect, explorer, facts, get, metrics, network, post, read_reply, start};
use image::{GrayImage, ImageFormat};
use morphvae::data::strokes::strokes;
use morphvae::evaluation::encode;
use morphvae_explorer::{Explorer, LatentMap, ShownImages, Watched};

/// Paths that are sought at once.
const AT_ONCE: usize = 8;

/// Asks for a geodesic through so many keys, which takes the longer the more there are, and does not wait for it.
fn ask(explorer: &Explorer, keys: usize) -> TcpStream {
    let key = |index: usize| {
        format!(
            "[{},{}]",
            (2.4 * index as f64).sin() * 2.0,
            (1.7 * index as f64).cos() * 2.0
        )
    };
    let keys: Vec<String> = (0..keys).map(key).collect();
    let body = format!(
        r#"{{"keys":[{}],"path":"geodesic","cycle":false,"frames":600}}"#,
        keys.join(",")
    );
    let mut stream = connect(explorer);
    let (host, length) = (authority(explorer), body.len());
    write!(
        stream,
        "POST /api/path HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    stream
}

/// So many of the longest paths that may be asked for, once they are under way.
fn long_paths(explorer: &Explorer, count: usize) -> Vec<TcpStream> {
    let asked = (0..count).map(|_| ask(explorer, 32)).collect();
    // A server that has not heard of them yet would make any test of theirs pass.
    thread::sleep(Duration::from_millis(300));
    asked
}

fn png() -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    let picture = GrayImage::from_fn(60, 40, |x, y| image::Luma([(x * y % 256) as u8]));
    picture.write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

#[test]
fn short_work_is_done_while_long_work_that_came_first_goes_on() {
    let explorer = explorer(2);
    // One fewer than there may be at once.
    let paths = long_paths(&explorer, AT_ONCE - 1);
    assert_eq!(post(&explorer, "/api/encode", &png()).status, 200);
    assert_eq!(post(&explorer, "/api/decode", br#"{"points":[[0.5,0.5]]}"#).status, 200);
    assert_eq!(read_reply(&mut ask(&explorer, 2)).status, 200);
    for path in &paths {
        path.set_nonblocking(true).unwrap();
        let answered = path.peek(&mut [0]);
        assert!(answered.is_err_and(|error| error.kind() == ErrorKind::WouldBlock));
    }
}

#[test]
fn work_for_those_who_have_gone_away_ends() {
    let (explorer, shown) = watched_by_its_images();
    drop(long_paths(&explorer, AT_ONCE));
    // Alone, they would go on for much longer than this waits.
    wait_until_gone(&explorer, &shown);
    // And their places are free.
    assert_eq!(read_reply(&mut ask(&explorer, 2)).status, 200);
}

#[test]
fn the_server_ends_whatever_is_under_way() {
    let (explorer, shown) = watched_by_its_images();
    let mut paths = long_paths(&explorer, 2 * AT_ONCE);
    let host = authority(&explorer);
    let mut watching = connect(&explorer);
    write!(watching, "GET /api/watch HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    let mut slow = connect(&explorer);
    write!(
        slow,
        "POST /api/encode HTTP/1.1\r\nHost: {host}\r\nContent-Length: 500\r\n\r\nhalf"
    )
    .unwrap();
    let _silent: Vec<TcpStream> = (0..64).map(|_| connect(&explorer)).collect();
    assert_eq!(get(&explorer, "/api/model").status, 200);
    explorer.stop();
    // None was computed to its end.
    for path in &mut paths {
        let reply = read_reply(path);
        assert_eq!(reply.status, 503);
        assert!(reply.error().contains("the program ends"), "{}", reply.error());
    }
    // An event stream ends as it should: with its last, empty chunk.
    assert!(read_reply(&mut watching).body.ends_with(b"0\r\n\r\n"));
    // Nothing goes on behind the server's back.
    wait_until_dropped(&shown);
}

/// A server, and images that are held by its first map alone.
fn watched_by_its_images() -> (Explorer, Weak<ShownImages>) {
    let shown = Arc::new(ShownImages::of(&strokes(0, 30, 5).test));
    let held = Arc::downgrade(&shown);
    (start(map(shown), Some(Watched::default())), held)
}

fn map(shown: Arc<ShownImages>) -> LatentMap {
    let network = network(2, 1);
    let codes = encode(&network, shown.images()).unwrap();
    LatentMap::new(network, facts(), shown, codes).unwrap()
}

/// Puts another map in the first one's place, and waits until nobody works with that any more.
fn wait_until_gone(explorer: &Explorer, shown: &Weak<ShownImages>) {
    explorer.publish(map(Arc::new(ShownImages::none(1))), &metrics(1));
    wait_until_dropped(shown);
}

fn wait_until_dropped(shown: &Weak<ShownImages>) {
    let begin = Instant::now();
    while shown.strong_count() > 0 {
        assert!(begin.elapsed() < Duration::from_secs(15), "somebody still works");
        thread::sleep(Duration::from_millis(10));
    }
}
