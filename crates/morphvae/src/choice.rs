//! Settings that are one of a few.

/// A setting that is one of a few, each of which has a name: the same on the command line and in files.
pub trait Choice: Copy + PartialEq + Send + Sync + 'static {
    /// Each with its name and a few words about it, in the order in which they are offered. What has no words is another
    /// name of what stands before it.
    const CHOICES: &'static [(Self, &'static str, &'static str)];

    /// Its name.
    #[must_use]
    fn name(self) -> &'static str {
        let found = Self::CHOICES.iter().find(|(choice, ..)| *choice == self);
        found.map_or("unknown", |(_, name, _)| name)
    }

    /// The one of this name.
    #[must_use]
    fn named(name: &str) -> Option<Self> {
        let found = Self::CHOICES.iter().find(|(_, known, _)| *known == name);
        found.map(|(choice, ..)| *choice)
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;
    use crate::data::Fit;
    use crate::figures::clip::{Colormap, Repeat};
    use crate::latent::path::{Ease, PathKind};
    use crate::network::HiddenActivation;
    use crate::objective::Objective;
    use crate::probability::Likelihood;

    fn check<T: Choice + std::fmt::Debug>() {
        for &(choice, name, about) in T::CHOICES {
            assert_eq!(T::named(name), Some(choice));
            assert!(about.is_empty() || choice.name() == name);
        }
        assert_eq!(T::named("no such thing"), None);
    }

    #[test]
    fn names_are_those_of_one_choice() {
        check::<Fit>();
        check::<Colormap>();
        check::<Repeat>();
        check::<Ease>();
        check::<PathKind>();
        check::<HiddenActivation>();
        check::<Objective>();
        check::<Likelihood>();
    }

    #[test]
    fn files_have_the_same_names() {
        fn check<T: Choice + Serialize>() {
            for &(choice, name, _) in T::CHOICES {
                assert_eq!(serde_json::to_string(&choice).unwrap(), format!("\"{name}\""));
            }
        }
        check::<Fit>();
        check::<HiddenActivation>();
        check::<Objective>();
        check::<Likelihood>();
    }
}
