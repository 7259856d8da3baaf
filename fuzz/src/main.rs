//! Hostile files and requests for everything that morphvae reads: a mutation fuzzer that needs nothing but Rust.
//!
//! `cargo run --release --bin morphvae-fuzz -- png --seconds 1800 --seed 0` makes inputs out of sound ones (what this
//! program's own writers and encoders write, and PyTorch's files) until the time is up, and hands each to the library as
//! the program would. A finding is an input that makes anything panic, asks for more memory at once than four times its
//! own length and 64 MB, or takes longer than 20 seconds; for the explorer, also one that is answered as a fault of the
//! server or after which it answers no more. Findings are kept as files, which `--replay FILE` tries again, and make the
//! exit status 1.
//!
//! One seed makes the same inputs in the same order. Inputs that lead to an answer not met before join the sound ones,
//! so that the search goes deeper than one mutation.

mod allocation;
mod campaign;
mod formats;
mod mutate;
mod options;
mod seeds;
mod server;
mod targets;

use std::fs;
use std::process::ExitCode;
use std::thread;

use campaign::Campaign;
use options::{Options, USAGE};
use targets::TARGETS;

#[global_allocator]
static ALLOCATOR: allocation::Counting = allocation::Counting;

/// The stack of a thread that Rust starts, on which the library may well be called: deep nesting must not exhaust it.
const STACK: usize = 2 << 20;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(reason) => {
            eprintln!("{reason}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if options.targets.is_empty() {
        TARGETS
            .iter()
            .for_each(|target| println!("{:12} {}", target.name, target.what));
        return ExitCode::SUCCESS;
    }
    let run = thread::Builder::new().stack_size(STACK).spawn(move || run(&options));
    match run.expect("a thread can be started").join() {
        Ok(0) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Tries all targets; returns how many findings there were.
fn run(options: &Options) -> u64 {
    campaign::count_panics();
    let mut findings = 0;
    for target in &options.targets {
        let mut campaign = Campaign::new(target, options);
        match &options.replay {
            Some(path) => campaign.replay(&fs::read(path).expect("the file to replay can be read")),
            None => campaign.run(options),
        }
        println!("{campaign}");
        findings += campaign.findings();
    }
    findings
}
