//! How dense points lie: the colour of a map without classes.

/// Squares along a side of the map.
const SQUARES: usize = 160;
/// Passes of the smoothing kernel.
const PASSES: usize = 6;

/// For each point in [-1, 1]² how dense the points lie around it, from 0 to 1 (the densest); 0 for points without a
/// place.
pub(super) fn density(places: &[Option<[f64; 2]>]) -> Vec<f64> {
    let mut counts = vec![0.0; SQUARES * SQUARES];
    for &place in places.iter().flatten() {
        counts[square(place)] += 1.0;
    }
    for _ in 0..PASSES {
        counts = smoothed(&smoothed(&counts, 1), SQUARES);
    }
    let most = places
        .iter()
        .flatten()
        .map(|&place| counts[square(place)])
        .fold(f64::MIN_POSITIVE, f64::max);
    // The square root spreads the sparse outskirts over more of the colours.
    places
        .iter()
        .map(|place| place.map_or(0.0, |place| (counts[square(place)] / most).sqrt()))
        .collect()
}

fn square([x, y]: [f64; 2]) -> usize {
    let [column, row] = [x, y].map(|value| ((f64::midpoint(value, 1.0) * SQUARES as f64) as usize).min(SQUARES - 1));
    row * SQUARES + column
}

/// One pass of the kernel 1 2 1 along the direction in which neighbours lie `stride` apart.
fn smoothed(values: &[f64], stride: usize) -> Vec<f64> {
    let at = |index: Option<usize>| index.and_then(|index| values.get(index)).copied().unwrap_or(0.0);
    (0..values.len())
        .map(|index| {
            let (before, after) = (at(index.checked_sub(stride)), at(index.checked_add(stride)));
            (before + 2.0 * values[index] + after) / 4.0
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_denser_than_a_lonely_point() {
        let mut places: Vec<_> = (0..100).map(|index| Some([0.001 * f64::from(index), 0.2])).collect();
        places.push(Some([-0.9, -0.9]));
        places.push(None);
        let densities = density(&places);
        assert!(densities[50] > 0.9 && densities[100] < 0.3 && densities[101] == 0.0);
        assert!(densities.iter().all(|density| (0.0..=1.0).contains(density)));
    }
}
