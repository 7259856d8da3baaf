//! Decoded images of a plane, close where the decoder changes fast and wide apart where it does not.
//!
//! A quadtree over the plane: a cell is split until the images at its middle and at those of its edges are what the
//! images at its corners say, to within a tolerance. A place between is then the bilinear mixture of four corners. On a
//! line, cells are halved and not quartered. The page's `tree.js` reads what this writes.

use std::collections::{BTreeMap, BTreeSet};

use morphvae::evaluation::decode;
use morphvae::network::Decoder;

use super::WHOLE;
use super::plane::Plane;

/// Cells across the longer side before any is split.
const ROOTS: u32 = 16;
/// How often a cell can be split.
const DEEPEST: u32 = 6;
/// Side of a cell that was not split, in the finest steps.
pub(super) const ROOT: u32 = 1 << DEEPEST;
/// Residuals are counted in these many grey levels: an image is off by half of it at most, and packs much smaller.
pub(super) const STEP: i32 = 2;
/// Bytes of decoded images that the page is to hold, at most.
const MOST_BYTES: usize = 64 << 20;

/// A corner of a cell, in the finest steps from the lower left.
pub(super) type Place = [u32; 2];

/// A part of the plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    corner: Place,
    size: [u32; 2],
}

/// The cells of one level after the other, and whether each is split.
pub(super) type Levels = Vec<Vec<(Cell, bool)>>;

/// What has been decoded of a plane so far.
pub(super) struct Survey<'a> {
    decoder: &'a dyn Decoder,
    plane: &'a Plane,
    roots: [u32; 2],
    images: BTreeMap<Place, Vec<u8>>,
}

/// A tree and its images, as the page will hold them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Atlas {
    /// Cells along both sides before any is split.
    pub roots: [u32; 2],
    /// A byte for each cell, level after level: 1 where it is split.
    pub splits: Vec<u8>,
    /// For each image, by how many steps it differs from what is expected there.
    pub residuals: Vec<u8>,
    levels: Levels,
    images: BTreeMap<Place, Vec<u8>>,
}

impl Cell {
    fn corners(self) -> [Place; 4] {
        let ([x, y], [width, height]) = (self.corner, self.size);
        [[x, y], [x + width, y], [x, y + height], [x + width, y + height]]
    }

    /// The places that get an image when the cell is split, each with the four corners that it is expected to be the
    /// mean of.
    fn middles(self, is_line: bool) -> Vec<(Place, [Place; 4])> {
        let ([x, y], [width, height]) = (self.corner, self.size);
        let [a, b, c, d] = self.corners();
        let across = [
            ([x + width / 2, y], [a, a, b, b]),
            ([x + width / 2, y + height], [c, c, d, d]),
        ];
        let others = [
            ([x, y + height / 2], [a, a, c, c]),
            ([x + width, y + height / 2], [b, b, d, d]),
            ([x + width / 2, y + height / 2], [a, b, c, d]),
        ];
        let others = if is_line { &[][..] } else { &others[..] };
        across.iter().chain(others).copied().collect()
    }

    fn parts(self, is_line: bool) -> Vec<Self> {
        let ([x, y], [width, height]) = (self.corner, self.size);
        let half = width / 2;
        let at = |corner, height| Self {
            corner,
            size: [half, height],
        };
        if is_line {
            return vec![at([x, y], height), at([x + half, y], height)];
        }
        [[x, y], [x + half, y], [x, y + half], [x + half, y + half]]
            .map(|corner| at(corner, half))
            .to_vec()
    }

    fn holds(self, place: [f64; 2]) -> bool {
        (0..2).all(|axis| {
            let start = f64::from(self.corner[axis]);
            (start..=start + f64::from(self.size[axis])).contains(&place[axis])
        })
    }
}

impl<'a> Survey<'a> {
    pub fn new(decoder: &'a dyn Decoder, plane: &'a Plane) -> Self {
        let sides = [0, 1].map(|axis| plane.most[axis] - plane.least[axis]);
        let longest = sides[0].max(sides[1]);
        let mut roots = sides.map(|side| ((side / longest * f64::from(ROOTS)).round() as u32).max(1));
        if plane.is_line() {
            roots = [ROOTS, 1];
        }
        let images = BTreeMap::new();
        Self {
            decoder,
            plane,
            roots,
            images,
        }
    }

    /// Cells that are split until nothing is off by more than `tolerance` grey levels where it was looked; nothing when
    /// there would be more images than a page is to hold. The first tree is always given.
    pub fn split(&mut self, tolerance: u8) -> Option<Levels> {
        let is_line = self.plane.is_line();
        let [columns, rows] = self.roots;
        let mut cells: Vec<Cell> = (0..columns * rows)
            .map(|index| Cell {
                corner: [index % columns * ROOT, index / columns * ROOT],
                size: [ROOT; 2],
            })
            .collect();
        let mut used: BTreeSet<Place> = cells.iter().flat_map(|cell| cell.corners()).collect();
        self.decode(&used);
        let mut levels = Levels::new();
        for _ in 0..DEEPEST {
            let middles = |cell: &Cell| cell.middles(is_line);
            self.decode(&cells.iter().flat_map(middles).map(|(place, _)| place).collect());
            let decided: Vec<(Cell, bool)> = cells.iter().map(|&cell| (cell, self.worst(cell) > tolerance)).collect();
            let split = || decided.iter().filter(|(_, is_split)| *is_split).map(|(cell, _)| *cell);
            used.extend(split().flat_map(|cell| cell.middles(is_line)).map(|(place, _)| place));
            if used.len() * self.decoder.image_shape().length() > MOST_BYTES {
                return None;
            }
            cells = split().flat_map(|cell| cell.parts(is_line)).collect();
            levels.push(decided);
        }
        levels.push(cells.into_iter().map(|cell| (cell, false)).collect());
        Some(levels)
    }

    /// The tree and its images, in the order in which the page reads them.
    ///
    /// What is expected is computed from images as the page has them, so that nothing adds up.
    pub fn pack(&self, levels: Levels) -> Atlas {
        let mut atlas = Atlas {
            roots: self.roots,
            splits: levels
                .iter()
                .flatten()
                .map(|(_, is_split)| u8::from(*is_split))
                .collect(),
            residuals: Vec::new(),
            levels: Levels::new(),
            images: BTreeMap::new(),
        };
        let mut last = vec![128; self.decoder.image_shape().length()];
        for place in levels[0].iter().flat_map(|(cell, _)| cell.corners()) {
            atlas.add(place, &self.images[&place], |index| i32::from(last[index]));
            last.clone_from(&atlas.images[&place]);
        }
        for (cell, _) in levels.iter().flatten().filter(|(_, is_split)| *is_split) {
            for (place, between) in cell.middles(self.plane.is_line()) {
                let corners = between.map(|corner| atlas.images[&corner].clone());
                atlas.add(place, &self.images[&place], |index| i32::from(mean(&corners, index)));
            }
        }
        Atlas { levels, ..atlas }
    }

    /// By how many grey levels a cell's corners are off at its middles.
    fn worst(&self, cell: Cell) -> u8 {
        let off = |(place, between): (Place, [Place; 4])| {
            let corners = between.map(|corner| self.images[&corner].as_slice());
            let truth = self.images[&place].iter().enumerate();
            truth.map(|(index, &grey)| grey.abs_diff(mean(&corners, index))).max()
        };
        cell.middles(self.plane.is_line())
            .into_iter()
            .filter_map(off)
            .max()
            .unwrap_or(0)
    }

    fn decode(&mut self, places: &BTreeSet<Place>) {
        let new: Vec<Place> = places
            .iter()
            .filter(|place| !self.images.contains_key(*place))
            .copied()
            .collect();
        let whole = self.roots.map(|count| f64::from(count * ROOT));
        let point = |place: &Place| {
            let share = |axis: usize| f64::from(place[axis]) / whole[axis];
            self.plane.point(self.plane.at([share(0), share(1)]))
        };
        let points: Vec<f32> = new.iter().flat_map(point).collect();
        let images = decode(self.decoder, &points).expect(WHOLE);
        let images = (0..new.len()).map(|index| images.image(index).to_vec());
        self.images.extend(new.iter().copied().zip(images));
    }
}

impl Atlas {
    /// How many images there are.
    pub fn count(&self) -> usize {
        self.images.len()
    }

    /// The image at a place of the plane, given as shares of its sides, as the page mixes it.
    pub fn mix(&self, shares: [f64; 2]) -> Vec<u8> {
        let place = [0, 1].map(|axis| shares[axis] * f64::from(self.roots[axis] * ROOT));
        let cell = self.leaf(place);
        let [right, up] = [0, 1].map(|axis| (place[axis] - f64::from(cell.corner[axis])) / f64::from(cell.size[axis]));
        let weights = [
            (1.0 - right) * (1.0 - up),
            right * (1.0 - up),
            (1.0 - right) * up,
            right * up,
        ];
        let corners = cell.corners().map(|corner| &self.images[&corner]);
        let grey = |index| {
            let parts = corners
                .iter()
                .zip(weights)
                .map(|(image, weight)| f64::from(image[index]) * weight);
            (parts.sum::<f64>() + 0.5) as u8
        };
        (0..corners[0].len()).map(grey).collect()
    }

    fn leaf(&self, place: [f64; 2]) -> Cell {
        let leaves = self.levels.iter().flatten().filter(|(_, is_split)| !is_split);
        let found = leaves.map(|(cell, _)| *cell).find(|cell| cell.holds(place));
        found.expect("the cells cover the plane")
    }

    fn add(&mut self, place: Place, truth: &[u8], expected: impl Fn(usize) -> i32) {
        if self.images.contains_key(&place) {
            return;
        }
        let mut image = Vec::with_capacity(truth.len());
        for (index, &grey) in truth.iter().enumerate() {
            let expected = expected(index);
            let off = i32::from(grey) - expected;
            let residual = ((off + off.signum() * (STEP / 2)) / STEP).clamp(i8::MIN.into(), i8::MAX.into());
            self.residuals.push(residual as i8 as u8);
            image.push((expected + residual * STEP).clamp(0, 255) as u8);
        }
        self.images.insert(place, image);
    }
}

/// The mean of four images at one of their bytes.
fn mean<I: AsRef<[u8]>>(corners: &[I; 4], index: usize) -> u8 {
    let sum: u16 = corners.iter().map(|corner| u16::from(corner.as_ref()[index])).sum();
    ((sum + 2) / 4) as u8
}
