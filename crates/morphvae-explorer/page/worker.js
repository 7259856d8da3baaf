/** The network of an exported file at work beside the page, so that nothing of what it computes holds the page up. */
import { inflate } from "./bytes.js";
import { Layers, oneOf } from "./layers.js";

/** A promise, for which all others wait. */
let layers;

const TASKS = {
  begin: (network) => (layers = load(network)).then(() => {}),
  /** The images at points in [0, 1], and as bytes. */
  values: async (points, count) => (await layers).decode(points, count),
  decode: async (points, count) => toBytes((await layers).decode(points, count)),
  /** Where an image lies, and which of so many classes it was taken for, where the network is told of any. */
  encode: async (bytes, classes) => {
    const network = await layers;
    const image = Float32Array.from(bytes, (byte) => byte / 255);
    const given = classes > 0 ? network.best(image, classes) : undefined;
    return { ...network.encode(image, oneOf(given, classes)), given };
  },
};

async function load(network) {
  return Layers.of(network, await inflate(network.weights));
}

function toBytes(values) {
  const bytes = new Uint8ClampedArray(values.length);
  for (let at = 0; at < values.length; at += 1) bytes[at] = 255 * values[at];
  return bytes;
}

self.onmessage = async ({ data: { id, task, values } }) => {
  try {
    self.postMessage({ id, answer: await TASKS[task](...values) });
  } catch (error) {
    self.postMessage({ id, failure: String(error) });
  }
};
