//! Safetensors files that lie, and files that are something else.

use super::*;
use std::fs;

fn parse(header: &str, data: &[u8]) -> Result<WeightFile, WeightsError> {
    read_bytes(&file_of(header, data), "model")
}

/// A file with two tensors, sound in every way.
fn sound() -> Vec<u8> {
    let tensors = StateDict::from([
        (
            "a".into(),
            Array {
                shape: vec![2, 2],
                values: vec![1.0, 2.0, 3.0, 4.0],
            },
        ),
        (
            "b".into(),
            Array {
                shape: vec![3],
                values: vec![5.0, 6.0, 7.0],
            },
        ),
    ]);
    to_safetensors(&tensors, &Integers::new(), &Metadata::new(), Precision::Full).unwrap()
}

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    let sound = sound();
    assert!(read_bytes(&sound, "model").is_ok());
    for length in 0..sound.len() {
        message(read_bytes(&sound[..length], "model"));
    }
}

#[test]
fn a_byte_too_many_is_refused() {
    let mut longer = sound();
    longer.push(0);
    assert_eq!(
        message(read_bytes(&longer, "model")),
        "model is a damaged safetensors file: its tensors claim 28 bytes and 29 follow the header"
    );
}

#[test]
fn a_header_that_lies_about_its_length_is_refused() {
    for length in [u64::MAX, 1 << 62, 100_000_001, 99_999_999, 2] {
        let mut bytes = sound();
        bytes[..8].copy_from_slice(&length.to_le_bytes());
        let message = message(read_bytes(&bytes, "model"));
        assert!(message.contains("header"), "{message}");
    }
}

#[test]
fn a_header_that_is_no_map_of_tensors_is_refused() {
    for header in [
        "{",
        "{}x",
        "{\"a\"",
        "{\"a\": 3}",
        "{\"a\": {}}",
        "{\"\u{1}\": {}}",
        r#"{"__metadata__": {"a": 3}}"#,
        r#"{"__metadata__": {}, "__metadata__": {}}"#,
        r#"{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 0]}}"#,
        r#"{"a": {"dtype": "F32", "shape": [1.5], "data_offsets": [0, 0]}}"#,
        r#"{"a": {"dtype": "F33", "shape": [0], "data_offsets": [0, 0]}}"#,
        r#"{"a": {"dtype": "F32", "data_offsets": [0, 0]}}"#,
    ] {
        assert!(
            message(parse(header, &[])).starts_with("model is a damaged safetensors file: "),
            "{header}"
        );
    }
    let not_text = [&8_u64.to_le_bytes()[..], b"{\"\xff\": 1}"].concat();
    message(read_bytes(&not_text, "model"));
}

#[test]
fn deeply_nested_json_is_refused() {
    let header = format!("{{\"a\":{}", "[".repeat(100_000));
    message(parse(&header, &[]));
}

#[test]
fn shapes_that_overflow_or_do_not_fit_are_refused() {
    for (shape, end) in [
        ("[4294967296, 4294967296, 4294967296]", 4),
        ("[2305843009213693952]", 4),
        ("[2]", 4),
        ("[0]", 4),
        ("[1]", 8),
    ] {
        let header = format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":[0,{end}]}}}}"#);
        message(parse(&header, &[0; 4]));
    }
}

#[test]
fn ends_whose_sum_overflows_are_refused() {
    let part = (1_u64 << 61) - 1;
    let tensors: Vec<String> = (0..8)
        .map(|index| {
            let (start, end) = (index * part, (index + 1) * part);
            format!(r#""t{index}":{{"dtype":"U8","shape":[{part}],"data_offsets":[{start},{end}]}}"#)
        })
        .collect();
    let message = message(parse(&format!("{{{}}}", tensors.join(",")), &[]));
    assert!(message.contains("its tensors claim"), "{message}");
}

#[test]
fn tensors_that_overlap_or_leave_gaps_are_refused() {
    for second in ["[0, 8]", "[2, 8]", "[5, 8]", "[8, 4]"] {
        let header = format!(
            r#"{{"a":{{"dtype":"F32","shape":[1],"data_offsets":[0,4]}},
                "b":{{"dtype":"F32","shape":[1],"data_offsets":{second}}}}}"#
        );
        message(parse(&header, &[0; 8]));
    }
}

#[test]
fn one_name_for_two_tensors_is_refused() {
    let tensor = r#""a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#;
    let message = message(parse(&format!("{{{tensor},{tensor}}}"), &[0; 4]));
    assert!(message.contains("the name a occurs twice"), "{message}");
}

#[test]
fn numbers_that_are_no_weights_are_refused_by_name() {
    let header = r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#;
    assert_eq!(
        message(parse(header, &[0; 4])),
        "model: the tensor a holds U8 numbers, expected F16, BF16, F32 or F64"
    );
}

#[test]
fn numbers_that_are_not_finite_are_refused_by_name_and_place() {
    let floats = |values: [f32; 2]| values.map(f32::to_le_bytes).concat();
    let header = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    assert_eq!(
        message(parse(header, &floats([0.0, f32::NAN]))),
        "model: the tensor a holds NaN at position 1, weights must be finite"
    );
    message(parse(header, &floats([f32::NEG_INFINITY, 0.0])));
    let header = r#"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#;
    message(parse(header, &1e300_f64.to_le_bytes()));
}

#[test]
fn a_hostile_name_stays_on_its_line() {
    let header = format!(
        r#"{{"a\n\u001b[31m{}":{{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}}}"#,
        "x".repeat(10_000)
    );
    message(parse(&header, &f32::NAN.to_le_bytes()));
}

#[test]
fn other_files_and_folders_are_named_for_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    for (bytes, what) in [
        (&b""[..], "an empty file"),
        (b"<!doctype html><html>", "a web page"),
        (b"\x1f\x8b\x08\0", "gzip data"),
        (b"\x93NUMPY\x01\0", "a NumPy array"),
        (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"),
    ] {
        fs::write(&path, bytes).unwrap();
        let message = message(read(&path));
        assert!(
            message.contains(what) && message.contains("model.safetensors"),
            "{message}"
        );
    }
    assert!(message(read(folder.path())).contains("a folder"));
    assert!(message(read(&folder.path().join("absent"))).contains("cannot read the weight file"));
}

#[test]
fn a_file_beyond_the_limit_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sparse.safetensors");
    fs::File::create(&path).unwrap().set_len(MOST_FILE_BYTES + 1).unwrap();
    assert!(matches!(read(&path), Err(WeightsError::TooLarge { .. })));
}
