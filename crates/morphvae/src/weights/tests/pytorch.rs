//! Files that PyTorch wrote, and some that pretend it did. `make_pytorch_fixtures.py` beside them made them.

use super::*;
use crate::files::scratch;
use std::fs;
use std::path::PathBuf;

fn fixture(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/fixtures/pytorch", name]
        .iter()
        .collect()
}

fn reference(name: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("MORPHVAE_SHARED").map(PathBuf::from);
    let path = shared.map(|shared| shared.join("reference").join(name));
    let path = path.filter(|path| path.is_file());
    if path.is_none() {
        println!("skipped: MORPHVAE_SHARED names no folder with reference/{name}");
    }
    path
}

/// What the sound fixtures hold.
fn expected() -> StateDict {
    StateDict::from([
        (
            "layer.weight".into(),
            Array {
                shape: vec![2, 3],
                values: vec![0.0, 0.25, 0.5, 0.75, 1.0, 1.25],
            },
        ),
        (
            "layer.bias".into(),
            Array {
                shape: vec![2],
                values: vec![-1.0, 2.0],
            },
        ),
    ])
}

#[test]
fn every_way_to_save_a_state_dict_gives_the_same_weights() {
    for (name, element_type) in [
        ("plain", ElementType::F32),
        ("strided", ElementType::F32),
        ("wrapped", ElementType::F32),
        ("legacy", ElementType::F32),
        ("named_with_21_letters", ElementType::F32),
        ("half", ElementType::F16),
        ("bfloat", ElementType::BF16),
        ("double", ElementType::F64),
    ] {
        let file = read(&fixture(&format!("{name}.pth"))).unwrap();
        assert_eq!(file.tensors, expected(), "{name}");
        assert_eq!(file.integers, [("norm.num_batches_tracked".into(), 7)].into(), "{name}");
        assert!(
            file.element_types.values().all(|&found| found == element_type),
            "{name}"
        );
        assert_eq!(file.format, Format::PyTorch, "{name}");
    }
}

#[test]
fn a_whole_module_is_read_as_its_state_dict() {
    assert_eq!(
        read(&fixture("whole_module.pth")).unwrap().tensors,
        StateDict::from([
            ("layer.weight".into(), expected()["layer.weight"].clone()),
            ("layer.bias".into(), expected()["layer.bias"].clone()),
        ])
    );
}

#[test]
fn files_that_are_something_else_are_refused_with_the_reason() {
    for (name, reason) in [
        ("attack", "posix.system"),
        ("attack_beside_weights", "it holds a posix.system, which was not run"),
        (
            "arguments_beside_weights",
            "it holds a __main__.Arguments, which was not run",
        ),
        ("bare_attack", "a Python pickle that torch.save did not write"),
        ("no_pickle", "data.pkl"),
        ("no_tensors", "it holds no tensors"),
        ("a_list", "found list"),
        ("endless_view", "its tensors claim 4294967296 bytes"),
        ("integers", "the tensor layer.weight holds I64 numbers"),
        ("not_finite", "the tensor layer.weight holds NaN at position 1"),
    ] {
        let message = message(read(&fixture(&format!("{name}.pth"))));
        assert!(
            message.contains(reason) && message.contains(&format!("{name}.pth")),
            "{message}"
        );
    }
    // What the attacks do when Python reads them.
    assert!(!PathBuf::from("executed").exists());
}

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    let folder = scratch();
    let path = folder.path().join("cut.pth");
    for name in ["plain.pth", "legacy.pth"] {
        let sound = fs::read(fixture(name)).unwrap();
        for length in 0..sound.len() {
            fs::write(&path, &sound[..length]).unwrap();
            message(read(&path));
        }
    }
}

#[test]
fn any_changed_byte_is_refused_or_harmless() {
    let folder = scratch();
    let path = folder.path().join("changed.pth");
    let sound = fs::read(fixture("plain.pth")).unwrap();
    for position in 0..sound.len() {
        for bits in [0x01, 0x80, 0xff] {
            let mut changed = sound.clone();
            changed[position] ^= bits;
            fs::write(&path, &changed).unwrap();
            match read(&path) {
                Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
                Ok(file) => assert!(file.tensors.values().all(|array| array.values.len() < 1000)),
            }
        }
    }
}

#[test]
fn the_reference_network_holds_the_numbers_that_pytorch_sees() {
    let Some(path) = reference("mnist-2d.pth") else { return };
    let file = read(&path).unwrap();
    assert_eq!((file.tensors.len(), file.integers.len()), (58, 9));
    assert_eq!(file.integers["conv1.1.num_batches_tracked"], 10_000);
    // torch.load(path)[name].double(): the sum, the sum of the squares, the first and the last.
    for (name, shape, sum, squares, first, last) in [
        (
            "conv4.0.weight",
            vec![512, 256, 4, 4],
            -12444.87396844828,
            12554.6807396302,
            -0.017_222_967,
            0.144_466_12,
        ),
        (
            "convTrans1.0.weight",
            vec![512, 256, 4, 4],
            -33225.34046316116,
            16944.588816732685,
            0.037_834_182,
            0.019_550_527,
        ),
        (
            "mean.0.weight",
            vec![2, 512],
            0.3785362986200198,
            2.6885003122357434,
            0.006_260_088_6,
            -0.055_314_33,
        ),
    ] {
        let array = &file.tensors[name];
        assert_eq!(array.shape, shape, "{name}");
        assert_eq!(
            (array.values[0], *array.values.last().unwrap()),
            (first, last),
            "{name}"
        );
        let total: f64 = array.values.iter().map(|&value| f64::from(value)).sum();
        let total_squares: f64 = array.values.iter().map(|&value| f64::from(value).powi(2)).sum();
        assert!(
            (total - sum).abs() < 1e-7 && (total_squares - squares).abs() < 1e-7,
            "{name}"
        );
    }
}

#[test]
fn the_reference_steps_hold_the_numbers_that_pytorch_sees() {
    let Some(path) = reference("training-steps.safetensors") else {
        return;
    };
    let file = read(&path).unwrap();
    assert_eq!(file.format, Format::Safetensors);
    assert_eq!(file.metadata["base_channels"], "8");
    assert_eq!(file.integers["initial.decoder.1.num_batches_tracked"], 0);
    let images = &file.tensors["images"];
    assert_eq!(images.shape, [6, 1, 32, 32]);
    let sum: f64 = images.values.iter().map(|&value| f64::from(value)).sum();
    assert!((sum - 3076.0192467570305).abs() < 1e-9);
}
