/** What is said to those who listen: where things are, once they rest. */
import { coordinates } from "./inspect.js";
import { text } from "./language.js";
import { letters } from "./marks.js";

/** How long everything rests before it is said, in milliseconds. */
const REST = 500;

/** Gives back what says where the cursor is, when it rests. */
export function startSpeaking(state) {
  const place = document.getElementById("said");
  let wait;
  const soon = (words) => {
    clearTimeout(wait);
    wait = setTimeout(() => (place.textContent = words()), REST);
  };
  let wasHeld = false;
  state.on("isHeld", () => {
    // Told with every change of the keys: most hold none before or after.
    if (state.isHeld === wasHeld) return;
    wasHeld = state.isHeld;
    if (state.selected === undefined) return;
    const words = text(state.isHeld ? "keyHeld" : "keyLetGo", { name: letters(state.selected) });
    soon(() => words);
  });
  state.on("encoded", () => state.encoded && soon(() => document.getElementById("guess").textContent));
  return () =>
    soon(() => {
      const latent = state.plane.point(state.cursor);
      const where = coordinates(latent, state.cursor);
      const [near] = state.cloud.neighbours(latent, 1, (label) => !state.hidden.has(label));
      const name = near && state.model.classes[state.cloud.labels[near.index]];
      return name === undefined ? where : text("cursorAt", { where, name });
    });
}
