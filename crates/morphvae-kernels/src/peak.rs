//! How fast the processor could be at best: the yardstick for every kernel.

use std::hint::black_box;
use std::time::Instant;

use rayon::prelude::*;

use crate::isa::{Isa, simd};

/// Multiply-adds of a vector in one round: enough independent ones to fill two units of latency four.
const CHAINS: usize = 12;
/// Rounds in one measurement: about a millisecond.
const ROUNDS: usize = 1 << 18;
/// Measurements, of which the fastest counts.
const TRIES: usize = 15;

/// Floating-point operations a second that all threads of rayon's pool reach together with nothing but fused
/// multiply-adds on registers; a multiply-add counts as two.
#[must_use]
pub fn multiply_add_peak(isa: Isa) -> f64 {
    let threads = rayon::current_num_threads();
    let mut best = f64::INFINITY;
    let mut lanes = 0;
    for _ in 0..TRIES {
        let start = Instant::now();
        let counts: Vec<usize> = (0..threads)
            .into_par_iter()
            .map(|_| multiply_adds(isa, ROUNDS))
            .collect();
        best = best.min(start.elapsed().as_secs_f64());
        lanes = counts.iter().sum();
    }
    2.0 * (ROUNDS * CHAINS * lanes) as f64 / best
}

simd! {
    fn multiply_adds<V>(rounds: usize) -> usize {
        let factor = V::splat(black_box(0.999));
        let addend = V::splat(black_box(0.001));
        let mut values = [V::splat(black_box(0.5)); CHAINS];
        for _ in 0..rounds {
            for value in &mut values {
                *value = value.multiply_add(factor, addend);
            }
        }
        for value in values {
            black_box(value.sum());
        }
        V::LANES
    }
}
