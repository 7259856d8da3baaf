//! The page as a whole, and what cannot be drawn.

use super::super::canvas::{INK, WHITE};
use super::*;
use crate::latent::probe::NearestNeighbours;
use crate::random::{Purpose, noise};

/// A model whose classes are clouds in a row, with what was found of them.
struct Model {
    points: LabelledPoints,
    classes: Vec<String>,
    regression: SoftmaxRegression,
    findings: Findings,
}

impl Model {
    fn new(dimensions: usize, classes: u16) -> Self {
        let count = 40 * usize::from(classes);
        let labels: Vec<Option<u16>> = (0..count).map(|index| Some(index as u16 % classes)).collect();
        let mut values = noise(5, Purpose::Noise, 0, count * dimensions);
        for (point, label) in values.chunks_exact_mut(dimensions).zip(&labels) {
            point[0] += 8.0 * f32::from(label.unwrap());
        }
        let points = LabelledPoints::new(&values, dimensions, &labels).unwrap();
        let regression = SoftmaxRegression::fit(&points).unwrap();
        let voters = NearestNeighbours::new(&points, 5).unwrap();
        let answers = voters.classify(&points).unwrap();
        let findings = Findings::of(&points, &points, &regression, &voters, &answers).unwrap();
        let classes = (0..classes).map(|class| format!("class {class}")).collect();
        Self {
            points,
            classes,
            regression,
            findings,
        }
    }

    fn drawn(&self) -> ProbedModel<'_> {
        ProbedModel {
            name: "runs/a-model-of-clouds",
            kind: "VAE",
            test: &self.points,
            classes: &self.classes,
            regression: &self.regression,
            findings: &self.findings,
        }
    }
}

#[test]
fn maps_stand_side_by_side_and_all_models_in_the_chart() {
    let (plane, space, line) = (Model::new(2, 3), Model::new(5, 3), Model::new(1, 3));
    let size = |models: &[&Model]| {
        let models: Vec<ProbedModel> = models.iter().map(|model| model.drawn()).collect();
        let page = probe(&models, &Caption::new("Title", "and more")).unwrap();
        // What is drawn stays on the page.
        let (right, bottom) = (page.width() - 1, page.height() - 1);
        let is_edge = |x: u32, y: u32| [0, right].contains(&x) || [0, bottom].contains(&y);
        let mut inked = page
            .enumerate_pixels()
            .filter(|&(x, y, pixel)| is_edge(x, y) && pixel.0 != WHITE);
        assert_eq!(inked.next(), None, "{} models", models.len());
        (page.width(), page.height())
    };
    let alone = size(&[&plane]);
    let (two, three) = (size(&[&plane, &plane]), size(&[&plane, &plane, &plane]));
    assert!(
        two.0 > 2 * 860 && three.0 == two.0 && three.1 > two.1 + 860,
        "{alone:?} {two:?} {three:?}"
    );
    assert!(size(&[&plane, &space]).1 > alone.1);
    let (one, both) = (size(&[&space]), size(&[&space, &line]));
    assert!(one.1 < 860 && both.1 > one.1 && both.0 == one.0, "{one:?} {both:?}");
}

#[test]
fn a_legend_stands_beside_every_map_whose_classes_are_its_own() {
    let (three, many) = (Model::new(2, 3), Model::new(2, 12));
    let width = |models: &[&Model]| {
        let models: Vec<ProbedModel> = models.iter().map(|model| model.drawn()).collect();
        probe(&models, &Caption::default()).unwrap().width()
    };
    assert!(width(&[&three, &many]) > width(&[&many, &many]) + 100);
}

#[test]
fn a_boundary_is_drawn_over_the_points_between_two_classes() {
    let model = Model::new(2, 2);
    let page = probe(&[model.drawn()], &Caption::default()).unwrap();
    // The middle row of the map, from its left side to its right.
    let (left, middle) = ((MARGIN + LEFT) as u32, (MARGIN + HEADING + SIDES[0] / 2.0) as u32 + 20);
    let row = left + 20..left + SIDES[0] as u32 - 20;
    let dark: Vec<u32> = row.filter(|&x| page.get_pixel(x, middle).0 == INK).collect();
    assert!(
        !dark.is_empty() && dark.windows(2).all(|pair| pair[1] - pair[0] == 1),
        "{dark:?}"
    );
}

#[test]
fn what_cannot_be_drawn_is_an_error() {
    assert!(matches!(
        probe(&[], &Caption::default()),
        Err(FigureError::Empty { .. })
    ));
    let mut model = Model::new(2, 3);
    model.classes.pop();
    let error = probe(&[model.drawn()], &Caption::default()).unwrap_err();
    assert!(
        matches!(error, FigureError::UnknownClass { label: 2, classes: 2 }),
        "{error}"
    );
}
