//! Images in: everything between a name or a folder and the pixels that a network sees.
//!
//! - [`Images`], [`Split`], [`Dataset`]: images in memory, with their labels and the classes' names.
//! - [`catalogue`]: the sets known by name, where their files lie, and whether they are whole.
//! - [`fetch`]: gets a known set over the network, checked against the published digests.
//! - [`strokes`](mod@strokes): digits that this program draws itself.
//! - [`Batches`]: images of the network's size, made ready off the training thread.
//! - [`Protocol`]: how images are divided and made black or white for numbers that agree with papers.
//! - [`idx`]: the file format of those sets.
//! - [`read_folder`], [`read_image`]: a folder of image files, and one of them; [`decode_image`]: one in memory;
//!   [`NameOrder`]: in which order files and classes come.
//! - [`read_idx_folder`]: a folder with files that are named as MNIST's.
//! - [`write_image`], [`write_images`]: images out, as PNG and for NumPy; [`SetWriter`]: a whole set as it is made.
//!
//! Nothing here knows of networks or training; whoever trains or evaluates asks for a [`Dataset`]. All that comes from
//! outside is taken for hostile: sizes are checked before memory is taken, and each error says what to do.

mod batches;
pub mod catalogue;
mod digest;
mod download;
mod error;
mod folder;
pub mod idx;
mod idx_folder;
mod images;
mod labels;
mod order;
mod protocol;
mod resize;
mod rows;
pub mod strokes;
mod write;

pub use batches::{Batch, Batches, EpochDraw, epoch_order, prepare};
pub use catalogue::{Condition, FileState, KnownSet};
pub use download::{FetchOptions, Observer, Progress, fetch};
pub use error::{DataError, Found, IdxKind, Start};
pub use folder::{Fit, Folder, FolderOptions, Skipped, decode_image, read_folder, read_image};
pub use idx_folder::read_idx_folder;
pub use images::{Dataset, Examples, Images, Split};
pub use order::NameOrder;
pub use protocol::{Binarization, Protocol};
pub use resize::Resizer;
pub(crate) use resize::windows;
pub use write::{Layout, SetForm, SetWriter, class_folders, write_image, write_images};
