/** The clip that the key points make: latents along the path, and their images. */
import { latest } from "./latest.js";

/** Frames a second: four centiseconds each, which GIF gives exactly. */
export const RATE = 25;
/** Images asked for at once. */
const BATCH = 64;

/** Makes the clip anew whenever something about it changes; `state.clip` is undefined where there is none. */
export function startClip(state, source, failed) {
  const make = latest(
    async ({ keys, kind, loop, frames }) => {
      if (keys.length < 2) return undefined;
      const points = await source.path({ keys, kind, loop, frames });
      const images = [];
      for (let start = 0; start < points.length; start += BATCH) {
        const batch = points.slice(start, start + BATCH);
        const bytes = await source.decode(batch);
        const length = bytes.length / batch.length;
        batch.forEach((_, index) => images.push(bytes.subarray(index * length, (index + 1) * length)));
      }
      return { points, images };
    },
    (clip) => state.set({ clip, frame: clip ? Math.min(state.frame, clip.images.length - 1) : 0, playing: state.playing && !!clip, inClip: state.inClip && !!clip }),
    failed,
  );
  let wait;
  state.on("keys kind loop seconds model", () => {
    clearTimeout(wait);
    const { keys, kind, loop, seconds } = state;
    // While a key point is dragged, the path is not computed for every step.
    wait = setTimeout(() => make({ keys: keys.map(({ point }) => point), kind, loop, frames: RATE * seconds }), 60);
  });
}
