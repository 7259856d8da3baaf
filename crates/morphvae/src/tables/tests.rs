use std::fs;
use std::io::{Cursor, Read};

use super::*;
use crate::evaluation::Codes;

fn rows<'a>(ids: &'a [String], labels: Option<&'a [Option<u16>]>, classes: &'a [String]) -> Rows<'a> {
    Rows { ids, labels, classes }
}

fn codes() -> Codes {
    Codes {
        latent: 2,
        mean: vec![0.1, -2.0, 3.5, 1e-7],
        log_variance: vec![-1.0, 0.0, 0.25, 9.0],
        ..Codes::default()
    }
}

fn write(name: &str, classes: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let ids = ["a,1".to_owned(), "é".to_owned()];
    let classes: Vec<String> = classes.iter().map(ToString::to_string).collect();
    let codes = codes();
    let table = Table::new(rows(&ids, Some(&[Some(1), Some(0)]), &classes), codes.columns()).unwrap();
    table.write(&path).unwrap();
    (folder, path)
}

/// The header and the bytes of an array in an archive.
fn array(path: &Path, name: &str) -> (String, Vec<u8>) {
    let mut archive = zip::ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
    let mut bytes = Vec::new();
    archive.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert_eq!((10 + length) % 64, 0);
    let header = String::from_utf8(bytes[10..10 + length].to_vec()).unwrap();
    (header, bytes[10 + length..].to_vec())
}

#[test]
fn a_csv_has_a_header_quotes_names_and_keeps_every_bit() {
    let (_folder, path) = write("codes.csv", &["bag", "ankle-boot"]);
    assert_eq!(
        fs::read_to_string(path).unwrap(),
        "id,label,mean_1,mean_2,log_variance_1,log_variance_2,class\n\
         \"a,1\",1,0.1,-2,-1,0,ankle-boot\n\
         é,0,3.5,0.0000001,0.25,9,bag\n"
    );
}

#[test]
fn classes_without_names_are_numbers_alone() {
    let (_folder, path) = write("codes.csv", &[]);
    assert!(
        fs::read_to_string(path)
            .unwrap()
            .contains("\né,0,3.5,0.0000001,0.25,9,\n")
    );
    let (_folder, path) = write("codes.npz", &[]);
    let archive = zip::ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
    let names: Vec<_> = archive.file_names().map(Result::unwrap).collect();
    assert_eq!(names, ["id.npy", "label.npy", "mean.npy", "log_variance.npy"]);
}

#[test]
fn an_npz_holds_arrays_as_numpy_writes_them() {
    let (_folder, path) = write("codes.npz", &["bag", "ankle-boot"]);
    let (header, bytes) = array(&path, "mean.npy");
    assert!(
        header.starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }"),
        "{header}"
    );
    assert_eq!(bytes[..4], 0.1_f32.to_le_bytes());
    let (header, bytes) = array(&path, "id.npy");
    assert!(
        header.contains("'<U3'") && header.contains("(2,)") && bytes.len() == 2 * 3 * 4,
        "{header}"
    );
    let (header, bytes) = array(&path, "classes.npy");
    assert!(header.contains("'<U10'") && bytes.len() == 2 * 10 * 4, "{header}");
    assert_eq!(bytes[40..44], u32::from('a').to_le_bytes());
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let ids = ["a", "b"].map(String::from);
    let classes = ["bag".to_owned()];
    let codes = codes();
    let refused = |rows, columns| Table::new(rows, columns).unwrap_err().to_string();
    assert!(Table::new(rows(&ids, None, &[]), codes.columns()).is_ok());
    assert!(refused(rows(&ids[..1], None, &[]), codes.columns()).contains("2 mean were given for 1 images"));
    assert!(refused(rows(&ids, Some(&[None; 3]), &[]), codes.columns()).contains("3 labels were given for 2"));
    assert!(refused(rows(&ids, Some(&[Some(0), Some(1)]), &classes), codes.columns()).contains("label 1 has no name"));
    for (width, count) in [(0, 4), (3, 4)] {
        let values = vec![0.0; count];
        let numbers = Numbers::Many { width, values: &values };
        let column = Column { name: "mean", numbers };
        assert!(matches!(
            Table::new(rows(&ids, None, &[]), vec![column]),
            Err(TableError::Points { .. })
        ));
    }
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "in the way").unwrap();
    let table = Table::new(rows(&[], None, &[]), Vec::new()).unwrap();
    for name in ["file/codes.npz", "codes.txt"] {
        let error = table.write(&folder.path().join(name)).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
}

fn read(bytes: &[u8]) -> Result<Points, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("points");
    fs::write(&path, bytes).unwrap();
    Points::read(&path).map_err(|error| error.to_string())
}

#[test]
fn codes_read_back_as_they_were_written() {
    for name in ["codes.csv", "codes.npz"] {
        let (_folder, path) = write(name, &["bag", "ankle-boot"]);
        let points = Points::read(&path).unwrap();
        assert_eq!((points.latent, points.count()), (2, 2));
        assert_eq!(points.values, codes().mean);
        assert_eq!(points.ids.unwrap(), ["a,1", "é"]);
    }
}

/// A file of NumPy's, as its documentation says, by hand.
fn npy(version: u8, header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY".to_vec();
    bytes.extend([version, 0]);
    match version {
        1 => bytes.extend((header.len() as u16).to_le_bytes()),
        _ => bytes.extend((header.len() as u32).to_le_bytes()),
    }
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn arrays_of_other_kinds_are_read() {
    let columns: Vec<u8> = [1.0_f64, 4.0, 2.0, 5.0, 3.0, 6.0]
        .into_iter()
        .flat_map(f64::to_be_bytes)
        .collect();
    let header = "{'descr': '>f8', 'fortran_order': True, 'shape': (2, 3), }\n";
    for version in [1, 2] {
        let points = read(&npy(version, header, &columns)).unwrap();
        assert_eq!((points.latent, points.ids), (3, None));
        assert_eq!(points.values, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }
    // One half is 0x3800, minus two 0xc000.
    let halves = npy(
        1,
        "{'descr':'<f2','fortran_order':False,'shape':(1,2)}",
        &[0, 0x38, 0, 0xc0],
    );
    assert_eq!(read(&halves).unwrap().values, [0.5, -2.0]);
}

#[test]
fn a_csv_of_coordinates_needs_no_header() {
    let plain = read(b"1,2\n-3.5, 4e-1\n").unwrap();
    assert_eq!((plain.latent, plain.ids), (2, None));
    assert_eq!(plain.values, [1.0, 2.0, -3.5, 0.4]);
    let named = read("\u{feff}id,x,y,class\nfirst,1,2,bag\n".as_bytes()).unwrap();
    assert_eq!(named.values, [1.0, 2.0]);
    assert_eq!(named.ids.unwrap(), ["first"]);
    assert_eq!(read(b"\xef\xbb\xbf1,2\n").unwrap().values, [1.0, 2.0]);
}

fn archive(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn an_archive_has_its_points_in_one_array() {
    let array = |shape: &str| {
        npy(
            1,
            &format!("{{'descr':'<f4','fortran_order':False,'shape':{shape}}}"),
            &[0; 8],
        )
    };
    let (points, line) = (array("(1, 2)"), array("(2,)"));
    let one = archive(&[
        ("z.npy", points.clone()),
        ("loss.npy", line),
        ("note.txt", b"hello".to_vec()),
    ]);
    assert_eq!(read(&one).unwrap().latent, 2);
    let two = read(&archive(&[("a.npy", points.clone()), ("b.npy", points.clone())])).unwrap_err();
    assert!(two.contains("2 of its arrays (a, b)") && two.contains("mean"), "{two}");
    let mean = archive(&[("a.npy", points), ("mean.npy", array("(2, 1)"))]);
    assert_eq!(read(&mean).unwrap().latent, 1);
}

#[test]
fn hostile_points_are_refused_by_what_is_wrong() {
    let one = |kind: &str, shape: &str, data: &[u8]| {
        npy(
            1,
            &format!("{{'descr':'{kind}','fortran_order':False,'shape':{shape}}}"),
            data,
        )
    };
    let header_of = |length: u32| [b"\x93NUMPY\x02\0".as_slice(), &length.to_le_bytes(), b"{"].concat();
    let nan = f32::NAN.to_le_bytes();
    for (bytes, reason) in [
        (one("<f4", "(2, 2)", &[0; 15]), "should hold"),
        (one("<f4", "(1, 4)", &[0; 64]), "should hold"),
        (one("<f4", "(268435456, 4)", &[0; 16]), "more than the"),
        (one("<f4", "(2, 9223372036854775807)", &[0; 16]), "more than the"),
        (
            one("<f4", "(99999999999999999999, 2)", &[0; 16]),
            "header makes no sense",
        ),
        (one("<f4", "(0, 2)", &[]), "no points"),
        (one("<f4", "(4,)", &[0; 16]), "shape is [4]"),
        (one("<f4", "(1, 2, 2)", &[0; 16]), "shape is [1, 2, 2]"),
        (one("|O", "(1, 2)", b"cos\nsystem\n"), "its elements are |O"),
        (one("<f4", "(1, 1)", &nan), "point 1 holds NaN"),
        (header_of(u32::MAX), "header would have"),
        (header_of(60_000), "cut short"),
        (b"PK\x03\x04 and nothing else".to_vec(), "archive is damaged"),
        (
            archive(&[("id.npy", one("<U1", "(1,)", &[65, 0, 0, 0]))]),
            "0 of its arrays (id)",
        ),
        (Vec::new(), "it is empty"),
        (b"id,label\na,1\n".to_vec(), "no points"),
        (b"1,2\n3\n".to_vec(), "line 2 has 1 fields"),
        (b"1,2\n3,seven\n".to_vec(), "line 2: \"seven\" is no number"),
        (b"x,y\n1,1e99\n".to_vec(), "point 1 holds inf as coordinate 2"),
        (b"\xff\xfe\x00\x01".to_vec(), "no text"),
    ] {
        let error = read(&bytes).unwrap_err();
        assert!(
            error.contains(reason) && error.contains("points: "),
            "{reason}: {error}"
        );
    }
}

#[test]
fn an_archive_that_promises_more_than_it_holds_takes_no_memory() {
    // A megabyte of zeros is a kilobyte in the archive; the header asks for a gigabyte.
    let header = "{'descr':'<f4','fortran_order':False,'shape':(16777216, 16)}";
    let bytes = archive(&[("mean.npy", npy(1, header, &vec![0; 1 << 20]))]);
    let error = read(&bytes).unwrap_err();
    assert!(
        error.contains("should hold 1073741894 bytes, but it holds 1048646"),
        "{error}"
    );
}

#[test]
fn an_image_without_a_label_has_an_empty_field_and_minus_one() {
    let folder = tempfile::tempdir().unwrap();
    let (ids, classes) = (["a", "b"].map(String::from), ["cat".to_owned()]);
    let codes = codes();
    let table = Table::new(rows(&ids, Some(&[None, Some(0)]), &classes), codes.columns()).unwrap();
    let csv = folder.path().join("codes.csv");
    table.write(&csv).unwrap();
    let text = fs::read_to_string(&csv).unwrap();
    assert!(text.contains("\na,,0.1,-2,-1,0,\nb,0,3.5,"), "{text}");
    let npz = folder.path().join("codes.npz");
    table.write(&npz).unwrap();
    let (header, bytes) = array(&npz, "label.npy");
    assert!(header.contains("'<i8'"), "{header}");
    assert_eq!(bytes, [-1_i64, 0].map(i64::to_le_bytes).concat());
    // What is not known of one is no coordinate of its point.
    for file in [csv, npz] {
        assert_eq!(Points::read(&file).unwrap().values, codes.mean);
    }
}
