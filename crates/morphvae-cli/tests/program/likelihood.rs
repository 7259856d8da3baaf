//! Black and white images, validation, and the likelihood that `evaluate --samples` estimates.

use std::fs;

use serde_json::Value;

use crate::desk::Desk;

const SMALL: &str =
    "--dataset strokes --limit 60 --architecture mlp --hidden 8 --image-size 16 --batch-size 20 --quiet";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_binarized_run_says_how_it_was_made_and_has_a_likelihood() {
    let desk = Desk::new();
    let line = format!("train {SMALL} --binarize dynamic --validation 20 --epochs 3 --grid 2 --out run --json");
    let trained = json(&desk.succeed(&line));
    let validation = trained["validation"]["loss"].as_f64().unwrap();
    assert!((validation - trained["test_loss"].as_f64().unwrap()).abs() > 1e-6);
    let metrics = fs::read_to_string(desk.path("run/metrics.jsonl")).unwrap();
    let losses: Vec<f64> = metrics
        .lines()
        .map(|line| json(line)["validation"]["loss"].as_f64().unwrap())
        .collect();
    let lowest = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(trained["best"]["validation_loss"].as_f64().unwrap(), lowest);
    let config = fs::read_to_string(desk.path("run/config.toml")).unwrap();
    assert!(
        config.contains("binarize = \"dynamic\"") && config.contains("validation = 20"),
        "{config}"
    );

    let judged = json(&desk.succeed("evaluate run --limit 10 --samples 300 --json"));
    let of = |key: &str| judged[key].as_f64().unwrap_or_else(|| panic!("{key}: {judged}"));
    assert!(
        judged["protocol"].as_str().unwrap().starts_with("dynamic binarization"),
        "{judged}"
    );
    assert_eq!((of("samples"), of("images")), (300.0, 10.0));
    assert!(of("gap") > 0.0 && (of("gap") - (-of("nll") - of("elbo"))).abs() < 1e-9);
    assert!(of("nll_standard_error") > 0.0 && of("effective_samples") >= 1.0);
    assert!(of("active_units") <= 2.0 && judged["bits_per_dimension"].is_null());
    // The model alone says the same as the run.
    let of_file =
        json(&desk.succeed("evaluate run/best.safetensors --dataset strokes --limit 10 --samples 300 --json"));
    assert_eq!(of_file["protocol"], judged["protocol"]);
    let text = desk.succeed("evaluate run --limit 5 --samples 20 --figure bound.png");
    assert!(
        text.contains("log p(x)") && text.contains("effective samples"),
        "{text}"
    );
    assert!(desk.path("bound.png").exists());
    assert!(desk.succeed("info run").contains("dynamic binarization"));
    desk.fail(
        "evaluate run --limit 5 --samples 20 --figure bound.png",
        2,
        &["--force"],
    );
}

#[test]
fn grey_values_have_a_likelihood_where_the_network_gives_them_one() {
    let desk = Desk::new();
    desk.succeed(&format!(
        "train {SMALL} --likelihood discretized-logistic --epochs 1 --grid 2 --out grey"
    ));
    let judged = json(&desk.succeed("evaluate grey --limit 4 --samples 50 --json"));
    let bits = judged["bits_per_dimension"].as_f64().unwrap();
    let nats = judged["nll"].as_f64().unwrap();
    assert!((bits - nats / (256.0 * std::f64::consts::LN_2)).abs() < 1e-9);
}

#[test]
fn what_cannot_be_is_one_line() {
    let desk = Desk::new();
    desk.trained("grey", "--epochs 1 --grid 2");
    let fails = |line: &str, words: &[&str]| desk.fail(line, 2, words);
    fails(
        "evaluate grey --limit 5 --samples 10",
        &["no likelihood", "--binarize dynamic"],
    );
    fails("evaluate --samples 0", &["from 1 to"]);
    fails("evaluate grey --samples 5 --spread 0", &["above zero"]);
    fails("evaluate grey --samples 5 --figure bound.jpg", &[".png"]);
    fails(
        &format!("train {SMALL} --validation 59 --out run"),
        &["validation is 59"],
    );
    fails(&format!("train {SMALL} --binarize static --out run"), &["MNIST alone"]);
    desk.fail(
        "train --dataset mnist --binarize static --offline --out run",
        1,
        &["binarized_mnist_train.amat", "forbidden"],
    );
    desk.succeed(&format!("train {SMALL} --objective ae --epochs 1 --grid 2 --out plain"));
    fails(
        "evaluate plain --binarize threshold --samples 5",
        &["plain autoencoder"],
    );
    assert!(!desk.path("run").exists());
}

#[test]
fn numbers_of_papers_are_listed_and_need_their_images() {
    let desk = Desk::new();
    let listed = json(&desk.succeed("reproduce list --json"));
    let known = listed["reproductions"].as_array().unwrap();
    assert!(
        known
            .iter()
            .any(|known| known["name"] == "davidson-10" && known["published"] == 93.84)
    );
    assert!(desk.succeed("reproduce list").contains("Davidson and others, 2018"));
    desk.fail(
        "reproduce pythae --offline",
        1,
        &["binarized_mnist_train.amat", "forbidden"],
    );
    desk.fail("reproduce nothing", 2, &["pytorch-example"]);
    desk.fail("reproduce davidson-2 --resume --out nowhere", 1, &["nowhere"]);
    assert!(!desk.path("runs/reproduce-pythae").exists());
}
