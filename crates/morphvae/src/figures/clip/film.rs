//! A clip as an MP4, which `ffmpeg` makes.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{Clip, Written, fail};
use crate::figures::FigureError;
use crate::files::replace;

/// Makes sure that there is an `ffmpeg`.
pub(super) fn check_ffmpeg() -> Result<(), FigureError> {
    let status = Command::new("ffmpeg")
        .arg("-version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match status {
        Ok(_) => Ok(()),
        Err(_) => Err(FigureError::NoFfmpeg),
    }
}

/// H.264 in a size and with colours that every player takes. One pass: a film says nothing of repeating.
pub(super) fn write(clip: &Clip, path: &Path) -> Result<Written, FigureError> {
    check_ffmpeg()?;
    let mut said = None;
    let result = replace(path, |unfinished| {
        let (frames, ffmpeg) = (clip.repeated_frames(), start(clip, unfinished)?);
        match feed(clip, &frames, ffmpeg) {
            Ok(()) => Ok(()),
            Err(error) => {
                said = Some(error.to_string());
                Err(error)
            }
        }
    });
    match (result, said) {
        (Ok(()), _) => Ok(Written {
            size: even(clip.size()),
            ..clip.written(path)
        }),
        (Err(_), Some(reason)) => Err(FigureError::Ffmpeg { reason }),
        (Err(error), None) => Err(fail(path)(error)),
    }
}

impl Clip {
    /// The frames at an even rate: a rest is a frame many times.
    fn repeated_frames(&self) -> Vec<usize> {
        let times = |seconds: f64| (seconds * self.frames_per_second).round().max(1.0) as usize;
        let shots = self.shots.iter();
        shots
            .flat_map(|shot| std::iter::repeat_n(shot.frame, times(shot.seconds)))
            .collect()
    }
}

fn even((width, height): (u32, u32)) -> (u32, u32) {
    (width.next_multiple_of(2), height.next_multiple_of(2))
}

fn start(clip: &Clip, path: &Path) -> io::Result<Child> {
    let (width, height) = clip.size();
    Command::new("ffmpeg")
        .args(["-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"])
        .args(["-s", &format!("{width}x{height}")])
        .args(["-r", &clip.frames_per_second.to_string(), "-i", "-"])
        // Half of the colours' rows and columns are kept, so that both must be even.
        .args(["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p"])
        .args(["-c:v", "libx264", "-crf", "18", "-movflags", "+faststart", "-f", "mp4"])
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
}

/// Gives `ffmpeg` all frames and waits for it; the error is what it said last.
fn feed(clip: &Clip, frames: &[usize], mut ffmpeg: Child) -> io::Result<()> {
    let mut input = ffmpeg.stdin.take().expect("it was piped");
    let written = frames
        .iter()
        .try_for_each(|&frame| input.write_all(&clip.frames[frame]));
    drop(input);
    let mut words = String::new();
    if let Some(mut errors) = ffmpeg.stderr.take() {
        let _ = errors.read_to_string(&mut words);
    }
    let status = ffmpeg.wait()?;
    if status.success() {
        return written;
    }
    let last = words.lines().rfind(|line| !line.trim().is_empty());
    Err(io::Error::other(last.unwrap_or("it gave no reason").trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::Repeat;
    use super::super::tests::clip;
    use super::*;

    #[test]
    fn a_rest_is_a_frame_many_times() {
        // Eight frames and six back; three keys of half a second, the middle one twice.
        let frames = clip(Repeat::Bounce, 20.0).repeated_frames();
        assert_eq!(frames.len(), 14 + 4 * 10);
        assert_eq!(frames.iter().filter(|&&frame| frame == 3).count(), 22);
    }

    #[test]
    fn a_film_has_its_size_and_rate() {
        if check_ffmpeg().is_err() {
            println!("skipped: there is no ffmpeg on the PATH");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.mp4");
        clip(Repeat::Once, 25.0).write(&path).unwrap();
        let answer = Command::new("ffprobe")
            .args(["-v", "error", "-count_frames", "-show_entries"])
            .args([
                "stream=width,height,pix_fmt,r_frame_rate,nb_read_frames",
                "-of",
                "csv=p=0",
            ])
            .arg(&path)
            .output()
            .unwrap();
        let frames = 8 + (3.0 * 0.5 * 25.0_f64) as usize;
        let words = String::from_utf8(answer.stdout).unwrap();
        assert!(words.starts_with("46,54,yuv420p,25/1,"), "{words}");
        let counted: usize = words.trim().rsplit(',').next().unwrap().parse().unwrap();
        assert!(counted.abs_diff(frames) <= 2, "{words}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
