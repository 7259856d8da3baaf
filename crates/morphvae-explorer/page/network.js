/** Everything from the page itself: what an exported file is given. The network is in it, and computes in a worker. */
import { fromBase64, inflate, parts } from "./bytes.js";
import { along, pace } from "./curves.js";
import { geodesic } from "./geodesic.js";
import { oneOf } from "./layers.js";
import { unpackPoints } from "./server.js";
import { square } from "./square.js";
import { Trouble } from "./trouble.js";

/** Images that are decoded in one go: so few that whoever asks meanwhile does not wait. */
const TOGETHER = 8;

/** The file's network as the page's source. */
export class Network {
  #waiting = new Map();
  #asked = 0;
  /** The class that is drawn, where the model is conditional. */
  given;

  constructor(data) {
    this.data = data;
    const [first] = data.network.stages.decoder;
    /** Classes that the network is told of. */
    this.told = first.input[0] * first.input[1] ** 2 - data.model.latent;
    this.worker = standing().then(() => this.#begin(data.worker));
    // Whoever asks for something is told if this fails.
    this.#ask("begin", data.network).catch(() => {});
  }

  async model() {
    this.given ??= this.data.model.given;
    this.facts ??= { ...this.data.model, difference: this.data.difference, shift: this.data.shift };
    this.facts.given = this.given;
    this.pictures ??= parts(await inflate(this.data.pictures), this.facts.count);
    return this.facts;
  }

  async points() {
    return unpackPoints(fromBase64(this.data.points).buffer, this.facts);
  }

  /** A name for each image: its file's, where it has one. */
  async names() {
    return this.data.names;
  }

  /** The images at latents, one after another. */
  async decode(points, given = this.given) {
    return joined(await this.#drawn("decode", points, given), Uint8Array);
  }

  /** A real image and what the network makes of it. */
  async image(index) {
    const { latent } = this.facts;
    this.codes ??= (await this.points()).means;
    this.classes ??= new Uint16Array(fromBase64(this.data.classes).buffer);
    const code = Array.from(this.codes.subarray(index * latent, (index + 1) * latent));
    return { real: await this.real(index), rebuilt: await this.decode([code], this.classes[index]) };
  }

  async real(index) {
    return this.pictures[index];
  }

  /** Where an image lies: bytes as the network takes them. */
  async encode(input) {
    const { mean, logVariance, given } = await this.#ask("encode", input, this.told);
    return { mean, given, variance: logVariance.map(Math.exp), input, image: await this.decode([mean], given) };
  }

  /** The same of a picture of any size. */
  async photograph(canvas) {
    return this.encode(square(canvas, this.facts));
  }

  /** Latents along a path, one a frame; it ends with an error when it is not wanted any more. */
  async path({ keys, kind, loop, frames }, isWanted) {
    const images = async (points) => {
      if (!isWanted()) throw new Error("nobody waits for this path");
      return parts(joined(await this.#drawn("values", points, this.given), Float32Array), points.length);
    };
    const curve = kind === "geodesic" ? await geodesic(keys, loop, images) : along(kind, keys, loop);
    return pace(curve, loop, frames, images);
  }

  /** What is kept of the run, epoch by epoch. */
  async replay() {
    return (await inflate(this.data.replay)).buffer;
  }

  /** What the worker makes of points, some at a time. */
  async #drawn(task, points, given) {
    const classes = oneOf(given, this.told);
    const found = [];
    for (let start = 0; start < points.length; start += TOGETHER) {
      const batch = points.slice(start, start + TOGETHER);
      found.push(await this.#ask(task, Float32Array.from(batch.flatMap((point) => [...point, ...classes])), batch.length));
    }
    return found;
  }

  /** The worker that runs `code`. */
  #begin(code) {
    const worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
    worker.onmessage = ({ data: { id, answer, failure } }) => {
      const { done, failed } = this.#waiting.get(id);
      this.#waiting.delete(id);
      // Why is for whoever looks at the console; the page says what it means.
      if (failure) failed(new Trouble("problemNetwork", { cause: failure }));
      else done(answer);
    };
    return worker;
  }

  #ask(task, ...values) {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((done, failed) => {
      this.#waiting.set(id, { done, failed });
      this.worker.then((worker) => worker.postMessage({ id, task, values }), failed);
    });
  }
}

/** When the page stands: in Firefox, a worker that begins before may compute a hundred times slower for ten seconds. */
function standing() {
  if (document.readyState === "complete") return Promise.resolve();
  return new Promise((done) => addEventListener("load", done, { once: true }));
}

function joined(arrays, Kind) {
  const all = new Kind(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}
