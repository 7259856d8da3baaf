//! How the server bears many clients: `cargo run --release -p morphvae-explorer --example load -- [SECONDS] [CLIENTS]`.
//!
//! One client alone measures the time of a round trip; then many ask at once, each for one image after the other on its
//! own connection, and every answer is compared with what the program decodes itself.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use burn::tensor::Device;
use morphvae::data::Images;
use morphvae::evaluation::{decode, encode};
use morphvae::model::TrainedModel;
use morphvae::network::Inference;
use morphvae_explorer::{Explorer, LatentMap, ModelFacts, Place, ShownImages};

/// Round trips that a client alone makes.
const ALONE: usize = 500;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let seconds = Duration::from_secs(arguments.next().unwrap_or(Ok(30))?);
    let clients = arguments.next().unwrap_or(Ok(64))? as usize;
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/mnist-2d.safetensors");
    let network = TrainedModel::read(model.as_ref(), &Device::flex())?.network;
    let points: Vec<[f32; 2]> = (0..clients).map(|client| [client as f32 / 16.0 - 2.0, 0.5]).collect();
    let expected = decode(&Inference::new(&network), &points.concat()).unwrap();

    let shown = ShownImages::none(1);
    let codes = encode(&Inference::new(&network), shown.images())?;
    let map = LatentMap::new(Inference::new(&network), ModelFacts::default(), Arc::new(shown), codes)?;
    let place = Place {
        port: Some(0),
        ..Place::default()
    };
    let explorer = Explorer::start(&place, map, None)?;

    let mut alone = Tally::default();
    let mut client = Client::new(&explorer, points[0])?;
    for _ in 0..ALONE {
        client.ask(expected.image(0), &mut alone);
    }
    alone.print("one client");

    let begin = Instant::now();
    let ask = |client: usize| run(&explorer, points[client], &expected, client, seconds);
    let mut many = Tally::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..clients).map(|client| scope.spawn(move || ask(client))).collect();
        // Once everybody is connected and all buffers are as large as they get.
        std::thread::sleep(seconds / 10);
        println!("memory after a tenth of the time: {}", memory());
        for thread in threads {
            many.add(thread.join().expect("a client does not panic"));
        }
    });
    println!("memory at the end:                {}", memory());
    many.print(&format!("{clients} clients for {:.1} s", begin.elapsed().as_secs_f64()));
    println!(
        "{:.0} images a second",
        many.times.len() as f64 / begin.elapsed().as_secs_f64()
    );
    explorer.stop();
    if many.failures + alone.failures > 0 {
        return Err("some requests were lost".into());
    }
    Ok(())
}

/// Asks until the time is over.
fn run(explorer: &Explorer, point: [f32; 2], expected: &Images, client: usize, time: Duration) -> Tally {
    let (begin, mut tally) = (Instant::now(), Tally::default());
    match Client::new(explorer, point) {
        Ok(mut asking) => {
            while begin.elapsed() < time {
                asking.ask(expected.image(client), &mut tally);
            }
        }
        Err(_) => tally.failures += 1,
    }
    tally
}

/// A connection, and what is asked for on it.
struct Client {
    stream: BufReader<TcpStream>,
    request: String,
}

impl Client {
    fn new(explorer: &Explorer, [x, y]: [f32; 2]) -> io::Result<Self> {
        let host = explorer.url().trim_start_matches("http://");
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        let body = format!("{{\"points\":[[{x},{y}]]}}");
        let length = body.len();
        let request = format!("POST /api/decode HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n{body}");
        Ok(Self {
            stream: BufReader::new(stream),
            request,
        })
    }

    fn ask(&mut self, expected: &[u8], tally: &mut Tally) {
        let begin = Instant::now();
        match self.answer() {
            Ok(image) if image == expected => tally.times.push(begin.elapsed()),
            _ => tally.failures += 1,
        }
    }

    fn answer(&mut self) -> io::Result<Vec<u8>> {
        self.stream.get_mut().write_all(self.request.as_bytes())?;
        let (mut line, mut length) = (String::new(), 0);
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            match line.trim_end().split_once(": ") {
                Some(("content-length", value)) => length = value.parse().map_err(io::Error::other)?,
                None if line.trim_end().is_empty() => break,
                _ => {}
            }
        }
        let mut image = vec![0; length];
        self.stream.read_exact(&mut image)?;
        Ok(image)
    }
}

/// How long each answer took, and how many were none.
#[derive(Default)]
struct Tally {
    times: Vec<Duration>,
    failures: usize,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.times.extend(other.times);
        self.failures += other.failures;
    }

    fn print(&mut self, who: &str) {
        self.times.sort_unstable();
        let quantile = |share: f64| {
            let index = (self.times.len() as f64 * share) as usize;
            self.times.get(index).map_or(f64::NAN, |time| 1e3 * time.as_secs_f64())
        };
        println!(
            "{who}: {} answers, {} failures, median {:.2} ms, 99 % within {:.2} ms",
            self.times.len(),
            self.failures,
            quantile(0.5),
            quantile(0.99)
        );
    }
}

/// What the process holds, where the system says so.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.map_or("unknown".into(), |size| size.trim().into())
}
