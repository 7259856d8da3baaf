//! The order in which names stand: s1, s2, s10.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// How the names of a folder are ordered, and its classes numbered by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NameOrder {
    /// As people count: s1, s2, s10.
    #[default]
    Natural,
    /// By their bytes, as earlier versions had it: s1, s10, s2.
    Bytes,
}

impl NameOrder {
    /// Which of two names comes first.
    pub(super) fn compare(self, one: &[u8], other: &[u8]) -> Ordering {
        match self {
            Self::Natural => natural(one, other),
            Self::Bytes => one.cmp(other),
        }
    }
}

/// Takes numbers in names as numbers; names that differ in leading zeros alone follow their bytes.
fn natural(one: &[u8], other: &[u8]) -> Ordering {
    let (mut left, mut right) = (one, other);
    loop {
        let order = match (left.first(), right.first()) {
            (Some(a), Some(b)) if a.is_ascii_digit() && b.is_ascii_digit() => {
                number(&mut left).cmp(&number(&mut right))
            }
            (Some(a), Some(b)) => {
                (left, right) = (&left[1..], &right[1..]);
                a.cmp(b)
            }
            (a, b) => return a.cmp(&b).then_with(|| one.cmp(other)),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Takes the number at the beginning: how many digits it has, and these, so that it may be of any size.
fn number<'a>(bytes: &mut &'a [u8]) -> (usize, &'a [u8]) {
    let length = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = bytes.split_at(length);
    *bytes = rest;
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    (length - zeros, &digits[zeros..])
}

#[cfg(test)]
mod tests {
    use super::NameOrder;

    #[test]
    fn numbers_are_numbers_and_the_rest_is_text() {
        let order = [
            "",
            "007",
            "7",
            "08",
            "10",
            "a",
            "a 2 b",
            "a 10 a",
            "s1",
            "s1-9",
            "s1-10",
            "s2",
            "s10",
            "s11",
            "s99999999999999999999998",
            "s99999999999999999999999",
            "t",
            "\u{e4}",
        ];
        let mut shuffled = order;
        shuffled.reverse();
        shuffled.sort_by(|one, other| NameOrder::Natural.compare(one.as_bytes(), other.as_bytes()));
        assert_eq!(shuffled, order);
        let mut bytes = ["s2", "s10", "s1"];
        bytes.sort_by(|one, other| NameOrder::Bytes.compare(one.as_bytes(), other.as_bytes()));
        assert_eq!(bytes, ["s1", "s10", "s2"]);
    }
}
