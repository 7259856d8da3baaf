/** The key points of a clip: set on the map, listed, put in order, removed. */
import { text } from "./language.js";
import { latest } from "./latest.js";
import { letters } from "./marks.js";
import { show } from "./picture.js";

/** As many as the program takes. */
const MOST = 32;

export class Keys {
  constructor(list, state, source, failed) {
    Object.assign(this, { list, state });
    this.decode = latest(
      (keys) => source.decode(keys.map(({ point }) => point)),
      (images, keys) => this.#take(images, keys),
      failed,
    );
    state.on("keys selected isExample", () => this.draw());
  }

  /** Adds a key point at a latent, after the others. */
  add(point) {
    // The reader's first key point takes the place of the example.
    const before = this.state.isExample ? [] : this.state.keys;
    if (before.length === MOST) return;
    const keys = [...before, { point }];
    this.#change({ keys, selected: keys.length - 1 });
  }

  /** Puts a key point elsewhere; its old picture stays until the new one is there. The large one shows where it goes. */
  move(index, point) {
    const { keys, plane } = this.state;
    const moved = keys.map((key, at) => (at === index ? { point, bytes: key.bytes } : key));
    this.#change({ keys: moved, selected: index, cursor: plane.place(point), pointer: undefined, inClip: false, playing: false });
  }

  remove(index) {
    const keys = this.state.keys.filter((_, at) => at !== index);
    this.#change({ keys, selected: keys.length === 0 ? undefined : Math.min(index, keys.length - 1) });
  }

  clear() {
    this.#change({ keys: [], selected: undefined });
  }

  /** Changes the place of a key point in the order. */
  reorder(from, to) {
    if (to < 0 || to >= this.state.keys.length || from === to) return;
    const keys = this.state.keys.slice();
    keys.splice(to, 0, ...keys.splice(from, 1));
    this.#change({ keys, selected: to });
  }

  /** Goes to the key point `step` further on. */
  select(step) {
    const { keys, selected } = this.state;
    if (keys.length === 0) return;
    const next = selected === undefined ? (step > 0 ? 0 : keys.length - 1) : (selected + step + keys.length) % keys.length;
    this.#goTo(next);
  }

  #goTo(index) {
    const cursor = this.state.plane.place(this.state.keys[index].point);
    this.state.set({ selected: index, isHeld: false, cursor, pointer: undefined, inClip: false, playing: false });
  }

  /** Whatever the reader changes is no example any more. */
  #change(values) {
    this.state.set({ ...values, isExample: false, isHeld: this.state.isHeld && values.selected === this.state.selected });
  }

  /** Writes the list anew. */
  draw() {
    const { keys, selected } = this.state;
    const hadFocus = this.list.contains(document.activeElement);
    this.list.replaceChildren(...keys.map((key, index) => this.#item(key, index)));
    if (hadFocus && selected !== undefined) this.list.children[selected].focus();
    document.getElementById("key-count").textContent = keys.length || "";
    document.getElementById("key-example").hidden = !this.state.isExample;
    document.getElementById("key-hint").hidden = keys.length >= 2 && !this.state.isExample;
    document.getElementById("keys-clear").hidden = keys.length === 0;
    const bare = keys.filter((key) => !key.isDrawn);
    if (bare.length > 0) this.decode(bare);
  }

  /** Takes the pictures of key points. */
  #take(images, keys) {
    const length = images.length / keys.length;
    keys.forEach((key, index) => Object.assign(key, { bytes: images.slice(index * length, (index + 1) * length), isDrawn: true }));
    this.draw();
  }

  #item(key, index) {
    const item = document.createElement("li");
    const name = text("keyName", { name: letters(index) });
    item.tabIndex = 0;
    item.draggable = true;
    item.setAttribute("aria-label", text("keyUse", { name }));
    item.setAttribute("aria-current", String(index === this.state.selected));
    const picture = document.createElement("canvas");
    picture.setAttribute("aria-hidden", "true");
    if (key.bytes) show(picture, key.bytes, this.state.model);
    const number = document.createElement("span");
    number.textContent = letters(index);
    const remove = document.createElement("button");
    remove.textContent = "×";
    remove.setAttribute("aria-label", text("remove", { name: letters(index) }));
    remove.addEventListener("click", (event) => {
      event.stopPropagation();
      this.remove(index);
    });
    item.append(picture, number, remove);
    item.addEventListener("click", () => this.#goTo(index));
    item.addEventListener("keydown", (event) => this.#press(event, index));
    this.#drag(item, index);
    return item;
  }

  #press(event, index) {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (step) this.reorder(index, index + step);
    else if (event.key === "Delete" || event.key === "Backspace") this.remove(index);
    else if (event.key === "Enter") event.currentTarget.click();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #drag(item, index) {
    item.addEventListener("dragstart", (event) => event.dataTransfer.setData("text/x-key", String(index)));
    item.addEventListener("dragover", (event) => event.dataTransfer.types.includes("text/x-key") && event.preventDefault());
    item.addEventListener("drop", (event) => {
      const from = event.dataTransfer.getData("text/x-key");
      if (from === "") return;
      event.preventDefault();
      this.reorder(Number(from), index);
    });
  }
}
