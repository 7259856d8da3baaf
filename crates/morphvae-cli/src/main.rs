//! The program `morphvae`: arguments, progress, messages. All work is the library's.

#![forbid(unsafe_code)]

mod answers;
mod arguments;
mod browser;
mod commands;
mod console;
mod device;
mod interrupt;
mod limits;
mod model;
mod observer;
mod pictures;

use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use morphvae::device::DeviceChoice;

use answers::{exit_code, is_broken_pipe, one_line};
use arguments::values::whole;
use commands::Verb;
use console::Console;

/// Kernels take and free large buffers all the time; this allocator keeps them instead of asking the system anew.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many threads programs that use Rayon start where nothing is said.
const USUAL_THREADS: &str = "RAYON_NUM_THREADS";

/// Learn a distribution of small images, and draw anything between them.
#[derive(Debug, Parser)]
#[command(name = "morphvae", version, propagate_version = true, max_term_width = 100)]
struct Arguments {
    /// Print errors only
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Number of threads [default: RAYON_NUM_THREADS, or one per core]; results are the same to the bit
    #[arg(long, global = true, value_name = "N", value_parser = whole::<u16>(1, 1024), allow_negative_numbers = true)]
    threads: Option<u16>,
    /// Where to compute: auto (a GPU that works, or else the processor), cpu, or what `morphvae devices` lists
    #[arg(long, global = true, value_name = "DEVICE", default_value_t)]
    device: DeviceChoice,
    #[command(subcommand)]
    verb: Verb,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(answer) => return explain(&answer),
    };
    device::ask_no_desktop(arguments.device);
    let result = panic::catch_unwind(AssertUnwindSafe(|| run(arguments)));
    match result.unwrap_or_else(|payload| Err(device::failure(payload))) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has had enough of it.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) if error.is::<interrupt::Stopped>() => ExitCode::from(interrupt::EXIT_CODE),
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {}", one_line(&error));
            ExitCode::from(exit_code(&error))
        }
    }
}

/// Help and the version go out as they are; what does not parse is one line, as every other error.
fn explain(answer: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind;

    let is_help = answer.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if is_help || !answer.use_stderr() {
        // Nobody listening is no reason to fail.
        if let Err(error) = answer.print().and_then(|()| io::stdout().flush())
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            let _ = writeln!(io::stderr(), "error: cannot print this: {error}");
            return ExitCode::FAILURE;
        }
    } else if answer.kind() == ErrorKind::InvalidUtf8 {
        let _ = writeln!(io::stderr(), "error: {}; --help explains every option", unreadable());
    } else {
        let text = answer.render().to_string();
        let end = |line: &&str| !line.starts_with("Usage:") && !line.starts_with("For more information");
        // That options might be meant as values helps nobody who mistyped one.
        let is_tip = |line: &&str| line.trim_start().starts_with("tip: to pass '--");
        let lines = text.lines().take_while(end).filter(|line| !is_tip(line));
        let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
        let line = words.join(" ").replace(" tip:", "; tip:");
        let _ = writeln!(io::stderr(), "{line}; --help explains every option");
    }
    ExitCode::from(u8::try_from(answer.exit_code()).unwrap_or(2))
}

/// What is to be said of the first argument that is no text.
fn unreadable() -> String {
    let mut words = std::env::args_os().skip(1).filter(|word| word.to_str().is_none());
    format!("{:?} is not UTF-8, as names must be", words.next().unwrap_or_default())
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    let console = Console::new(arguments.quiet);
    start_threads(arguments.threads.map(usize::from), console).context("cannot start the threads")?;
    arguments.verb.run(arguments.device, console)
}

/// Starts the threads that compute, of which this one is one: so many in all, or as many as the environment says for
/// programs of this kind, or as there are cores.
fn start_threads(asked: Option<usize>, console: Console) -> anyhow::Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let usual = std::env::var(USUAL_THREADS).ok().and_then(|count| count.parse().ok());
    let count = asked.or(usual.filter(|&count| count > 0)).unwrap_or(cores);
    if count > cores {
        console.note(format!(
            "warning: {count} threads share {cores} core(s), which is slower than one thread a core: leave out --threads"
        ));
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(count);
    // Alone, it could not answer to the thread that prepares batches while it waits for one.
    let pool = if count > 1 { pool.use_current_thread() } else { pool };
    Ok(pool.build_global()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_option_is_sound_and_explained() {
        Arguments::command().help_expected(true).debug_assert();
    }
}
