//! The program as a user meets it: the real binary, a tiny network, a fresh folder for each test.

mod alone;
mod architectures;
mod arrows;
mod augment;
mod best;
mod classes;
mod clip;
mod codes;
mod conditional;
mod desk;
mod devices;
mod drawing;
#[cfg(unix)]
mod explore;
mod few_labels;
mod grid;
mod images;
mod kills;
mod labels;
mod likelihood;
mod limits;
mod morph;
mod objectives;
mod probe;
mod resume;
mod sample;
mod sets;
mod system;
mod words;

use std::fs;
use std::path::Path;
use std::process::Stdio;

use desk::Desk;

const TINY: &str = "--dataset strokes --limit 60 --base-channels 2 --quiet";

fn same_files(left: &Path, right: &Path) -> bool {
    fs::read(left).unwrap() == fs::read(right).unwrap()
}

#[test]
fn a_run_leaves_everything_that_it_promises() {
    let desk = Desk::new();
    let json = desk.succeed(&format!("train {TINY} --epochs 2 --grid 4 --out run --json"));
    assert!(json.contains("\"epoch\":2") && json.lines().count() == 1, "{json}");
    for name in [
        "config.toml",
        "metrics.jsonl",
        "model.safetensors",
        "best.safetensors",
        "checkpoint/latest.safetensors",
        "figures/reconstruction.png",
        "figures/latent-map.png",
        "figures/images-by-quantile.png",
        "figures/images-on-a-line.png",
        "figures/learning-curve.png",
    ] {
        assert!(desk.path("run").join(name).exists(), "{name} is missing");
    }
    let metrics = fs::read_to_string(desk.path("run/metrics.jsonl")).unwrap();
    assert_eq!(metrics.lines().count(), 2);
    let evaluated = desk.succeed("evaluate run --json");
    for key in ["test_loss", "test_reconstruction", "test_kl", "images", "seed"] {
        assert!(evaluated.contains(&format!("\"{key}\":")), "{evaluated}");
    }
    desk.succeed("figures run --grid 4");
    desk.succeed("encode run --limit 5");
    assert_eq!(fs::read_to_string(desk.path("codes.csv")).unwrap().lines().count(), 6);
    desk.succeed("reconstruct run --limit 3");
    assert_eq!(fs::read_dir(desk.path("reconstructions")).unwrap().count(), 3);
    assert!(desk.succeed("info run").contains("epoch(s) of strokes"));
}

#[test]
fn every_latent_size_objective_and_image_size_is_drawn() {
    let desk = Desk::new();
    desk.succeed(&format!("train {TINY} --epochs 1 --latent 1 --grid 4 --out one"));
    desk.trained("three", "--epochs 1 --grid 3 --latent 3");
    assert!(desk.path("three/figures/latent-map-turning.gif").exists());
    // And what the explorer replays.
    assert!(desk.path("three/figures/replay.bin").exists());
    assert_eq!(fs::read_dir(desk.path("three/figures")).unwrap().count(), 4 + 6 + 1 + 1);
    desk.succeed(&format!(
        "train {TINY} --epochs 1 --latent 5 --grid 4 --out five --objective ae --image-size 64"
    ));
    let metrics = fs::read_to_string(desk.path("five/metrics.jsonl")).unwrap();
    assert!(metrics.contains("\"test_kl\":0.0"), "{metrics}");
}

#[test]
fn a_plain_autoencoder_is_not_said_to_have_dead_latents() {
    let desk = Desk::new();
    let line = "train --dataset strokes --limit 60 --base-channels 2 --epochs 1 --grid 4";
    let told = desk.run(&format!("{line} --objective ae --out plain")).stderr;
    desk.succeed(&format!("{line} --out variational --quiet"));
    let notes = String::from_utf8(told).unwrap();
    for said in [&notes, &desk.succeed("evaluate plain"), &desk.succeed("info plain")] {
        assert!(!said.contains("informative") && !said.contains("posterior"), "{said}");
        assert!(!said.contains("KL 0"), "{said}");
    }
    assert!(desk.succeed("evaluate plain").contains("plain autoencoder"));
    assert!(desk.succeed("info plain").contains("plain autoencoder"));
    assert!(desk.succeed("evaluate variational").contains("informative latents"));
    assert!(desk.succeed("info variational").contains("+ KL"));
}

#[test]
fn a_likelihood_stays_with_its_model() {
    let desk = Desk::new();
    for (likelihood, has_scale) in [
        ("continuous-bernoulli", false),
        ("gaussian", true),
        ("discretized-logistic", true),
    ] {
        let line = format!("train {TINY} --epochs 2 --likelihood {likelihood} --grid 2 --out {likelihood}");
        desk.succeed(&line);
        let trained = desk.succeed(&format!("info {likelihood} --json"));
        let evaluated = desk.succeed(&format!("evaluate {likelihood} --json"));
        let end = |json: &str| json.split_once("reconstruction\":").unwrap().1[..8].to_owned();
        assert_eq!(end(&trained), end(&evaluated));
        assert!(
            evaluated.contains(&format!("\"likelihood\":\"{likelihood}\"")),
            "{evaluated}"
        );
        assert_eq!(
            !evaluated.contains("\"likelihood_scale\":null"),
            has_scale,
            "{evaluated}"
        );
        assert!(
            desk.succeed(&format!("evaluate {likelihood}"))
                .contains("neg. log-likelihood")
        );
        assert!(desk.succeed(&format!("info {likelihood}")).contains(likelihood));
        desk.fail(
            &format!("train --resume {likelihood} --likelihood cross-entropy"),
            2,
            &["training.likelihood", likelihood, "cross-entropy"],
        );
    }
    // In two parts or at once: the learned scale and its averages are in the checkpoint too.
    desk.succeed(&format!(
        "train {TINY} --epochs 1 --likelihood gaussian --grid 2 --out parts"
    ));
    desk.succeed("train --resume parts --epochs 2 --grid 2 --quiet");
    assert!(same_files(
        &desk.path("parts/model.safetensors"),
        &desk.path("gaussian/model.safetensors")
    ));
}

#[test]
fn a_preset_lies_under_what_is_typed() {
    let desk = Desk::new();
    desk.trained("run", "--epochs 1 --grid 2");
    desk.succeed("reconstruct run --limit 12 --out faces");
    desk.succeed(
        "train --preset faces --images faces --epochs 1 --base-channels 2 --latent 4 --grid 2 --out preset --quiet",
    );
    let config = fs::read_to_string(desk.path("preset/config.toml")).unwrap();
    for line in ["fit = \"pad\"", "latent = 4", "epochs = 1", "likelihood = \"gaussian\""] {
        assert!(config.contains(line), "{line} is not in\n{config}");
    }
    desk.succeed(
        "train --preset faces --images faces --fit crop --epochs 1 --base-channels 2 --grid 4 --out typed --quiet",
    );
    assert!(
        fs::read_to_string(desk.path("typed/config.toml"))
            .unwrap()
            .contains("fit = \"crop\"")
    );
    desk.fail("train --resume preset --preset faces", 2, &["--preset", "--resume"]);
}

#[test]
fn wrong_usage_is_refused_with_status_two() {
    let desk = Desk::new();
    desk.fail("train --latent 0", 2, &["--latent"]);
    desk.fail("train --batch-size 0", 2, &["--batch-size"]);
    desk.fail("train --limit -5", 2, &["--limit", "-5"]);
    desk.fail("train --beta -1 --dataset strokes", 2, &["beta is -1", "zero or more"]);
    desk.fail("train --threads 60000", 2, &["--threads", "1024"]);
    desk.fail("train --epochs 2.5", 2, &["--epochs", "2.5", "from 1 to"]);
    desk.fail(
        "train --seed -1",
        2,
        &["--seed", "-1", "from 0 to 18446744073709551615"],
    );
    desk.fail("bench --seconds 0", 2, &["--seconds", "0", "from 0.01 to 600"]);
    desk.fail("bench --seconds -1", 2, &["--seconds", "-1", "from 0.01 to 600"]);
    desk.fail("explore --port 70000", 2, &["--port", "70000", "from 0 to 65535"]);
    desk.fail("train --dataset strokes --fit crop", 2, &["--dataset", "--fit"]);
    desk.fail("data fetch mnist --mirror nowhere", 2, &["nowhere", "http://"]);
    desk.fail("data fetch strokes", 2, &["strokes", "no files"]);
    desk.fail(
        "data sheet --dataset strokes --out sheet.txt",
        2,
        &["sheet.txt", ".png"],
    );
    desk.fail("train --image-size 48", 2, &["the image size is 48", "64"]);
    desk.fail("train --dataset mnits", 2, &["mnits", "mnist", "strokes"]);
    desk.fail(
        "train --dataset strokes --learning-rate=-1",
        2,
        &["learning rate", "above zero"],
    );
    fs::create_dir(desk.path("mine")).unwrap();
    fs::write(desk.path("mine/letter.txt"), "dear").unwrap();
    desk.fail(&format!("train {TINY} --out mine"), 2, &["mine", "no run's folder"]);
    desk.fail(
        &format!("train {TINY} --out mine/letter.txt"),
        2,
        &["letter.txt", "no run's folder"],
    );
    // Many programs have settings of this name.
    fs::write(desk.path("mine/config.toml"), "[server]\nport = 80\n").unwrap();
    fs::create_dir(desk.path("mine/figures")).unwrap();
    fs::write(desk.path("mine/figures/drawing.png"), "mine").unwrap();
    desk.fail(
        &format!("train {TINY} --out mine --force"),
        2,
        &["mine", "no run's folder"],
    );
    for name in ["letter.txt", "config.toml", "figures/drawing.png"] {
        assert!(desk.path("mine").join(name).exists(), "{name} is lost");
    }
}

#[test]
fn a_run_that_cannot_begin_leaves_no_trace() {
    let desk = Desk::new();
    fs::create_dir(desk.path("empty")).unwrap();
    desk.fail("train --images empty --out new/run", 1, &["empty", "no images"]);
    assert!(!desk.path("new").exists());
    // Not even when it would have replaced another.
    desk.trained("run", "--epochs 1 --grid 2");
    desk.fail(&format!("train {TINY} --out run"), 2, &["run", "exists", "--force"]);
    desk.fail("train --images empty --out run --force", 1, &["empty", "no images"]);
    desk.succeed("evaluate run --json");
}

#[test]
fn the_turning_map_is_drawn_when_training_ends() {
    let desk = Desk::new();
    desk.kill_when_there_is(
        "run/figures/learning-curve.png",
        &format!("train {TINY} --epochs 1000 --latent 3 --grid 4 --out run"),
    );
    let turning = desk.path("run/figures/latent-map-turning.gif");
    assert!(desk.path("run/figures/latent-map-015.png").exists() && !turning.exists());
    desk.succeed("figures run --grid 4");
    assert!(turning.exists());
}

#[test]
fn a_place_that_cannot_be_written_shows_before_any_work() {
    let desk = Desk::new();
    fs::write(desk.path("file"), "").unwrap();
    desk.fail(&format!("train {TINY} --out file/run"), 1, &["file/run", "written"]);
}

#[test]
fn files_that_are_no_models_are_refused() {
    let desk = Desk::new();
    fs::write(desk.path("page.pth"), "<!DOCTYPE html><html></html>").unwrap();
    desk.fail("info page.pth", 1, &["page.pth"]);
    let mut lie = 9_999_999_999_u64.to_le_bytes().to_vec();
    lie.extend(b"{\"a\":1}");
    fs::write(desk.path("lie.safetensors"), lie).unwrap();
    desk.fail("info lie.safetensors", 1, &["lie.safetensors"]);
    desk.fail("info missing.safetensors", 1, &["missing.safetensors"]);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let desk = Desk::new();
    for line in ["data list", "--help", "info --quiet"] {
        let mut child = desk
            .command(line)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{line}: {output:?}"
        );
    }
}

#[test]
fn the_bundled_model_is_used_when_none_is_named() {
    let desk = Desk::new();
    let output = desk.run("info");
    assert!(output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("bundled"));
    assert!(String::from_utf8(output.stdout).unwrap().contains("mnist"));
}

#[test]
fn any_plane_of_a_latent_space_is_drawn() {
    let desk = Desk::new();
    desk.trained("run", "--epochs 1 --grid 3 --latent 5 --objective vae");
    for (line, plane) in [
        ("--axes 5,2 --size 3 --base z:1,1,1,1,1", "axes"),
        ("--components 2,1 --size 2 --spacing linear", "components"),
        ("--through z:0,0,0,0,0 z:1,0,0,0,0 z:-1,0,0,2,0 --size 2", "through"),
    ] {
        let json = desk.succeed(&format!("grid run {line} --out {plane}.png --json --quiet"));
        assert!(
            json.contains(&format!("\"plane\":\"{plane}\"")) && json.lines().count() == 1,
            "{json}"
        );
        assert!(image::open(desk.path(&format!("{plane}.png"))).unwrap().width() > 1000);
    }
    // The example of the help, as it is typed; a figure is not replaced unasked.
    desk.succeed("grid --size 24 --spacing linear");
    desk.fail("grid", 2, &["mnist-2d-grid.png", "--force"]);
    desk.succeed("grid --size 1 --force");
    fs::remove_file(desk.path("mnist-2d-grid.png")).unwrap();

    desk.fail("grid run --axes 0,1", 2, &["--axes", "numbers from 1"]);
    desk.fail("grid run --axes 1,6", 2, &["no dimension 6", "has 5"]);
    desk.fail("grid run --components 9,1", 2, &["no principal component 9", "has 5"]);
    desk.fail("grid run --axes 2,2", 2, &["dimension 2 is given twice"]);
    desk.fail("grid run --axes 1,2 --components 1,2", 2, &["--axes", "--components"]);
    desk.fail(
        "grid run --through z:1,2 z:0,0 z:1,1",
        2,
        &["z:1,2", "2 number(s)", "5 dimension(s)"],
    );
    desk.fail("grid --through z:1,2 z:0,0 z:2,4", 2, &["one line"]);
    desk.fail("grid --through z:1,2 z:0,0", 2, &["--through", "3"]);
    desk.fail("grid run --base seven", 2, &["seven", "its classes are 0, 1"]);
    desk.fail("grid --base 3", 2, &["--base", "two latent dimensions"]);
    desk.fail("grid --spacing quantile --range 2", 2, &["--range", "linear"]);
    desk.fail("grid --range 0", 2, &["--range is 0"]);
    desk.fail("grid --rows 3", 2, &["--traverse"]);
    desk.fail("grid --out grid.gif", 2, &["grid.gif", ".png"]);
    desk.succeed(&format!("train {TINY} --epochs 1 --latent 1 --grid 4 --out one"));
    desk.fail("grid one", 2, &["one latent dimension", "--traverse"]);
    desk.succeed("grid one --traverse");
}

#[test]
fn traversals_begin_with_the_dimensions_that_carry_most() {
    let desk = Desk::new();
    for objective in ["vae", "ae"] {
        let run = format!("run-{objective}");
        desk.trained(&run, &format!("--epochs 1 --grid 3 --latent 5 --objective {objective}"));
        let output = desk.run(&format!("grid {run} --traverse --rows 2 --json"));
        let notes = String::from_utf8(output.stderr).unwrap();
        assert!(
            notes.contains("2 of 5 dimensions") && notes.contains("--rows"),
            "{notes}"
        );
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let [shown, left_out] = ["shown", "left_out"].map(|key| report[key].as_array().unwrap());
        assert_eq!((shown.len(), left_out.len()), (2, 3));
        let measure = if objective == "vae" { "nats" } else { "variance" };
        let amounts = shown
            .iter()
            .chain(left_out)
            .map(|dimension| dimension[measure].as_f64().unwrap());
        let amounts: Vec<f64> = amounts.collect();
        assert!(
            amounts.windows(2).all(|pair| pair[0] >= pair[1]) && amounts[0] > 0.0,
            "{report}"
        );
        assert!(image::open(desk.path(&format!("{run}-traversals.png"))).is_ok());
    }
}
