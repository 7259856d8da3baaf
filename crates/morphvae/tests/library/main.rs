//! The library as a program uses it.

mod arrows;
mod likelihood;
mod likelihoods;
mod paths;
mod plain_training;
mod reference_model;
mod stuck_pixels;
mod studio;
mod trainings;

/// The program's: tests learn as it does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
