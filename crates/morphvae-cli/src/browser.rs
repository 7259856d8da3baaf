//! Opening a page with the system's own opener.

use std::io;
use std::process::{Command, Stdio};

use crate::console::Console;

/// Opens a page, without waiting for the browser; where there is none it says so, and that is all.
pub fn open(url: &str, console: Console) {
    if !is_there_a_screen() {
        return;
    }
    if let Err(error) = start(url) {
        console.note(format!("cannot open a browser ({error}): open the address in one"));
    }
}

/// Without a screen the openers of free systems look for browsers in text mode, which would take the terminal.
fn is_there_a_screen() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(any(windows, target_os = "macos")) || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

fn start(url: &str) -> io::Result<()> {
    let mut command = if cfg!(target_os = "macos") {
        Command::new("open")
    } else if cfg!(windows) {
        let mut command = Command::new("rundll32");
        command.arg("url.dll,FileProtocolHandler");
        command
    } else {
        Command::new("xdg-open")
    };
    command
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn()?;
    // Some openers live as long as the browser; whoever ends is collected.
    std::thread::spawn(move || child.wait());
    Ok(())
}
