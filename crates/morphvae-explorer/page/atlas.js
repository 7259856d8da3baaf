/**
 * Everything from the page itself: what an exported file is given. Images are mixed from those of an atlas, a quadtree
 * over the plane whose cells have a decoded image at each corner. `export/atlas.rs` says how it is made and packed.
 */
import { along, pace } from "./curves.js";
import { geodesic } from "./geodesic.js";
import { fromBase64, halves, unpackPoints } from "./server.js";
import { Tree } from "./tree.js";

/** The embedded data as the page's source. */
export class Atlas {
  canEncode = false;

  constructor(data) {
    this.data = data;
  }

  async model() {
    const { model, atlas } = this.data;
    this.facts = { ...model, atlas };
    const length = model.channels * model.image_size ** 2;
    this.pictures = await inflate(this.data.pictures);
    this.tree = new Tree(atlas, await inflate(atlas.splits), await inflate(atlas.residuals), length);
    return this.facts;
  }

  async points() {
    return unpackPoints(fromBase64(this.data.points).buffer, this.facts);
  }

  async decode(points) {
    const { length } = this.tree;
    const images = new Uint8Array(points.length * length);
    points.forEach((point, index) => {
      this.tree.mix(this.place(point), images.subarray(index * length, (index + 1) * length));
    });
    return images;
  }

  async image(index) {
    const length = 2 * this.tree.length;
    return halves(this.pictures.subarray(index * length, (index + 1) * length));
  }

  async path({ keys, kind, loop, frames }) {
    const image = (place) => this.tree.mix(place, new Uint8Array(this.tree.length));
    const places = keys.map((key) => this.place(key));
    const { least, most } = this.data.atlas.plane;
    const curve = kind === "geodesic" ? geodesic(places, loop, image, { least, most }) : along(kind, places, loop);
    return pace(curve, loop, frames, image).map((place) => this.point(place));
  }

  /** Whether the atlas reaches as far as a latent's place in its plane. */
  holds(point) {
    const { least, most } = this.data.atlas.plane;
    return this.place(point).every((value, axis) => value >= least[axis] && value <= most[axis]);
  }

  /** The latent nearest to one that the atlas holds: beyond its border nothing is known of the decoder. */
  within(point) {
    if (this.holds(point)) return point;
    const { least, most } = this.data.atlas.plane;
    return this.point(this.place(point).map((value, axis) => Math.min(most[axis], Math.max(least[axis], value))));
  }

  /** Where a latent lies in the atlas's plane; its directions are orthogonal unit vectors. */
  place(point) {
    const { origin, directions } = this.data.atlas.plane;
    return directions.map((unit) => unit.reduce((sum, value, axis) => sum + value * (point[axis] - origin[axis]), 0));
  }

  point([u, v]) {
    const { origin, directions: [a, b] } = this.data.atlas.plane;
    return origin.map((value, axis) => value + u * a[axis] + v * b[axis]);
  }
}

async function inflate(words) {
  const packed = new Blob([fromBase64(words)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}
