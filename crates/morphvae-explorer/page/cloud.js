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

  /** How unsure the encoder is of a point, as standard deviations. */
  deviations(index) {
    return Array.from(this.logVariances.subarray(index * this.latent, (index + 1) * this.latent), (value) => Math.exp(value / 2));
  }

  /** Finds where all points lie in a plane. Points of a line are spread at random across it, to be told apart. */
  lay(plane) {
    for (let index = 0; index < this.count; index += 1) {
      const [u, v] = plane.place(this.means.subarray(index * this.latent, (index + 1) * this.latent));
      this.places[2 * index] = u;
      this.places[2 * index + 1] = plane.isLine ? this.scattered(index) : v;
    }
  }

  /** How far from a line a point of it is drawn: a number in (-0.5, 0.5) that looks like chance. */
  scattered(index) {
    const value = Math.sin((index + 1) * 12.9898) * 43758.5453;
    return 0.9 * (value - Math.floor(value) - 0.5);
  }

  place(index) {
    return [this.places[2 * index], this.places[2 * index + 1]];
  }

  /** `[left, bottom, right, top]` of nearly all points: half a percent at each side may lie outside. */
  get bounds() {
    const side = (axis) => {
      const values = Float32Array.from({ length: this.count }, (_, index) => this.places[2 * index + axis]).sort();
      const skip = Math.floor(this.count * 0.002);
      const ends = [values[skip], values[this.count - 1 - skip]];
      // There may be no points, and those of a network that has gone astray may be nowhere.
      return ends.every(Number.isFinite) ? ends : [-3, 3];
    };
    const [[left, right], [bottom, top]] = [side(0), side(1)];
    const margin = 0.06 * Math.max(right - left, top - bottom, 0.1);
    return [left - margin, bottom - margin, right + margin, top + margin];
  }

  /** The visible point drawn nearest to a place of the plane, and how far it is there; undefined where none is visible. */
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

  /** The `count` points nearest to a latent in the whole latent space, of those that `counts` takes, nearest first. */
  neighbours(point, count, counts = () => true) {
    const near = [];
    for (let index = 0; index < this.count; index += 1) {
      if (!counts(this.labels[index])) continue;
      const distance = this.#distance(index, point);
      if (near.length === count && distance >= near.at(-1).distance) continue;
      const place = near.findLastIndex((other) => other.distance <= distance) + 1;
      near.splice(place, 0, { index, distance });
      near.length = Math.min(near.length, count);
    }
    return near;
  }

  /** The class that most of the `count` labelled points nearest to a latent have. */
  vote(point, count) {
    const near = this.neighbours(point, count, (label) => label !== NO_LABEL);
    const votes = new Map();
    for (const { index } of near) votes.set(this.labels[index], (votes.get(this.labels[index]) ?? 0) + 1);
    const [label, most] = [...votes].sort((a, b) => b[1] - a[1])[0] ?? [];
    return { label, votes: most, count: near.length };
  }

  #distance(index, point) {
    let sum = 0;
    for (let axis = 0; axis < this.latent; axis += 1) sum += (this.means[index * this.latent + axis] - point[axis]) ** 2;
    return Math.sqrt(sum);
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
