//! What can be wrong with a weight file.

use std::fmt::{self, Display, Formatter};
use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// How many tensors of one kind a message names before it only counts the rest.
const MOST_NAMED: usize = 8;

/// Longest piece of text from a file that a message repeats, in characters.
const MOST_QUOTED: usize = 160;

/// What can go wrong between a weight file and a [`StateDict`](super::StateDict).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file system refused.
    #[error("cannot {action} the weight file {}: {source}: check that it is there and may be used", path.display())]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file beyond what any network of this family needs.
    #[error("{file} would take {bytes} bytes of memory, more than the {limit} that it may")]
    TooLarge {
        /// The file's name.
        file: String,
        /// What it holds or claims to hold.
        bytes: u64,
        /// The most that is accepted.
        limit: u64,
    },
    /// A file of another kind.
    #[error("{file} is not a weight file but {what}; expected a .safetensors or a PyTorch .pth")]
    NotWeights {
        /// The file's name.
        file: String,
        /// What it looks like.
        what: &'static str,
    },
    /// A safetensors file that contradicts itself.
    #[error("{file} is a damaged safetensors file: {reason}")]
    Safetensors {
        /// The file's name.
        file: String,
        /// The contradiction, on one line.
        reason: String,
    },
    /// A file of Python's in which no state dict can be found. Nothing stored in it has been executed.
    #[error("{file} is not a PyTorch state dict: {reason}; write one with torch.save(model.state_dict(), path)")]
    PyTorch {
        /// The file's name.
        file: String,
        /// Why, on one line.
        reason: String,
    },
    /// A tensor of numbers that no weights are made of.
    #[error("{file}: the tensor {tensor} holds {found} numbers, expected F16, BF16, F32 or F64")]
    ElementType {
        /// The file's name.
        file: String,
        /// The tensor's name.
        tensor: String,
        /// Its element type.
        found: String,
    },
    /// Not a number, or infinity, among the weights.
    #[error("{file}: the tensor {tensor} holds {value} at position {position}, weights must be finite")]
    NotFinite {
        /// The file's name.
        file: String,
        /// The tensor's name.
        tensor: String,
        /// Index of the first such number in the flattened tensor.
        position: usize,
        /// The number.
        value: f32,
    },
    /// An array whose shape does not count its values.
    #[error("the tensor {tensor} of shape {shape:?} has {values} values")]
    ValueCount {
        /// The tensor's name.
        tensor: String,
        /// Its shape.
        shape: Vec<usize>,
        /// How many values there are.
        values: usize,
    },
    /// Tensors that are not those of the network.
    #[error("the weights do not fit the network: {0}")]
    Mismatch(Mismatch),
}

/// How a set of tensors differs from the expected one. It shows itself on one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mismatch {
    /// Names that were expected and are absent.
    pub missing: Vec<String>,
    /// Names that nobody expected.
    pub extra: Vec<String>,
    /// Names that are right and shapes that are not.
    pub misshapen: Vec<Misshapen>,
}

/// A tensor of the right name and the wrong shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misshapen {
    /// The tensor's name.
    pub name: String,
    /// The shape that it has.
    pub found: Vec<usize>,
    /// The shape that it should have.
    pub expected: Vec<usize>,
}

impl Display for Mismatch {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let parts = [
            ("missing", list(&self.missing, |name| one_line(name))),
            ("not expected", list(&self.extra, |name| one_line(name))),
            ("wrong shape", list(&self.misshapen, ToString::to_string)),
        ];
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(kind, names)| format!("{kind}: {names}"))
            .collect();
        formatter.write_str(&parts.join("; "))
    }
}

impl Display for Misshapen {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self { name, found, expected } = self;
        write!(formatter, "{} is {found:?} instead of {expected:?}", one_line(name))
    }
}

fn list<T>(items: &[T], show: impl Fn(&T) -> String) -> String {
    let named: Vec<String> = items.iter().take(MOST_NAMED).map(show).collect();
    let rest = items.len() - named.len();
    let named = named.join(", ");
    if rest == 0 {
        named
    } else {
        format!("{named} and {rest} more")
    }
}

/// Text from a hostile file made fit for a message: no control characters, and not endless.
pub(super) fn one_line(text: &str) -> String {
    let mut line: String = text
        .chars()
        .take(MOST_QUOTED)
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    if text.chars().nth(MOST_QUOTED).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut_and_counted() {
        let missing = (0..20).map(|index| format!("t{index}")).collect();
        let mismatch = Mismatch {
            missing,
            ..Mismatch::default()
        };
        assert_eq!(
            mismatch.to_string(),
            "missing: t0, t1, t2, t3, t4, t5, t6, t7 and 12 more"
        );
    }

    #[test]
    fn hostile_names_cannot_break_a_message() {
        let name = format!("a\nb\u{1b}[31m{}", "x".repeat(1000));
        let line = one_line(&name);
        assert!(line.starts_with("a b [31m") && line.chars().count() == MOST_QUOTED + 1);
    }
}
