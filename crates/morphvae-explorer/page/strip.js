/** A row of encoded images: to go to, or to use as key points. */
import { text } from "./language.js";
import { show } from "./picture.js";
import { showPlane } from "./plane.js";

/** Pictures that are kept. */
const KEPT = 500;

/** Puts the cursor where the encoder puts an image: in a larger space, on a plane through it. */
export function stand(state, index) {
  const mean = state.cloud.mean(index);
  if (state.model.latent > 2) return showPlane(state, { base: mean });
  return state.set({ cursor: state.plane.place(mean), pointer: undefined, hovered: undefined, inClip: false, playing: false });
}

export class Strip {
  #pictures = new Map();
  #items = [];

  /** `addKey(point)` takes a key point. */
  constructor(list, state, source, addKey) {
    Object.assign(this, { list, state, source, addKey });
    state.on("cloud", () => this.#pictures.clear());
  }

  /** Fetches the pictures of images that are about to be shown. */
  async load(indices) {
    const bare = indices.filter((index) => !this.#pictures.has(index));
    if (this.#pictures.size > KEPT) this.#pictures.clear();
    await Promise.all(bare.map(async (index) => this.#pictures.set(index, await this.source.real(index))));
  }

  /** Shows images, `{ index, caption, told }`: what stands below each, and what it is called for those who listen. */
  show(items) {
    this.#items = items;
    this.draw();
  }

  draw() {
    const focused = [...this.list.querySelectorAll("button")].indexOf(document.activeElement);
    this.list.replaceChildren(...this.#items.filter(({ index }) => this.#pictures.has(index)).map((item) => this.#item(item)));
    this.list.querySelectorAll("button")[focused]?.focus();
  }

  #item({ index, caption, told }) {
    const [row, go, picture, words, use] = ["li", "button", "canvas", "span", "button"].map((tag) => document.createElement(tag));
    show(picture, this.#pictures.get(index), this.state.model);
    picture.setAttribute("aria-hidden", "true");
    go.append(picture);
    go.className = "go";
    go.setAttribute("aria-label", text("standAt", { image: told() }));
    go.addEventListener("click", () => stand(this.state, index));
    words.textContent = caption;
    words.title = caption;
    use.textContent = "+";
    use.className = "use";
    use.title = text("useAsKey");
    use.setAttribute("aria-label", text("useAsKeyOf", { image: told() }));
    use.addEventListener("click", () => this.addKey(this.state.cloud.mean(index)));
    row.append(go, words, use);
    return row;
  }
}
