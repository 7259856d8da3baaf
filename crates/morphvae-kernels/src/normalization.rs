//! Batch normalization and what follows it: statistics, activation, and their gradients.
//!
//! A map is seen as rows of channels. It is worked on in groups of rows fixed by the problem (an image each), so that
//! sums come out the same for any number of threads: groups are summed in order.

mod activation;
mod moments;

pub(crate) use activation::{
    Affine, Backward, Group, Normalization, Window, activate, activation_sums, add_lanes, normalization_gradient, relu,
    to_first_largest,
};
pub(crate) use moments::moments;
