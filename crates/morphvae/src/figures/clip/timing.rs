//! What a file says of the time that its frames take.

/// How a clip plays: what was asked for and what its file could say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// Frames in the file.
    pub frames: usize,
    /// Frames per second that were asked for, holds aside.
    pub frames_per_second: f64,
    /// Frames per second that are written, on average, holds aside.
    pub written_frames_per_second: f64,
    /// How long one round was to take.
    pub seconds: f64,
    /// How long one round takes.
    pub written_seconds: f64,
    /// The shortest and the longest time that a frame which is not held is shown for, in seconds.
    pub delays: [f64; 2],
}
