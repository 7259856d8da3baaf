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

/// The length of a curve's image.
fn length(decoder: &dyn Decoder, at: impl Fn(f64) -> [f32; 2]) -> f64 {
    let points: Vec<f32> = (0..=100).flat_map(|step| at(f64::from(step) / 100.0)).collect();
    Motion::of(decoder, &points, false).unwrap().mean * 100.0
}

/// The length of a segment from one key to another, and that of the shortest curve that runs beside it in waves.
fn with_detours(decoder: &dyn Decoder, path: &LatentPath, segment: usize, [from, to]: [&[f32]; 2]) -> [f64; 2] {
    let (right, up) = (to[0] - from[0], to[1] - from[1]);
    let across = [-up / right.hypot(up), right / right.hypot(up)];
    let beside = |waves: f64, size: f64| {
        length(decoder, |t| {
            let point = path.at(segment, t);
            let away = size * (waves * std::f64::consts::PI * t).sin();
            [0, 1].map(|axis| point[axis] + away as f32 * across[axis])
        })
    };
    let waves = [1.0, 2.0, 3.0]
        .into_iter()
        .flat_map(|waves| [(waves, -0.04), (waves, 0.04)]);
    let shortest = waves
        .map(|(waves, size)| beside(waves, size))
        .fold(f64::INFINITY, f64::min);
    [beside(1.0, 0.0), shortest]
}

#[test]
fn no_detour_shortens_a_geodesic_as_they_do_lines() {
    let (model, _) = bundled();
    let mut generator = generator(3, Purpose::Noise, 0);
    let mut number = || StandardNormal.sample(&mut generator);
    let keys: Vec<Vec<f32>> = (0..=2).map(|_| vec![number(), number()]).collect();
    let gains = |kind| {
        let path = LatentPath::through(kind, &keys, false, &model).unwrap();
        let gain = |segment: usize| {
            let [own, beside] = with_detours(&model, &path, segment, [&keys[segment], &keys[segment + 1]]);
            1.0 - beside / own
        };
        (0..2).map(gain).collect::<Vec<f64>>()
    };
    let [geodesics, lines] = [PathKind::Geodesic, PathKind::Line].map(gains);
    println!("gained by detours from geodesics {geodesics:.4?}, from lines {lines:.4?}");
    assert!(geodesics.iter().all(|&gain| gain < 0.003), "{geodesics:?}");
    assert!(lines.iter().any(|&gain| gain > 0.03), "{lines:?}");
}

#[test]
fn even_frames_change_evenly() {
    let (model, means) = bundled();
    use PathKind::{Geodesic, Line, Spherical, Spline};
    for (digits, closed, steps, kinds) in [
        (&[2, 4, 9, 3][..], false, 75, &[Line, Spherical, Spline][..]),
        (&[0, 7], true, 40, &[Geodesic]),
        (&[6, 6, 1], false, 60, &[Line, Geodesic]),
    ] {
        let keys: Vec<Vec<f32>> = digits.iter().map(|&digit: &usize| means[digit].clone()).collect();
        for &kind in kinds {
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
