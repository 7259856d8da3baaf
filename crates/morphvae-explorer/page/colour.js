/** Colours of the classes, made to stand out from the page's ground. */

/** Colours of a theme from the page's style. */
export function inks() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  return { paper: of("paper"), ink: of("ink"), soft: of("soft"), line: of("line"), mark: of("mark") };
}

/**
 * The classes' colours as they are on light ground; on dark ground their lightness (OKLab) is moved up into a range
 * that can be seen there, which keeps them apart.
 */
export function classColours(colours, dark) {
  if (!dark) return colours;
  return colours.map((colour) => {
    const [lightness, a, b] = toLab(channels(colour));
    return fromLab([0.56 + 0.62 * Math.max(0, lightness - 0.32), a, b]);
  });
}

/** The least contrast with the ground that marks are found by (WCAG 2.2, 1.4.11). */
const LEAST_CONTRAST = 3;

/** What a mark of a colour is edged with, where it stands out too little from its ground: the same colour, further from it. */
export function rim(colour, ground) {
  if (contrast(colour, ground) >= LEAST_CONTRAST) return undefined;
  const [lightness, a, b] = toLab(channels(colour));
  const step = toLab(channels(ground))[0] > 0.5 ? -0.02 : 0.02;
  let edged = colour;
  for (let turn = 1; turn < 50 && contrast(edged, ground) < LEAST_CONTRAST; turn += 1) edged = fromLab([lightness + turn * step, a, b]);
  return edged;
}

function contrast(a, b) {
  const [dark, light] = [a, b].map((colour) => {
    const [red, green, blue] = channels(colour).map(linear);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }).sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

/** Black or white, whichever is read better on a colour. */
export function inkOn(colour) {
  return contrast(colour, "#111111") > contrast(colour, "#ffffff") ? "#111111" : "#ffffff";
}

export function channels(colour) {
  return [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16));
}

// B. Ottosson, "A perceptual color space for image processing", 2020.
function toLab(rgb) {
  const [r, g, b] = rgb.map(linear);
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function linear(value) {
  const share = value / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
}

function fromLab([lightness, a, b]) {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const light = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  const hex = light.map((value) => {
    const share = value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055;
    return Math.round(255 * Math.min(1, Math.max(0, share))).toString(16).padStart(2, "0");
  });
  return `#${hex.join("")}`;
}
