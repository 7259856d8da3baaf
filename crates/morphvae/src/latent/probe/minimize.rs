//! The minimum of a smooth convex function of many numbers.

use std::collections::VecDeque;

use super::ProbeError;

/// Steps that the curvature is remembered from.
const MEMORY: usize = 20;
/// Steps, at most: a guard, as a few dozen are enough.
const MOST_STEPS: usize = 2000;
/// Steps that are tried along one direction, at most.
const MOST_TRIES: usize = 40;
/// How much of a direction's slope may be left at a step's end, if it points up there.
const SLOPE_LEFT: f64 = 0.8;
/// Changes of a value that are rounding, as a share of it.
const ROUNDING: f64 = 1e-12;

/// A function's value at a point, and its gradient there.
pub(super) type Slope = (f64, Vec<f64>);

/// A step that was taken, and by how much the gradient changed along it.
struct Step {
    moved: Vec<f64>,
    turned: Vec<f64>,
    /// Their product, above zero.
    product: f64,
}

/// Goes downhill from `point` until no entry of the gradient is above `tolerance`, by limited-memory BFGS.
///
/// `flatten` makes of a gradient the step that a quadratic bowl would take which is nowhere less curved than the function:
/// the first step is one, and the curvature that is met refines it.
///
/// Sources: J. Nocedal, "Updating quasi-Newton matrices with limited storage", 1980; where to stop along a direction, W. Hager
/// and H. Zhang, "A new conjugate gradient method with guaranteed descent and an efficient line search", 2005, (4.1): near
/// the minimum values differ by rounding alone, while slopes are still known.
///
/// # Errors
/// [`ProbeError::Unsettled`] when it takes too many steps.
pub(super) fn minimize(
    mut point: Vec<f64>,
    function: impl Fn(&[f64]) -> Slope,
    flatten: impl Fn(&mut [f64]),
    tolerance: f64,
) -> Result<Vec<f64>, ProbeError> {
    let (mut value, mut gradient) = function(&point);
    let mut memory: VecDeque<Step> = VecDeque::with_capacity(MEMORY);
    for steps in 0.. {
        if gradient.iter().all(|entry| entry.abs() <= tolerance) {
            break;
        }
        let direction = downhill(&gradient, &memory, &flatten);
        let next = walk(&point, &direction, (value, &gradient), &function);
        let Some((moved, next_value, next_gradient)) = next.filter(|_| steps < MOST_STEPS) else {
            let slope = gradient.iter().fold(0.0, |most: f64, entry| most.max(entry.abs()));
            return Err(ProbeError::Unsettled { steps, slope });
        };
        add(&mut point, 1.0, &moved);
        let turned: Vec<f64> = next_gradient
            .iter()
            .zip(&gradient)
            .map(|(new, old)| new - old)
            .collect();
        let product = dot(&moved, &turned);
        // A strictly convex function's is, but for rounding.
        if product > 0.0 {
            if memory.len() == MEMORY {
                memory.pop_front();
            }
            memory.push_back(Step { moved, turned, product });
        }
        (value, gradient) = (next_value, next_gradient);
    }
    Ok(point)
}

/// The direction to go in: minus the gradient, times what is known of the inverse of the curvature.
fn downhill(gradient: &[f64], memory: &VecDeque<Step>, flatten: &impl Fn(&mut [f64])) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|entry| -entry).collect();
    let mut shares = Vec::with_capacity(memory.len());
    for step in memory.iter().rev() {
        let share = dot(&step.moved, &direction) / step.product;
        add(&mut direction, -share, &step.turned);
        shares.push(share);
    }
    flatten(&mut direction);
    if let Some(last) = memory.back() {
        // How much less curved the function is than the bowl, as far as the last step shows.
        let mut flat = last.turned.clone();
        flatten(&mut flat);
        let scale = last.product / dot(&last.turned, &flat);
        direction.iter_mut().for_each(|entry| *entry *= scale);
    }
    for (step, share) in memory.iter().zip(shares.into_iter().rev()) {
        let other = dot(&step.turned, &direction) / step.product;
        add(&mut direction, share - other, &step.moved);
    }
    direction
}

/// A step along `direction` that goes down far enough, with value and gradient at its end; none if there is none.
fn walk(
    point: &[f64],
    direction: &[f64],
    (value, gradient): (f64, &[f64]),
    function: &impl Fn(&[f64]) -> Slope,
) -> Option<(Vec<f64>, f64, Vec<f64>)> {
    let before = dot(direction, gradient);
    let mut length = 1.0;
    for _ in 0..MOST_TRIES {
        let moved: Vec<f64> = direction.iter().map(|entry| length * entry).collect();
        let mut end = point.to_vec();
        add(&mut end, 1.0, &moved);
        let (end_value, end_gradient) = function(&end);
        let after = dot(direction, &end_gradient);
        if after <= -SLOPE_LEFT * before && end_value <= value + ROUNDING * value.abs() {
            return Some((moved, end_value, end_gradient));
        }
        // Where the slope would be zero if it changed evenly, but neither all nor nothing of the step.
        let even = before / (before - after);
        length *= if even.is_finite() { even.clamp(0.1, 0.6) } else { 0.1 };
    }
    None
}

fn add(sum: &mut [f64], factor: f64, values: &[f64]) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum += factor * value;
    }
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bowl_of_unlike_curvatures_is_left_at_its_bottom() {
        let curvature = |index: usize| 10f64.powi(index as i32 % 7 - 3);
        let bowl = |point: &[f64]| {
            let from: Vec<f64> = point.iter().enumerate().map(|(index, x)| x - index as f64).collect();
            let value = from
                .iter()
                .enumerate()
                .map(|(index, x)| 0.5 * curvature(index) * x * x)
                .sum();
            (
                value,
                from.iter().enumerate().map(|(index, x)| curvature(index) * x).collect(),
            )
        };
        let bottom = minimize(
            vec![3.0; 30],
            bowl,
            |gradient| gradient.iter_mut().for_each(|x| *x /= 1000.0),
            1e-12,
        );
        for (index, found) in bottom.unwrap().into_iter().enumerate() {
            assert!((found - index as f64).abs() < 1e-8, "{index}: {found}");
        }
    }

    #[test]
    fn a_curvature_that_changes_is_no_hindrance() {
        // e^x - 3 x + x^4 has its minimum where e^x + 4 x^3 = 3.
        let function = |point: &[f64]| {
            let x = point[0];
            (x.exp() - 3.0 * x + x.powi(4), vec![x.exp() - 3.0 + 4.0 * x.powi(3)])
        };
        for start in [-20.0, 0.0, 20.0] {
            let bottom = minimize(vec![start], function, |_| {}, 1e-12).unwrap()[0];
            assert!((bottom.exp() + 4.0 * bottom.powi(3) - 3.0).abs() < 1e-12, "{bottom}");
        }
    }

    #[test]
    fn what_has_no_minimum_is_an_error() {
        let slope = |point: &[f64]| (point[0], vec![1.0]);
        assert!(matches!(
            minimize(vec![0.0], slope, |_| {}, 1e-9),
            Err(ProbeError::Unsettled { .. })
        ));
        let hole = |_: &[f64]| (f64::NAN, vec![f64::NAN]);
        assert!(minimize(vec![0.0], hole, |_| {}, 1e-9).is_err());
    }
}
