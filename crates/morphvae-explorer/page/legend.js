/** The classes: a click hides or shows one; pointing at it dims the others. */
import { inkOn } from "./colour.js";

/** The shapes of points, as text. */
const SIGNS = { disc: "●", triangle: "▲", square: "■", plus: "✚", diamond: "◆", "triangle-down": "▼", cross: "✖" };

/** Chips of the classes in `list`; gives back what paints them in the theme's colours. */
export function startLegend(list, state, map) {
  const several = new Set(state.model.shapes).size > 1;
  const chips = state.model.classes.map((name, label) => {
    const chip = document.createElement("button");
    // Where colours are used more than once, shapes tell the classes apart.
    chip.textContent = several ? `${SIGNS[state.model.shapes[label]]} ${name}` : name;
    chip.addEventListener("click", () => {
      const hidden = new Set(state.hidden);
      if (!hidden.delete(label)) hidden.add(label);
      state.set({ hidden });
    });
    for (const event of ["pointerenter", "focus"]) chip.addEventListener(event, () => state.set({ lit: label }));
    for (const event of ["pointerleave", "blur"]) chip.addEventListener(event, () => state.set({ lit: undefined }));
    return chip;
  });
  list.replaceChildren(...chips);
  list.hidden = !state.model.labelled || chips.length < 2;
  const paint = () =>
    chips.forEach((chip, label) => {
      const isShown = !state.hidden.has(label);
      chip.setAttribute("aria-pressed", String(isShown));
      chip.style.background = isShown ? map.colours[label] : "";
      chip.style.color = isShown ? inkOn(map.colours[label]) : "";
    });
  state.on("hidden", paint);
  paint();
  return paint;
}
