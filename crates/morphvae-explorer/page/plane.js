/**
 * The plane of the latent space that the map shows: two latent axes, or two principal directions, through a base point.
 *
 * An axis is "0", "1", ... for a latent dimension or "p0", "p1", ... for a principal direction.
 */
export class Plane {
  constructor(model, axes, base) {
    this.latent = model.latent;
    this.axes = axes;
    this.base = base;
    this.directions = axes.map((axis) => direction(model, axis));
    // Along principal directions places are counted from the mean.
    this.centre = axes.map((axis) => (isComponent(axis) ? model.centre : new Array(model.latent).fill(0)));
    this.rest = base.slice();
    this.directions.forEach((unit, axis) => {
      const part = dot(base, unit) - dot(this.centre[axis], unit);
      this.rest = this.rest.map((value, index) => value - part * unit[index]);
    });
  }

  /** The latent at a place `[u, v]`. */
  point([u, v]) {
    const [a, b] = this.directions;
    return this.rest.map((value, index) => value + u * a[index] + v * b[index]);
  }

  /** The place `[u, v]` above which a latent lies. */
  place(point) {
    return this.directions.map((unit, axis) => dot(point, unit) - dot(this.centre[axis], unit));
  }

  /** The variances of independent latents, seen in the plane: `[[uu, uv], [uv, vv]]`. */
  spread(variances) {
    return this.directions.map((a) =>
      this.directions.map((b) => variances.reduce((sum, variance, index) => sum + variance * a[index] * b[index], 0)),
    );
  }

  /** Whether the second direction leads anywhere: a latent space of one dimension is a line. */
  get isLine() {
    return this.latent === 1;
  }
}

/** The axes that a model is first shown with. */
export function firstAxes(model) {
  if (model.latent <= 2) return ["0", "1"];
  return model.components.length >= 2 ? ["p0", "p1"] : ["0", "1"];
}

/** Shows another plane: along other axes, or through another base, which the cursor comes to. */
export function showPlane(state, { axes = state.axes, base = state.base }) {
  const plane = new Plane(state.model, axes, base);
  state.cloud.lay(plane);
  state.set({ axes, base, plane, cursor: plane.place(base), pointer: undefined, inClip: false, playing: false });
}

export function isComponent(axis) {
  return axis.startsWith("p");
}

function direction(model, axis) {
  if (isComponent(axis)) return model.components[Number(axis.slice(1))];
  return Array.from({ length: model.latent }, (_, index) => Number(index === Number(axis)));
}

export function dot(a, b) {
  let sum = 0;
  for (let index = 0; index < a.length; index += 1) sum += a[index] * b[index];
  return sum;
}
