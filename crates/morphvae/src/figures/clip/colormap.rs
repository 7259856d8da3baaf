//! Colours for the 256 greys.

/// What colour each grey of an image gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colormap {
    /// Its own.
    #[default]
    Grey,
    /// Dark on white: white is where an image has no light.
    Ink,
    /// Dark blue over green to yellow, in steps that look equal.
    Viridis,
    /// Black over purple to pale yellow, in steps that look equal.
    Magma,
    /// Black over red to pale yellow, in steps that look equal.
    Inferno,
}
