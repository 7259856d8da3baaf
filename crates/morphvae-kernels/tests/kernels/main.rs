//! The kernels as a program uses them.

#![forbid(unsafe_code)]

mod agreement;
mod lengths;
mod linear;
mod naive;
