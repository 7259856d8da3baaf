/** The clip that the key points make: latents along the path, and their images. */
import { latest } from "./latest.js";

/** Frames a second: four centiseconds each, which GIF gives exactly. */
export const RATE = 25;
/** Images asked for at once. */
const BATCH = 64;

/**
 * Makes the clip anew whenever something about it changes. `state.clip` is undefined where there is none, and
 * `state.making` says that the one that is there is not yet that of what is chosen.
 */
export function startClip(state, source, failed) {
  let wanted;
  const make = latest(
    (recipe) => (recipe.keys.length < 2 ? undefined : film(source, recipe, () => recipe === wanted)),
    (clip, recipe) => {
      const [count, isThere] = [clip?.images.length ?? 0, clip !== undefined];
      const frame = Math.max(0, Math.min(state.frame, count - 1));
      state.set({ clip, frame, playing: state.playing && isThere, inClip: state.inClip && isThere, making: recipe !== wanted });
    },
    (error, recipe) => {
      // What has become of a path that nobody waits for is of no matter.
      if (recipe !== wanted) return;
      state.set({ clip: undefined, playing: false, inClip: false, making: false });
      failed(error);
    },
  );
  let wait;
  state.on("keys kind loop seconds model", () => {
    clearTimeout(wait);
    const { keys, kind, loop, seconds } = state;
    const recipe = { keys: keys.map(({ point }) => point), kind, loop, frames: RATE * seconds };
    wanted = recipe;
    state.set({ making: keys.length > 1 });
    // While a key point is dragged, the path is not computed for every step.
    wait = setTimeout(() => make(recipe), 60);
  });
}

/** Gives back a function whose promise is kept as soon as the clip is that of what is chosen. */
export function whenMade(state) {
  const waiting = [];
  state.on("making", () => {
    if (!state.making) for (const then of waiting.splice(0)) then();
  });
  return () => new Promise((then) => (state.making ? waiting.push(then) : then()));
}

async function film(source, recipe, isWanted) {
  const points = await source.path(recipe, isWanted);
  const images = [];
  for (let start = 0; start < points.length; start += BATCH) {
    const batch = points.slice(start, start + BATCH);
    const bytes = await source.decode(batch);
    const length = bytes.length / batch.length;
    batch.forEach((_, index) => images.push(bytes.subarray(index * length, (index + 1) * length)));
  }
  return { points, images, loop: recipe.loop };
}
