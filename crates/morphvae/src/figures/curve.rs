//! The learning curve: the loss and its terms, epoch by epoch.

use super::axis::{Ticks, number};
use super::canvas::{Align, Canvas, Colour, GRID, Place, RULE, Stroke, Style, WHITE};
use super::palette::mix;
use super::{Caption, FigureError};
use image::RgbImage;

/// The loss of an image, in nats, and what it is the sum of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// What training makes small.
    pub loss: f64,
    /// How far the images are from their reconstructions.
    pub reconstruction: f64,
    /// The divergence of the encoder's distributions from the prior.
    pub kl: f64,
}

/// One epoch of a learning curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// The number of epochs trained, counted from 1.
    pub epoch: u32,
    /// The mean over the training images, while the network learnt from them.
    pub train: Terms,
    /// The mean over the test images, after the epoch.
    pub test: Terms,
    /// The loss of the images that the best epoch is chosen by, after the epoch, where some are held out for that.
    pub validation_loss: Option<f64>,
}

impl CurvePoint {
    /// The loss by which epochs are compared.
    fn decisive_loss(&self) -> f64 {
        self.validation_loss.unwrap_or(self.test.loss)
    }
}

pub(super) const WIDTH: f64 = 1760.0;
/// Left of the panels: numbers and the axis's name.
pub(super) const LEFT: f64 = 160.0;
/// Right of the panels: the lines' names.
const RIGHT: f64 = 430.0;
/// Above and at the right of everything.
pub(super) const MARGIN: f64 = 64.0;
/// Above the panels, for the name of the best epoch.
const MARK: f64 = 28.0;
/// Height of the panel of the large terms.
pub(super) const LARGE: f64 = 720.0;
/// Height of the panel of the divergence.
const SMALL: f64 = 300.0;
/// Between the panels.
const BETWEEN: f64 = 70.0;
/// Below the lowest panel.
pub(super) const BOTTOM: f64 = 140.0;
/// From one line's name to the next.
const LABEL_STEP: f64 = 36.0;
/// Up to this many epochs have a mark each.
const MARKED: usize = 40;

/// The first epochs, one in so many, that may leave a panel of a long training at its top.
const STEEP: usize = 40;
/// How many times higher than the later ones the first values must reach to be cut off.
const CUT: f64 = 3.0;

pub(super) const BLUE: Colour = [38, 84, 158];
const ORANGE: Colour = [214, 98, 12];
const PURPLE: Colour = [122, 54, 152];
pub(super) const GREEN: Colour = [24, 122, 82];

/// Draws the training and the test loss by epoch, with the reconstruction term beside it and the divergence in a panel
/// of its own, since its scale differs; `term` is the name of the former. The validation loss has a line, too, where images
/// are held out. `best` is the epoch that is kept as the best: it is marked where there are others. Values that are not finite are skipped; a divergence that is always zero, as an
/// autoencoder's, has no panel.
///
/// # Errors
/// [`FigureError`] when there is no epoch or no loss is finite.
pub fn learning_curve(
    epochs: &[CurvePoint],
    term: &str,
    best: Option<u32>,
    caption: &Caption,
) -> Result<RgbImage, FigureError> {
    if epochs.is_empty() {
        return Err(FigureError::Empty { what: "epochs" });
    }
    let mut large = lines(epochs, "loss", BLUE, |terms| terms.loss);
    large.extend(validation_line(epochs));
    if large.is_empty() {
        return Err(FigureError::NotFinite {
            what: "losses",
            count: 2 * epochs.len(),
        });
    }
    let small = lines(epochs, "KL", PURPLE, |terms| terms.kl);
    let has_small = small.iter().flat_map(|line| &line.values).any(|&[_, kl]| kl != 0.0);
    if has_small {
        large.extend(lines(epochs, term, ORANGE, |terms| terms.reconstruction));
    }

    let best = epochs
        .iter()
        .find(|point| Some(point.epoch) == best && epochs.len() > 1);
    let caption_width = WIDTH - LEFT - MARGIN;
    let top = MARGIN + caption.height(caption_width) + best.map_or(0.0, |_| MARK);
    let small_top = top + LARGE + BETWEEN;
    let bottom = if has_small { small_top + SMALL } else { top + LARGE };
    let mut canvas = Canvas::new(WIDTH as usize, (bottom + BOTTOM) as usize)?;
    caption.draw(&mut canvas, [LEFT, MARGIN], caption_width);
    let across = epoch_range(epochs.iter().map(|point| point.epoch));
    let decimals = decimals(&large, if has_small { &small } else { &[] });
    if let Some(best) = best {
        mark_epoch(&mut canvas, across, [top, bottom], best.epoch);
    }
    let panel = Panel::new(&large, across, [top, LARGE], 7);
    panel.draw(&mut canvas, &large, decimals);
    if let Some(best) = best {
        let colour = if best.validation_loss.is_some() { GREEN } else { BLUE };
        panel.ring(&mut canvas, [f64::from(best.epoch), best.decisive_loss()], colour);
    }
    if has_small {
        Panel::new(&small, across, [small_top, SMALL], 4).draw(&mut canvas, &small, decimals);
    }
    draw_epochs(&mut canvas, across, bottom);
    canvas.text_upwards(
        "nats per image",
        [LEFT - 108.0, f64::midpoint(top, bottom)],
        Style::NAME,
    );
    Ok(canvas.into_image())
}

/// One line of the figure.
pub(super) struct Line {
    pub name: String,
    pub colour: Colour,
    pub dashed: bool,
    /// Epoch and value.
    pub values: Vec<[f64; 2]>,
}

impl Line {
    /// The values after the first stretch of a long training, in which losses fall steeply.
    fn settled(&self) -> &[[f64; 2]] {
        let steep = if self.values.len() > MARKED {
            self.values.len().div_ceil(STEEP)
        } else {
            0
        };
        &self.values[steep..]
    }
}

/// The test line of a term and, paler and dashed, its training line; without those that have no finite value.
fn lines(epochs: &[CurvePoint], name: &str, colour: Colour, term: impl Fn(&Terms) -> f64) -> Vec<Line> {
    let train = values(epochs, |point| Some(term(&point.train)));
    let test = values(epochs, |point| Some(term(&point.test)));
    let pale = mix(colour, WHITE, 0.4);
    let lines = [
        Line {
            name: format!("training {name}"),
            colour: pale,
            dashed: true,
            values: train,
        },
        Line {
            name: format!("test {name}"),
            colour,
            dashed: false,
            values: test,
        },
    ];
    lines.into_iter().filter(|line| !line.values.is_empty()).collect()
}

/// The line of the validation loss, if there is one.
fn validation_line(epochs: &[CurvePoint]) -> Option<Line> {
    let line = Line {
        name: "validation loss".to_owned(),
        colour: GREEN,
        dashed: false,
        values: values(epochs, |point| point.validation_loss),
    };
    (!line.values.is_empty()).then_some(line)
}

/// Epochs and their finite values.
fn values(epochs: &[CurvePoint], of: impl Fn(&CurvePoint) -> Option<f64>) -> Vec<[f64; 2]> {
    let finite = |point: &CurvePoint| {
        let value = of(point).filter(|value| value.is_finite())?;
        Some([f64::from(point.epoch), value])
    };
    epochs.iter().filter_map(finite).collect()
}

/// Decimals of the lines' last values, the same for all of a figure, so that they can be added up: two if any is small.
fn decimals(large: &[Line], small: &[Line]) -> usize {
    let mut ends = large.iter().chain(small).filter_map(|line| line.values.last());
    if ends.any(|&[_, value]| value.abs() < 20.0) {
        2
    } else {
        1
    }
}

/// The first and the last epoch, with room at either side where there is only one.
pub(super) fn epoch_range(epochs: impl Iterator<Item = u32> + Clone) -> [f64; 2] {
    let numbers = || epochs.clone().map(f64::from);
    let (first, last) = (numbers().fold(f64::INFINITY, f64::min), numbers().fold(0.0, f64::max));
    let room = if last > first { 0.02 * (last - first) } else { 0.5 };
    [first - room, last + room]
}

/// Where an epoch lies across the page.
fn column(epoch: f64, [first, last]: [f64; 2]) -> f64 {
    LEFT + (epoch - first) / (last - first) * (WIDTH - LEFT - RIGHT)
}

/// A hairline through all panels where the best epoch is, and above it which that is.
fn mark_epoch(canvas: &mut Canvas, across: [f64; 2], [top, bottom]: [f64; 2], epoch: u32) {
    let x = column(f64::from(epoch), across);
    canvas.line(&[[x, top], [x, bottom]], Stroke::solid(RULE, 2.0));
    let (text, style) = (format!("best: epoch {epoch}"), Style::NOTE);
    let half = style.measure(&text) / 2.0;
    canvas.text(&text, [x.max(LEFT + half), top - 14.0], style.align(Align::Centre));
}

pub(super) fn draw_epochs(canvas: &mut Canvas, [first, last]: [f64; 2], bottom: f64) {
    let width = WIDTH - LEFT - RIGHT;
    let ticks = Ticks::whole(first, last, 10);
    for &epoch in &ticks.values {
        let x = column(epoch, [first, last]);
        canvas.text_middle(&ticks.label(epoch), [x, bottom + 34.0], Style::TICK);
    }
    canvas.text("epoch", [LEFT + width / 2.0, bottom + 104.0], Style::NAME);
}

/// A part of the page with its own vertical scale.
pub(super) struct Panel {
    across: [f64; 2],
    upwards: [f64; 2],
    top: f64,
    height: f64,
    ticks: Ticks,
}

impl Panel {
    pub fn new(lines: &[Line], across: [f64; 2], [top, height]: [f64; 2], count: usize) -> Self {
        let values = || lines.iter().flat_map(|line| &line.values).map(|&[_, value]| value);
        let low = values().fold(f64::INFINITY, f64::min);
        let high = values().fold(f64::NEG_INFINITY, f64::max);
        let settled = lines
            .iter()
            .flat_map(Line::settled)
            .map(|&[_, value]| value)
            .fold(low, f64::max);
        let high = if high - low > CUT * (settled - low) && settled > low {
            settled + (settled - low)
        } else {
            high
        };
        let room = if high > low {
            0.06 * (high - low)
        } else {
            0.5 * high.abs().max(1.0)
        };
        let upwards = [low - room, high + room];
        Self {
            across,
            upwards,
            top,
            height,
            ticks: Ticks::new(upwards[0], upwards[1], count),
        }
    }

    fn place(&self, [epoch, value]: [f64; 2]) -> Place {
        let share = |value: f64, [low, high]: [f64; 2]| (value - low) / (high - low);
        [
            column(epoch, self.across),
            self.top + (1.0 - share(value, self.upwards)) * self.height,
        ]
    }

    pub fn draw(&self, canvas: &mut Canvas, lines: &[Line], decimals: usize) {
        let (right, bottom) = (WIDTH - RIGHT, self.top + self.height);
        for &value in &self.ticks.values {
            let [_, y] = self.place([self.across[0], value]);
            canvas.line(&[[LEFT, y], [right, y]], Stroke::solid(GRID, 2.0));
            canvas.text_middle(
                &self.ticks.label(value),
                [LEFT - 18.0, y],
                Style::TICK.align(Align::Right),
            );
        }
        canvas.line(&[[LEFT, bottom], [right, bottom]], Stroke::solid(RULE, 2.0));
        for line in lines {
            self.draw_line(canvas, line);
        }
        self.draw_names(canvas, lines, decimals);
        self.draw_cut(canvas, lines);
    }

    /// How high the lines start, where that is above the panel.
    fn beyond(&self, lines: &[Line]) -> Option<f64> {
        let values = lines.iter().flat_map(|line| &line.values).map(|&[_, value]| value);
        let highest = values.fold(f64::NEG_INFINITY, f64::max);
        (highest > self.upwards[1]).then_some(highest)
    }

    /// Says so.
    fn draw_cut(&self, canvas: &mut Canvas, lines: &[Line]) {
        if let Some(highest) = self.beyond(lines) {
            let [x, y] = self.place([self.across[0], self.upwards[1]]);
            let text = format!("↑ the first epochs reach {}", number(highest, 1));
            canvas.text_middle(&text, [x + 46.0, y + 12.0], Style::NOTE);
        }
    }

    fn draw_line(&self, canvas: &mut Canvas, line: &Line) {
        let places: Vec<Place> = self
            .cut(&line.values)
            .into_iter()
            .map(|value| self.place(value))
            .collect();
        let width = if line.dashed { 3.0 } else { 3.6 };
        canvas.line(
            &places,
            Stroke {
                colour: line.colour,
                width,
                dash: line.dashed.then_some([12.0, 8.0]),
            },
        );
        if places.len() <= MARKED {
            for place in places {
                canvas.disc(place, 7.0, line.colour, 1.0);
                if line.dashed {
                    canvas.disc(place, 4.0, WHITE, 1.0);
                }
            }
        }
    }

    /// A ring around a value, if the panel shows it.
    fn ring(&self, canvas: &mut Canvas, point: [f64; 2], colour: Colour) {
        if (self.upwards[0]..=self.upwards[1]).contains(&point[1]) {
            canvas.circle(self.place(point), 13.0, Stroke::solid(colour, 2.4));
        }
    }

    /// The part of a line that the panel shows: what comes before it sinks below the upper edge is cut off there.
    fn cut(&self, values: &[[f64; 2]]) -> Vec<[f64; 2]> {
        let [_, high] = self.upwards;
        let mut shown = Vec::with_capacity(values.len());
        for (index, &[epoch, value]) in values.iter().enumerate() {
            let previous = index.checked_sub(1).map(|index| values[index]);
            if let Some([before, above]) = previous.filter(|&[_, above]| (above > high) != (value > high)) {
                shown.push([before + (epoch - before) * (above - high) / (above - value), high]);
            }
            if value <= high {
                shown.push([epoch, value]);
            }
        }
        shown
    }

    /// The lines' names and last values, beside where they end.
    fn draw_names(&self, canvas: &mut Canvas, lines: &[Line], decimals: usize) {
        let mut ends: Vec<(f64, &Line)> = Vec::new();
        for line in lines {
            ends.extend(line.values.last().map(|&value| (self.place(value)[1], line)));
        }
        ends.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let mut heights: Vec<f64> = ends.iter().map(|&(height, _)| height).collect();
        spread(&mut heights, LABEL_STEP, [self.top, self.top + self.height]);
        for ((_, line), height) in ends.iter().zip(heights) {
            let value = line.values.last().map_or(f64::NAN, |&[_, value]| value);
            let text = format!("{}  {}", line.name, number(value, decimals));
            let style = Style::TICK.align(Align::Left).colour(line.colour);
            canvas.text_middle(&text, [WIDTH - RIGHT + 22.0, height], style);
        }
    }
}

/// Moves sorted heights apart until neighbours are `step` apart, as little as it takes, and keeps them inside `limits`.
fn spread(heights: &mut [f64], step: f64, [low, high]: [f64; 2]) {
    for _ in 0..100 {
        for index in 1..heights.len() {
            let lacking = step - (heights[index] - heights[index - 1]);
            if lacking > 0.0 {
                heights[index - 1] -= lacking / 2.0;
                heights[index] += lacking / 2.0;
            }
        }
    }
    if let (Some(&first), Some(&last)) = (heights.first(), heights.last()) {
        let shift = (low - first).max(0.0) + (high - last).min(0.0);
        for height in heights.iter_mut() {
            *height += shift;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERM: &str = "cross-entropy";

    fn training(epochs: u32, kl: f64) -> Vec<CurvePoint> {
        let terms = |epoch: u32| {
            let reconstruction = 190.0 + 400.0 / f64::from(epoch).powi(2);
            Terms {
                loss: reconstruction + kl,
                reconstruction,
                kl,
            }
        };
        (1..=epochs)
            .map(|epoch| CurvePoint {
                epoch,
                train: terms(epoch),
                test: terms(epoch),
                validation_loss: None,
            })
            .collect()
    }

    fn has(figure: &RgbImage, colour: Colour) -> bool {
        figure.pixels().any(|pixel| pixel.0 == colour)
    }

    #[test]
    fn any_number_of_epochs_can_be_drawn() {
        for epochs in [1, 2, 5, 40, 500] {
            let figure = learning_curve(&training(epochs, 6.0), TERM, None, &Caption::default()).unwrap();
            assert!(
                has(&figure, BLUE) && has(&figure, ORANGE) && has(&figure, PURPLE),
                "{epochs} epochs"
            );
        }
    }

    #[test]
    fn the_best_epoch_is_marked_where_there_are_others() {
        let draw = |epochs: u32, best| {
            let points = training(epochs, 6.0);
            learning_curve(&points, TERM, best, &Caption::default()).unwrap()
        };
        for (best, share) in [(1, 0.02), (3, 0.5), (5, 0.98)] {
            let figure = draw(5, Some(best));
            // Between the panels nothing else is drawn.
            let row = (MARGIN + MARK + LARGE + BETWEEN / 2.0) as u32;
            let marked = (0..figure.width()).filter(|&column| figure.get_pixel(column, row).0 == RULE);
            let expected = LEFT + share * (WIDTH - LEFT - RIGHT);
            assert!(marked.clone().count() > 0);
            for column in marked {
                assert!((f64::from(column) - expected).abs() < 25.0, "{column} {expected}");
            }
            assert_ne!(figure, draw(5, None));
            let others: Vec<u32> = (1..=5).filter(|&other| other != best).collect();
            assert!(others.iter().all(|&other| draw(5, Some(other)) != figure));
        }
        assert_eq!(draw(1, Some(1)), draw(1, None));
        assert_eq!(draw(5, Some(6)), draw(5, None));
    }

    #[test]
    fn a_value_lies_where_its_epoch_and_its_number_meet() {
        let figure = learning_curve(&training(5, 6.0), TERM, None, &Caption::default()).unwrap();
        // Around the epochs is 2 % of room, and around the values, from 206 to 596 and 6 alone, 6 % or half of it.
        let column = |epoch: f64| 160.0 + (epoch - 0.92) / 4.16 * 1170.0;
        let row = |value: f64| 64.0 + (619.4 - value) / 436.8 * 720.0;
        let pixel = |x: f64, y: f64| figure.get_pixel(x as u32, y as u32).0;
        for epoch in [1.0, 2.0, 3.0, 4.0, 5.0] {
            let (x, reconstruction) = (column(epoch), 190.0 + 400.0 / (epoch * epoch));
            assert_eq!(pixel(x, row(reconstruction)), ORANGE, "reconstruction of epoch {epoch}");
            assert_eq!(pixel(x, row(reconstruction + 6.0)), BLUE, "loss of epoch {epoch}");
            assert_eq!(
                pixel(x, 64.0 + 720.0 + 70.0 + 150.0),
                PURPLE,
                "divergence of epoch {epoch}"
            );
        }
    }

    #[test]
    fn the_validation_loss_has_a_line_and_the_ring() {
        let mut points = training(5, 6.0);
        for point in &mut points {
            point.validation_loss = Some(point.test.loss + 50.0);
        }
        let figure = learning_curve(&points, TERM, Some(5), &Caption::default()).unwrap();
        // The values reach from 206 to 646 now, and the name of the best epoch stands above the panel.
        let row = |value: f64| 64.0 + 28.0 + (672.4 - value) / 492.8 * 720.0;
        let column = |epoch: f64| 160.0 + (epoch - 0.92) / 4.16 * 1170.0;
        let pixel = |x: f64, y: f64| figure.get_pixel(x as u32, y as u32).0;
        for epoch in [2.0, 5.0] {
            let loss = 196.0 + 400.0 / (epoch * epoch);
            assert_eq!(
                pixel(column(epoch), row(loss + 50.0)),
                GREEN,
                "validation loss of epoch {epoch}"
            );
            assert_eq!(pixel(column(epoch), row(loss)), BLUE, "test loss of epoch {epoch}");
        }
        // The ring is around the loss that the best epoch was chosen by.
        assert_eq!(pixel(column(5.0) + 13.0, row(262.0)), GREEN);
        assert_ne!(pixel(column(5.0) + 13.0, row(212.0)), BLUE);
    }

    #[test]
    fn an_autoencoder_has_one_panel_and_one_term() {
        let with = learning_curve(&training(5, 6.0), TERM, None, &Caption::default()).unwrap();
        let without = learning_curve(&training(5, 0.0), TERM, None, &Caption::default()).unwrap();
        assert!(without.height() < with.height());
        assert!(has(&without, BLUE) && !has(&without, ORANGE) && !has(&without, PURPLE));
    }

    #[test]
    fn the_last_values_of_a_figure_have_one_precision() {
        let of = |kl: f64, term: fn(&Terms) -> f64| lines(&training(2, kl), "", BLUE, term);
        let [loss, kl] = [of(6.0, |terms| terms.loss), of(6.0, |terms| terms.kl)];
        assert_eq!(decimals(&loss, &kl), 2);
        assert_eq!(decimals(&loss, &[]), 1);
        assert_eq!(decimals(&loss, &of(30.0, |terms| terms.kl)), 1);
    }

    #[test]
    fn values_that_are_not_finite_are_skipped() {
        let mut epochs = training(3, 6.0);
        epochs[1].test.loss = f64::NAN;
        epochs[2].train.kl = f64::INFINITY;
        learning_curve(&epochs, TERM, None, &Caption::default()).unwrap();
        let nothing = Terms {
            loss: f64::NAN,
            reconstruction: f64::NAN,
            kl: f64::NAN,
        };
        let epochs = [CurvePoint {
            epoch: 1,
            train: nothing,
            test: nothing,
            validation_loss: None,
        }];
        assert!(matches!(
            learning_curve(&epochs, TERM, None, &Caption::default()),
            Err(FigureError::NotFinite { .. })
        ));
        assert!(matches!(
            learning_curve(&[], TERM, None, &Caption::default()),
            Err(FigureError::Empty { .. })
        ));
    }

    #[test]
    fn a_long_training_is_cut_at_its_steep_beginning() {
        let lines = lines(&training(500, 6.0), "loss", BLUE, |terms| terms.loss);
        let panel = Panel::new(&lines, [1.0, 500.0], [0.0, 100.0], 5);
        assert!(panel.upwards[1] < 250.0);
        let shown = panel.cut(&lines[0].values);
        assert!(
            (shown[0][1] - panel.upwards[1]).abs() < 1e-9,
            "it enters at the upper edge"
        );
        assert!(shown.iter().all(|&[_, value]| value <= panel.upwards[1] + 1e-9));
        assert_eq!(shown.last(), lines[0].values.last());
        assert_eq!(panel.beyond(&lines), Some(lines[0].values[0][1]));
    }

    #[test]
    fn losses_below_zero_are_drawn_as_others() {
        let mut epochs = training(5, 6.0);
        for point in &mut epochs {
            point.test.loss -= 5000.0;
        }
        let lines = lines(&epochs, "loss", BLUE, |terms| terms.loss - 5000.0);
        let panel = Panel::new(&lines, [1.0, 5.0], [0.0, 100.0], 5);
        assert!(panel.upwards[1] < 0.0 && panel.beyond(&lines).is_none());
        learning_curve(&epochs, "NLL", None, &Caption::default()).unwrap();
    }

    #[test]
    fn names_of_lines_that_end_together_are_moved_apart() {
        let mut heights = [50.0, 51.0, 52.0, 400.0];
        spread(&mut heights, 36.0, [0.0, 420.0]);
        for pair in heights.windows(2) {
            assert!(pair[1] - pair[0] > 35.0, "{heights:?}");
        }
        assert!(heights[0] >= 0.0 && (heights[3] - 400.0).abs() < 1e-9);
    }
}
