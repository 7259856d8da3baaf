/** What the page opens with: a short way through a few classes, which plays until it is touched. */

/** Key points of the example, at most. */
const MOST = 5;

/**
 * Puts the example's key points on the map, unless the address has some: `keep` reads it, and `forget` lets the way back
 * begin here. The example plays where the reader does not mind motion.
 */
export function startExample(state, keep, forget) {
  keep();
  if (state.isExample) state.set({ keys: around(state).map((point) => ({ point })) });
  forget();
  const { matches: still } = matchMedia("(prefers-reduced-motion: reduce)");
  const plays = state.isUntouched && state.keys.length > 1 && !still;
  const begin = () => {
    if (!state.isUntouched || state.playing || !state.clip || state.making) return;
    state.set({ playing: true, inClip: true });
  };
  if (plays) state.on("clip making", begin);
  const touch = (event) => {
    for (const name of TOUCHES) removeEventListener(name, touch, true);
    // Whoever takes to the player wants to see more of it.
    const isPlayer = event.target instanceof Element && event.target.closest(".player");
    state.set({ isUntouched: false, playing: state.playing && Boolean(isPlayer) });
  };
  for (const name of TOUCHES) addEventListener(name, touch, true);
}

const TOUCHES = ["pointerdown", "keydown", "wheel"];

/** Typical images of some classes, or images where there are no classes, wide apart and in the order of a round trip. */
function around({ model, cloud, plane }) {
  const isInSight = (point) => isInside(plane.place(point), cloud.bounds);
  const typical = model.typical.filter(isInSight);
  const chosen = wideApart(typical.length > 2 ? typical : some(cloud).filter(isInSight));
  const places = chosen.map((point) => plane.place(point));
  const middle = [0, 1].map((axis) => places.reduce((sum, place) => sum + place[axis], 0) / places.length);
  const angle = (point) => {
    const [u, v] = plane.place(point);
    return Math.atan2(v - middle[1], u - middle[0]);
  };
  return chosen.sort((a, b) => angle(a) - angle(b));
}

/** Whether a place is well within bounds. */
function isInside([u, v], [left, bottom, right, top]) {
  const share = (value, least, most) => (value - least) / (most - least);
  return [share(u, left, right), share(v, bottom, top)].every((value) => value > 0.12 && value < 0.88);
}

/** Encoded images, evenly taken. */
function some(cloud) {
  const count = Math.min(cloud.count, 400);
  return Array.from({ length: count }, (_, index) => cloud.mean(Math.floor((index * cloud.count) / count)));
}

/** Some of many points: the first, and then each as far as can be from those before. */
function wideApart(points) {
  const distance = (a, b) => Math.hypot(...a.map((value, axis) => value - b[axis]));
  const chosen = points.slice(0, 1);
  while (chosen.length < Math.min(MOST, points.length)) {
    const far = points.map((point) => Math.min(...chosen.map((other) => distance(point, other))));
    chosen.push(points[far.indexOf(Math.max(...far))]);
  }
  return chosen;
}
