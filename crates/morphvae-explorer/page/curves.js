/** Curves through points of the latent space, and frames along them at an even pace of visible change. */

/** Points of a curve that are looked at to pace it, in all. */
const SAMPLES = 200;
/** Directions that differ less are opposite. */
const OPPOSITE = 1e-6;

/** A curve through `points`: a function of `[segment, share]` for each of its segments. */
export function along(kind, points, loop) {
  const count = points.length;
  const key = (index) => {
    if (loop) return points[(index + count) % count];
    // Beyond the ends of an open curve lies each end's neighbour, mirrored.
    if (index < 0) return mix(points[0], points[1], -1);
    if (index >= count) return mix(points[count - 1], points[count - 2], -1);
    return points[index];
  };
  const between = { line: mix, spherical }[kind];
  return Array.from({ length: loop ? count : count - 1 }, (_, index) => {
    const [from, to] = [key(index), key(index + 1)];
    return between ? (share) => between(from, to, share) : cubic(key(index - 1), from, to, key(index + 2));
  });
}

/**
 * `frames` points along a curve, so that from each to the next about as much changes in the images; `images` gives a promise of
 * those at points.
 */
export async function pace(curve, loop, frames, images) {
  const steps = Math.ceil(SAMPLES / curve.length);
  const points = [curve[0](0)];
  for (const segment of curve) for (let step = 1; step <= steps; step += 1) points.push(segment(step / steps));
  const seen = await images(points);
  const way = [0];
  for (let at = 1; at < seen.length; at += 1) way.push(way.at(-1) + difference(seen[at - 1], seen[at]) + 1e-9);
  // A closed clip does not show its first frame twice.
  const last = loop ? frames : frames - 1;
  let at = 0;
  return Array.from({ length: frames }, (_, frame) => {
    const wanted = (way.at(-1) * frame) / last;
    while (at < way.length - 2 && way[at + 1] < wanted) at += 1;
    const share = Math.min(1, Math.max(0, (wanted - way[at]) / (way[at + 1] - way[at])));
    return mix(points[at], points[at + 1], share);
  });
}

/** How much changes from one image to another: the root of the squares' sum. */
export function difference(a, b) {
  let sum = 0;
  for (let index = 0; index < a.length; index += 1) sum += (a[index] - b[index]) ** 2;
  return Math.sqrt(sum);
}

export function mix(from, to, share) {
  return from.map((value, axis) => (1 - share) * value + share * to[axis]);
}

/**
 * Around the origin: the direction turns evenly, and the distance changes evenly (K. Shoemake, "Animating rotation with quaternion
 * curves", 1985). Opposite points take the way through the axis that is most perpendicular to them.
 */
export function spherical(from, to, share) {
  const [a, b] = [Math.hypot(...from), Math.hypot(...to)];
  if (a === 0 || b === 0) return mix(from, to, share);
  const [start, end] = [from.map((value) => value / a), to.map((value) => value / b)];
  const cosine = start.reduce((sum, value, axis) => sum + value * end[axis], 0);
  const aside = end.map((value, axis) => value - cosine * start[axis]);
  const sine = Math.hypot(...aside);
  const isOpposite = cosine < 0 && sine < OPPOSITE;
  const across = isOpposite ? perpendicular(start) : aside.map((value) => value / Math.max(sine, Number.MIN_VALUE));
  if (!across) return mix(from, to, share);
  const angle = share * Math.atan2(sine, cosine);
  return start.map((value, axis) => (a + share * (b - a)) * (Math.cos(angle) * value + Math.sin(angle) * across[axis]));
}

/** A unit vector at right angles to another; none on a line. */
function perpendicular(unit) {
  const sizes = unit.map(Math.abs);
  const axis = sizes.indexOf(Math.min(...sizes));
  const across = unit.map((value, index) => Number(index === axis) - unit[axis] * value);
  const length = Math.hypot(...across);
  return length > OPPOSITE ? across.map((value) => value / length) : undefined;
}

/** Centripetal Catmull-Rom: C. Yuksel, S. Schaefer, J. Keyser, "Parameterization and applications of Catmull-Rom curves", 2011. */
function cubic(before, from, to, after) {
  const knot = (a, b) => Math.sqrt(difference(a, b));
  const [first, middle, last] = [knot(before, from), knot(from, to), knot(to, after)];
  const tangent = (a, b, c, left, right) =>
    a.map((_, axis) => {
      if (left === 0 || right === 0) return 0;
      const slopes = (b[axis] - a[axis]) / left + (c[axis] - b[axis]) / right - (c[axis] - a[axis]) / (left + right);
      return middle * slopes;
    });
  const leaving = tangent(before, from, to, first, middle);
  const arriving = tangent(from, to, after, middle, last);
  return (t) => {
    const share = 3 * t ** 2 - 2 * t ** 3;
    return from.map(
      (value, axis) =>
        value + share * (to[axis] - value) + (t - 2 * t ** 2 + t ** 3) * leaving[axis] + (t ** 3 - t ** 2) * arriving[axis],
    );
  };
}
