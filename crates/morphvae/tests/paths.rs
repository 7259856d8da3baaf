//! Paths through the latent space of the bundled model.

use std::path::Path;

use burn::tensor::Device;
use morphvae::latent::path::{LatentPath, Motion, Pacing, PathKind};
use morphvae::model::TrainedModel;
use morphvae::network::{Decoder, Inference};
use morphvae::random::{Purpose, generator};
use rand_distr::{Distribution, StandardNormal};

/// The bundled model and the means of its classes.
fn bundled() -> (Inference, Vec<Vec<f32>>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/mnist-2d.safetensors");
    let model = TrainedModel::read(&path, &Device::flex()).unwrap();
    let classes = model.card.unwrap().latent_statistics.classes;
    let mean = |values: &[f64]| values.iter().map(|&value| value as f32).collect();
    let means = classes.iter().map(|class| mean(&class.mean)).collect();
    (Inference::new(&model.network), means)
}

fn length(decoder: &dyn Decoder, path: &LatentPath, segment: usize) -> f64 {
    let points: Vec<f32> = (0..=500)
        .flat_map(|step| path.at(segment, f64::from(step) / 500.0))
        .collect();
    Motion::of(decoder, &points, false).unwrap().mean * 500.0
}

/// The lengths of geodesics between random neighbours by those of the lines, in rising order.
fn shares(pairs: usize) -> Vec<f64> {
    let (model, _) = bundled();
    let mut generator = generator(3, Purpose::Noise, 0);
    let mut number = || StandardNormal.sample(&mut generator);
    let keys: Vec<Vec<f32>> = (0..=pairs).map(|_| vec![number(), number()]).collect();
    let through = |kind| LatentPath::through(kind, &keys, false, &model).unwrap();
    let [geodesic, line] = [PathKind::Geodesic, PathKind::Line].map(through);
    let share = |segment| length(&model, &geodesic, segment) / length(&model, &line, segment);
    let mut shares: Vec<f64> = (0..pairs).map(share).collect();
    shares.sort_by(f64::total_cmp);
    shares
}

#[test]
fn geodesics_are_never_longer_than_lines() {
    let shares = shares(16);
    assert!(shares[15] <= 1.0, "{shares:?}");
    assert!(shares[0] < 0.9, "{shares:?}");
}

#[test]
#[ignore = "takes most of a minute"]
fn geodesics_are_never_longer_than_lines_for_200_pairs() {
    let shares = shares(200);
    let at = |percent: usize| shares[(shares.len() - 1) * percent / 100];
    println!(
        "geodesic by line: shortest {:.3}, quartiles {:.3}, {:.3}, {:.3}, longest {:.6}",
        at(0),
        at(25),
        at(50),
        at(75),
        at(100)
    );
    assert!(at(100) <= 1.0);
}

#[test]
fn even_frames_change_evenly() {
    let (model, means) = bundled();
    for (digits, closed, steps) in [
        (&[2, 4, 9, 3, 5, 3, 8][..], false, 150),
        (&[0, 1, 7], true, 40),
        (&[6, 6, 1], false, 60),
    ] {
        let keys: Vec<Vec<f32>> = digits.iter().map(|&digit: &usize| means[digit].clone()).collect();
        for kind in [
            PathKind::Line,
            PathKind::Spherical,
            PathKind::Spline,
            PathKind::Geodesic,
        ] {
            let path = LatentPath::through(kind, &keys, closed, &model).unwrap();
            let frames = path.frames(&model, steps, Pacing::default()).unwrap();
            let motion = Motion::of(&model, &frames.points, closed).unwrap();
            println!("{digits:?} {kind:?}: {motion:?}");
            assert!(motion.ratio < 1.2, "{digits:?} {kind:?}: {motion:?}");
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_frames() {
    let (model, means) = bundled();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let path = LatentPath::through(PathKind::Geodesic, &[means[2].clone(), means[4].clone()], false, &model);
            path.unwrap().frames(&model, 30, Pacing::default()).unwrap()
        })
    };
    assert_eq!(run(1), run(2));
}
