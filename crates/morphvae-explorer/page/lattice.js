/**
 * The decoded images of a lattice over the plane, behind the points. Its meshes halve as one comes closer, so that an
 * image keeps about its size; what was decoded once is kept.
 */
import { toCanvas, toInk } from "./picture.js";

/** The narrowest a mesh is, in pixels: over a plane, and along a line, where there is room. */
const LEAST = { plane: 40, line: 72 };
/** Images asked for at once: few, so that the image under the pointer does not wait for long. */
const BATCH = 32;
/** Images kept. */
const KEPT = 4000;
/** A grey image whose edge is darker than this, of 255, is drawn as ink. */
const DARK = 24;

export class Lattice {
  #images = new Map();
  #shown;
  #busy = false;
  #generation = 0;

  /** `changed` is called when there is more to draw. */
  constructor(source, model, changed) {
    Object.assign(this, { source, model, changed });
  }

  /** Asks for all images anew, because the network or the plane has changed; the old ones stay until then. */
  forget() {
    this.#generation += 1;
  }

  /** Draws every image anew: the colours have changed. */
  repaint() {
    for (const image of this.#images.values()) image.canvas = undefined;
  }

  /** Draws what there is with a given opacity, and asks for what is missing. */
  draw(context, view, plane, ink, opacity) {
    if (opacity === 0) return;
    const level = Math.ceil(Math.log2((plane.isLine ? LEAST.line : LEAST.plane) / view.scale));
    const wanted = meshes(view, plane, level);
    const missing = wanted.filter(({ key }) => this.#images.get(key)?.generation !== this.#generation);
    if (missing.length === 0) this.#shown = level;
    context.globalAlpha = opacity;
    const shown = this.#shown ?? level;
    for (const mesh of shown === level ? wanted : meshes(view, plane, shown)) {
      const image = this.#images.get(mesh.key);
      if (image) this.#drawOne(context, view, mesh, image, ink);
    }
    context.globalAlpha = 1;
    if (missing.length > 0 && !this.#busy) this.#fetch(nearestFirst(missing, view).slice(0, BATCH), plane);
  }

  #drawOne(context, view, { place, side }, image, ink) {
    image.canvas ??= image.isDark ? toInk(image.bytes, this.model, ink) : toCanvas(image.bytes, this.model);
    const [x, y] = view.pixel(place);
    const width = side * view.scale;
    context.drawImage(image.canvas, x - width / 2, y - width / 2, width, width);
  }

  async #fetch(wanted, plane) {
    this.#busy = true;
    const generation = this.#generation;
    try {
      const bytes = await this.source.decode(wanted.map(({ place }) => plane.point(place)));
      this.#keep(wanted, bytes, generation);
      this.#busy = false;
      this.changed();
    } catch {
      // The image under the pointer is what tells of a program that does not answer.
      setTimeout(() => (this.#busy = false), 2000);
    }
  }

  #keep(wanted, all, generation) {
    const length = all.length / wanted.length;
    if (this.#images.size > KEPT) this.#images.clear();
    wanted.forEach(({ key }, index) => {
      const bytes = all.slice(index * length, (index + 1) * length);
      const isDark = this.model.channels === 1 && edge(bytes, this.model.image_size) < DARK;
      this.#images.set(key, { bytes, isDark, generation });
    });
  }
}

/** The meshes of a level that are in sight: their middles and their side. */
function meshes(view, plane, level) {
  const side = 2 ** level;
  const [left, bottom, right, top] = view.bounds.map((bound) => Math.floor(bound / side));
  const found = [];
  const rows = plane.isLine ? [0] : Array.from({ length: top - bottom + 1 }, (_, index) => top - index);
  for (const row of rows) {
    for (let column = left; column <= right; column += 1) {
      // Beneath the points of a line, which are spread by half a step to either side.
      const place = [(column + 0.5) * side, plane.isLine ? -0.55 - side / 2 : (row + 0.5) * side];
      found.push({ key: `${level}/${column}/${row}`, place, side });
    }
  }
  return found;
}

function nearestFirst(found, { middle }) {
  const distance = ({ place }) => Math.hypot(place[0] - middle[0], place[1] - middle[1]);
  return found.sort((a, b) => distance(a) - distance(b));
}

/** The mean along the edge of a grey image. */
function edge(bytes, size) {
  let sum = 0;
  for (let index = 0; index < size; index += 1) {
    sum += bytes[index] + bytes[size * (size - 1) + index] + bytes[index * size] + bytes[index * size + size - 1];
  }
  return sum / (4 * size);
}
