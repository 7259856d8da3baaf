//! Downloads from servers that misbehave.

use super::server::Behaviour::{self, CutsOffAfter, Drips, Good, IgnoresRange, Sends, Silent, Status};
use super::server::Server;
use super::*;
use crate::data::catalogue::Contents;
use crate::data::idx::tests::{gzip, idx};
use crate::random::{Purpose, generator};
use rand::Rng;
use std::fs;
use std::io::Write;
use std::time::Duration;
use tempfile::TempDir;

const FILES: [&str; 4] = ["train-images.gz", "train-labels.gz", "test-images.gz", "test-labels.gz"];

/// What the files hold; the first is large enough to arrive in several pieces.
fn content(name: &str) -> Vec<u8> {
    let mut noise = vec![0; 300 * 784];
    generator(0, Purpose::Noise, 0).fill_bytes(&mut noise);
    match FILES.iter().position(|file| name.ends_with(file)) {
        Some(0) => gzip(&idx(0x803, &[300, 28, 28], &noise)),
        Some(1) => gzip(&idx(0x801, &[300], &[2; 300])),
        Some(2) => gzip(&idx(0x803, &[2, 28, 28], &noise[..1568])),
        Some(3) => gzip(&idx(0x801, &[2], &[1, 0])),
        _ => Vec::new(),
    }
}

fn published(bytes: &[u8]) -> Published {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    Published {
        bytes: bytes.len() as u64,
        sha256: sha256(file.path()).unwrap().leak(),
    }
}

/// A set whose mirrors are the servers.
fn set(servers: &[&Server]) -> KnownSet {
    let mirrors = servers
        .iter()
        .map(|server| &*format!("{}/", server.address).leak())
        .collect::<Vec<_>>();
    let source = Source::Files {
        mirrors: mirrors.leak(),
        published: FILES.map(|file| published(&content(file))).to_vec().leak(),
    };
    KnownSet {
        name: "tiny",
        description: "",
        classes: &["a", "b", "c"],
        contents: contents(FILES, false),
        source,
    }
}

fn contents(files: [&'static str; 4], transposed: bool) -> Contents {
    Contents::Idx {
        files,
        labels: 0..=2,
        transposed,
    }
}

fn impatience() -> Patience {
    Patience {
        connect: Duration::from_millis(500),
        silence: Duration::from_millis(300),
        slowest: 10_000,
        rounds: 3,
        pause: Duration::from_millis(5),
    }
}

fn fetch_quickly(set: &KnownSet, data_dir: &Path, options: &FetchOptions) -> Result<usize, DataError> {
    fetch_with(
        set,
        data_dir,
        options,
        &impatience(),
        &mut |_| ControlFlow::Continue(()),
    )
}

/// A data folder in which only the first file is missing.
fn all_but_one() -> TempDir {
    let data_dir = tempfile::tempdir().unwrap();
    fs::create_dir(data_dir.path().join("tiny")).unwrap();
    for file in &FILES[1..] {
        fs::write(data_dir.path().join("tiny").join(file), content(file)).unwrap();
    }
    data_dir
}

/// Fetches the missing file from servers that behave so; the data folder and the servers come back for inspection.
fn fetch_one(behaviours: &[&[Behaviour]]) -> (Result<usize, DataError>, TempDir, Vec<Server>) {
    let servers: Vec<Server> = behaviours
        .iter()
        .map(|behaviours| Server::start(content, behaviours))
        .collect();
    let data_dir = all_but_one();
    let result = fetch_quickly(
        &set(&servers.iter().collect::<Vec<_>>()),
        data_dir.path(),
        &FetchOptions::default(),
    );
    (result, data_dir, servers)
}

fn assert_whole(data_dir: &TempDir) {
    let folder = data_dir.path().join("tiny");
    assert_eq!(fs::read(folder.join(FILES[0])).unwrap(), content(FILES[0]));
    assert_eq!(fs::read_dir(folder).unwrap().count(), 4, "something was left behind");
}

/// The message of a failure that leaves nothing behind.
fn refusal((result, data_dir, _): (Result<usize, DataError>, TempDir, Vec<Server>)) -> String {
    assert_eq!(
        fs::read_dir(data_dir.path().join("tiny")).unwrap().count(),
        3,
        "something was left behind"
    );
    let message = result.unwrap_err().to_string();
    assert!(
        message.starts_with("could not fetch train-images.gz: http://127.0.0.1"),
        "{message}"
    );
    assert!(!message.contains('\n'), "{message}");
    message
}

#[test]
fn a_set_is_fetched_once_and_then_loaded() {
    let server = Server::start(content, &[Good]);
    let set = set(&[&server]);
    let data_dir = tempfile::tempdir().unwrap();
    let mut seen: Vec<(String, u64, u64)> = Vec::new();
    let fetched = fetch_with(
        &set,
        data_dir.path(),
        &FetchOptions::default(),
        &impatience(),
        &mut |progress| {
            seen.push((progress.file.to_owned(), progress.bytes, progress.total));
            ControlFlow::Continue(())
        },
    );
    assert_eq!(fetched.unwrap(), 4);
    assert_eq!(server.requests(), FILES.map(|file| format!("/{file}")));
    for file in FILES {
        let bytes: Vec<u64> = seen
            .iter()
            .filter(|(name, ..)| name == file)
            .map(|(_, bytes, _)| *bytes)
            .collect();
        assert!(bytes.is_sorted() && bytes[0] == 0 && bytes[bytes.len() - 1] == content(file).len() as u64);
    }
    let dataset = set.load(data_dir.path()).unwrap();
    assert_eq!(
        (dataset.train.images.count(), dataset.test.labels),
        (300, Some(vec![Some(1), Some(0)]))
    );
    let offline = FetchOptions {
        offline: true,
        mirror: None,
    };
    assert_eq!(fetch_quickly(&set, data_dir.path(), &offline).unwrap(), 0);
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_mirror_is_laid_out_as_a_data_folder() {
    let server = Server::start(content, &[Good]);
    let unused = Server::start(content, &[Good]);
    let data_dir = all_but_one();
    let options = FetchOptions {
        offline: false,
        mirror: Some(format!("{}/data/", server.address)),
    };
    assert_eq!(fetch_quickly(&set(&[&unused]), data_dir.path(), &options).unwrap(), 1);
    assert_eq!(server.requests(), ["/data/tiny/train-images.gz"]);
    assert!(unused.requests().is_empty());
    let nonsense = FetchOptions {
        offline: false,
        mirror: Some("not an address".to_owned()),
    };
    let error = fetch_quickly(&set(&[&unused]), &data_dir.path().join("other"), &nonsense).unwrap_err();
    assert!(
        error.to_string().contains("not an address/tiny/train-images.gz: "),
        "{error}"
    );
}

#[test]
fn a_download_that_is_cut_off_goes_on_where_it_was() {
    let (result, data_dir, servers) = fetch_one(&[&[CutsOffAfter(100_000), Good]]);
    assert_eq!(result.unwrap(), 1);
    assert_whole(&data_dir);
    assert_eq!(
        servers[0].requests(),
        ["/train-images.gz", "/train-images.gz from 100000"]
    );
}

#[test]
fn a_server_that_ignores_ranges_starts_again() {
    let (result, data_dir, servers) = fetch_one(&[&[CutsOffAfter(100_000), IgnoresRange]]);
    assert_eq!(result.unwrap(), 1);
    assert_whole(&data_dir);
    assert_eq!(servers[0].requests().len(), 2);
}

#[test]
fn another_mirror_goes_on_where_the_first_was_cut_off() {
    let (result, data_dir, servers) = fetch_one(&[&[CutsOffAfter(100_000)], &[Good]]);
    assert_eq!(result.unwrap(), 1);
    assert_whole(&data_dir);
    assert_eq!(servers[1].requests(), ["/train-images.gz from 100000"]);
}

#[test]
fn what_always_breaks_off_is_given_up_but_kept() {
    let (result, data_dir, servers) = fetch_one(&[&[CutsOffAfter(100_000)]]);
    let message = result.unwrap_err().to_string();
    assert!(message.contains("cut off after 100000 of "), "{message}");
    assert_eq!(servers[0].requests().len(), 3);
    assert_eq!(
        fs::metadata(data_dir.path().join("tiny/train-images.gz.part"))
            .unwrap()
            .len(),
        100_000
    );
}

#[test]
fn wrong_bytes_are_named_and_the_next_mirror_is_asked() {
    let mut wrong = content(FILES[0]);
    wrong[1000] ^= 1;
    let digests = [published(&wrong).sha256, published(&content(FILES[0])).sha256];
    let binary = Sends("application/gzip", wrong);
    let message = refusal(fetch_one(&[std::slice::from_ref(&binary)]));
    assert!(digests.iter().all(|digest| message.contains(digest)), "{message}");
    let (result, data_dir, servers) = fetch_one(&[&[binary], &[Good]]);
    assert_eq!(result.unwrap(), 1);
    assert_whole(&data_dir);
    assert_eq!(servers[0].requests().len(), 1);
}

#[test]
fn a_file_of_another_length_is_not_even_downloaded() {
    let message = refusal(fetch_one(&[&[Sends("application/gzip", vec![7; 5_000_000])]]));
    assert!(
        message.contains("it sends 5000000 bytes or more, but the published file has"),
        "{message}"
    );
    refusal(fetch_one(&[&[Sends("application/gzip", vec![7; 50])]]));
}

#[test]
fn an_html_page_is_recognized_by_its_type_and_by_its_first_character() {
    let mut page = b"\n<!DOCTYPE html><title>Sign in</title>".to_vec();
    page.resize(content(FILES[0]).len(), b' ');
    for kind in ["text/html; charset=utf-8", "application/octet-stream"] {
        let message = refusal(fetch_one(&[&[Sends(kind, page.clone())]]));
        assert!(
            message.contains("it sent an HTML page in place of the file"),
            "{message}"
        );
    }
}

#[test]
fn a_mirror_that_is_dead_silent_or_slow_is_passed_over() {
    for lame in [Silent, Drips, Status(404), Status(503)] {
        let (result, data_dir, _servers) = fetch_one(&[&[lame], &[Good]]);
        assert_eq!(result.unwrap(), 1);
        assert_whole(&data_dir);
    }
    let dead = Server::dead();
    let alive = Server::start(content, &[Good]);
    let data_dir = all_but_one();
    assert_eq!(
        fetch_quickly(&set(&[&dead, &alive]), data_dir.path(), &FetchOptions::default()).unwrap(),
        1
    );
    assert_whole(&data_dir);
}

#[test]
fn why_each_mirror_failed_is_told() {
    let message = refusal(fetch_one(&[&[Status(404)], &[Silent], &[Status(500)]]));
    for reason in ["HTTP 404 Not Found", "silent for 300ms", "HTTP 500"] {
        assert!(message.contains(reason), "{message}");
    }
    let (result, ..) = fetch_one(&[&[Drips]]);
    let message = result.unwrap_err().to_string();
    assert!(message.contains("too slow: given up after "), "{message}");
}

#[test]
fn a_passing_trouble_is_waited_out() {
    let (result, data_dir, servers) = fetch_one(&[&[Status(503), Status(429), Good]]);
    assert_eq!(result.unwrap(), 1);
    assert_whole(&data_dir);
    assert_eq!(servers[0].requests().len(), 3);
}

#[test]
fn a_part_that_belongs_to_nothing_is_thrown_away() {
    for length in [1000, 10_000_000] {
        let server = Server::start(content, &[Good]);
        let data_dir = all_but_one();
        fs::write(data_dir.path().join("tiny/train-images.gz.part"), vec![1; length]).unwrap();
        assert_eq!(
            fetch_quickly(&set(&[&server]), data_dir.path(), &FetchOptions::default()).unwrap(),
            1
        );
        assert_whole(&data_dir);
    }
}

#[test]
fn the_observer_stops_the_download_and_the_next_goes_on() {
    let server = Server::start(content, &[Good]);
    let set = set(&[&server]);
    let data_dir = all_but_one();
    let options = FetchOptions::default();
    let stopped = fetch_with(&set, data_dir.path(), &options, &impatience(), &mut |progress| {
        if progress.bytes > 0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert!(matches!(stopped, Err(DataError::Stopped { .. })));
    let kept = fs::metadata(data_dir.path().join("tiny/train-images.gz.part"))
        .unwrap()
        .len();
    assert_eq!(fetch_quickly(&set, data_dir.path(), &options).unwrap(), 1);
    assert_eq!(server.requests()[1], format!("/train-images.gz from {kept}"));
    assert_whole(&data_dir);
}

#[test]
fn a_damaged_file_is_fetched_again_and_a_readable_one_is_not() {
    let server = Server::start(content, &[Good]);
    let data_dir = all_but_one();
    fs::write(data_dir.path().join("tiny/train-images.gz"), "half of it").unwrap();
    fs::remove_file(data_dir.path().join("tiny/test-labels.gz")).unwrap();
    fs::write(data_dir.path().join("tiny/test-labels"), idx(0x801, &[2], &[0, 1])).unwrap();
    let set = set(&[&server]);
    assert_eq!(
        fetch_quickly(&set, data_dir.path(), &FetchOptions::default()).unwrap(),
        1
    );
    assert_whole(&data_dir);
    assert_eq!(
        set.load(data_dir.path()).unwrap().test.labels,
        Some(vec![Some(0), Some(1)])
    );
}

#[test]
fn offline_names_the_file_its_place_and_its_source() {
    let server = Server::start(content, &[Good]);
    let data_dir = all_but_one();
    let options = FetchOptions {
        offline: true,
        mirror: None,
    };
    let message = fetch_quickly(&set(&[&server]), data_dir.path(), &options)
        .unwrap_err()
        .to_string();
    let path = data_dir.path().join("tiny/train-images.gz");
    assert!(
        message.starts_with(&format!("{}: the file is missing", path.display())),
        "{message}"
    );
    assert!(
        message.contains(&format!("{}/train-images.gz", server.address)),
        "{message}"
    );
    assert!(server.requests().is_empty());
}

#[test]
fn two_programs_do_not_fetch_the_same_file_at_once() {
    let server = Server::start(content, &[Good]);
    let data_dir = all_but_one();
    let other = fs::File::create(data_dir.path().join("tiny/train-images.gz.part")).unwrap();
    other.lock().unwrap();
    let result = fetch_quickly(&set(&[&server]), data_dir.path(), &FetchOptions::default());
    assert!(matches!(result, Err(DataError::Busy { .. })));
}

#[test]
fn sets_of_an_archive_share_it() {
    let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    for file in FILES {
        zip.start_file(format!("gzip/{file}"), zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(&content(file)).unwrap();
    }
    let zip = zip.finish().unwrap().into_inner();
    let published = published(&zip);
    let server = Server::start(move |_| zip.clone(), &[Good]);
    let mirrors = vec![&*format!("{}/", server.address).leak()].leak();
    let archive = Archive {
        folder: "shared",
        name: "all.zip",
        prefix: "gzip/",
        mirrors,
        published,
    };
    let source = || Source::Archive(Box::leak(Box::new(Archive { ..archive })));
    let first = KnownSet {
        source: source(),
        ..set(&[])
    };
    let mut second = KnownSet {
        name: "second",
        contents: contents(FILES, true),
        source: source(),
        ..set(&[])
    };
    let data_dir = tempfile::tempdir().unwrap();
    assert_eq!(
        fetch_quickly(&first, data_dir.path(), &FetchOptions::default()).unwrap(),
        4
    );
    assert_eq!(
        fetch_quickly(&second, data_dir.path(), &FetchOptions::default()).unwrap(),
        4
    );
    assert_eq!(server.requests(), ["/all.zip"]);
    let [upright, turned] = [&first, &second].map(|set| set.load(data_dir.path()).unwrap().test.images);
    for (row, column) in [(0, 5), (27, 3), (9, 9)] {
        assert_eq!(upright.image(1)[row * 28 + column], turned.image(1)[column * 28 + row]);
    }
    second.name = "third";
    second.contents = contents(["absent.gz", FILES[1], FILES[2], FILES[3]], true);
    let message = fetch_quickly(&second, data_dir.path(), &FetchOptions::default())
        .unwrap_err()
        .to_string();
    assert!(message.contains("all.zip: cannot take gzip/absent.gz"), "{message}");
    fs::remove_file(data_dir.path().join("shared/all.zip")).unwrap();
    let options = FetchOptions {
        offline: true,
        mirror: None,
    };
    let message = fetch_quickly(&second, data_dir.path(), &options)
        .unwrap_err()
        .to_string();
    assert!(message.contains("shared/all.zip: the file is missing"), "{message}");
}
