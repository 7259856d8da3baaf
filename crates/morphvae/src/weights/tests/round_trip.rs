//! What is written is what is read.

use super::*;
use half::f16;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

fn array() -> impl Strategy<Value = Array> {
    vec(0_usize..4, 0..4).prop_flat_map(|shape| {
        let number = prop::num::f32::NORMAL | prop::num::f32::SUBNORMAL | prop::num::f32::ZERO;
        vec(number, shape.iter().product::<usize>()).prop_map(move |values| Array {
            shape: shape.clone(),
            values,
        })
    })
}

fn as_half(value: f32) -> f32 {
    f16::from_f32(value).to_f32()
}

proptest! {
    #[test]
    fn full_precision_keeps_every_bit(
        tensors in btree_map("[a-z.\\PC]{1,9}", array(), 0..6),
        integers in btree_map("#[0-9.\"\\\\]{1,9}", any::<i64>(), 0..4),
        metadata in btree_map("\\PC{1,9}", "\\PC{0,9}", 0..4),
    ) {
        let bytes = to_safetensors(&tensors, &integers, &metadata, Precision::Full).unwrap();
        prop_assert_eq!(&bytes, &to_safetensors(&tensors, &integers, &metadata, Precision::Full).unwrap());
        let mut file = read_bytes(&bytes, "model").unwrap();
        prop_assert_eq!(file.tensors, tensors);
        prop_assert_eq!(file.integers, integers);
        let format = file.metadata.remove("format");
        prop_assert_eq!(format.as_deref(), Some("pt"));
        let mut metadata = metadata;
        metadata.remove("format");
        prop_assert_eq!(file.metadata, metadata);
    }

    #[test]
    fn half_precision_rounds_matrices_and_keeps_vectors(tensors in btree_map("[a-z.]{1,9}", array(), 0..6)) {
        let bytes = to_safetensors(&tensors, &Integers::new(), &Metadata::new(), Precision::Half).unwrap();
        let file = read_bytes(&bytes, "model").unwrap();
        for (name, array) in &tensors {
            let fits = array.values.iter().all(|&value| as_half(value).is_finite());
            let expected = if array.shape.len() >= 2 && fits {
                array.values.iter().map(|&value| as_half(value)).collect()
            } else {
                array.values.clone()
            };
            prop_assert_eq!(&file.tensors[name].values, &expected);
        }
    }

    #[test]
    fn no_bytes_at_all_make_the_reader_panic(header in "[\\{\\}\\[\\]\",:a-z0-9_]{0,60}", data in vec(any::<u8>(), 0..20)) {
        let _ = read_bytes(&file_of(&header, &data), "model");
        let _ = read_bytes(&data, "model");
    }
}

#[test]
fn the_bytes_are_those_that_the_format_describes() {
    let tensors = StateDict::from([
        (
            "b".into(),
            Array {
                shape: vec![1],
                values: vec![0.5],
            },
        ),
        (
            "a".into(),
            Array {
                shape: vec![1, 1],
                values: vec![1.5],
            },
        ),
    ]);
    let integers = Integers::from([("n".into(), 7)]);
    let metadata = Metadata::from([("z".into(), "1".into()), ("a".into(), "2".into())]);
    let bytes = to_safetensors(&tensors, &integers, &metadata, Precision::Half).unwrap();
    let mut header = concat!(
        r#"{"__metadata__":{"a":"2","format":"pt","z":"1"},"#,
        r#""n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"#,
        r#""b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"#,
        r#""a":{"dtype":"F16","shape":[1,1],"data_offsets":[12,14]}}"#,
    )
    .to_owned();
    header.push_str(&" ".repeat(header.len().next_multiple_of(8) - header.len()));
    let data = [7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x3f, 0x00, 0x3e];
    assert_eq!(bytes, file_of(&header, &data));
}

#[test]
fn a_written_file_is_read_back_from_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs/model.safetensors");
    let tensors = StateDict::from([(
        "a".into(),
        Array {
            shape: vec![2],
            values: vec![1.0, -2.0],
        },
    )]);
    write_safetensors(&path, &tensors, &Integers::new(), &Metadata::new(), Precision::Full).unwrap();
    let file = read(&path).unwrap();
    assert_eq!((file.tensors, file.format), (tensors, Format::Safetensors));
}

#[test]
fn what_could_not_be_read_back_is_not_written() {
    let write = |shape: Vec<usize>, values| {
        let tensors = StateDict::from([("a".into(), Array { shape, values })]);
        message(to_safetensors(
            &tensors,
            &Integers::new(),
            &Metadata::new(),
            Precision::Full,
        ))
    };
    assert_eq!(
        write(vec![2, 2], vec![1.0]),
        "the tensor a of shape [2, 2] has 1 values"
    );
    assert!(write(vec![1], vec![f32::NAN]).contains("NaN at position 0"));
}
