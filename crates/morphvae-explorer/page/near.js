/** The encoded images nearest to where one stands, in the whole latent space. */
import { text } from "./language.js";
import { latest } from "./latest.js";
import { Strip } from "./strip.js";

const COUNT = 10;
/** How long the cursor rests before they are looked up, in milliseconds. */
const REST = 160;

/** `addKey(point)` takes a key point. Gives back what writes the words anew. */
export function startNear(state, source, addKey, failed) {
  const list = document.getElementById("near-list");
  const strip = new Strip(list, state, source, addKey);
  list.parentElement.hidden = state.cloud.count === 0;

  const lookUp = latest(
    async (point) => {
      const found = state.cloud.neighbours(point, COUNT, (label) => !state.hidden.has(label));
      await strip.load(found.map(({ index }) => index));
      return found;
    },
    (found) =>
      strip.show(
        found.map(({ index, distance }) => {
          const caption = distance.toFixed(2);
          const name = () => state.model.classes[state.cloud.labels[index]] ?? text("noLabel");
          return { index, caption, told: () => text("atDistance", { name: name(), distance: caption }) };
        }),
      ),
    failed,
  );

  let wait;
  const ask = () => {
    clearTimeout(wait);
    wait = setTimeout(() => lookUp(state.plane.point(state.cursor)), REST);
  };
  // While a clip plays they are not those of what is seen.
  state.on("inClip", () => list.classList.toggle("away", state.inClip));
  state.on("cursor plane hidden cloud", ask);
  return () => strip.draw();
}
