//! Requests that are wrong or meant ill: each is refused in one line, and nothing changes.

use std::io::Write;

use crate::client::{authority, connect, explorer, get, post, raw, read_reply, request};
use morphvae_explorer::Explorer;

/// The server still does what it did.
fn assert_well(explorer: &Explorer) {
    let decoded = post(explorer, "/api/decode", br#"{"points":[[0.5,-0.5]]}"#);
    assert_eq!((decoded.status, decoded.body.len()), (200, 1024));
}

#[test]
fn bodies_that_make_no_sense_are_refused() {
    let explorer = explorer(2);
    let many = format!("{{\"points\":[{}[0,0]]}}", "[0,0],".repeat(256));
    let deep = format!("{{\"points\":{}", "[".repeat(100_000));
    for (body, word) in [
        ("", "JSON"),
        ("{", "JSON"),
        ("[[0,0]]", "JSON"),
        ("{\"points\":[[0,0]]} and more", "JSON"),
        ("{\"points\":[[0,0]],\"force\":true}", "unknown field"),
        ("{\"points\":[[NaN,0]]}", "JSON"),
        ("{\"points\":[[1e999,0]]}", "out of range"),
        ("{\"points\":[[1e39,0]]}", "out of range"),
        ("{\"points\":[[null,0]]}", "JSON"),
        ("{\"points\":[[\"0\",0]]}", "JSON"),
        ("{\"points\":[]}", "give 1 to 256"),
        ("{\"points\":[[0]]}", "must be 2 finite"),
        ("{\"points\":[[0,0],[0,0,0]]}", "point 1 must be 2 finite"),
        (&many, "257 points"),
        (&deep, "JSON"),
    ] {
        let reply = post(&explorer, "/api/decode", body.as_bytes());
        let start: String = body.chars().take(60).collect();
        assert_eq!(reply.status, 400, "{start}");
        assert!(reply.error().contains(word), "{start}: {}", reply.error());
    }
    let reply = post(&explorer, "/api/decode", b"{\"points\":[[\xff\xfe,0]]}");
    assert_eq!(reply.status, 400);
    for body in [
        &b""[..],
        b"hello",
        &[0; 1023],
        &[0x89, b'P', b'N', b'G', 13, 10, 26, 10, 0, 0],
    ] {
        let reply = post(&explorer, "/api/encode", body);
        assert_eq!(reply.status, 400);
        assert!(reply.error().contains("no image"), "{}", reply.error());
    }
    assert_well(&explorer);
}

/// A PNG that says it has so many columns and rows, and no pixels.
fn bare_png([width, height]: [u32; 2]) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 0, 0, 0, 0]].concat();
    for (kind, data) in [(b"IHDR", &header[..]), (b"IDAT", &[]), (b"IEND", &[])] {
        let mut sum = flate2::Crc::new();
        sum.update(kind);
        sum.update(data);
        png.extend((data.len() as u32).to_be_bytes());
        png.extend([&kind[..], data, &sum.sum().to_be_bytes()].concat());
    }
    png
}

#[test]
fn pictures_without_a_pixel_are_refused() {
    let explorer = explorer(2);
    let pictures = [
        b"P5\n0 0\n255\n".to_vec(),
        b"P6\n0 7\n255\n".to_vec(),
        b"P2\n7 0\n255\n".to_vec(),
        bare_png([0, 0]),
        bare_png([0, 7]),
        bare_png([7, 0]),
    ];
    for picture in pictures {
        let reply = post(&explorer, "/api/encode", &picture);
        let error = reply.error();
        assert_eq!(reply.status, 400, "{error}");
        assert!(error.contains("image"), "{error}");
    }
    assert_well(&explorer);
}

#[test]
fn paths_that_make_no_sense_are_refused() {
    let explorer = explorer(2);
    let sound = r#"{"keys":[[0,0],[1,1]],"path":"line","cycle":false,"frames":10}"#;
    assert_eq!(post(&explorer, "/api/path", sound.as_bytes()).status, 200);
    let many = format!("\"keys\":[{}[0,0]]", "[0,1],".repeat(32));
    for (from, to) in [
        ("\"keys\":[[0,0],[1,1]]", "\"keys\":[[0,0]]"),
        ("\"keys\":[[0,0],[1,1]]", "\"keys\":[[0,0],[1]]"),
        ("\"keys\":[[0,0],[1,1]]", &many),
        ("\"line\"", "\"shortcut\""),
        ("false", "0"),
        ("10}", "1}"),
        ("10}", "601}"),
        ("10}", "-3}"),
        ("10}", "1e9}"),
        ("10}", "10,\"fps\":3}"),
    ] {
        let body = sound.replace(from, to);
        assert_ne!(body, sound);
        let reply = post(&explorer, "/api/path", body.as_bytes());
        assert_eq!(reply.status, 400, "{body}");
        reply.error();
    }
    // More keys than frames.
    let body = r#"{"keys":[[0,0],[1,1],[2,2],[3,3]],"path":"line","cycle":true,"frames":3}"#;
    assert_eq!(post(&explorer, "/api/path", body.as_bytes()).status, 400);
    assert_well(&explorer);
}

#[test]
fn a_hundred_megabytes_are_not_taken() {
    let explorer = explorer(2);
    let head = format!("POST /api/decode HTTP/1.1\r\nHost: {}\r\n", authority(&explorer));
    // By what the head says: nothing of the body need be sent.
    let reply = raw(
        &explorer,
        format!("{head}Content-Length: 100000000\r\n\r\n{{").as_bytes(),
    );
    assert_eq!(reply.status, 413);
    assert!(reply.error().contains("larger than 1048576 bytes"), "{}", reply.error());
    // In pieces whose number nobody knows: the server hangs up after the first few.
    let mut stream = connect(&explorer);
    let mut sender = stream.try_clone().unwrap();
    write!(sender, "{head}Transfer-Encoding: chunked\r\n\r\n").unwrap();
    let chunk = [b"10000\r\n".to_vec(), vec![b' '; 0x10000], b"\r\n".to_vec()].concat();
    let sent = std::thread::spawn(move || (0..1600).take_while(|_| sender.write_all(&chunk).is_ok()).count());
    let reply = read_reply(&mut stream);
    drop(stream);
    assert_eq!(reply.status, 413);
    assert!(sent.join().unwrap() < 1600);
    let reply = post(&explorer, "/api/encode", &vec![0; (1 << 20) + 1]);
    assert_eq!(reply.status, 413);
    assert_well(&explorer);
}

#[test]
fn heads_that_are_too_long_or_no_heads_are_refused() {
    let explorer = explorer(2);
    let long = format!(
        "GET / HTTP/1.1\r\nHost: {}\r\nX: {}\r\n\r\n",
        authority(&explorer),
        "x".repeat(200_000)
    );
    assert_eq!(raw(&explorer, long.as_bytes()).status, 431);
    for nonsense in [
        "hello\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost\r\n\r\n",
    ] {
        assert_eq!(raw(&explorer, nonsense.as_bytes()).status, 400, "{nonsense:?}");
    }
    assert_well(&explorer);
}

#[test]
fn clients_that_go_away_cost_nothing() {
    let explorer = explorer(2);
    let body = format!(r#"{{"points":[{}]}}"#, vec!["[0.5,-1.5]"; 256].join(","));
    for _ in 0..400 {
        let mut stream = connect(&explorer);
        let (host, length) = (authority(&explorer), body.len());
        write!(
            stream,
            "POST /api/decode HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
    }
    assert_well(&explorer);
}

#[test]
fn other_hosts_names_are_not_answered() {
    let explorer = explorer(2);
    let port = authority(&explorer).rsplit(':').next().unwrap();
    let of = |host: &str| format!("GET /api/model HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
    for host in [
        "Host: attacker.example\r\n",
        "Host: 127.0.0.1\r\n",
        "Host: 127.0.0.1:1\r\n",
        "Host: \r\n",
        "",
    ] {
        let reply = raw(&explorer, of(host).as_bytes());
        assert_eq!(reply.status, 421, "{host}");
        reply.error();
    }
    let two = format!("Host: {0}\r\nHost: {0}\r\n", authority(&explorer));
    assert_eq!(raw(&explorer, of(&two).as_bytes()).status, 421);
    let other = format!(
        "GET http://attacker.example/api/model HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        authority(&explorer)
    );
    assert_eq!(raw(&explorer, other.as_bytes()).status, 421);
    for own in [
        format!("localhost:{port}"),
        format!("[::1]:{port}"),
        format!("127.0.0.1:{port}"),
    ] {
        assert_eq!(
            raw(&explorer, of(&format!("Host: {own}\r\n")).as_bytes()).status,
            200,
            "{own}"
        );
    }
}

#[test]
fn other_pages_are_not_answered() {
    let explorer = explorer(2);
    let body = br#"{"points":[[0,0]]}"#;
    let own = format!("Origin: {}\r\n", explorer.url());
    assert_eq!(request(&explorer, "POST", "/api/decode", &own, body).status, 200);
    for header in [
        "Origin: http://attacker.example\r\n",
        "Origin: https://127.0.0.1\r\n",
        "Origin: http://127.0.0.1:1\r\n",
        "Origin: null\r\n",
        "Origin: \r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
    ] {
        for (method, path) in [("POST", "/api/decode"), ("GET", "/api/model"), ("POST", "/api/encode")] {
            let reply = request(&explorer, method, path, header, body);
            assert_eq!(reply.status, 403, "{header}");
            reply.error();
        }
    }
    // A link from elsewhere may lead here.
    assert_eq!(
        request(&explorer, "GET", "/", "Sec-Fetch-Site: cross-site\r\n", b"").status,
        200
    );
    assert!(!get(&explorer, "/api/model").headers.contains("access-control"));
}

#[test]
fn no_path_leads_out_of_the_page() {
    let explorer = explorer(2);
    for path in [
        "/page/../Cargo.toml",
        "/page/..%2fCargo.toml",
        "/page/%2e%2e/Cargo.toml",
        "/page/..\\Cargo.toml",
        "/page/index.html%00.js",
        "/page/INDEX.HTML",
        "/page/",
        "/page",
        "/page/page/index.html",
        "//etc/passwd",
        "/../../etc/passwd",
        "/index.html",
        "/api",
        "/api/model/",
        "/api/watch",
    ] {
        let reply = get(&explorer, path);
        assert_eq!(reply.status, 404, "{path}");
        reply.error();
    }
    let reply = get(&explorer, "/page/%ff");
    assert!((400..500).contains(&reply.status));
    assert_well(&explorer);
}

#[test]
fn other_methods_are_refused_and_a_head_has_no_body() {
    let explorer = explorer(2);
    for (method, path) in [
        ("PUT", "/"),
        ("DELETE", "/api/model"),
        ("PUT", "/api/decode"),
        ("GET", "/api/decode"),
        ("POST", "/api/model"),
        ("OPTIONS", "/api/decode"),
        ("BREW", "/"),
    ] {
        let reply = request(&explorer, method, path, "", b"");
        assert_eq!(reply.status, 405, "{method} {path}");
        reply.error();
    }
    let head = request(&explorer, "HEAD", "/api/model", "", b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_well(&explorer);
}
