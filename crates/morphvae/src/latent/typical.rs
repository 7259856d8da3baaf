//! The member that stands for a class.

use rayon::prelude::*;

use super::path::squared_distance;
use crate::data::{Images, prepare};
use crate::network::{BATCH, Decoder, Shape};

/// Members that are looked at, of all classes together.
const MOST_MEMBERS: usize = 4000;
/// Images are compared by the means of so many blocks along a side: by where there is ink, not by how sharp it is.
const BLOCKS: usize = 8;
/// A class is as far from an image as the nearest of so many of its images are, on average.
const SHARE: usize = 3;

/// An image's blocks, `[channels * BLOCKS * BLOCKS]`.
type Coarse = Vec<f32>;

/// The most typical member of each of `classes` classes: an index into `images`, of which `means`, `[images, latent]`, are
/// the codes, and `labels` those that have any. None for a class without images. At most about 4000 images are looked at,
/// as many of each class.
///
/// It is the one whose *decoded* image, which is what will be seen of it, is most clearly of its class: how far that is
/// from the nearest other class, by how far it is from its own. A class's distance is the mean distance to the nearest
/// third of its images, the member itself left out, by the means of 8 x 8 blocks of pixels. What is faint or smeared is
/// about as far from all classes, and stands for none.
///
/// # Panics
/// When `means` or `labels` are too few for the images, or the images have other channels than the network.
#[must_use]
pub fn typical_members(
    decoder: &dyn Decoder,
    means: &[f32],
    images: &Images,
    labels: &[Option<u16>],
    classes: usize,
) -> Vec<Option<usize>> {
    let members = members_by_class(labels, classes);
    let kinds: Vec<Kind> = members
        .iter()
        .map(|members| Kind {
            images: coarse_images(decoder, images, members),
            decoded: coarse_decoded(decoder, means, members),
        })
        .collect();
    let typical = (0..classes).map(|class| Some(members[class][clearest(&kinds, class)?]));
    typical.collect()
}

/// The members of a class that are looked at, and what each decodes to.
struct Kind {
    images: Vec<Coarse>,
    decoded: Vec<Coarse>,
}

/// The images of each class, thinned out evenly where they are too many.
fn members_by_class(labels: &[Option<u16>], classes: usize) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); classes];
    for (index, &label) in labels.iter().enumerate() {
        // A label without a class has no member to be found.
        if let Some(members) = label.and_then(|label| members.get_mut(usize::from(label))) {
            members.push(index);
        }
    }
    let most = (MOST_MEMBERS / classes.max(1)).max(1);
    for members in &mut members {
        let step = members.len().div_ceil(most).max(1);
        *members = members.iter().copied().step_by(step).collect();
    }
    members
}

fn coarse_images(decoder: &dyn Decoder, images: &Images, members: &[usize]) -> Vec<Coarse> {
    let Shape { channels, side } = decoder.image_shape();
    let indices: Vec<u32> = members.iter().map(|&index| index as u32).collect();
    let batches = indices.chunks(BATCH).flat_map(|indices| {
        let pixels = prepare(images, indices, side);
        coarsened(&pixels, channels, side)
    });
    batches.collect()
}

fn coarse_decoded(decoder: &dyn Decoder, means: &[f32], members: &[usize]) -> Vec<Coarse> {
    let (latent, Shape { channels, side }) = (decoder.latent(), decoder.image_shape());
    let code = |&index: &usize| &means[index * latent..][..latent];
    let codes: Vec<f32> = members.iter().flat_map(code).copied().collect();
    let batches = codes.chunks(BATCH * latent);
    batches
        .flat_map(|points| coarsened(&decoder.decode(points), channels, side))
        .collect()
}

/// The blocks of square images, `[count, channels, size, size]`.
fn coarsened(pixels: &[f32], channels: usize, size: usize) -> Vec<Coarse> {
    let block = size.div_ceil(BLOCKS);
    let share = 1.0 / (block * block) as f32;
    let coarse = |image: &[f32]| {
        let mut blocks = vec![0.0; channels * BLOCKS * BLOCKS];
        for (row, pixels) in image.chunks_exact(size).enumerate() {
            let (channel, y) = (row / size, row % size / block);
            for (pixels, sum) in pixels.chunks(block).zip(&mut blocks[(channel * BLOCKS + y) * BLOCKS..]) {
                *sum += share * pixels.iter().sum::<f32>();
            }
        }
        blocks
    };
    pixels.chunks_exact(channels * size * size).map(coarse).collect()
}

/// Which member of a class is most clearly of it, if it has any.
fn clearest(kinds: &[Kind], class: usize) -> Option<usize> {
    let members = 0..kinds[class].decoded.len();
    let clarities: Vec<f64> = members
        .into_par_iter()
        .map(|member| clarity(kinds, class, member))
        .collect();
    let best = clarities.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    Some(best.0)
}

/// How many times as far as from its own class a member's decoded image is from the nearest other one; without another,
/// the inverse of how far it is from its own.
fn clarity(kinds: &[Kind], class: usize, member: usize) -> f64 {
    let decoded = &kinds[class].decoded[member];
    let distances = |of: usize| {
        kinds[of]
            .images
            .iter()
            .map(|image| squared_distance(decoded, image).sqrt())
    };
    let others = (0..kinds.len()).filter(|&other| other != class && !kinds[other].images.is_empty());
    let other = others.map(|other| nearest(distances(other).collect()));
    let other = other.reduce(f64::min).unwrap_or(1.0);
    let mut own: Vec<f64> = distances(class).collect();
    if own.len() > 1 {
        own.swap_remove(member);
    }
    // What is no number is not clear.
    (other / nearest(own)).max(0.0)
}

/// The mean of the smallest third, which is never quite zero.
fn nearest(mut distances: Vec<f64>) -> f64 {
    let count = (distances.len() / SHARE).max(1);
    distances.select_nth_unstable_by(count - 1, f64::total_cmp);
    let mean = distances[..count].iter().sum::<f64>() / count as f64;
    if mean == 0.0 { f64::MIN_POSITIVE } else { mean }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A class of one-block images, and what they decode to.
    fn kind(images: &[f32], decoded: &[f32]) -> Kind {
        let coarse = |values: &[f32]| values.iter().map(|&value| vec![value]).collect();
        Kind {
            images: coarse(images),
            decoded: coarse(decoded),
        }
    }

    #[test]
    fn the_member_whose_decoded_image_is_of_its_class_stands_for_it() {
        // The first class's first member lies well among its kind, but decodes to what is of the second; its second
        // member decodes to something faint between them.
        let one = kind(&[0.9, 0.92, 0.8, 0.85], &[0.12, 0.5, 0.88, 0.7]);
        let other = kind(&[0.1, 0.12, 0.15], &[0.9, 0.1, 0.6]);
        let none = kind(&[], &[]);
        let kinds = [one, other, none];
        assert_eq!([0, 1, 2].map(|class| clearest(&kinds, class)), [Some(2), Some(1), None]);
    }

    #[test]
    fn a_class_in_two_pieces_is_represented_by_a_member_of_one() {
        // Halfway between its pieces a member is near neither.
        let pieces = [0.0, 0.01, 0.02, 0.03, 1.0, 1.01];
        let decoded = [0.5, 0.015, 0.4, 0.3, 0.6, 0.7];
        let kinds = [kind(&pieces, &decoded), kind(&[0.5, 0.51, 0.52], &[0.5; 3])];
        assert_eq!(clearest(&kinds, 0), Some(1));
    }

    #[test]
    fn a_class_alone_and_equal_images_are_borne() {
        let alone = [kind(&[0.1, 0.2, 0.3, 0.9], &[0.7, 0.21, f32::NAN, 0.6])];
        assert_eq!(clearest(&alone, 0), Some(1));
        let single = [kind(&[0.5], &[0.7])];
        assert_eq!(clearest(&single, 0), Some(0));
        let equal = [kind(&[0.5; 3], &[0.5; 3]), kind(&[0.5; 2], &[0.5; 2])];
        assert!(clearest(&equal, 0).is_some());
        let broken = [kind(&[0.5; 2], &[f32::NAN; 2])];
        assert!(clearest(&broken, 0).is_some());
    }

    #[test]
    fn blocks_are_the_means_of_their_pixels_in_every_channel() {
        // Two channels of 16 x 16, a block being 2 x 2 pixels.
        let pixels: Vec<f32> = (0..512)
            .map(|pixel| if pixel < 256 { 0.0 } else { (pixel % 16) as f32 })
            .collect();
        let coarse = coarsened(&pixels, 2, 16);
        assert_eq!((coarse.len(), coarse[0].len()), (1, 128));
        assert!(coarse[0][..64].iter().all(|&block| block == 0.0));
        assert_eq!(coarse[0][64..72], [0.5, 2.5, 4.5, 6.5, 8.5, 10.5, 12.5, 14.5]);
    }

    #[test]
    fn what_has_no_class_is_no_member_and_many_are_thinned_out() {
        assert_eq!(
            members_by_class(&[Some(1), Some(7), Some(1), None, Some(0)], 2),
            [vec![4], vec![0, 2]]
        );
        let many = members_by_class(&[Some(0); 9001], 1);
        assert_eq!((many[0].len(), many[0][1]), (3001, 3));
    }
}
