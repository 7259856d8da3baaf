//! What is known of each image in files, and images made of such files.

use std::fs;
use std::io::Write;

use crate::TINY;
use crate::desk::Desk;

/// A model of images in two folders, which are its classes.
fn pets() -> Desk {
    let desk = Desk::new();
    for (class, ink) in [("cat", 3), ("dog", 5)] {
        fs::create_dir_all(desk.path(&format!("pets/{class}"))).unwrap();
        for index in 0..12_u8 {
            let picture = image::GrayImage::from_fn(32, 32, |x, y| image::Luma([(ink * x + y) as u8 + index]));
            picture
                .save(desk.path(&format!("pets/{class}/{index:02}.png")))
                .unwrap();
        }
    }
    desk.succeed("train --images pets --base-channels 2 --epochs 1 --grid 2 --out run --quiet");
    desk
}

/// The named columns of a CSV, line after line.
fn columns(csv: &str, names: &[&str]) -> Vec<Vec<String>> {
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    let place = |name: &&str| rows[0].iter().position(|column| column == name).unwrap();
    let places: Vec<usize> = names.iter().map(place).collect();
    let row = |row: &Vec<&str>| places.iter().map(|&place| row[place].to_owned()).collect();
    rows[1..].iter().map(row).collect()
}

/// What NumPy reads, where there is a Python with it.
pub fn numpy(desk: &Desk, script: &str) -> Option<String> {
    let mut python = std::process::Command::new("python3");
    let output = python.args(["-c", script]).current_dir(desk.path("")).output().ok()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if errors.contains("No module named") {
        println!("skipped: there is no NumPy");
        return None;
    }
    assert!(output.status.success(), "{errors}");
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

#[test]
fn codes_name_the_class_of_each_image() {
    let desk = pets();
    desk.succeed("encode run --images pets --quiet");
    let csv = fs::read_to_string(desk.path("codes.csv")).unwrap();
    // What stood there before stands where it stood.
    assert!(
        csv.starts_with("id,label,mean_1,mean_2,log_variance_1,log_variance_2,class\n"),
        "{csv}"
    );
    let named = columns(&csv, &["id", "label", "class"]);
    assert_eq!(named.len(), 24);
    for row in named {
        let (label, class) = if row[0].starts_with("cat/") {
            ("0", "cat")
        } else {
            ("1", "dog")
        };
        assert_eq!((row[1].as_str(), row[2].as_str()), (label, class));
    }
    let script = "import numpy; codes = numpy.load('codes.npz'); print(codes['classes'][codes['label']][[0, -1]])";
    if let Some(said) = numpy(&desk, script) {
        assert_eq!(said, "['cat' 'dog']");
    }
    // Images without classes have an empty field, and no array.
    desk.succeed("encode run --images pets/cat --quiet --force");
    let csv = fs::read_to_string(desk.path("codes.csv")).unwrap();
    assert!(csv.lines().nth(1).unwrap().ends_with(','), "{csv}");
    assert!(!contains(&fs::read(desk.path("codes.npz")).unwrap(), b"classes.npy"));
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn codes_decode_to_the_reconstructions() {
    let desk = pets();
    desk.succeed("encode run --images pets --quiet");
    desk.succeed("reconstruct run --images pets --out expected --quiet");
    for file in ["codes.csv", "codes.npz"] {
        let report = desk.succeed(&format!("decode {file} run --out decoded --force --json --quiet"));
        assert!(report.contains("\"images\":24"), "{report}");
        for name in ["cat/00.png", "cat/11.png", "dog/07.png"] {
            let read = |folder: &str| fs::read(desk.path(&format!("{folder}/{name}"))).unwrap();
            assert_eq!(read("decoded"), read("expected"), "{file}: {name}");
        }
        fs::remove_dir_all(desk.path("decoded")).unwrap();
    }
    desk.succeed("decode codes.npz run --out images.npz --quiet");
    let script = "import numpy; from zipfile import ZipFile; made = numpy.load('images.npz'); \
                  print(made['images'].shape, made['images'].dtype, made['id'][0], made['images'][0, 5, 7])";
    if let Some(said) = numpy(&desk, script) {
        let pixel = image::open(desk.path("expected/cat/00.png"))
            .unwrap()
            .to_luma8()
            .get_pixel(7, 5)
            .0[0];
        assert_eq!(said, format!("(24, 32, 32) uint8 cat/00.png {pixel}"));
    }
}

#[test]
fn any_points_are_decoded() {
    let desk = Desk::new();
    desk.trained("run", "--epochs 1 --grid 2");
    fs::write(desk.path("points.csv"), "0,0\n1.5,-2\n").unwrap();
    desk.succeed("decode points.csv run");
    assert_eq!(fs::read_dir(desk.path("decoded")).unwrap().count(), 2);
    assert_eq!(image::open(desk.path("decoded/00001.png")).unwrap().width(), 32);
    let script = "import numpy; numpy.save('points.npy', numpy.asfortranarray([[0, 0], [1.5, -2]])); \
                  numpy.savez_compressed('points.npz', z=numpy.float32([[0, 0], [1.5, -2]]), seed=7)";
    if numpy(&desk, script).is_some() {
        for file in ["points.npy", "points.npz"] {
            desk.succeed(&format!("decode {file} run --out again --force"));
            for name in ["00000.png", "00001.png"] {
                let read = |folder: &str| fs::read(desk.path(&format!("{folder}/{name}"))).unwrap();
                assert_eq!(read("again"), read("decoded"), "{file}: {name}");
            }
        }
    }
    desk.fail("decode points.csv run", 2, &["decoded", "--force"]);
    desk.fail(
        "decode points.csv run --out sheet.png",
        2,
        &["sheet.png", "folder", ".npz"],
    );
    fs::write(desk.path("wide.csv"), "0,0,1\n").unwrap();
    desk.fail(
        "decode wide.csv run --out new",
        2,
        &["wide.csv", "3 coordinates", "2 dimension(s)"],
    );
    assert!(!desk.path("new").exists());
}

#[test]
fn hostile_codes_write_nothing() {
    let desk = Desk::new();
    desk.trained("run", "--epochs 1 --grid 2");
    let mut promise = fs::File::create(desk.path("promise.npy")).unwrap();
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (16777216, 16), }\n";
    promise.write_all(b"\x93NUMPY\x01\0").unwrap();
    promise.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
    promise.write_all(header.as_bytes()).unwrap();
    fs::write(desk.path("pickle.npy"), {
        let header = "{'descr': '|O', 'fortran_order': False, 'shape': (1, 2), }\n";
        let mut bytes = b"\x93NUMPY\x01\0".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(b"cos\nsystem\n(S'touch owned'\ntR.");
        bytes
    })
    .unwrap();
    fs::write(desk.path("picture.csv"), b"\x89PNG\r\n\x1a\n").unwrap();
    fs::write(desk.path("out.csv"), "id,mean_1,mean_2\n../../outside,0,0\n").unwrap();
    fs::write(desk.path("late.csv"), "0,0\n1,1\n2,nan\n").unwrap();
    desk.fail(
        "decode promise.npy run --out new",
        1,
        &["promise.npy", "should hold 1073741"],
    );
    desk.fail("decode pickle.npy run --out new", 1, &["pickle.npy", "|O"]);
    desk.fail("decode picture.csv run --out new", 1, &["picture.csv", "no text"]);
    desk.fail(
        "decode out.csv run --out new",
        2,
        &["../../outside", "inside the folder"],
    );
    desk.fail(
        "decode late.csv run --out new",
        1,
        &["late.csv", "point 3 holds NaN as coordinate 2"],
    );
    desk.fail("decode missing.csv run --out new", 1, &["missing.csv"]);
    assert!(!desk.path("new").exists() && !desk.path("owned").exists());
    // An archive calls them as they like.
    desk.succeed("decode out.csv run --out images.npz");
}

#[test]
fn the_losses_of_each_image_have_the_means_that_are_printed() {
    let desk = pets();
    let report = desk.succeed("evaluate run --images pets/cat --per-image losses.csv --json --quiet");
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let csv = fs::read_to_string(desk.path("losses.csv")).unwrap();
    assert!(
        csv.starts_with("id,label,loss,reconstruction,kl,class\n00.png,,"),
        "{csv}"
    );
    let rows = columns(&csv, &["loss", "reconstruction", "kl"]);
    assert_eq!(rows.len(), 12);
    for (column, key) in ["test_loss", "test_reconstruction", "test_kl"].into_iter().enumerate() {
        let numbers: Vec<f64> = rows.iter().map(|row| row[column].parse().unwrap()).collect();
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        let told = report[key].as_f64().unwrap();
        assert!(
            (mean - told).abs() < 1e-9 * told.abs().max(1.0),
            "{key}: {mean} is not {told}"
        );
        assert!(
            numbers.iter().any(|number| (number - mean).abs() > 1e-6),
            "{key} is the same for all"
        );
    }
    // With labels and a weight on the divergence.
    desk.succeed(&format!("train {TINY} --beta 3 --epochs 1 --grid 2 --out digits"));
    desk.succeed("evaluate digits --per-image digits.npz --quiet");
    let script = "import numpy; l = numpy.load('digits.npz'); \
                  print(abs(l['loss'] - l['reconstruction'] - 3 * l['kl']).max() < 1e-9, len(l['classes']), l['id'][0])";
    if let Some(said) = numpy(&desk, script) {
        assert_eq!(said, "True 10 test/00000");
    }
    desk.fail("evaluate digits --per-image digits.npz", 2, &["digits.npz", "--force"]);
    desk.fail(
        "evaluate digits --per-image digits.txt",
        2,
        &["digits.txt", ".csv or .npz"],
    );
    desk.fail("evaluate digits --force", 2, &["--per-image"]);
}
