//! Keys: what stands for a point of the latent space on the command line.

use crate::Usage;

/// The point that `key` stands for in a space of `latent` dimensions.
pub fn point(key: &str, latent: usize) -> Result<Vec<f32>, Usage> {
    let wrong = |what: &str| Usage(format!("{key:?} {what}; a latent point is written as z:0.3,-1.2"));
    let Some(numbers) = key.strip_prefix("z:") else {
        return Err(wrong("is no key"));
    };
    let values: Option<Vec<f32>> = numbers
        .split(',')
        .map(|number| number.trim().parse().ok().filter(|value: &f32| value.is_finite()))
        .collect();
    match values {
        None => Err(wrong("has something that is no number")),
        Some(values) if values.len() != latent => Err(wrong(&format!(
            "has {} value(s), and the model's latent space {latent} dimension(s)",
            values.len()
        ))),
        Some(values) => Ok(values),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latent_point_has_a_number_for_every_dimension() {
        assert_eq!(point("z:0.5, -1e1,2", 3).unwrap(), [0.5, -10.0, 2.0]);
        for (key, words) in [
            ("z:1,2", "2 value(s)"),
            ("z:", "no number"),
            ("z:1,,2", "no number"),
            ("z:1,nan,2", "no number"),
            ("z:1,1e99,2", "no number"),
            ("seven", "no key"),
        ] {
            let error = point(key, 3).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains(key), "{error}");
        }
    }
}
