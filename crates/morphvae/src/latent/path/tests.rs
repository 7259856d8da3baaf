//! Whole paths: what holds for every kind, and geodesics against surfaces whose shortest curves are known.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::decoder::steps;
use super::surfaces::{Bump, Paraboloid, Plane, Sphere};
use super::*;
use crate::network::Shape;

const KINDS: [PathKind; 4] = [
    PathKind::Line,
    PathKind::Spherical,
    PathKind::Spline,
    PathKind::Geodesic,
];

/// Decodes nothing that is a number.
struct Broken;

impl Decoder for Broken {
    fn latent(&self) -> usize {
        2
    }

    fn image_shape(&self) -> Shape {
        Shape::vector(2)
    }

    fn decode(&self, points: &[f32]) -> Vec<f32> {
        vec![f32::NAN; points.len()]
    }
}

/// Wants so many decodes and no more; counts those that it did.
struct Impatient {
    wanted: usize,
    checked: AtomicUsize,
    decoded: AtomicUsize,
}

impl Impatient {
    fn new(wanted: usize) -> Self {
        Self {
            wanted,
            checked: AtomicUsize::new(0),
            decoded: AtomicUsize::new(0),
        }
    }
}

impl Decoder for Impatient {
    fn latent(&self) -> usize {
        Sphere.latent()
    }

    fn image_shape(&self) -> Shape {
        Sphere.image_shape()
    }

    fn decode(&self, points: &[f32]) -> Vec<f32> {
        self.decoded.fetch_add(1, Ordering::SeqCst);
        Sphere.decode(points)
    }

    fn check(&self) -> ControlFlow<()> {
        match self.checked.fetch_add(1, Ordering::SeqCst) < self.wanted {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    }
}

fn bits(point: &[f32]) -> Vec<u32> {
    point.iter().map(|value| value.to_bits()).collect()
}

fn length(decoder: &dyn Decoder, path: &LatentPath) -> f64 {
    let points: Vec<f32> = (0..=1000)
        .flat_map(|step| path.at(0, f64::from(step) / 1000.0))
        .collect();
    steps(decoder, &points).unwrap().iter().sum()
}

fn geodesic(decoder: &dyn Decoder, from: &[f32], to: &[f32]) -> LatentPath {
    LatentPath::through(PathKind::Geodesic, &[from.to_vec(), to.to_vec()], false, decoder).unwrap()
}

/// Keys that lie in any way to the one before: anywhere, at the same place, opposite, parallel, at the origin, or very far
/// away.
fn keys(latent: usize) -> impl Strategy<Value = Vec<Vec<f32>>> {
    let key = (0..7, prop::collection::vec(-3.0_f32..3.0, latent));
    prop::collection::vec(key, 2..5).prop_map(move |drawn| {
        let mut keys: Vec<Vec<f32>> = Vec::new();
        for (relation, anywhere) in drawn {
            let before = keys.last().cloned().unwrap_or_else(|| anywhere.clone());
            let times = |factor: f32| before.iter().map(|value| value * factor).collect();
            keys.push(match relation {
                0 => before,
                1 => times(-1.0),
                2 => times(-0.3),
                3 => times(1.7),
                4 => vec![0.0; latent],
                5 => anywhere.iter().map(|value| value * 1e38).collect(),
                _ => anywhere,
            });
        }
        keys
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn segments_end_at_the_very_keys_and_stay_finite(
        keys in prop_oneof![keys(1), keys(2), keys(3), keys(5)],
        closed: bool,
    ) {
        let keys: Vec<Vec<f32>> = keys.into_iter().map(|key| {
            key.into_iter().map(|value| value.clamp(f32::MIN, f32::MAX)).collect()
        }).collect();
        let decoder = Bump { latent: keys[0].len() };
        for kind in KINDS {
            let path = LatentPath::through(kind, &keys, closed, &decoder).unwrap();
            prop_assert_eq!(path.segments(), keys.len() - usize::from(!closed));
            for segment in 0..path.segments() {
                let next = &keys[(segment + 1) % keys.len()];
                prop_assert_eq!(bits(&path.at(segment, 0.0)), bits(&keys[segment]));
                prop_assert_eq!(bits(&path.at(segment, 1.0)), bits(next));
                for t in [1e-9, 0.25, 0.5, 0.9, 1.0 - 1e-9] {
                    prop_assert!(path.at(segment, t).iter().all(|value| value.is_finite()), "{:?} {}", kind, t);
                }
            }
            for even in [false, true] {
                let frames = path.frames(&decoder, 9, Pacing { even, ease: Ease::Smoothstep }).unwrap();
                prop_assert_eq!(frames.points.len(), (9 + usize::from(!closed)) * decoder.latent);
                prop_assert_eq!(frames.keys.len(), keys.len());
                for (&frame, key) in frames.keys.iter().zip(&keys) {
                    prop_assert_eq!(bits(&frames.points[frame * key.len()..][..key.len()]), bits(key));
                }
            }
        }
    }
}

#[test]
fn keys_that_are_no_points_are_named() {
    let message = |keys: &[Vec<f32>]| {
        let path = LatentPath::through(PathKind::Line, keys, true, &Plane);
        path.unwrap_err().to_string()
    };
    assert_eq!(
        message(&[vec![0.0, 1.0]]),
        "a path goes through two keys or more, but there are 1"
    );
    assert_eq!(
        message(&[vec![0.0, 1.0], vec![0.0, 1.0, 2.0]]),
        "key 2 has 3 number(s), but a point of this latent space has 2"
    );
    assert_eq!(
        message(&[vec![f32::NAN, 1.0], vec![0.0, 1.0]]),
        "key 1 holds a number that is not finite"
    );
}

#[test]
fn a_geodesic_of_the_sphere_is_a_great_circle() {
    for [from, to] in [
        [[0.0, 0.8], [2.0, 0.9]],
        [[-1.0, 0.2], [1.5, -0.7]],
        [[0.5, 1.2], [2.9, 1.0]],
    ] {
        let [a, b]: [Vec<f32>; 2] = [from, to].map(|point| Sphere.decode(&point));
        let angle = a.iter().zip(&b).map(|(a, b)| f64::from(a * b)).sum::<f64>().acos();
        let path = geodesic(&Sphere, &from, &to);
        let found = length(&Sphere, &path);
        println!("{found} of {angle}");
        assert!((found / angle - 1.0).abs() < 0.01, "{found} {angle}");
        // The normal of the plane in which the circle lies.
        let normal = [
            a[1] * b[2] - a[2] * b[1],
            a[2] * b[0] - a[0] * b[2],
            a[0] * b[1] - a[1] * b[0],
        ];
        for t in [0.2, 0.5, 0.7] {
            let point = Sphere.decode(&path.at(0, t));
            let away: f32 = point.iter().zip(normal).map(|(x, n)| x * n).sum();
            assert!(away.abs() < 0.03, "{away} at {t}");
        }
    }
}

/// The length of the shortest geodesic of the paraboloid between two points, found by shooting: curves that set out in
/// many directions follow the geodesic equation, and the direction that passes closest is searched on.
fn shot(from: [f64; 2], to: [f64; 2]) -> f64 {
    const STEP: f64 = 2e-3;
    let acceleration = |[x, y, u, v]: [f64; 4]| {
        let pull = -4.0 * (u * u + v * v) / (1.0 + 4.0 * (x * x + y * y));
        [u, v, pull * x, pull * y]
    };
    let moved = |state: [f64; 4], by: f64, slope: [f64; 4]| std::array::from_fn(|i| state[i] + by * slope[i]);
    // How close the curve comes, and its length up to there.
    let flight = |angle: f64| {
        let (sine, cosine) = angle.sin_cos();
        let steepness = 2.0 * (from[0] * cosine + from[1] * sine);
        let speed = 1.0 / (1.0 + steepness * steepness).sqrt();
        let mut state = [from[0], from[1], speed * cosine, speed * sine];
        let mut best = (f64::INFINITY, 0.0);
        for step in 1..2500 {
            let one = acceleration(state);
            let two = acceleration(moved(state, STEP / 2.0, one));
            let three = acceleration(moved(state, STEP / 2.0, two));
            let four = acceleration(moved(state, STEP, three));
            let mean = std::array::from_fn(|i| (one[i] + 2.0 * two[i] + 2.0 * three[i] + four[i]) / 6.0);
            state = moved(state, STEP, mean);
            let distance = (state[0] - to[0]).hypot(state[1] - to[1]);
            if distance < best.0 {
                best = (distance, f64::from(step) * STEP);
            }
        }
        best
    };
    let fan = 180;
    let mut shortest = f64::INFINITY;
    for direction in 0..fan {
        let mut angle = f64::from(direction) * std::f64::consts::TAU / f64::from(fan);
        let mut width = std::f64::consts::TAU / f64::from(fan);
        if flight(angle).0 > 0.3 {
            continue;
        }
        for _ in 0..16 {
            width /= 2.0;
            let tries = [angle - width, angle, angle + width];
            angle = tries
                .into_iter()
                .min_by(|a, b| flight(*a).0.total_cmp(&flight(*b).0))
                .unwrap();
        }
        let (distance, length) = flight(angle);
        if distance < 2.0 * STEP {
            shortest = shortest.min(length);
        }
    }
    shortest
}

#[test]
fn a_geodesic_of_the_paraboloid_is_the_one_found_by_shooting() {
    for [from, to] in [
        [[-1.2, 0.3], [1.1, 0.2]],
        [[-1.0, -0.8], [1.0, -0.4]],
        [[0.2, 0.1], [1.0, 1.0]],
    ] {
        let expected = shot(from, to);
        let [start, end] = [from, to].map(|point| point.map(|value| value as f32));
        let path = geodesic(&Paraboloid, &start, &end);
        let found = length(&Paraboloid, &path);
        println!("{found} of {expected}");
        assert!((found / expected - 1.0).abs() < 0.01, "{found} {expected}");
    }
}

#[test]
fn geodesics_go_around_what_is_far_to_cross_in_any_number_of_dimensions() {
    for latent in [2, 3, 8, 40] {
        let decoder = Bump { latent };
        let mut ends = [vec![0.0; latent], vec![0.0; latent]];
        (ends[0][0], ends[1][0]) = (-1.5, 1.5);
        let line = LatentPath::through(PathKind::Line, &ends, false, &decoder).unwrap();
        let path = geodesic(&decoder, &ends[0], &ends[1]);
        let [found, straight] = [&path, &line].map(|path| length(&decoder, path));
        println!("{latent} dimensions: {found} for {straight}");
        assert!(found < 0.6 * straight, "{found} {straight}");
    }
}

#[test]
fn very_many_dimensions_and_broken_decoders_leave_the_line() {
    let many = Bump { latent: 600 };
    let ends = [vec![-0.1; 600], vec![0.2; 600]];
    assert!(matches!(geodesic(&many, &ends[0], &ends[1]).curves[..], [Curve::Line]));
    let path = geodesic(&Broken, &[0.0, 0.0], &[1.0, 2.0]);
    assert!(matches!(path.curves[..], [Curve::Line]));
    let frames = path.frames(&Broken, 4, Pacing::default()).unwrap();
    assert_eq!(frames.points[2..6], [0.25, 0.5, 0.5, 1.0]);
    assert_eq!(magnification(&Broken, &[0.0, 0.0]), Ok(vec![0.0]));
}

#[test]
fn work_ends_at_the_first_decode_that_is_no_longer_wanted() {
    let keys = [[0.0, 0.8], [2.0, 0.9], [1.0, -0.5]].map(Vec::from);
    let walk = |decoder: &Impatient| {
        let path = LatentPath::through(PathKind::Geodesic, &keys, true, decoder)?;
        let frames = path.frames(decoder, 40, Pacing::default())?;
        Motion::of(decoder, &frames.points, true)
    };
    let patient = Impatient::new(usize::MAX);
    walk(&patient).unwrap();
    let all = patient.decoded.into_inner();
    assert!(all > 50, "{all}");
    for wanted in (0..all).step_by(7).chain([all - 1]) {
        let decoder = Impatient::new(wanted);
        assert_eq!(walk(&decoder), Err(PathError::Stopped), "{wanted} of {all}");
        assert_eq!(decoder.decoded.into_inner(), wanted);
    }
    assert!(walk(&Impatient::new(all)).is_ok());
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let keys = [[0.0, 0.8], [2.0, 0.9], [1.0, -0.5]].map(Vec::from);
            let path = LatentPath::through(PathKind::Geodesic, &keys, true, &Sphere).unwrap();
            bits(&path.frames(&Sphere, 40, Pacing::default()).unwrap().points)
        })
    };
    assert_eq!(run(1), run(2));
}
