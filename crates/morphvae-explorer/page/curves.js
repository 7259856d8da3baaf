/** Curves through places of a plane, and frames along them at an even pace of visible change. */

/** Points of a curve that are looked at to pace it, in all. */
const SAMPLES = 400;

/** A curve through `places`: a function of `[segment, share]` for each of its segments. */
export function along(kind, places, loop) {
  const count = places.length;
  const key = (index) => {
    if (loop) return places[(index + count) % count];
    // Beyond the ends of an open curve lies each end's neighbour, mirrored.
    if (index < 0) return mix(places[0], places[1], -1);
    if (index >= count) return mix(places[count - 1], places[count - 2], -1);
    return places[index];
  };
  const between = { line: mix, spherical }[kind];
  return Array.from({ length: loop ? count : count - 1 }, (_, index) => {
    const [from, to] = [key(index), key(index + 1)];
    return between ? (share) => between(from, to, share) : cubic(key(index - 1), from, to, key(index + 2));
  });
}

/** `frames` places along a curve, so that from each to the next about as much changes in the images. */
export function pace(curve, loop, frames, image) {
  const steps = Math.ceil(SAMPLES / curve.length);
  const places = [curve[0](0)];
  for (const segment of curve) for (let step = 1; step <= steps; step += 1) places.push(segment(step / steps));
  const way = [0];
  let last = image(places[0]);
  for (const place of places.slice(1)) {
    const now = image(place);
    way.push(way.at(-1) + difference(last, now) + 1e-6);
    last = now;
  }
  // A closed clip does not show its first frame twice.
  const last_frame = loop ? frames : frames - 1;
  let at = 0;
  return Array.from({ length: frames }, (_, frame) => {
    const wanted = (way.at(-1) * frame) / last_frame;
    while (at < way.length - 2 && way[at + 1] < wanted) at += 1;
    const share = Math.min(1, Math.max(0, (wanted - way[at]) / (way[at + 1] - way[at])));
    return mix(places[at], places[at + 1], share);
  });
}

/** How much changes from one image to another: the root of the squares' sum. */
export function difference(a, b) {
  let sum = 0;
  for (let index = 0; index < a.length; index += 1) sum += (a[index] - b[index]) ** 2;
  return Math.sqrt(sum);
}

export function mix(from, to, share) {
  return from.map((value, axis) => value + share * (to[axis] - value));
}

/** Around the origin: the direction turns evenly, and the distance changes evenly. */
function spherical(from, to, share) {
  const [a, b] = [Math.hypot(...from), Math.hypot(...to)];
  if (a === 0 || b === 0) return mix(from, to, share);
  const start = Math.atan2(from[1], from[0]);
  let turn = Math.atan2(to[1], to[0]) - start;
  if (turn > Math.PI) turn -= 2 * Math.PI;
  if (turn < -Math.PI) turn += 2 * Math.PI;
  const [angle, radius] = [start + share * turn, a + share * (b - a)];
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** Centripetal Catmull-Rom: C. Yuksel, S. Schaefer, J. Keyser, "Parameterization and applications of Catmull-Rom curves", 2011. */
function cubic(before, from, to, after) {
  const knot = (a, b) => Math.sqrt(Math.hypot(a[0] - b[0], a[1] - b[1]));
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
