//! Around the origin: spherical interpolation.

use super::vector::{combination, norm, scaled};

/// Keys are taken for opposite when the direction of one is no further than this from the other's, turned around:
/// what rounding leaves of a perpendicular says nothing about a way around.
const OPPOSITE: f64 = 1e-6;

/// The point at `t` between two keys: its direction turns evenly from the one to the other and its norm changes evenly.
///
/// A key at the origin has the direction of the other one. Opposite keys take the way through the axis that is most
/// perpendicular to them; on a line, where there is none, they go through the origin.
///
/// Source: K. Shoemake, "Animating rotation with quaternion curves", 1985.
pub(super) fn spherical(from: &[f64], to: &[f64], t: f64) -> Vec<f64> {
    let norms = [norm(from), norm(to)];
    if norms.contains(&0.0) {
        return combination(1.0 - t, from, t, to);
    }
    let [start, end] = [scaled(1.0 / norms[0], from), scaled(1.0 / norms[1], to)];
    let cosine: f64 = start.iter().zip(&end).map(|(a, b)| a * b).sum();
    let aside = combination(1.0, &end, -cosine, &start);
    let sine = norm(&aside);
    let across = if cosine < 0.0 && sine < OPPOSITE {
        match perpendicular(&start) {
            Some(across) => across,
            None => return combination(1.0 - t, from, t, to),
        }
    } else {
        scaled(1.0 / sine.max(f64::MIN_POSITIVE), &aside)
    };
    let angle = t * sine.atan2(cosine);
    let direction = combination(angle.cos(), &start, angle.sin(), &across);
    // Rounding is taken out again, so that the norm is that of the formula.
    let length = (1.0 - t) * norms[0] + t * norms[1];
    scaled(length / norm(&direction), &direction)
}

/// A unit vector at right angles to a unit vector: towards the axis along which it is shortest, the first of them.
fn perpendicular(direction: &[f64]) -> Option<Vec<f64>> {
    let shortest = |a: &usize, b: &usize| direction[*a].abs().total_cmp(&direction[*b].abs());
    let axis = (0..direction.len()).min_by(shortest)?;
    let mut across = scaled(-direction[axis], direction);
    across[axis] += 1.0;
    let length = norm(&across);
    (length > OPPOSITE).then(|| scaled(1.0 / length, &across))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn norms_change_evenly_and_directions_turn_evenly(
            from in prop::collection::vec(-3.0_f64..3.0, 4),
            to in prop::collection::vec(-3.0_f64..3.0, 4),
            t in 0.0_f64..1.0,
        ) {
            let [a, b] = [norm(&from), norm(&to)];
            prop_assume!(a > 1e-3 && b > 1e-3);
            let point = spherical(&from, &to, t);
            prop_assert!((norm(&point) - (1.0 - t) * a - t * b).abs() < 1e-12);
            let angle = |x: &[f64], y: &[f64]| {
                let difference = norm(&combination(1.0 / norm(x), x, -1.0 / norm(y), y));
                let sum = norm(&combination(1.0 / norm(x), x, 1.0 / norm(y), y));
                2.0 * difference.atan2(sum)
            };
            prop_assert!((angle(&from, &point) - t * angle(&from, &to)).abs() < 1e-9);
        }
    }

    #[test]
    fn opposite_keys_go_around_through_an_axis() {
        let middle = spherical(&[2.0, 0.0, 0.0], &[-4.0, 0.0, 0.0], 0.5);
        for (found, expected) in middle.iter().zip([0.0, 3.0, 0.0]) {
            assert!((found - expected).abs() < 1e-12, "{middle:?}");
        }
        // Rounding does not decide the way.
        let nearly = spherical(&[0.1, 0.2, 0.3], &[-0.1 - 1e-9, -0.2, -0.3], 0.5);
        let exactly = spherical(&[0.1, 0.2, 0.3], &[-0.1, -0.2, -0.3], 0.5);
        assert!(
            norm(&combination(1.0, &nearly, -1.0, &exactly)) < 1e-8,
            "{nearly:?} {exactly:?}"
        );
    }

    #[test]
    fn keys_without_a_way_around_go_straight() {
        assert_eq!(spherical(&[2.0], &[-2.0], 0.25), [1.0]);
        assert_eq!(spherical(&[0.0, 0.0], &[0.0, 2.0], 0.25), [0.0, 0.5]);
        assert_eq!(spherical(&[0.0, 0.0], &[0.0, 0.0], 0.25), [0.0, 0.0]);
        let parallel = spherical(&[1.0, 1.0], &[3.0, 3.0], 0.5);
        assert!(parallel.iter().all(|value| (value - 2.0).abs() < 1e-12), "{parallel:?}");
    }
}
