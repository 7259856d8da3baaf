/** Which part of the plane the map shows: what lies at the middle, and how many pixels a step of the plane is. */
export class View {
  constructor(width, height, [left, bottom, right, top]) {
    this.width = width;
    this.height = height;
    this.scale = Math.min(width / (right - left), height / (top - bottom));
    this.middle = [(left + right) / 2, (bottom + top) / 2];
    /** How far away and how near a zoom leads: what is all of the map stays a map, and numbers stay numbers. */
    this.limits = [this.scale / 8, this.scale * 400];
  }

  /** From the plane to pixels. */
  pixel([u, v]) {
    return [this.width / 2 + (u - this.middle[0]) * this.scale, this.height / 2 - (v - this.middle[1]) * this.scale];
  }

  /** From pixels to the plane. */
  place([x, y]) {
    return [this.middle[0] + (x - this.width / 2) / this.scale, this.middle[1] - (y - this.height / 2) / this.scale];
  }

  /** The view with other numbers. */
  with(changes) {
    return Object.assign(Object.create(View.prototype), this, changes);
  }

  /** Moved by pixels. */
  moved(dx, dy) {
    return this.with({ middle: [this.middle[0] - dx / this.scale, this.middle[1] + dy / this.scale] });
  }

  /** Closer by a factor; what lies at `pixel` stays there. */
  zoomed(factor, pixel = [this.width / 2, this.height / 2]) {
    const fixed = this.place(pixel);
    const [least, most] = this.limits;
    const scale = Math.min(most, Math.max(least, this.scale * factor));
    const closer = this.with({ scale });
    const there = closer.place(pixel);
    return closer.with({ middle: closer.middle.map((value, axis) => value + fixed[axis] - there[axis]) });
  }

  /** On the way to another view, as far as `share` says. */
  toward(other, share) {
    const middle = this.middle.map((value, axis) => value + share * (other.middle[axis] - value));
    return other.with({ middle, scale: this.scale * (other.scale / this.scale) ** share });
  }

  /** How much of the plane the narrower side shows, on a map of any size. */
  get span() {
    return Math.min(this.width, this.height) / this.scale;
  }

  /** The same part of the plane on a map of another size. */
  resized(width, height) {
    const factor = Math.min(width, height) / Math.min(this.width, this.height);
    return this.with({ width, height, scale: this.scale * factor });
  }

  /** `[left, bottom, right, top]` of what is seen. */
  get bounds() {
    return [...this.place([0, this.height]), ...this.place([this.width, 0])];
  }
}
