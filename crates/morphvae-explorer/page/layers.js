/**
 * A network's stages, computed one after another. Each is a product of matrices; before that a convolution lays out what each of
 * its places sees, and after it a transposed one adds up what is spread. Between stages a map lies as rows of pixels, the channels
 * of each side by side. `export/weights.rs` says what the stages are and how their weights are packed.
 */
import { parts } from "./bytes.js";
import { kernel as wasm, PANEL } from "./gemm.js";
import { likelihoods } from "./likelihood.js";

/** Numbers of the maps of images that are decoded together, and such images, at most. */
const MOST_NUMBERS = 1 << 22;
const MOST_TOGETHER = 8;

export class Layers {
  /** `network` says the stages, the likelihood and its scale; `packed` are the weights, and `kernel` is what multiplies. */
  static async of({ stages, likelihood, scale }, packed, kernel = wasm) {
    const layers = new Layers();
    const { encoder, mean, log_variance: logVariance, decoder } = stages;
    Object.assign(layers, { encoder, mean, logVariance, decoder, likelihood: likelihoods(likelihood, scale) });
    const all = [...encoder, mean, logVariance, ...decoder];
    let length = 0;
    const take = (count) => (length += count) - count;
    for (const stage of all) Object.assign(stage, measure(stage));
    for (const stage of all) Object.assign(stage, { matrix: take(stage.rows * stage.padded), bias: take(stage.width) });
    const needed = (name) => Math.max(...all.map((stage) => stage[name]));
    const each = needed("values") + needed("patches") + needed("products");
    layers.together = Math.max(1, Math.min(MOST_TOGETHER, Math.floor(MOST_NUMBERS / each)));
    for (const name of ["values", "patches", "products"]) layers[name] = take(layers.together * needed(name));
    Object.assign(layers, await kernel(length));
    layers.#unpack(all, packed);
    return layers;
  }

  /** The image at each of some points, `[count, latent + classes]`: `[count, channels, side, side]` in [0, 1]. */
  decode(points, count) {
    return this.locate(points, count).map(this.likelihood.mean);
  }

  /** What the decoder says of the pixels there. */
  locate(points, count) {
    const [channels, side] = this.decoder.at(-1).output;
    const images = new Float32Array(count * channels * side * side);
    const rows = parts(points, count);
    for (let start = 0; start < count; start += this.together) {
      const batch = rows.slice(start, start + this.together);
      const found = parts(this.#run(this.decoder, batch), batch.length);
      found.forEach((pixels, index) => images.set(planes(pixels, channels), (start + index) * pixels.length));
    }
    return images;
  }

  /** Mean and log variance of the posterior of an image, `[channels, side, side]` in [0, 1], with the weights of its classes. */
  encode(image, classes) {
    const [first] = this.encoder;
    const [channels, side] = first.input;
    const features = this.#run(this.encoder, [told(side > 1 ? pixels(image, channels) : image, first, classes)]).slice();
    const head = (stage) => Array.from(this.#run([stage], [told(features, stage, classes)]));
    return { mean: head(this.mean), logVariance: head(this.logVariance) };
  }

  /** Of so many classes the one under which an image's lower bound is highest, taken at the posterior's mean. */
  best(image, count) {
    const bounds = Array.from({ length: count }, (_, given) => {
      const classes = oneOf(given, count);
      const { mean, logVariance } = this.encode(image, classes);
      const location = this.locate(Float32Array.of(...mean, ...classes), 1);
      const divergence = mean.reduce((sum, value, axis) => sum + (value ** 2 + Math.exp(logVariance[axis]) - 1 - logVariance[axis]) / 2, 0);
      return divergence + location.reduce((sum, value, at) => sum + this.likelihood.loss(image[at], value), 0);
    });
    return bounds.indexOf(Math.min(...bounds));
  }

  /** Puts some rows through stages; what comes out lies where the next rows will. */
  #run(stages, rows) {
    const { floats, values } = this;
    rows.forEach((row, index) => floats.set(row, values + index * row.length));
    for (const stage of stages) STAGES[stage.layer](this, stage, rows.length);
    return floats.subarray(values, values + rows.length * size(stages.at(-1).output));
  }

  /** Weights are whole numbers, a low and a high byte each, times the step of their column. */
  #unpack(stages, packed) {
    const { floats } = this;
    const numbers = stages.reduce((sum, { columns, width }) => sum + columns + width, 0);
    const steps = new Float32Array(packed.buffer, 0, numbers);
    const levels = new Int8Array(packed.buffer, 4 * numbers);
    let [number, level] = [0, 0];
    for (const { matrix, bias, rows, columns, width } of stages) {
      const high = level + rows * columns;
      for (let row = 0; row < rows; row += 1) {
        for (let column = 0; column < columns; column += 1, level += 1) {
          const place = matrix + (column - (column % PANEL)) * rows + row * PANEL + (column % PANEL);
          floats[place] = steps[number + column] * (levels[level] + 256 * levels[level + rows * columns]);
        }
      }
      floats.set(steps.subarray(number + columns, number + columns + width), bias);
      [number, level] = [number + columns + width, high + rows * columns];
    }
  }
}

/** The weights of so many classes for an image of one of them. */
export function oneOf(given, count) {
  return Array.from({ length: count }, (_, index) => Number(index === given));
}

/** What a stage's matrix is like, and how many numbers an image takes on its way through. */
function measure({ layer, kernel, pool, input, output }) {
  const taps = kernel * kernel;
  const side = pool ? 2 * output[1] : output[1];
  const [rows, columns, width, places] = {
    linear: () => [size(input), size(output), size(output), 1],
    convolution: () => [taps * input[0], output[0], output[0], side * side],
    transposed: () => [input[0], taps * output[0], output[0], input[1] ** 2],
  }[layer]();
  const padded = Math.ceil(columns / PANEL) * PANEL;
  return {
    rows, columns, padded, width, places, side,
    values: Math.max(size(input), output[0] * side * side),
    patches: layer === "convolution" ? places * rows : 0,
    products: places * padded,
  };
}

const size = ([channels, side]) => channels * side * side;

const STAGES = {
  linear(layers, stage, count) {
    layers.multiply(layers.values, stage.matrix, layers.products, count, stage.rows, stage.padded);
    collect(layers, stage, count);
  },

  convolution(layers, stage, count) {
    spread(layers, stage, count);
    layers.multiply(layers.patches, stage.matrix, layers.products, count * stage.places, stage.rows, stage.padded);
    collect(layers, stage, count * stage.places);
    if (stage.pool) pool(layers, stage, count);
  },

  transposed(layers, stage, count) {
    layers.multiply(layers.values, stage.matrix, layers.products, count * stage.places, stage.rows, stage.padded);
    gather(layers, stage, count);
  },
};

/** Lays out what each place of a convolution sees: zeros beyond the border. */
function spread({ floats, values, patches }, { input: [channels, from], side, kernel, padding }, count) {
  let to = patches;
  for (let image = 0; image < count; image += 1) {
    const start = values + image * channels * from * from;
    for (let place = 0; place < side * side; place += 1) {
      const y = Math.floor(place / side) - padding;
      const x = (place % side) - padding;
      for (let down = y; down < y + kernel; down += 1) {
        for (let right = x; right < x + kernel; right += 1, to += channels) {
          if (down < 0 || right < 0 || down >= from || right >= from) floats.fill(0, to, to + channels);
          else copy(floats, start + (down * from + right) * channels, to, channels);
        }
      }
    }
  }
}

function copy(floats, from, to, count) {
  for (let index = 0; index < count; index += 1) floats[to + index] = floats[from + index];
}

/** Products with their biases and through the activation, without what columns were filled up with. */
function collect({ floats, values, products }, { bias, width, padded, activation }, rows) {
  for (let row = 0; row < rows; row += 1) {
    const to = values + row * width;
    const from = products + row * padded;
    for (let column = 0; column < width; column += 1) floats[to + column] = floats[from + column] + floats[bias + column];
  }
  ACTIVATIONS[activation](floats, values, values + rows * width);
}

/** Adds up what the places of a transposed convolution are spread over, in steps of two pixels. */
function gather({ floats, values, products }, { bias, width, padded, activation, input: [, from], side, kernel, padding }, count) {
  const end = values + count * side * side * width;
  for (let to = values; to < end; to += width) copy(floats, bias, to, width);
  for (let row = 0; row < count * from * from; row += 1) {
    const image = Math.floor(row / (from * from));
    const y = 2 * (Math.floor(row / from) % from) - padding;
    const x = 2 * (row % from) - padding;
    for (let tap = 0; tap < kernel * kernel; tap += 1) {
      const down = y + Math.floor(tap / kernel);
      const right = x + (tap % kernel);
      if (down < 0 || right < 0 || down >= side || right >= side) continue;
      const to = values + ((image * side + down) * side + right) * width;
      const start = products + row * padded + tap * width;
      for (let channel = 0; channel < width; channel += 1) floats[to + channel] += floats[start + channel];
    }
  }
  ACTIVATIONS[activation](floats, values, end);
}

/** Of each 2 x 2 pixels the largest value, in place: what is written was read before. */
function pool({ floats, values }, { side, width }, count) {
  let to = values;
  for (let row = 0; row < count * side; row += 2) {
    for (let column = 0; column < side; column += 2) {
      const above = values + (row * side + column) * width;
      const below = above + side * width;
      for (let channel = 0; channel < width; channel += 1, to += 1) {
        const a = above + channel;
        const b = below + channel;
        floats[to] = Math.max(floats[a], floats[a + width], floats[b], floats[b + width]);
      }
    }
  }
}

const ACTIVATIONS = {
  identity() {},
  relu(floats, start, end) {
    for (let at = start; at < end; at += 1) if (floats[at] < 0) floats[at] = 0;
  },
  tanh(floats, start, end) {
    for (let at = start; at < end; at += 1) floats[at] = Math.tanh(floats[at]);
  },
  softplus(floats, start, end) {
    for (let at = start; at < end; at += 1) floats[at] = Math.max(floats[at], 0) + Math.log1p(Math.exp(-Math.abs(floats[at])));
  },
  sigmoid(floats, start, end) {
    for (let at = start; at < end; at += 1) floats[at] = 1 / (1 + Math.exp(-floats[at]));
  },
};

/** What a stage is given: with the classes' weights, if it is one that is told. */
function told(values, { input }, classes) {
  if (size(input) === values.length) return values;
  const all = new Float32Array(size(input));
  all.set(values);
  all.set(classes, values.length);
  return all;
}

/** From planes to pixels, and back. */
function pixels(values, channels) {
  const area = values.length / channels;
  return values.map((_, at) => values[(at % channels) * area + Math.floor(at / channels)]);
}

function planes(values, channels) {
  const area = values.length / channels;
  return values.map((_, at) => values[(at % area) * channels + Math.floor(at / area)]);
}
