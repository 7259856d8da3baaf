//! The words over a figure.

use super::canvas::{Canvas, Style};
use super::text::{self, CAPITAL_HEIGHT};

/// The words over a figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caption<'a> {
    /// In bold: what is shown.
    pub title: Option<&'a str>,
    /// Quiet, below it: of what, after how much training.
    pub subtitle: Option<&'a str>,
}

/// Between the parts of a subtitle.
const DOT: &str = " · ";
/// From a title's baseline to its subtitle's.
const LINE: f64 = 46.0;
/// From one line of a title or a subtitle to the next, by their size.
const LEADING: f64 = 1.3;
/// Text that is too long for one line is made smaller, so much at most, before it is broken into several.
const SHRINKING: [f64; 3] = [1.0, 0.9, 0.8];
/// From the last baseline to the figure.
const GAP: f64 = 48.0;

impl<'a> Caption<'a> {
    /// A title and, below it, a subtitle.
    #[must_use]
    pub fn new(title: &'a str, subtitle: &'a str) -> Self {
        Self {
            title: Some(title),
            subtitle: Some(subtitle),
        }
    }

    /// A title alone.
    #[must_use]
    pub fn title(title: &'a str) -> Self {
        Self {
            title: Some(title),
            subtitle: None,
        }
    }

    /// The lines, none wider than `width` pixels, with their styles and their baselines below the caption's upper edge.
    fn lines(&self, width: f64) -> Vec<(String, Style, f64)> {
        let texts = [(self.title, Style::TITLE), (self.subtitle, Style::SUBTITLE)];
        let mut placed: Vec<(String, Style, f64)> = Vec::new();
        for (text, style) in texts.into_iter().filter_map(|(text, style)| Some((text?, style))) {
            let mut baseline = placed
                .last()
                .map_or(style.size * CAPITAL_HEIGHT, |&(_, _, previous)| previous + LINE);
            let (lines, style) = set(text, style, width);
            for line in lines {
                placed.push((line, style, baseline));
                baseline += (LEADING * style.size).round();
            }
        }
        placed
    }

    /// From the caption's upper edge to the figure's, in lines of at most `width` pixels.
    pub(super) fn height(&self, width: f64) -> f64 {
        self.lines(width)
            .last()
            .map_or(0.0, |&(_, _, baseline)| (baseline + GAP).round())
    }

    /// Writes the caption with its upper left corner at `left`, `top`, in lines of at most `width` pixels.
    pub(super) fn draw(&self, canvas: &mut Canvas, [left, top]: [f64; 2], width: f64) {
        for (text, style, baseline) in self.lines(width) {
            canvas.text(&text, [left, top + baseline], style);
        }
    }
}

/// A text in one line, smaller if need be, or in as many as it takes.
fn set(text: &str, style: Style, width: f64) -> (Vec<String>, Style) {
    let styles = SHRINKING.map(|share| style.size(share * style.size));
    match styles.iter().find(|style| style.measure(text) <= width) {
        Some(&style) => (vec![text.to_owned()], style),
        None => (
            broken(text, styles[SHRINKING.len() - 1], width),
            styles[SHRINKING.len() - 1],
        ),
    }
}

/// A text in lines that end between its parts, where the dot goes; a part that is too long for a line is broken itself.
fn broken(text: &str, style: Style, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in text.split(DOT) {
        match lines.last_mut() {
            Some(line) if style.measure(&format!("{line}{DOT}{part}")) <= width => *line += &format!("{DOT}{part}"),
            _ => lines.extend(words(part, style, width)),
        }
    }
    lines
}

/// A part of a text in lines that end between words; a word that is too long for a line is shortened.
fn words(part: &str, style: Style, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in part.split(' ') {
        let word = text::shortened(word, style.weight, style.size, width);
        match lines.last_mut() {
            Some(line) if style.measure(&format!("{line} {word}")) <= width => *line += &format!(" {word}"),
            _ => lines.push(word),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const TITLE: &str = "Continuously changing images, spaced by quantiles of the prior";

    #[test]
    fn a_long_title_is_made_smaller_and_then_broken_between_words() {
        let caption = Caption::new(TITLE, "faces · 12 epochs");
        let lines = |width: f64| caption.lines(width);
        let whole = Style::TITLE.measure(TITLE);
        let plain = lines(whole + 1.0);
        assert_eq!((plain[0].0.as_str(), plain[0].1.size), (TITLE, Style::TITLE.size));
        for width in [whole - 1.0, 0.85 * whole] {
            let smaller = lines(width);
            assert_eq!(smaller.len(), 2);
            assert!(smaller[0].0 == TITLE && smaller[0].1.size < Style::TITLE.size);
            assert_eq!(caption.height(width), caption.height(whole + 1.0));
        }
        let narrow = lines(300.0);
        let words: Vec<&str> = narrow.iter().map(|(line, ..)| line.as_str()).collect();
        assert_eq!(words.join(" "), format!("{TITLE} faces · 12 epochs"));
        assert!(narrow.iter().all(|(line, style, _)| style.measure(line) <= 300.0));
        assert!(narrow.windows(2).all(|pair| pair[1].2 - pair[0].2 >= pair[1].1.size));
        assert!(caption.height(300.0) > narrow[narrow.len() - 1].2);
    }

    #[test]
    fn a_long_subtitle_is_broken_between_its_parts() {
        let parts = [
            "frey-faces",
            "6 epochs",
            "3σ of the encodings to either side of their mean",
            "columns in σ",
            "16 of 32 dimensions",
        ];
        let subtitle = parts.join(" · ");
        // From room for everything on the smallest line to room for the longest part alone.
        let [whole, longest] = [&subtitle, parts[2]].map(|text| SHRINKING[2] * Style::SUBTITLE.measure(text));
        for width in (longest.ceil() as u32 + 1)..whole as u32 {
            let caption = Caption::new("", &subtitle);
            let lines: Vec<String> = caption
                .lines(f64::from(width))
                .into_iter()
                .skip(1)
                .map(|(line, ..)| line)
                .collect();
            assert!(lines.len() > 1);
            let found: Vec<&str> = lines.iter().flat_map(|line| line.split(" · ")).collect();
            assert_eq!(found, parts, "{lines:?}");
        }
    }

    #[test]
    fn a_word_without_room_is_shortened() {
        let caption = Caption::title("a-name-without-any-space-in-it-at-all and more");
        let lines = caption.lines(200.0);
        assert!(lines[0].0.contains('…') && lines[1].0 == "and more", "{lines:?}");
    }
}
