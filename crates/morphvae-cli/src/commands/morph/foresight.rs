//! How large a GIF will be, before the work that it takes.

use std::ops::ControlFlow;

use morphvae::evaluation::decode;
use morphvae::figures::clip::{Clip, ClipFormat, Look, Playback, Repeat};
use morphvae::network::Inference;
use morphvae::studio::Pace;

use super::files::Files;

/// Images that stand for all.
const SAMPLES: usize = 16;

/// About how many bytes a GIF of the way through `points` will have: a frame is compressed by itself, so that as many as
/// are shown take as much as some of them do, on average. Nothing is known of other files.
pub fn bytes(
    files: &Files,
    points: &[Vec<f32>],
    pace: &Pace,
    look: &Look,
    network: &Inference,
) -> anyhow::Result<Option<usize>> {
    if files.format != ClipFormat::Gif {
        return Ok(None);
    }
    let images = decode(network, &samples(points))?;
    let once = Playback {
        repeat: Repeat::Once,
        ..Playback::default()
    };
    let unwatched = |_, _| ControlFlow::Continue(());
    let sample = Clip::draw(&files.clip, &images, &once, look, &unwatched)?;
    Ok(sample.bytes().map(|bytes| bytes / SAMPLES * pace.shown()))
}

/// Points evenly along the lines from key to key, one behind the other.
fn samples(points: &[Vec<f32>]) -> Vec<f32> {
    let at = |sample: usize| {
        let place = (sample * (points.len() - 1)) as f32 / (SAMPLES - 1) as f32;
        let from = (place as usize).min(points.len() - 2);
        let share = place - from as f32;
        let pairs = points[from].iter().zip(&points[from + 1]);
        pairs.map(move |(from, to)| from + share * (to - from))
    };
    (0..SAMPLES).flat_map(at).collect()
}
