//! The plane of the latent space that an atlas shows.

use morphvae::evaluation::Codes;
use morphvae::latent::Slice;
use serde::Serialize;

/// How far a plane reaches along latent axes at least: three deviations of the prior.
const PRIOR: f64 = 3.0;
/// Room beyond the encoded images, as a share of a side.
const MARGIN: f64 = 0.05;

/// A rectangle in the latent space: `origin + u * directions[0] + v * directions[1]` for the `u` and `v` within.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Plane {
    /// Where `u` and `v` are zero, `[latent]`.
    pub origin: Vec<f32>,
    /// Orthogonal unit vectors, each `[latent]`. The second is zero where there is but one dimension.
    pub directions: [Vec<f32>; 2],
    /// The least `u` and `v`.
    pub least: [f64; 2],
    /// The largest `u` and `v`.
    pub most: [f64; 2],
}

impl Plane {
    /// The plane that the page shows first: the latent axes of one or two dimensions, a slice along the first two
    /// principal components of more. It reaches as far as all `codes`.
    pub fn of(codes: &Codes, slice: Option<&Slice>) -> Self {
        let latent = codes.latent;
        let (origin, directions, reach) = match slice {
            Some(Slice { origin, directions }) if latent > 2 => (
                narrow(origin),
                directions.each_ref().map(|direction| narrow(direction)),
                0.0,
            ),
            _ => (vec![0.0; latent], [axis(latent, 0), axis(latent, 1)], PRIOR),
        };
        let mut plane = Self {
            origin,
            directions,
            least: [-reach; 2],
            most: [reach; 2],
        };
        for point in codes.mean.chunks_exact(latent) {
            for (axis, place) in plane.place(point).into_iter().enumerate() {
                plane.least[axis] = plane.least[axis].min(place);
                plane.most[axis] = plane.most[axis].max(place);
            }
        }
        for axis in 0..2 {
            let margin = MARGIN * (plane.most[axis] - plane.least[axis]).max(1.0);
            plane.least[axis] -= margin;
            plane.most[axis] += margin;
        }
        plane
    }

    /// The point of the latent space at `u`, `v`.
    pub fn point(&self, [u, v]: [f64; 2]) -> Vec<f32> {
        let along = self.directions[0].iter().zip(&self.directions[1]);
        let offsets = along.map(|(&a, &b)| f64::from(a) * u + f64::from(b) * v);
        let from = self.origin.iter().map(|&start| f64::from(start));
        from.zip(offsets)
            .map(|(start, offset)| (start + offset) as f32)
            .collect()
    }

    /// The `u` and `v` at shares of the sides.
    pub fn at(&self, shares: [f64; 2]) -> [f64; 2] {
        [0, 1].map(|axis| self.least[axis] + shares[axis] * (self.most[axis] - self.least[axis]))
    }

    /// Whether `v` changes nothing.
    pub fn is_line(&self) -> bool {
        self.directions[1].iter().all(|&step| step == 0.0)
    }

    fn place(&self, point: &[f32]) -> [f64; 2] {
        [0, 1].map(|axis| {
            let from = point.iter().zip(&self.origin).map(|(value, start)| value - start);
            let along = from.zip(&self.directions[axis]);
            along.map(|(offset, step)| f64::from(offset) * f64::from(*step)).sum()
        })
    }
}

fn axis(latent: usize, index: usize) -> Vec<f32> {
    (0..latent)
        .map(|dimension| f32::from(u8::from(dimension == index)))
        .collect()
}

fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| value as f32).collect()
}
