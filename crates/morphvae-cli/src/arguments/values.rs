//! What is typed behind options, read.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use morphvae::choice::Choice;
use morphvae::studio::LONGEST_REST;

/// One of a few.
pub fn one_of<T: Choice>() -> impl TypedValueParser<Value = T> {
    let offered = T::CHOICES
        .iter()
        .map(|(_, name, about)| PossibleValue::new(*name).help(*about).hide(about.is_empty()));
    PossibleValuesParser::new(offered).map(|name| T::named(&name).expect("nothing else is taken"))
}

pub fn address(text: &str) -> Result<String, &'static str> {
    if text.starts_with("http://") || text.starts_with("https://") {
        Ok(text.to_owned())
    } else {
        Err("an address begins with http:// or https://")
    }
}

pub fn rate(text: &str) -> Result<f64, &'static str> {
    let rate = text.parse().ok().filter(|rate: &f64| (0.1..=100.0).contains(rate));
    rate.ok_or("frames a second are a number from 0.1 to 100")
}

pub fn rest(text: &str) -> Result<f64, String> {
    let rest = text
        .parse()
        .ok()
        .filter(|rest: &f64| (0.0..=LONGEST_REST).contains(rest));
    rest.ok_or_else(|| format!("a rest is a number of seconds from 0 to {LONGEST_REST}"))
}

pub fn length(text: &str) -> Result<f64, &'static str> {
    let seconds = text
        .parse()
        .ok()
        .filter(|&seconds: &f64| seconds > 0.0 && seconds <= 3600.0);
    seconds.ok_or("a length is more than 0 seconds, up to 3600")
}

pub fn measurement(text: &str) -> Result<f64, &'static str> {
    let seconds = text
        .parse()
        .ok()
        .filter(|seconds: &f64| (0.01..=600.0).contains(seconds));
    seconds.ok_or("give a number of seconds from 0.01 to 600")
}

/// Two numbers from 1, such as `1,4`, as indices from 0.
pub fn pair(text: &str) -> Result<[usize; 2], &'static str> {
    let wrong = "give two numbers from 1 with a comma between them, such as 1,4";
    let index = |number: &str| number.trim().parse::<usize>().ok()?.checked_sub(1);
    let (one, other) = text.split_once(',').ok_or(wrong)?;
    match (index(one), index(other)) {
        (Some(one), Some(other)) => Ok([one, other]),
        _ => Err(wrong),
    }
}

/// Two decays of running averages, such as `0.9,0.999`.
pub fn decays(text: &str) -> Result<[f64; 2], &'static str> {
    let wrong = "give two numbers from 0 to below 1 with a comma between them, such as 0.9,0.999";
    let (one, other) = text.split_once(',').ok_or(wrong)?;
    match (one.trim().parse(), other.trim().parse()) {
        (Ok(one), Ok(other)) => Ok([one, other]),
        _ => Err(wrong),
    }
}

/// As good as endless.
pub const MOST: usize = 1_000_000_000;

pub fn positive() -> impl Fn(&str) -> Result<usize, String> + Clone {
    whole(1, MOST)
}

pub fn grid() -> impl Fn(&str) -> Result<usize, String> + Clone {
    whole(1, 100)
}

/// Whole numbers from `least` to `most`, which clap's own parser names only to those who typed a whole number.
pub fn whole<T>(least: T, most: T) -> impl Fn(&str) -> Result<T, String> + Clone
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display + Clone,
{
    move |text| {
        let number = text.parse().ok().filter(|number| (&least..=&most).contains(&number));
        number.ok_or_else(|| format!("give a whole number from {least} to {most}"))
    }
}
