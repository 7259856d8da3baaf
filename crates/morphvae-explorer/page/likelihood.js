/** What a decoder says of a pixel: which grey is shown of it, and how far a pixel is from it, in nats. All are in [0, 1]. */

/** Keeps logarithms finite, as the program does. */
const LEAST = 1e-7;

/** `mean(location)` and `loss(pixel, location)` of a likelihood by its name and its scale, if it has one. */
export function likelihoods(name, scale) {
  return {
    "cross-entropy": { mean: same, loss: crossEntropy },
    "continuous-bernoulli": { mean: middle, loss: (pixel, location) => crossEntropy(pixel, location) - logNormalizer(logit(location)) },
    gaussian: { mean: same, loss: (pixel, location) => ((pixel - location) / scale) ** 2 / 2 + Math.log(scale) + Math.log(2 * Math.PI) / 2 },
    "discretized-logistic": { mean: same, loss: (pixel, location) => discretizedLogistic(pixel, location, scale) },
  }[name];
}

const same = (location) => location;

function crossEntropy(pixel, location) {
  return -pixel * Math.log(location + LEAST) - (1 - pixel) * Math.log(1 - location + LEAST);
}

const logit = (location) => Math.log(location + LEAST) - Math.log(1 - location + LEAST);

/** The continuous Bernoulli distribution's mean (Loaiza-Ganem and Cunningham, 2019); by its series about the middle. */
function middle(location) {
  const odds = logit(location);
  return 0.5 + (Math.abs(odds) < 1e-2 ? odds / 12 : 0.5 / Math.tanh(odds / 2) - 1 / odds);
}

function logNormalizer(odds) {
  return Math.abs(odds) < 1e-4 ? Math.LN2 : Math.log(odds / Math.tanh(odds / 2));
}

/** One of 256 levels, as a logistic variable rounds to it; the ends take all beyond them (Salimans et al., 2017). */
function discretizedLogistic(pixel, location, scale) {
  const [level, width] = [Math.round(255 * pixel), 1 / (255 * scale)];
  const away = level - 255 * location;
  const [upper, lower] = [logSigmoid((0.5 + away) * width), logSigmoid((0.5 - away) * width)];
  if (level === 0) return -upper;
  if (level === 255) return -lower;
  return -upper - lower - Math.log(-Math.expm1(-width));
}

const logSigmoid = (value) => Math.min(value, 0) - Math.log1p(Math.exp(-Math.abs(value)));
