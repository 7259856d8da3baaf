/** The encoded images nearest to where one stands, in the whole latent space: to go to, or to use as key points. */
import { text } from "./language.js";
import { latest } from "./latest.js";
import { show } from "./picture.js";
import { showPlane } from "./plane.js";

const COUNT = 10;
/** How long the cursor rests before they are looked up, in milliseconds. */
const REST = 160;
/** Pictures that are kept. */
const KEPT = 500;

/** Puts the cursor where the encoder puts an image: in a larger space, on a plane through it. */
export function stand(state, source, index) {
  const mean = state.cloud.mean(index);
  if (state.model.latent > 2 && source.canEncode) return showPlane(state, { base: mean });
  return state.set({ cursor: state.plane.place(source.within(mean)), pointer: undefined, hovered: undefined, inClip: false, playing: false });
}

/** `addKey(point)` takes a key point. Gives back what writes the words anew. */
export function startNear(state, source, addKey, failed) {
  const list = document.getElementById("near-list");
  const pictures = new Map();
  list.parentElement.hidden = state.cloud.count === 0;
  let near = [];

  const lookUp = latest(
    async (point) => {
      const found = state.cloud.neighbours(point, COUNT, (label) => !state.hidden.has(label));
      const bare = found.filter(({ index }) => !pictures.has(index));
      if (pictures.size > KEPT) pictures.clear();
      await Promise.all(bare.map(async ({ index }) => pictures.set(index, (await source.image(index)).real)));
      return found;
    },
    (found) => {
      near = found;
      draw();
    },
    failed,
  );
  const draw = () => {
    const focused = [...list.querySelectorAll("button")].indexOf(document.activeElement);
    list.replaceChildren(...near.filter(({ index }) => pictures.has(index)).map(item));
    list.querySelectorAll("button")[focused]?.focus();
  };
  const item = ({ index, distance }) => {
    const [row, go, picture, far, use] = ["li", "button", "canvas", "span", "button"].map((tag) => document.createElement(tag));
    const values = { name: state.model.classes[state.cloud.labels[index]] ?? text("noLabel"), distance: distance.toFixed(2) };
    show(picture, pictures.get(index), state.model);
    picture.setAttribute("aria-hidden", "true");
    go.append(picture);
    go.className = "go";
    go.setAttribute("aria-label", text("standAt", values));
    go.addEventListener("click", () => stand(state, source, index));
    far.textContent = values.distance;
    use.textContent = "+";
    use.className = "use";
    use.title = text("useAsKey");
    use.setAttribute("aria-label", text("useAsKeyOf", values));
    use.addEventListener("click", () => addKey(source.within(state.cloud.mean(index))));
    row.append(go, far, use);
    return row;
  };

  let wait;
  const ask = () => {
    clearTimeout(wait);
    wait = setTimeout(() => lookUp(state.plane.point(state.cursor)), REST);
  };
  // While a clip plays they are not those of what is seen.
  state.on("inClip", () => list.classList.toggle("away", state.inClip));
  state.on("cloud", () => pictures.clear());
  state.on("cursor plane hidden cloud", ask);
  return draw;
}
