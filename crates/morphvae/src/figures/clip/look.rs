//! How large a clip is and which colours it has.

use super::Colormap;

/// How the images of a clip are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// How many times as wide and as high as the images; left out, the clip's longer side has 256 pixels or a little
    /// more, and images that are larger stay as they are. Images are enlarged smoothly (Catmull-Rom).
    pub scale: Option<usize>,
    /// Colours for grey images.
    pub colormap: Colormap,
}
