//! Networks of other architectures than the reference.

use std::fs;

use super::desk::Desk;
use super::same_files;

const MLP: &str = "--dataset strokes --limit 60 --architecture mlp --hidden 20,10 --quiet";

#[test]
fn linear_layers_do_all_that_the_reference_network_does() {
    let desk = Desk::new();
    desk.succeed(&format!(
        "train {MLP} --activation tanh --image-size 28 --epochs 2 --grid 2 --out run"
    ));
    let config = fs::read_to_string(desk.path("run/config.toml")).unwrap();
    for line in [
        "architecture = \"mlp\"",
        "hidden = [",
        "activation = \"tanh\"",
        "image_size = 28",
    ] {
        assert!(config.contains(line), "{config}");
    }
    assert!(desk.path("run/figures/images-by-quantile.png").exists());
    assert!(
        desk.succeed("info run")
            .contains("architecture   mlp, 20, 10 tanh units")
    );
    let info = desk.succeed("info run --json");
    assert!(
        info.contains("\"architecture\":\"mlp\"") && info.contains("\"image_size\":28"),
        "{info}"
    );
    assert!(desk.succeed("evaluate run --json").contains("\"images\":60"));
    desk.succeed("encode run --limit 5");
    desk.succeed("morph run 2 4 9 --out clip.gif --path geodesic --on-map");
    desk.succeed("grid run --size 3 --out grid.png");
    desk.succeed("reconstruct run --limit 2");
    desk.succeed("explore run --export map.html");
    for path in ["clip.gif", "grid.png", "map.html"] {
        assert!(desk.path(path).exists(), "{path} is missing");
    }
    let bench = desk.succeed("bench run --seconds 0.01");
    assert!(bench.contains("encoder2") && bench.contains("location"), "{bench}");
}

#[test]
fn a_run_of_linear_layers_goes_on_to_the_same_bits() {
    let desk = Desk::new();
    desk.succeed(&format!("train {MLP} --epochs 2 --grid 2 --out whole"));
    desk.succeed(&format!("train {MLP} --epochs 1 --grid 2 --out parts"));
    desk.succeed("train --resume parts --epochs 2 --grid 2 --quiet");
    assert!(same_files(
        &desk.path("whole/model.safetensors"),
        &desk.path("parts/model.safetensors")
    ));
    desk.fail(
        "train --resume parts --architecture reference",
        2,
        &["network.architecture = mlp, not reference"],
    );
    desk.fail("train --resume parts --hidden 30", 2, &["network.hidden", "[30]"]);
}

#[test]
fn options_of_another_architecture_are_refused() {
    let desk = Desk::new();
    for (options, said) in [
        (
            "--hidden 30",
            "--hidden is of the architecture mlp: add --architecture mlp",
        ),
        ("--activation relu", "--activation is of the architecture mlp"),
        (
            "--architecture mlp --base-channels 4",
            "--base-channels is of the architecture reference",
        ),
        (
            "--image-size 28",
            "the image size is 28, but must be 32, 64 or 128 pixels for the reference network",
        ),
        ("--architecture mlp --hidden 0", "--hidden"),
        (
            "--architecture mlp --hidden 1,1,1,1,1,1,1,1,1",
            "the number of hidden layers is 9",
        ),
        ("--architecture mlp --image-size 129", "--image-size"),
    ] {
        desk.fail(&format!("train --dataset strokes {options} --out run"), 2, &[said]);
        assert!(!desk.path("run").exists(), "{options}");
    }
}
