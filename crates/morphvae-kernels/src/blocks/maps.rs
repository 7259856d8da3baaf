//! How a layer and the normalization that follows it hand each other the layer's map, an image or so at a time: while
//! it is in a cache.

/// Has a group's map filled by a function, and does with it what comes next.
pub(super) type Maps<'a> = dyn Fn(usize, &mut dyn FnMut(&mut [f32])) + Sync + 'a;

/// Fills the gradient of a group's map.
pub(super) type MapGradient<'a> = dyn Fn(usize, &mut [f32]) + Sync + 'a;
