/**
 * The decoded images of a lattice over the plane, behind the points. Its meshes halve as one comes closer, so that an
 * image keeps about its size; what was decoded once is kept.
 */
import { edge, toCanvas, toInk } from "./picture.js";
import { strength } from "./reach.js";

/** The narrowest a mesh is, in pixels: over a plane, and along a line, where there is room. */
const LEAST = { plane: 40, line: 72 };
/** Meshes in sight, about, at most: on a larger screen they are wider. */
const MOST = 900;
/** Images asked for at once: few, so that the image under the pointer does not wait for long. */
const BATCH = 32;
/** Images kept: more than can be in sight, since a mesh may be twice as narrow as it had to be. */
const KEPT = 4800;
/** A grey image whose edge is darker than this, of 255, is drawn as ink. */
const DARK = 24;

export class Lattice {
  /** What was decoded, by level, column and row; what was decoded last is last. */
  #images = new Map();
  #shown;
  #busy = false;
  #generation = 0;

  /** `changed` is called when there is more to draw. */
  constructor(source, model, changed) {
    Object.assign(this, { source, model, changed });
  }

  /** Asks for all images anew, because the network or the plane has changed; the old ones stay until then. */
  forget(model) {
    this.model = model;
    this.#generation += 1;
  }

  /** Draws every image anew: the colours have changed. */
  repaint() {
    for (const image of this.#images.values()) image.canvas = undefined;
  }

  /** Draws what there is with a given opacity, and asks for what is missing. */
  draw(context, view, plane, ink, opacity) {
    if (opacity === 0) return;
    const level = levelOf(view, plane);
    const wanted = meshes(view, plane, level);
    const missing = wanted.filter(({ key }) => this.#images.get(key)?.generation !== this.#generation);
    if (missing.length === 0) this.#shown = level;
    this.#shown ??= level;
    // Whatever the view has become, no more is gone through than what is kept.
    for (const image of this.#images.values()) if (image.mesh.level === this.#shown) this.#drawOne(context, view, image, ink, opacity);
    context.globalAlpha = 1;
    if (missing.length > 0 && !this.#busy) this.#fetch(nearestFirst(missing, view).slice(0, BATCH), plane);
  }

  #drawOne(context, view, image, ink, opacity) {
    const { place, side } = image.mesh;
    const [x, y] = view.pixel(place);
    const width = side * view.scale;
    if (x + width < 0 || y + width < 0 || x - width > view.width || y - width > view.height) return;
    image.canvas ??= image.isDark ? toInk(image.bytes, this.model, ink) : toCanvas(image.bytes, this.model);
    context.globalAlpha = opacity * image.strength;
    context.drawImage(image.canvas, x - width / 2, y - width / 2, width, width);
  }

  async #fetch(wanted, plane) {
    this.#busy = true;
    const generation = this.#generation;
    try {
      const bytes = await this.source.decode(wanted.map(({ place }) => plane.point(place)));
      this.#keep(wanted, bytes, generation, plane);
      this.#busy = false;
      this.changed();
    } catch {
      // The image under the pointer is what tells of a program that does not answer.
      setTimeout(() => (this.#busy = false), 2000);
    }
  }

  #keep(wanted, all, generation, plane) {
    const length = all.length / wanted.length;
    wanted.forEach((mesh, index) => {
      const bytes = all.slice(index * length, (index + 1) * length);
      const isDark = this.model.channels === 1 && edge(bytes, this.model) < DARK;
      this.#images.delete(mesh.key);
      this.#images.set(mesh.key, { mesh, bytes, isDark, generation, strength: strength(plane.point(mesh.place), this.model.reach) });
    });
    for (const key of this.#images.keys()) {
      if (this.#images.size <= KEPT) break;
      this.#images.delete(key);
    }
  }
}

/** How often meshes of width one are halved for a view. */
function levelOf({ width, height, scale }, { isLine }) {
  const least = isLine ? LEAST.line : Math.max(LEAST.plane, Math.sqrt((width * height) / MOST));
  return Math.ceil(Math.log2(least / scale));
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
      found.push({ key: `${level}/${column}/${row}`, level, place, side });
    }
  }
  return found;
}

function nearestFirst(found, { middle }) {
  const distance = ({ place }) => Math.hypot(place[0] - middle[0], place[1] - middle[1]);
  return found.sort((a, b) => distance(a) - distance(b));
}
