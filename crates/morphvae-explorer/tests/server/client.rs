//! A server with a tiny network, and a client that can misbehave.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use burn::tensor::Device;
use morphvae::data::strokes::strokes;
use morphvae::evaluation::encode;
use morphvae::network::{Architecture, Inference, NetworkConfig, Vae};
use morphvae::training::EpochMetrics;
use morphvae_explorer::{Explorer, LatentMap, ModelFacts, Place, ShownImages, Watched};

/// Images that are shown.
pub const SHOWN: usize = 30;

pub fn network(latent: usize, seed: u64) -> Inference {
    let config = NetworkConfig {
        architecture: Architecture::Reference { base_channels: 2 },
        latent,
        ..NetworkConfig::default()
    };
    Inference::new(&Vae::new(config, seed, &Device::flex()).unwrap())
}

pub fn map(latent: usize, seed: u64) -> LatentMap {
    let digits = strokes(0, SHOWN, 5);
    let shown = Arc::new(ShownImages::of(&digits.test));
    let network = network(latent, seed);
    let codes = encode(&network, shown.images()).unwrap();
    LatentMap::new(network, facts(), shown, codes).unwrap()
}

pub fn facts() -> ModelFacts {
    ModelFacts {
        name: "tiny".into(),
        dataset: "strokes".into(),
        classes: (0..10).map(|digit| digit.to_string()).collect(),
        ..ModelFacts::default()
    }
}

/// Of an epoch of a training that is watched.
pub fn metrics(epoch: usize) -> EpochMetrics {
    EpochMetrics {
        epoch,
        train_loss: 1.0,
        train_reconstruction: 1.0,
        train_kl: 0.0,
        test_loss: 2.5,
        test_reconstruction: 2.0,
        test_kl: 0.5,
        validation: None,
        informative_latents: 2,
        images_per_second: 10.0,
        seconds: 1.0,
    }
}

pub fn explorer(latent: usize) -> Explorer {
    start(map(latent, 1), None)
}

pub fn start(map: LatentMap, watched: Option<Watched>) -> Explorer {
    let place = Place {
        port: Some(0),
        ..Place::default()
    };
    Explorer::start(&place, map, watched).unwrap()
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    /// Lower case, as they came.
    pub headers: String,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The one line that says what was wrong.
    pub fn error(&self) -> String {
        let json = self.json();
        let error = json["error"].as_str().unwrap_or_else(|| panic!("no error: {self:?}"));
        assert!(!error.contains('\n') && json.as_object().unwrap().len() == 1, "{error}");
        error.to_owned()
    }
}

pub fn authority(explorer: &Explorer) -> &str {
    explorer.url().strip_prefix("http://").unwrap()
}

pub fn connect(explorer: &Explorer) -> TcpStream {
    let stream = TcpStream::connect(authority(explorer)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// Sends bytes as they are and reads until the server closes.
pub fn raw(explorer: &Explorer, request: &[u8]) -> Reply {
    let mut stream = connect(explorer);
    // A server that has heard enough closes early.
    let _ = stream.write_all(request);
    read_reply(&mut stream)
}

pub fn read_reply(stream: &mut TcpStream) -> Reply {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no reply: {:?}", String::from_utf8_lossy(&bytes)));
    let headers = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
    Reply {
        status: headers[9..12].parse().unwrap(),
        headers,
        body: bytes[end + 4..].to_vec(),
    }
}

pub fn get(explorer: &Explorer, path: &str) -> Reply {
    request(explorer, "GET", path, "", b"")
}

pub fn post(explorer: &Explorer, path: &str, body: &[u8]) -> Reply {
    request(explorer, "POST", path, "", body)
}

/// `headers` are whole lines.
pub fn request(explorer: &Explorer, method: &str, path: &str, headers: &str, body: &[u8]) -> Reply {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
        authority(explorer),
        body.len()
    );
    raw(explorer, &[head.as_bytes(), body].concat())
}
