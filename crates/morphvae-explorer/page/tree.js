/**
 * A quadtree over a plane with a decoded image at each corner of each cell; a place between is the bilinear mixture of
 * four of them. Places are counted in the finest steps from the lower left. On a line, cells are halved and not
 * quartered, and their height means nothing.
 */
export class Tree {
  #images = new Map();
  #split = new Set();

  /** `splits` has a byte for each cell, level after level; `residuals` what new corners differ from their expectation by. */
  constructor({ plane, roots, root_side: side, step, line }, splits, residuals, length) {
    Object.assign(this, { plane, roots, side, line, length });
    const reader = { residuals, step, at: 0 };
    let cells = this.#roots();
    let last = new Uint8Array(length).fill(128);
    for (const corner of cells.flatMap(corners)) {
      this.#read(reader, corner, [last, last, last, last]);
      last = this.#images.get(key(corner));
    }
    let flag = 0;
    while (cells.length > 0) {
      const next = [];
      for (const cell of cells) {
        flag += 1;
        if (splits[flag - 1] !== 1) continue;
        this.#split.add(cellKey(cell));
        for (const [middle, between] of middles(cell, line)) this.#read(reader, middle, between.map((corner) => this.#images.get(key(corner))));
        next.push(...parts(cell, line));
      }
      cells = next;
    }
  }

  /** How many images there are. */
  get size() {
    return this.#images.size;
  }

  /** Mixes the image at a place of the plane into `image`; outside, that of the nearest place inside. */
  mix(place, image) {
    const { least, most } = this.plane;
    const [x, y] = place.map((value, axis) => {
      const whole = this.roots[axis] * this.side;
      return Math.min(whole, Math.max(0, ((value - least[axis]) / (most[axis] - least[axis])) * whole));
    });
    const start = (value, axis) => Math.min(this.roots[axis] - 1, Math.floor(value / this.side)) * this.side;
    let cell = { x: start(x, 0), y: start(y, 1), side: this.side, height: this.side };
    while (this.#split.has(cellKey(cell))) cell = parts(cell, this.line).findLast((part) => x >= part.x && y >= part.y);
    const [right, up] = [(x - cell.x) / cell.side, (y - cell.y) / cell.height];
    const shares = [(1 - right) * (1 - up), right * (1 - up), (1 - right) * up, right * up];
    const [a, b, c, d] = corners(cell).map((corner) => this.#images.get(key(corner)));
    for (let index = 0; index < image.length; index += 1) {
      image[index] = a[index] * shares[0] + b[index] * shares[1] + c[index] * shares[2] + d[index] * shares[3] + 0.5;
    }
    return image;
  }

  #roots() {
    const [columns, rows] = this.roots;
    return Array.from({ length: columns * rows }, (_, index) => ({
      x: (index % columns) * this.side,
      y: Math.floor(index / columns) * this.side,
      side: this.side,
      height: this.side,
    }));
  }

  #read(reader, corner, [a, b, c, d]) {
    if (this.#images.has(key(corner))) return;
    const image = new Uint8ClampedArray(this.length);
    for (let index = 0; index < this.length; index += 1) {
      const residual = (reader.residuals[reader.at + index] << 24) >> 24;
      image[index] = ((a[index] + b[index] + c[index] + d[index] + 2) >> 2) + reader.step * residual;
    }
    reader.at += this.length;
    this.#images.set(key(corner), image);
  }
}

function corners({ x, y, side, height }) {
  return [[x, y], [x + side, y], [x, y + height], [x + side, y + height]];
}

/** The places that get an image when a cell is split, each with the corners that it is expected to lie between. */
function middles(cell, line) {
  const { x, y, side, height } = cell;
  const [a, b, c, d] = corners(cell);
  const across = [[[x + side / 2, y], [a, a, b, b]], [[x + side / 2, y + height], [c, c, d, d]]];
  if (line) return across;
  return [
    ...across,
    [[x, y + height / 2], [a, a, c, c]],
    [[x + side, y + height / 2], [b, b, d, d]],
    [[x + side / 2, y + height / 2], [a, b, c, d]],
  ];
}

function parts({ x, y, side, height }, line) {
  const half = side / 2;
  if (line) return [{ x, y, side: half, height }, { x: x + half, y, side: half, height }];
  return [[x, y], [x + half, y], [x, y + half], [x + half, y + half]].map(([left, bottom]) => ({
    x: left,
    y: bottom,
    side: half,
    height: half,
  }));
}

function key([x, y]) {
  return y * 65536 + x;
}

function cellKey({ x, y, side }) {
  return key([x, y]) * 1024 + side;
}
