//! A web server for tests that misbehaves as told.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What the server does with a request.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// Sends what is asked for, and goes on where a request wants it to.
    Good,
    /// As good, but always from the start.
    IgnoresRange,
    /// Promises all and hangs up after so many bytes.
    CutsOffAfter(usize),
    /// Sends this in place of the file, as this type of content.
    Sends(&'static str, Vec<u8>),
    /// Answers with this status.
    Status(u16),
    /// Accepts and says nothing.
    Silent,
    /// Sends a byte every few milliseconds.
    Drips,
}

/// Serves the same bytes at every address until the test ends.
pub struct Server {
    /// `http://127.0.0.1:PORT`.
    pub address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// The first request meets the first behaviour, and so on; the last behaviour stays.
    pub fn start(serve: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static, behaviours: &[Behaviour]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (log, behaviours, serve) = (Arc::clone(&requests), behaviours.to_vec(), Arc::new(serve));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (path, range) = read_request(&stream);
                let number = {
                    let mut log = log.lock().unwrap();
                    log.push(range.map_or(path.clone(), |start| format!("{path} from {start}")));
                    log.len() - 1
                };
                let behaviour = behaviours[number.min(behaviours.len() - 1)].clone();
                let content = serve(&path);
                // The client may hang up at any time: that is what some tests are about.
                thread::spawn(move || answer(stream, &behaviour, &content, range));
            }
        });
        Self { address, requests }
    }

    /// The address of a server that is no more.
    pub fn dead() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self {
            address: format!("http://{}", listener.local_addr().unwrap()),
            requests: Arc::default(),
        }
    }

    /// The paths that were asked for, each with ` from N` if it was asked to go on there.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn read_request(stream: &TcpStream) -> (String, Option<usize>) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let path = lines
        .next()
        .and_then(|line| Some(line.split(' ').nth(1)?.to_owned()))
        .unwrap_or_default();
    let mut range = None;
    for line in lines.take_while(|line| !line.is_empty()) {
        if let Some(start) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
            range = start.trim_end_matches('-').parse().ok();
        }
    }
    (path, range)
}

fn answer(mut stream: TcpStream, behaviour: &Behaviour, content: &[u8], range: Option<usize>) -> std::io::Result<()> {
    let mut head = |status: &str, kind: &str, length: usize, more: &str| {
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{more}Connection: close\r\n\r\n"
        )
    };
    let binary = "application/octet-stream";
    match (behaviour, range) {
        (Behaviour::Good, Some(start)) if start < content.len() => {
            let more = format!(
                "Content-Range: bytes {start}-{}/{}\r\n",
                content.len() - 1,
                content.len()
            );
            head("206 Partial Content", binary, content.len() - start, &more)?;
            stream.write_all(&content[start..])
        }
        (Behaviour::Good | Behaviour::IgnoresRange, _) => {
            head("200 OK", binary, content.len(), "")?;
            stream.write_all(content)
        }
        (Behaviour::CutsOffAfter(bytes), _) => {
            head("200 OK", binary, content.len(), "")?;
            stream.write_all(&content[..*bytes])
        }
        (Behaviour::Sends(kind, bytes), _) => {
            head("200 OK", kind, bytes.len(), "")?;
            stream.write_all(bytes)
        }
        (Behaviour::Status(status), _) => head(&format!("{status} No"), binary, 0, ""),
        (Behaviour::Silent, _) => {
            thread::sleep(Duration::from_secs(5));
            Ok(())
        }
        (Behaviour::Drips, _) => {
            head("200 OK", binary, content.len(), "")?;
            for byte in content.iter().take(500) {
                stream.write_all(&[*byte])?;
                thread::sleep(Duration::from_millis(10));
            }
            Ok(())
        }
    }
}
