//! The member that stands for a class.

use rayon::prelude::*;

/// Members that are looked at, of all classes together.
const MOST_MEMBERS: usize = 4000;
/// How much more it counts to be of one class than to be usual in it. In a plane the digits 4 and 9 lie upon each other;
/// with less than this the image that stands for 4 is a 9.
const CERTAINTY: f64 = 8.0;
/// The neighbour of its own class up to which a member's neighbourhood reaches.
const NEIGHBOUR: usize = 6;
/// Spread below which a dimension tells members apart no better than rounding does.
const LEAST_SPREAD: f64 = 1e-6;

/// The most typical member of each of `classes` classes: an index into `means`, `[images, latent]`, with one label an
/// image. None for a class without images. At most about 4000 images are looked at, as many of each class.
///
/// It is the one that maximizes `log p(z | class) + 8 log p(class | z)`, with a Gaussian kernel density for each class and
/// classes that are equally likely: it lies among many of its kind, and above all among few of any other, since what it
/// stands for must be told from its image. A mean may lie outside of its class.
#[must_use]
pub fn typical_members(means: &[f32], latent: usize, labels: &[u16], classes: usize) -> Vec<Option<usize>> {
    let members = members_by_class(labels, classes);
    let places = places(means, latent, &members);
    let width = width(&places);
    let score = |class: usize, member: usize| {
        let densities: Vec<f64> = places
            .iter()
            .map(|others| log_density(&places[class][member], others, width))
            .collect();
        densities[class] + CERTAINTY * (densities[class] - log_sum(&densities))
    };
    (0..classes)
        .map(|class| {
            let scores: Vec<f64> = (0..members[class].len())
                .into_par_iter()
                .map(|member| score(class, member))
                .collect();
            let best = scores.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
            Some(members[class][best.0])
        })
        .collect()
}

/// The images of each class, thinned out evenly where they are too many.
fn members_by_class(labels: &[u16], classes: usize) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); classes];
    for (index, &label) in labels.iter().enumerate() {
        // A label without a class has no member to be found.
        if let Some(members) = members.get_mut(usize::from(label)) {
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

/// Where the members of each class lie, each dimension measured by the spread within the classes.
fn places(means: &[f32], latent: usize, members: &[Vec<usize>]) -> Vec<Vec<Vec<f64>>> {
    let value = |index: usize, axis: usize| f64::from(means[index * latent + axis]);
    let count: usize = members.iter().map(Vec::len).sum();
    let spreads: Vec<f64> = (0..latent)
        .map(|axis| {
            let squares = |members: &Vec<usize>| {
                let mean = members.iter().map(|&index| value(index, axis)).sum::<f64>() / members.len() as f64;
                let square = |&index: &usize| (value(index, axis) - mean).powi(2);
                members.iter().map(square).sum::<f64>()
            };
            let sum: f64 = members.iter().map(squares).sum();
            (sum / count.max(1) as f64).sqrt().max(LEAST_SPREAD)
        })
        .collect();
    let place = |&index: &usize| (0..latent).map(|axis| value(index, axis) / spreads[axis]).collect();
    members
        .iter()
        .map(|members| members.iter().map(place).collect())
        .collect()
}

/// How far a member's neighbourhood reaches: the median over all members. Unlike a class's spread, this does not grow when
/// the class falls into pieces.
fn width(places: &[Vec<Vec<f64>>]) -> f64 {
    let reach = |members: &Vec<Vec<f64>>, member: &Vec<f64>| {
        let mut distances: Vec<f64> = members.iter().map(|other| squared_distance(member, other)).collect();
        let rank = NEIGHBOUR.min(distances.len() - 1);
        distances.select_nth_unstable_by(rank, f64::total_cmp).1.sqrt()
    };
    let mut reaches: Vec<f64> = places
        .par_iter()
        .flat_map_iter(|members| members.iter().map(|member| reach(members, member)))
        .collect();
    let middle = reaches.len() / 2;
    if reaches.is_empty() {
        return LEAST_SPREAD;
    }
    reaches
        .select_nth_unstable_by(middle, f64::total_cmp)
        .1
        .max(LEAST_SPREAD)
}

fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}

/// The logarithm of a class's density at a point, but for what is the same in all classes.
fn log_density(point: &[f64], members: &[Vec<f64>], width: f64) -> f64 {
    if members.is_empty() {
        return f64::NEG_INFINITY;
    }
    let exponents: Vec<f64> = members
        .iter()
        .map(|member| -0.5 * squared_distance(point, member) / (width * width))
        .collect();
    log_sum(&exponents) - (members.len() as f64).ln()
}

/// `ln Σ exp(x)` without overflow; minus infinity for nothing.
fn log_sum(values: &[f64]) -> f64 {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return most;
    }
    most + values.iter().map(|value| (value - most).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `count` points on a ring, or in a small disc, around a centre.
    fn around(centre: [f32; 2], radius: f32, count: usize) -> Vec<f32> {
        (0..count)
            .flat_map(|index| {
                let angle = index as f32 * 2.399_963;
                [centre[0] + radius * angle.cos(), centre[1] + radius * angle.sin()]
            })
            .collect()
    }

    #[test]
    fn a_class_in_two_pieces_is_represented_by_a_member_of_one() {
        // The mean of the first class lies in the middle of the second.
        let mut means = around([-3.0, 0.0], 0.3, 60);
        means.extend(around([3.0, 0.0], 0.3, 40));
        means.extend(around([0.0, 0.0], 0.3, 100));
        let labels: Vec<u16> = (0..200).map(|index| u16::from(index >= 100)).collect();
        let typical = typical_members(&means, 2, &labels, 3);
        let first = typical[0].unwrap();
        assert!(first < 60, "the denser piece stands for the class, not {first}");
        assert!(typical[1].unwrap() >= 100);
        assert_eq!(typical[2], None);
    }

    #[test]
    fn a_member_among_another_class_is_not_typical() {
        // Both classes are dense around the origin, but only the first one is alone elsewhere.
        let mut means = around([0.0, 0.0], 0.2, 100);
        means.extend(around([2.0, 0.0], 0.25, 80));
        means.extend(around([0.0, 0.0], 0.2, 100));
        let labels: Vec<u16> = (0..280).map(|index| u16::from(index >= 180)).collect();
        let typical = typical_members(&means, 2, &labels, 2);
        assert!((100..180).contains(&typical[0].unwrap()), "{typical:?}");
    }

    #[test]
    fn dead_dimensions_and_equal_points_are_borne() {
        let means = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0];
        assert_eq!(typical_members(&means, 2, &[0, 0, 0], 1), [Some(2)]);
        assert_eq!(typical_members(&[], 2, &[], 1), [None]);
        assert_eq!(typical_members(&means, 2, &[7, 7, 7], 1), [None]);
    }
}
