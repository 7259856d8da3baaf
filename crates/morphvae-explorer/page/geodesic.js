/**
 * The way on which least changes in the images: a chain of points whose energy, the sum of the squared differences of neighbouring
 * images, is as low as it can be made (Shao, Kumar and Fletcher, 2018). It begins as a line, as a way around the origin or, in a
 * plane, as the shortest way over a decoded mesh; then every other point is moved to where its two neighbours pull it, in turns.
 */
import { difference, mix, spherical } from "./curves.js";

/** Pieces of a chain at first and in the end. */
const [FEWEST, MOST] = [8, 16];
/** Images for a chain of a segment, about, and over how many steps lengths are compared in the end. */
const BUDGET = 200;
const FINE = 32;
/** How far apart points are from which derivatives are taken. */
const STEP = 1 / 256;
/** Damping by the mean of the diagonal at first, and what it is multiplied by after a move that is taken and one that is not. */
const [DAMPING, EASING, STIFFENING] = [1e-3, 0.3, 8];
/** Moves end when they lower the energy by no more than this share, and a way must be shorter than the line by this share of it. */
const [CONVERGED, WORTH] = [2e-3, 1e-3];
/** Nodes of a mesh along a side, and how much larger it is than the square around the points: ways around may lead outside. */
const SIDE = 18;
const ROOM = 1.4;
/** Neighbours, up to knight's moves: more directions give straighter ways. */
const STEPS = [[1, 0], [0, 1], [1, 1], [1, -1], [2, 1], [1, 2], [2, -1], [1, -2]].flatMap(([x, y]) => [[x, y], [-x, -y]]);

/** A curve through `points`, as `curves.js` has them; `images` gives a promise of the images at points. */
export async function geodesic(points, loop, images) {
  const mesh = points[0].length === 2 ? await Mesh.around(points, images) : undefined;
  const curve = [];
  for (let index = 0; index < (loop ? points.length : points.length - 1); index += 1) {
    const way = await between(points[index], points[(index + 1) % points.length], mesh, images);
    curve.push((share) => on(way, share));
  }
  return curve;
}

async function between(from, to, mesh, images) {
  const line = [from, to];
  if (from.length === 1 || difference(from, to) === 0) return line;
  const evenly = (at) => [from, ...Array.from({ length: FEWEST - 1 }, (_, index) => at((index + 1) / FEWEST)), to];
  const starts = [evenly((share) => mix(from, to, share)), evenly((share) => spherical(from, to, share))];
  const around = mesh?.way(from, to);
  if (around) starts.push(evenly((share) => on(around, share)));
  const chains = [];
  for (const start of starts) chains.push({ points: start, seen: await images(start) });
  let chain = chains.reduce((best, other) => (energy(other) < energy(best) ? other : best));
  await tighten(chain, images);
  while (chain.points.length <= MOST) {
    const finer = Array.from({ length: 2 * chain.points.length - 1 }, (_, index) => on(chain.points, index / (2 * chain.points.length - 2)));
    chain = { points: finer, seen: await images(finer) };
    await tighten(chain, images);
  }
  const length = async (way) => {
    const seen = await images(Array.from({ length: FINE + 1 }, (_, index) => on(way, index / FINE)));
    return seen.slice(1).reduce((sum, now, index) => sum + difference(seen[index], now), 0);
  };
  return (await length(chain.points)) < (1 - WORTH) * (await length(line)) ? chain.points : line;
}

/** The point at a share of a chain, whose pieces all take as much of it. */
function on(way, share) {
  const at = Math.min(way.length - 2, Math.floor(share * (way.length - 1)));
  return mix(way[at], way[at + 1], share * (way.length - 1) - at);
}

function energy({ seen }) {
  return seen.slice(1).reduce((sum, now, index) => sum + difference(seen[index], now) ** 2, 0);
}

/** Moves the inner points of a chain as long as that helps, in turns between their neighbours. */
async function tighten(chain, images) {
  const { points, seen } = chain;
  const damping = points.map(() => DAMPING);
  let left = BUDGET;
  for (let last = Infinity, now = energy(chain); left > 0 && now < (1 - CONVERGED) * last; [last, now] = [now, energy(chain)]) {
    for (const first of [1, 2]) {
      const inner = [];
      for (let index = first; index < points.length - 1; index += 2) inner.push(index);
      const moved = await pulled(chain, inner, damping, images);
      const found = await images(moved);
      left -= inner.length * (points[0].length + 1);
      inner.forEach((index, at) => {
        const [before, after] = [seen[index - 1], seen[index + 1]];
        const here = (image) => difference(before, image) ** 2 + difference(image, after) ** 2;
        const isLower = here(found[at]) < here(seen[index]);
        damping[index] *= isLower ? EASING : STIFFENING;
        if (isLower) [points[index], seen[index]] = [moved[at], found[at]];
      });
    }
  }
}

/** Where the neighbours of some points pull them, to first order (Gauss and Newton). */
async function pulled({ points, seen }, inner, damping, images) {
  const size = points[0].length;
  const axes = Array.from({ length: size }, (_, axis) => axis);
  const shifted = await images(inner.flatMap((index) => axes.map((axis) => points[index].with(axis, points[index][axis] + STEP))));
  return inner.map((index, at) => {
    const here = seen[index];
    const rows = axes.map((axis) => shifted[at * size + axis].map((value, pixel) => (value - here[pixel]) / STEP));
    const pull = here.map((value, pixel) => seen[index - 1][pixel] + seen[index + 1][pixel] - 2 * value);
    const matrix = rows.map((row) => rows.map((other) => 2 * product(row, other)));
    const mean = axes.reduce((sum, axis) => sum + matrix[axis][axis], 0) / size;
    for (const axis of axes) matrix[axis][axis] += damping[index] * mean + Number.MIN_VALUE;
    const step = solve(matrix, rows.map((row) => product(row, pull)));
    return points[index].map((value, axis) => value + step[axis]);
  });
}

function product(a, b) {
  let sum = 0;
  for (let index = 0; index < a.length; index += 1) sum += a[index] * b[index];
  return sum;
}

/** Solves equations with a symmetric positive matrix, by elimination. */
function solve(matrix, values) {
  const rows = matrix.map((row, index) => [...row, values[index]]);
  rows.forEach((row, index) => {
    for (const below of rows.slice(index + 1)) {
      const factor = below[index] / row[index];
      for (let column = index; column < row.length; column += 1) below[column] -= factor * row[column];
    }
  });
  const found = new Array(values.length).fill(0);
  for (let index = values.length - 1; index >= 0; index -= 1) {
    const known = found.reduce((sum, value, column) => sum + value * rows[index][column], 0);
    found[index] = (rows[index].at(-1) - known) / rows[index][index];
  }
  return found;
}

/** A square of decoded nodes around points of a plane, whose edges are as long as their ends' images differ. */
class Mesh {
  static async around(points, images) {
    const ranges = [0, 1].map((axis) => points.map((point) => point[axis])).map((values) => [Math.min(...values), Math.max(...values)]);
    const side = ROOM * Math.max(...ranges.map(([least, most]) => most - least));
    if (side === 0) return undefined;
    const mesh = new Mesh();
    mesh.step = side / (SIDE - 1);
    mesh.least = ranges.map(([least, most]) => (least + most - side) / 2);
    mesh.seen = await images(Array.from({ length: SIDE * SIDE }, (_, node) => mesh.#place(node)));
    return mesh;
  }

  /** Dijkstra's shortest way between the nodes nearest to two points, which become its ends; none without a node between. */
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
      for (const next of neighbours(node)) {
        const length = lengths.get(node) + difference(this.seen[node], this.seen[next]);
        if (length >= (lengths.get(next) ?? Infinity)) continue;
        lengths.set(next, length);
        before.set(next, node);
        open.push(length, next);
      }
    }
    const inside = [];
    for (let node = before.get(goal); node !== undefined && node !== start; node = before.get(node)) inside.unshift(node);
    return inside.length > 0 ? [from, ...inside.map((node) => this.#place(node)), to] : undefined;
  }

  #node(point) {
    const [x, y] = point.map((value, axis) => Math.min(SIDE - 1, Math.max(0, Math.round((value - this.least[axis]) / this.step))));
    return y * SIDE + x;
  }

  #place(node) {
    return [this.least[0] + (node % SIDE) * this.step, this.least[1] + Math.floor(node / SIDE) * this.step];
  }
}

function neighbours(node) {
  const [x, y] = [node % SIDE, Math.floor(node / SIDE)];
  const isInside = (value) => value >= 0 && value < SIDE;
  return STEPS.map(([dx, dy]) => [x + dx, y + dy]).filter((place) => place.every(isInside)).map(([across, up]) => up * SIDE + across);
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
