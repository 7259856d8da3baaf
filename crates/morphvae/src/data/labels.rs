//! Which labels are known, where few are.

use rand::seq::SliceRandom;

use super::{DataError, Split};
use crate::random::{Purpose, generator};

impl Split {
    /// The labels of as many images of each class, drawn by the seed, and of no others. More of the same seed hold all those
    /// of fewer.
    ///
    /// # Errors
    /// [`DataError::FewLabels`] for a class of which fewer images have a label.
    pub fn labels_for(&self, per_class: usize, classes: usize, seed: u64) -> Result<Vec<Option<u16>>, DataError> {
        let labels = self.labels.as_deref().unwrap_or_default();
        let mut known = vec![None; self.images.count()];
        for class in (0..=u16::MAX).take(classes) {
            let is_member = |place: &usize| labels[*place] == Some(class);
            let mut members: Vec<usize> = (0..labels.len()).filter(is_member).collect();
            if members.len() < per_class {
                return Err(DataError::FewLabels {
                    class,
                    found: members.len(),
                    wanted: per_class,
                });
            }
            members.shuffle(&mut generator(seed, Purpose::KnownLabels, class.into()));
            for &place in &members[..per_class] {
                known[place] = Some(class);
            }
        }
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Images;

    /// Ten images of each of three classes, and five without a label.
    fn split() -> Split {
        let labels = (0..35).map(|place| Some(place % 3).filter(|_| place < 30));
        Split {
            images: Images::new(1, 1, 1, vec![0; 35]).unwrap(),
            labels: Some(labels.collect()),
            sources: None,
        }
    }

    #[test]
    fn each_class_keeps_as_many_and_more_hold_fewer() {
        let split = split();
        let known = |per_class, seed| split.labels_for(per_class, 3, seed).unwrap();
        for per_class in [1, 4, 10] {
            let found = known(per_class, 7);
            for class in 0..3 {
                let count = found.iter().filter(|label| **label == Some(class)).count();
                assert_eq!(count, per_class);
            }
            // Each its own.
            let labels = split.labels.as_ref().unwrap();
            assert!(
                found
                    .iter()
                    .zip(labels)
                    .all(|(kept, label)| kept.is_none() || kept == label)
            );
        }
        let (few, many) = (known(2, 7), known(5, 7));
        assert!(few.iter().zip(&many).all(|(few, many)| few.is_none() || few == many));
        assert_ne!(known(2, 7), known(2, 8));
        assert_eq!(known(2, 7), known(2, 7));
    }

    #[test]
    fn a_class_with_too_few_is_named() {
        let message = split().labels_for(11, 3, 0).unwrap_err().to_string();
        assert!(
            message.starts_with("11 image(s) of each class") && message.contains("10 of class 0"),
            "{message}"
        );
        assert!(
            split()
                .labels_for(1, 4, 0)
                .unwrap_err()
                .to_string()
                .contains("0 of class 3")
        );
        let bare = Split {
            labels: None,
            ..split()
        };
        assert!(bare.labels_for(1, 2, 0).is_err());
    }
}
