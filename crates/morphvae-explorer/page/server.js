/** Everything from the program: what the page is given when it is served. */
import { fromBase64 } from "./bytes.js";
import { asFile } from "./photograph.js";
import { Trouble } from "./trouble.js";

/** The server as the page's source. */
export class Server {
  /** The class that is drawn, where the model is conditional. */
  given;

  async model() {
    this.facts = await (await ask("/api/model")).json();
    this.given ??= this.facts.given;
    this.facts.given = this.given;
    return this.facts;
  }

  async points() {
    return unpackPoints(await (await ask("/api/points")).arrayBuffer(), this.facts);
  }

  /** A name for each image: its file's, where it has one. */
  async names() {
    return (await ask("/api/names")).json();
  }

  /** The images at latents, one after another. */
  async decode(points) {
    const body = JSON.stringify({ points, given: this.given });
    return new Uint8Array(await (await post("/api/decode", body, "application/json")).arrayBuffer());
  }

  /** A real image and what the network makes of it. */
  async image(index) {
    const bytes = new Uint8Array(await (await ask(`/api/image/${index}`)).arrayBuffer());
    return { real: bytes.subarray(0, bytes.length / 2), rebuilt: bytes.subarray(bytes.length / 2) };
  }

  async real(index) {
    return (await this.image(index)).real;
  }

  /** Where an image lies: bytes as the network takes them. */
  encode(pixels) {
    return encoded("/api/encode/pixels", pixels);
  }

  /** The same of a picture of any size. */
  async photograph(canvas) {
    return encoded("/api/encode", await asFile(canvas));
  }

  /** Latents along a path, one a frame. */
  async path({ keys, kind, loop, frames }) {
    const body = JSON.stringify({ keys, path: kind, cycle: loop, frames, given: this.given });
    return (await (await post("/api/path", body, "application/json")).json()).points;
  }

  /** What is kept of the run, epoch by epoch. */
  async replay() {
    return (await ask("/api/replay")).arrayBuffer();
  }

  /** Calls `each` with every finished epoch of the training under way. */
  watch(each, failed) {
    const events = new EventSource("/api/watch");
    events.addEventListener("epoch", (event) => each(JSON.parse(event.data)));
    // A browser tries again by itself when a connection breaks, but not when it was refused.
    events.addEventListener("error", () => events.readyState === EventSource.CLOSED && failed(new Trouble("problemWatch")));
  }
}

/** What a refusal means, by its status. */
const REFUSALS = { 408: "problemSlow", 413: "problemLarge", 503: "problemBusy" };

async function ask(address, options) {
  const response = await fetch(address, options).catch(() => {
    throw new Trouble("problemLost");
  });
  if (response.ok) return response;
  throw new Trouble(REFUSALS[response.status] ?? "problemRefused");
}

function post(address, body, type) {
  return ask(address, { method: "POST", headers: { "Content-Type": type }, body });
}

async function encoded(address, body) {
  const found = await (await post(address, body, "application/octet-stream")).json();
  const variance = found.log_variance.map(Math.exp);
  return { mean: found.mean, given: found.given ?? undefined, variance, input: fromBase64(found.input), image: fromBase64(found.image) };
}

/** Splits means, log variances and labels, as they lie in `/api/points`. */
export function unpackPoints(buffer, { count, latent }) {
  const size = count * latent;
  return {
    means: new Float32Array(buffer, 0, size),
    logVariances: new Float32Array(buffer, 4 * size, size),
    labels: new Uint16Array(buffer, 8 * size, count),
  };
}
