//! Points that come with requests.

use super::answer::Refusal;
use crate::LatentMap;

/// `[count, latent]` of points that are checked.
pub(super) fn flat(points: &[Vec<f32>], most: usize, map: &LatentMap) -> Result<Vec<f32>, Refusal> {
    let latent = map.network().config().latent;
    if !(1..=most).contains(&points.len()) {
        return Err(Refusal::bad(format!(
            "there are {} points: give 1 to {most}",
            points.len()
        )));
    }
    for (index, point) in points.iter().enumerate() {
        if point.len() != latent || !point.iter().all(|number| number.is_finite()) {
            return Err(Refusal::bad(format!(
                "point {index} must be {latent} finite number(s), but has {}",
                if point.len() == latent {
                    "others".into()
                } else {
                    point.len().to_string()
                }
            )));
        }
    }
    Ok(points.concat())
}

/// Latents as points that the decoder takes, for the class that was asked for or the first; the same latents where the
/// network is not conditional.
pub(super) fn whole(latents: &[f32], given: Option<u16>, map: &LatentMap) -> Result<Vec<f32>, Refusal> {
    let config = map.network().config();
    if let Some(class) = given {
        config
            .check_class(class)
            .map_err(|error| Refusal::bad(error.to_string()))?;
    }
    let classes = vec![given.unwrap_or(0); latents.len() / config.latent];
    Ok(config.points(latents, &classes))
}
