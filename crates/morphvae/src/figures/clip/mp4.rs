//! Clips as MP4, by the program `ffmpeg`.

use super::super::FigureError;
use super::ClipError;
use super::count::Count;
use super::look::Frames;
use crate::files::Unfinished;
use image::RgbImage;
use std::env::{consts::EXE_SUFFIX, split_paths, var_os};
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;

const PROGRAM: &str = "ffmpeg";

/// What every player takes: H.264 with halved colour, tagged as it was converted, and readable from its beginning.
const OUTPUT: &[&str] = &[
    "-an",
    "-vf",
    "scale=out_color_matrix=bt709:out_range=tv",
    "-c:v",
    "libx264",
    "-preset",
    "medium",
    "-crf",
    "18",
    "-pix_fmt",
    "yuv420p",
    "-colorspace",
    "bt709",
    "-color_primaries",
    "bt709",
    "-color_trc",
    "bt709",
    "-movflags",
    "+faststart",
    "-f",
    "mp4",
    "-y",
];

/// Makes sure that there is an `ffmpeg`.
pub(super) fn check() -> Result<(), ClipError> {
    let name = format!("{PROGRAM}{EXE_SUFFIX}");
    let path = var_os("PATH").unwrap_or_default();
    if split_paths(&path).any(|folder| folder.join(&name).is_file()) {
        Ok(())
    } else {
        Err(ClipError::NoFfmpeg)
    }
}

/// Writes frames in the given order at a constant rate: a film has no delays, so that an image that is held is sent
/// again, which costs next to nothing.
pub(super) fn write(
    path: &Path,
    frames: &Frames,
    order: impl Iterator<Item = usize> + Send,
    frames_per_second: f64,
    done: &Count,
) -> Result<(), ClipError> {
    let not_written = |source| FigureError::Write {
        path: path.to_owned(),
        source,
    };
    let unfinished = Unfinished::beside(path).map_err(not_written)?;
    // The colours of a pixel are shared with its neighbours, so that sides must be even.
    let [width, height] = [frames.width, frames.height].map(|side| side.next_multiple_of(2));
    let child = Command::new(PROGRAM)
        .args([
            "-hide_banner",
            "-loglevel",
            "error",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
        ])
        .args(["-s", &format!("{width}x{height}"), "-r", &frames_per_second.to_string()])
        .args(["-i", "pipe:0"])
        .args(OUTPUT)
        .arg(address(unfinished.path()))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ClipError::NoFfmpeg,
            _ => failed(path, &source.to_string()),
        })?;
    let pictures = order.map_while(|index| done.one().ok().map(|()| even(frames.picture(index))));
    let output = feed(child, pictures).map_err(|source| failed(path, &source.to_string()))?;
    // What it was sent before makes a film, too, but not this one.
    done.check()?;
    if output.status.success() {
        return Ok(unfinished.finish().map_err(not_written)?);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty());
    Err(failed(path, last.unwrap_or(&output.status.to_string())))
}

/// Sends pictures and waits for the end.
fn feed(mut child: Child, pictures: impl Iterator<Item = RgbImage> + Send) -> io::Result<Output> {
    let input = child.stdin.take();
    thread::scope(|scope| {
        // From a thread of its own: a program that talks much would wait for us to listen.
        let send = move || {
            for picture in pictures {
                // Who does not read on has given up, and says why.
                let Some(Ok(())) = input.as_ref().map(|mut input| input.write_all(picture.as_raw())) else {
                    break;
                };
            }
        };
        let sending = thread::Builder::new().spawn_scoped(scope, send);
        // Without one it is sent nothing, and ends.
        let output = child.wait_with_output();
        sending.and(output)
    })
}

/// A picture with even sides: an odd one's last row or column is there twice.
fn even(picture: RgbImage) -> RgbImage {
    let (width, height) = picture.dimensions();
    let [wide, high] = [width, height].map(|side| side.next_multiple_of(2));
    if (wide, high) == (width, height) {
        return picture;
    }
    RgbImage::from_fn(wide, high, |x, y| {
        *picture.get_pixel(x.min(width - 1), y.min(height - 1))
    })
}

/// A path that is not taken for an option or for another protocol, whatever it begins with.
fn address(path: &Path) -> OsString {
    let mut address = OsString::from("file:");
    address.push(path);
    address
}

fn failed(path: &Path, reason: &str) -> ClipError {
    ClipError::Ffmpeg {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn an_odd_picture_gets_its_edges_twice() {
        let picture = RgbImage::from_fn(3, 1, |x, _| Rgb([x as u8; 3]));
        let even = even(picture);
        assert_eq!(even.dimensions(), (4, 2));
        let row = |y| [0, 1, 2, 3].map(|x| even.get_pixel(x, y)[0]);
        assert_eq!((row(0), row(1)), ([0, 1, 2, 2], [0, 1, 2, 2]));
    }
}
