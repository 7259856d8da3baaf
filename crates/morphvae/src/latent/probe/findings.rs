//! What probes found, and what may be said of it.

use std::fmt;

use super::{LabelledPoints, NearestNeighbours, ProbeError, SoftmaxRegression};

/// From this share of right answers on, classes are said to be linearly separable: a wrong one in a hundred is left to ink
/// that nobody can read.
const SEPARABLE: f64 = 0.99;
/// From this share on, nearly.
const NEARLY: f64 = 0.95;
/// Shares differ when they are as many standard errors apart as this,
const STANDARD_ERRORS: f64 = 2.0;
/// and by this, below which nobody would call one method better than another.
const MARGIN: f64 = 0.01;
/// Neighbours that put so much of the wrong answers right show that the classes lie apart.
const APART: f64 = 0.5;

/// How many answers are right. Written as a percentage, it is cut off and not rounded, so that 100.0 % is all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accuracy {
    /// Right answers.
    pub right: usize,
    /// All answers; at least one.
    pub of: usize,
}

/// How well the classes of images are told from where a network encodes them to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Findings {
    /// Latent dimensions.
    pub dimensions: usize,
    /// Images with a class that the probes learned from.
    pub train_images: usize,
    /// Right answers of softmax regression.
    pub linear: Accuracy,
    /// Right answers of the nearest neighbours.
    pub neighbours: Accuracy,
    /// How many neighbours have a vote.
    pub voters: usize,
    /// Images that the one got right and the other did not: the regression alone, the neighbours alone.
    pub alone: [usize; 2],
    /// Right answers of whoever always names the class that is commonest among the training images.
    pub commonest: Accuracy,
}

/// How far straight boundaries tell classes apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Separability {
    /// For 99 % of the test images or more.
    Separable,
    /// For 95 % or more.
    Nearly,
    /// For less.
    Not,
    /// No better than by always naming the commonest class: by less than two standard errors, or than 1 % of the images.
    Nothing,
}

/// How neighbours do beside straight boundaries. They are better or worse where the difference is two standard errors or
/// more of such a difference on the same images (Q. McNemar, "Note on the sampling error of the difference between correlated
/// proportions or percentages", 1947), and 1 % of the images or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Neighbourhood {
    /// Better, and wrong half as often or less: classes lie apart where straight boundaries do not divide them.
    Apart,
    /// Better, but wrong more than half as often: for the most part classes overlap.
    Better,
    /// Nothing is lost by straight boundaries.
    Alike,
    /// Different, but no more than chance would have it with so few test images.
    Unclear,
    /// Straight boundaries see more than the nearest images do.
    Worse,
}

impl Accuracy {
    fn count(answers: &[u16], truth: &[u16]) -> Self {
        Self {
            right: answers
                .iter()
                .zip(truth)
                .filter(|(answer, label)| answer == label)
                .count(),
            of: truth.len(),
        }
    }

    /// The share of right answers, from 0 to 1.
    #[must_use]
    pub fn share(self) -> f64 {
        self.right as f64 / self.of.max(1) as f64
    }
}

impl fmt::Display for Accuracy {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let thousandths = 1000 * self.right / self.of.max(1);
        write!(formatter, "{}.{} %", thousandths / 10, thousandths % 10)
    }
}

impl Findings {
    /// Judges both probes by test points. Those of a class that no training point has are wrong whatever is said of them.
    ///
    /// # Errors
    /// [`ProbeError::Empty`] without test points; [`ProbeError::Dimensions`] for those of another space;
    /// [`ProbeError::Mismatch`] when `neighbours` are not the answers of [`NearestNeighbours::classify`] to the test points.
    pub fn of(
        train: &LabelledPoints,
        test: &LabelledPoints,
        regression: &SoftmaxRegression,
        voters: &NearestNeighbours,
        neighbours: &[u16],
    ) -> Result<Self, ProbeError> {
        let truth = test.labels();
        if truth.is_empty() {
            return Err(ProbeError::Empty { what: "test" });
        }
        if neighbours.len() != truth.len() {
            return Err(ProbeError::Mismatch {
                numbers: neighbours.len(),
                labels: truth.len(),
                dimensions: 1,
            });
        }
        let linear = regression.classify(test)?;
        let alone = |one: &[u16], other: &[u16]| {
            let answers = one.iter().zip(other).zip(truth);
            answers
                .filter(|((one, other), label)| one == label && other != label)
                .count()
        };
        let commonest = vec![commonest(train.labels()); truth.len()];
        Ok(Self {
            dimensions: test.dimensions(),
            train_images: train.count(),
            linear: Accuracy::count(&linear, truth),
            neighbours: Accuracy::count(neighbours, truth),
            voters: voters.voters(),
            alone: [alone(&linear, neighbours), alone(neighbours, &linear)],
            commonest: Accuracy::count(&commonest, truth),
        })
    }

    /// `2 dimensions`.
    pub(crate) fn space(&self) -> String {
        match self.dimensions {
            1 => "1 dimension".to_owned(),
            count => format!("{count} dimensions"),
        }
    }

    /// How far straight boundaries tell the classes apart.
    #[must_use]
    pub fn separability(&self) -> Separability {
        let (share, least) = (self.linear.share(), self.commonest.share());
        let error = (share * (1.0 - share) / self.linear.of.max(1) as f64).sqrt();
        if share - least < (STANDARD_ERRORS * error).max(MARGIN) {
            Separability::Nothing
        } else if share >= SEPARABLE {
            Separability::Separable
        } else if share >= NEARLY {
            Separability::Nearly
        } else {
            Separability::Not
        }
    }

    /// How neighbours do beside them.
    #[must_use]
    pub fn neighbourhood(&self) -> Neighbourhood {
        let count = self.linear.of.max(1) as f64;
        let [linear, neighbours] = self.alone.map(|images| images as f64 / count);
        let difference = neighbours - linear;
        let error = ((linear + neighbours - difference * difference) / count).sqrt();
        if difference.abs() < MARGIN {
            Neighbourhood::Alike
        } else if difference.abs() < STANDARD_ERRORS * error {
            Neighbourhood::Unclear
        } else if difference < 0.0 {
            Neighbourhood::Worse
        } else if difference >= APART * (1.0 - self.linear.share()) {
            Neighbourhood::Apart
        } else {
            Neighbourhood::Better
        }
    }
}

/// What the numbers support, as a sentence without a full stop.
impl fmt::Display for Findings {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let separability = self.separability();
        let head = match separability {
            Separability::Separable => "linearly separable",
            Separability::Nearly => "nearly linearly separable",
            Separability::Not | Separability::Nothing => "not linearly separable",
        };
        write!(
            formatter,
            "{head}: softmax regression on {} gets {} of {} test images right, ",
            self.space(),
            self.linear,
            self.linear.of
        )?;
        if separability == Separability::Nothing {
            write!(
                formatter,
                "no better than naming the commonest class every time ({}), ",
                self.commonest
            )?;
        }
        let voters = match self.voters {
            1 => "the nearest neighbour".to_owned(),
            count => format!("the vote of {count} neighbours"),
        };
        write!(formatter, "{voters} {}", self.neighbours)?;
        formatter.write_str(match (separability, self.neighbourhood()) {
            (Separability::Separable, Neighbourhood::Alike) => "",
            (_, Neighbourhood::Apart) => "; most of the rest lies apart, but not on either side of straight boundaries",
            (_, Neighbourhood::Better) => {
                "; some of the rest lies behind curved boundaries, most of it where classes overlap"
            }
            (_, Neighbourhood::Alike) => "; neighbours do no better with the rest: there classes overlap",
            (_, Neighbourhood::Unclear) => "; with so few test images the difference may be chance",
            (_, Neighbourhood::Worse) => "; straight boundaries see more than the nearest images",
        })
    }
}

/// The label that most have; of several, the least. Zero without any.
fn commonest(labels: &[u16]) -> u16 {
    let mut counts = vec![0_usize; labels.iter().max().map_or(1, |&most| usize::from(most) + 1)];
    labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
    let most = counts.iter().copied().max().unwrap_or(0);
    counts.iter().position(|&count| count == most).unwrap_or(0) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Findings on `of` images, so many of which both probes get right, and each alone.
    fn findings(of: usize, both: usize, alone: [usize; 2], commonest: usize) -> Findings {
        let accuracy = |right| Accuracy { right, of };
        Findings {
            dimensions: 2,
            train_images: 60_000,
            linear: accuracy(both + alone[0]),
            neighbours: accuracy(both + alone[1]),
            voters: 5,
            alone,
            commonest: accuracy(commonest),
        }
    }

    #[test]
    fn every_outcome_has_its_own_words() {
        for (of, both, alone, commonest, head, tail) in [
            (
                10_000,
                6900,
                [230, 2000],
                1135,
                "not linearly separable: softmax regression on 2 dimensions gets 71.3 % of \
              10000 test images right, the vote of 5 neighbours 89.0 %",
                "not on either side of straight boundaries",
            ),
            (
                10_000,
                9500,
                [60, 70],
                1135,
                "nearly linearly separable: ",
                "there classes overlap",
            ),
            (
                10_000,
                9890,
                [60, 30],
                1135,
                "linearly separable: ",
                "the vote of 5 neighbours 99.2 %",
            ),
            (
                10_000,
                9899,
                [0, 101],
                1135,
                "nearly linearly separable: softmax regression on 2 dimensions gets 98.9 %",
                "not on either side of straight boundaries",
            ),
            (
                10_000,
                8000,
                [700, 100],
                1135,
                "not linearly separable: ",
                "straight boundaries see more than the nearest images",
            ),
            (
                10_000,
                1000,
                [150, 160],
                1135,
                "not linearly separable: softmax regression on 2 dimensions gets 11.5 % of 10000 \
              test images right, no better than naming the commonest class every time (11.3 %), ",
                "there classes overlap",
            ),
            (
                10_000,
                1000,
                [150, 8000],
                1135,
                "not linearly separable: ",
                "not on either side of straight boundaries",
            ),
            (
                50,
                50,
                [0, 0],
                5,
                "linearly separable: ",
                "gets 100.0 % of 50 test images right, the vote of 5 neighbours 100.0 %",
            ),
            // Of so few images, three more are chance.
            (
                50,
                35,
                [1, 4],
                5,
                "not linearly separable: ",
                "with so few test images the difference may be chance",
            ),
            // Whoever names the commonest class is right, too.
            (
                100,
                99,
                [0, 0],
                99,
                "not linearly separable: softmax regression on 2 dimensions gets 99.0 % of 100 test images \
              right, no better than naming",
                "(99.0 %), the vote of 5 neighbours 99.0 %; neighbours do no better with the \
              rest: there classes overlap",
            ),
        ] {
            let said = findings(of, both, alone, commonest).to_string();
            assert!(said.starts_with(head) && said.ends_with(tail), "{said}");
            assert!(!said.contains("  "), "{said}");
        }
    }

    #[test]
    fn all_but_one_is_not_all() {
        let written = |right, of| Accuracy { right, of }.to_string();
        assert_eq!(written(9999, 10_000), "99.9 %");
        assert_eq!(written(10_000, 10_000), "100.0 %");
        assert_eq!(
            (written(713, 1000), written(0, 3)),
            ("71.3 %".to_owned(), "0.0 %".to_owned())
        );
    }

    #[test]
    fn the_commonest_class_is_counted() {
        assert_eq!(commonest(&[5, 3, 3, 5, 3, 9]), 3);
        assert_eq!((commonest(&[5, 3]), commonest(&[])), (3, 0));
    }

    #[test]
    fn right_answers_are_counted_one_by_one() {
        let points = |values: &[f32], labels: &[u16]| {
            LabelledPoints::new(values, 1, &labels.iter().copied().map(Some).collect::<Vec<_>>()).unwrap()
        };
        // Along a line the class in the middle is cut off by straight boundaries, too; one test image is of a new class.
        let train = points(&[-1.0, -1.1, -0.9, 1.0, 1.1, 0.9, 0.8], &[4, 4, 4, 7, 7, 7, 7]);
        let test = points(&[-0.5, 0.5, 0.6, 0.7], &[4, 7, 4, 9]);
        let regression = SoftmaxRegression::fit(&train).unwrap();
        let voters = NearestNeighbours::new(&train, 3).unwrap();
        let findings = |answers: &[u16]| Findings::of(&train, &test, &regression, &voters, answers);
        let found = findings(&[4, 4, 4, 9]).unwrap();
        let right = |accuracy: Accuracy| (accuracy.right, accuracy.of);
        assert_eq!((right(found.linear), right(found.neighbours)), ((2, 4), (3, 4)));
        assert_eq!((found.alone, right(found.commonest)), ([1, 2], (1, 4)));
        assert_eq!((found.train_images, found.dimensions, found.voters), (7, 1, 3));
        assert!(findings(&[4]).is_err());
        let nobody = points(&[], &[]);
        let error = Findings::of(&train, &nobody, &regression, &voters, &[]).unwrap_err();
        assert_eq!(error, ProbeError::Empty { what: "test" });
    }
}
