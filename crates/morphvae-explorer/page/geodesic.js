/**
 * The way on which least changes in the images: the shortest over a mesh of the plane, whose edges are as long as their
 * ends' images differ, then drawn tight.
 */
import { difference, mix } from "./curves.js";

/** Meshes across the longer side. */
const MESHES = 72;
/** Neighbours, up to knight's moves: more directions give straighter ways. */
const STEPS = [[1, 0], [0, 1], [1, 1], [1, -1], [2, 1], [1, 2], [2, -1], [1, -2]].flatMap(([x, y]) => [[x, y], [-x, -y]]);
/** Points of a drawn way, and how often it is drawn tight. */
const POINTS = 40;
const PULLS = 60;

/** A curve through `places`, as `curves.js` has them. */
export function geodesic(places, loop, image, bounds) {
  const mesh = new Mesh(image, bounds);
  const segments = loop ? places.length : places.length - 1;
  return Array.from({ length: segments }, (_, index) => {
    const way = tight(mesh.way(places[index], places[(index + 1) % places.length]), image);
    return (share) => {
      const at = Math.min(way.length - 2, Math.floor(share * (way.length - 1)));
      return mix(way[at], way[at + 1], share * (way.length - 1) - at);
    };
  });
}

class Mesh {
  #images = new Map();

  constructor(image, { least, most }) {
    this.image = image;
    this.step = Math.max(most[0] - least[0], most[1] - least[1]) / MESHES;
    this.least = least;
    this.sides = [0, 1].map((axis) => Math.floor((most[axis] - least[axis]) / this.step) + 1);
  }

  /** Dijkstra's shortest way between the nodes nearest to two places, which become its ends. */
  way(from, to) {
    const [start, goal] = [this.#node(from), this.#node(to)];
    const lengths = new Map([[start, 0]]);
    const before = new Map();
    const open = new Heap();
    open.push(0, start);
    const done = new Set();
    while (open.size > 0) {
      const node = open.pop();
      if (node === goal) break;
      if (done.has(node)) continue;
      done.add(node);
      for (const next of this.#neighbours(node)) {
        const length = lengths.get(node) + difference(this.#picture(node), this.#picture(next));
        if (length >= (lengths.get(next) ?? Infinity)) continue;
        lengths.set(next, length);
        before.set(next, node);
        open.push(length, next);
      }
    }
    const way = [to];
    for (let node = before.get(goal); node !== undefined && node !== start; node = before.get(node)) way.push(this.#place(node));
    return [...way, from].reverse();
  }

  #node(place) {
    const [x, y] = place.map((value, axis) => {
      const index = Math.round((value - this.least[axis]) / this.step);
      return Math.min(this.sides[axis] - 1, Math.max(0, index));
    });
    return y * this.sides[0] + x;
  }

  #place(node) {
    const [x, y] = [node % this.sides[0], Math.floor(node / this.sides[0])];
    return [this.least[0] + x * this.step, this.least[1] + y * this.step];
  }

  #picture(node) {
    if (!this.#images.has(node)) this.#images.set(node, this.image(this.#place(node)));
    return this.#images.get(node);
  }

  *#neighbours(node) {
    const [x, y] = [node % this.sides[0], Math.floor(node / this.sides[0])];
    for (const [dx, dy] of STEPS) {
      const [across, up] = [x + dx, y + dy];
      if (across >= 0 && up >= 0 && across < this.sides[0] && up < this.sides[1]) yield up * this.sides[0] + across;
    }
  }
}

/** Moves the points of a way, evenly spaced, to where the way is shorter, as far as it gets so. */
function tight(way, image) {
  let points = even(way, POINTS);
  let images = points.map(image);
  let reach = Math.hypot(points[0][0] - points.at(-1)[0], points[0][1] - points.at(-1)[1]) / POINTS + 1e-9;
  for (let pull = 0; pull < PULLS; pull += 1) {
    let moved = false;
    for (let index = 1; index < points.length - 1; index += 1) {
      const [left, right] = [images[index - 1], images[index + 1]];
      // Squares, so that points keep even distances along the way.
      const energy = (picture) => difference(left, picture) ** 2 + difference(picture, right) ** 2;
      let least = energy(images[index]);
      const [u, v] = points[index];
      const middle = mix(points[index - 1], points[index + 1], 0.5);
      for (const tried of [middle, [u + reach, v], [u - reach, v], [u, v + reach], [u, v - reach]]) {
        const picture = image(tried);
        const now = energy(picture);
        if (now >= least * 0.9999) continue;
        [least, points[index], images[index], moved] = [now, tried, picture, true];
      }
    }
    if (!moved) reach /= 2;
  }
  return points;
}

/** A way as `count` points at equal distances. */
function even(way, count) {
  const lengths = [0];
  for (let index = 1; index < way.length; index += 1) {
    const [a, b] = [way[index - 1], way[index]];
    lengths.push(lengths.at(-1) + Math.hypot(a[0] - b[0], a[1] - b[1]));
  }
  let at = 0;
  return Array.from({ length: count }, (_, index) => {
    const wanted = (lengths.at(-1) * index) / (count - 1);
    while (at < way.length - 2 && lengths[at + 1] < wanted) at += 1;
    const step = lengths[at + 1] - lengths[at];
    return mix(way[at], way[at + 1], step > 0 ? Math.min(1, (wanted - lengths[at]) / step) : 0);
  });
}

/** What is nearest comes out first. */
class Heap {
  #items = [];

  get size() {
    return this.#items.length;
  }

  push(rank, item) {
    const items = this.#items;
    let at = items.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (items[above].rank <= rank) break;
      items[at] = items[above];
      at = above;
    }
    items[at] = { rank, item };
  }

  pop() {
    const items = this.#items;
    const top = items[0].item;
    const last = items.pop();
    let at = 0;
    while (items.length > 0) {
      let below = 2 * at + 1;
      if (below + 1 < items.length && items[below + 1].rank < items[below].rank) below += 1;
      if (below >= items.length || items[below].rank >= last.rank) {
        items[at] = last;
        break;
      }
      items[at] = items[below];
      at = below;
    }
    return top;
  }
}
