/** The label of an image that has none. */
export const NO_LABEL = 65535;

/** The encoded images as points of the plane. */
export class Cloud {
  /** `means` are `[count, latent]`; `labels` one each, `NO_LABEL` where there is none. */
  constructor({ means, logVariances, labels }, latent) {
    Object.assign(this, { means, logVariances, labels, latent, count: labels.length });
    this.places = new Float32Array(2 * this.count);
    const all = Array.from({ length: this.count }, (_, index) => index);
    const [bare, labelled] = [true, false].map((isBare) => all.filter((index) => this.#isBare(index) === isBare));
    /** The points in the order in which they are drawn: what has a label lies on what has none. */
    this.order = [...bare, ...labelled];
    this.hasBare = bare.length > 0;
  }

  #isBare(index) {
    return this.labels[index] === NO_LABEL;
  }

  /** The latent of a point. */
  mean(index) {
    return Array.from(this.means.subarray(index * this.latent, (index + 1) * this.latent));
  }

  /** Finds where all points lie in a plane. Points of a line are spread at random across it, to be told apart. */
  lay(plane) {
    for (let index = 0; index < this.count; index += 1) {
      const [u, v] = plane.place(this.means.subarray(index * this.latent, (index + 1) * this.latent));
      this.places[2 * index] = u;
      this.places[2 * index + 1] = plane.isLine ? scatter(index) : v;
    }
  }

  place(index) {
    return [this.places[2 * index], this.places[2 * index + 1]];
  }

  /** `[left, bottom, right, top]` of nearly all points: half a percent at each side may lie outside. */
  get bounds() {
    const side = (axis) => {
      const values = Float32Array.from({ length: this.count }, (_, index) => this.places[2 * index + axis]).sort();
      const skip = Math.floor(this.count * 0.002);
      return this.count > 0 ? [values[skip], values[this.count - 1 - skip]] : [-3, 3];
    };
    const [[left, right], [bottom, top]] = [side(0), side(1)];
    const margin = 0.06 * Math.max(right - left, top - bottom, 0.1);
    return [left - margin, bottom - margin, right + margin, top + margin];
  }

  /** The visible point nearest to a place, and how far it is; undefined where none is visible. */
  nearest([u, v], hidden) {
    let best;
    let least = Infinity;
    for (let index = 0; index < this.count; index += 1) {
      if (hidden.has(this.labels[index])) continue;
      const distance = (this.places[2 * index] - u) ** 2 + (this.places[2 * index + 1] - v) ** 2;
      if (distance < least) [best, least] = [index, distance];
    }
    return best === undefined ? undefined : { index: best, distance: Math.sqrt(least) };
  }

  /** The class that most of the `count` labelled points nearest to a latent have, in the whole latent space. */
  neighbours(point, count) {
    const labelled = this.order.filter((index) => !this.#isBare(index));
    const distances = labelled.map((index) => {
      let sum = 0;
      for (let axis = 0; axis < this.latent; axis += 1) sum += (this.means[index * this.latent + axis] - point[axis]) ** 2;
      return [sum, this.labels[index]];
    });
    const near = distances.sort((a, b) => a[0] - b[0]).slice(0, count);
    const votes = new Map();
    for (const [, label] of near) votes.set(label, (votes.get(label) ?? 0) + 1);
    const [label, most] = [...votes].sort((a, b) => b[1] - a[1])[0] ?? [];
    return { label, votes: most, count: near.length };
  }

  /** Where the name of each class stands: the middle of its points, by medians. */
  middles(classes) {
    return Array.from({ length: classes }, (_, label) => {
      const members = [];
      for (let index = 0; index < this.count; index += 1) if (this.labels[index] === label) members.push(this.place(index));
      if (members.length === 0) return undefined;
      const median = (axis) => members.map((place) => place[axis]).sort((a, b) => a - b)[members.length >> 1];
      return [median(0), median(1)];
    });
  }
}

/** A number in (-0.5, 0.5) that looks like chance and is always the same for one index. */
function scatter(index) {
  const value = Math.sin((index + 1) * 12.9898) * 43758.5453;
  return 0.9 * (value - Math.floor(value) - 0.5);
}
