//! What stands for a class: the bundled model's digits, judged by somebody else.
//!
//! Needs MNIST in `data/mnist` of the folder that `MORPHVAE_SHARED` names; skips without.

use std::path::PathBuf;

use morphvae::data::{Images, catalogue, prepare};

use crate::desk::Desk;

/// Blocks of an image, and a one.
const INPUTS: usize = 65;
/// Training images of the judge, which the keys were not chosen by.
const LEARNED: usize = 4000;

/// A 32 x 32 image as the means of 8 x 8 blocks, and a one.
fn blocks(pixels: &[f32]) -> Vec<f32> {
    let mut blocks = vec![0.0; INPUTS];
    blocks[INPUTS - 1] = 1.0;
    for (index, pixel) in pixels.iter().enumerate() {
        blocks[index / 128 * 8 + index % 32 / 4] += pixel / 16.0;
    }
    blocks
}

/// Multinomial logistic regression.
struct Judge(Vec<[f32; 10]>);

impl Judge {
    fn taught(images: &[Vec<f32>], labels: &[u16]) -> Self {
        let mut judge = Self(vec![[0.0; 10]; INPUTS]);
        for _ in 0..300 {
            let mut gradient = vec![[0.0; 10]; INPUTS];
            for (image, &label) in images.iter().zip(labels) {
                let mut surplus = judge.probabilities(image);
                surplus[usize::from(label)] -= 1.0;
                for (gradient, input) in gradient.iter_mut().zip(image) {
                    for (gradient, surplus) in gradient.iter_mut().zip(surplus) {
                        *gradient += input * surplus;
                    }
                }
            }
            for (weights, gradient) in judge.0.iter_mut().zip(gradient) {
                for (weight, gradient) in weights.iter_mut().zip(gradient) {
                    *weight -= 2.0 * gradient / images.len() as f32;
                }
            }
        }
        judge
    }

    fn probabilities(&self, image: &[f32]) -> [f32; 10] {
        let mut scores = [0.0_f32; 10];
        for (input, weights) in image.iter().zip(&self.0) {
            for (score, weight) in scores.iter_mut().zip(weights) {
                *score += input * weight;
            }
        }
        let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let powers = scores.map(|score| (score - most).exp());
        let sum: f32 = powers.iter().sum();
        powers.map(|power| power / sum)
    }
}

#[test]
fn every_class_of_the_bundled_model_is_drawn_as_what_it_is() {
    let shared = std::env::var_os("MORPHVAE_SHARED").map(PathBuf::from);
    let Some(data) = shared
        .map(|shared| shared.join("data"))
        .filter(|data| data.join("mnist").is_dir())
    else {
        println!("skipped: MORPHVAE_SHARED names no folder with data/mnist");
        return;
    };
    let mut train = catalogue::find("mnist").unwrap().load(&data).unwrap().train;
    train.truncate(LEARNED);
    let indices: Vec<u32> = (0..LEARNED as u32).collect();
    let images: Vec<Vec<f32>> = prepare(&train.images, &indices, 32).chunks(1024).map(blocks).collect();
    let labels: Vec<u16> = train.labels.unwrap().into_iter().flatten().collect();
    let judge = Judge::taught(&images, &labels);

    let desk = Desk::new();
    desk.succeed("morph 0 1 2 3 4 5 6 7 8 9 --frames 10 --path line --scale 1 --no-sheet --offline --quiet --out keys");
    let ink = |image: &Vec<f32>| image[..INPUTS - 1].iter().sum::<f32>();
    for class in 0..10 {
        let path = desk.path(&format!("keys/{:05}.png", class + 1));
        let pixels = image::open(path).unwrap().to_luma8().into_raw();
        let key = Images::new(1, 32, 32, pixels).unwrap();
        let key = blocks(&prepare(&key, &[0], 32));
        let probabilities = judge.probabilities(&key);
        assert!(probabilities[class] > 0.5, "{class} is taken for {probabilities:?}");
        let members: Vec<f32> = images
            .iter()
            .zip(&labels)
            .filter(|&(_, &label)| usize::from(label) == class)
            .map(|(image, _)| ink(image))
            .collect();
        let usual = members.iter().sum::<f32>() / members.len() as f32;
        assert!(ink(&key) > 0.75 * usual, "{class} is faint: {} of {usual}", ink(&key));
    }
}
