/** The classes, and what has none: a click hides or shows one; pointing at it dims the others. */
import { NO_LABEL } from "./cloud.js";
import { inkOn } from "./colour.js";
import { text } from "./language.js";

/** The shapes of points, as text. */
const SIGNS = { disc: "●", triangle: "▲", square: "■", plus: "✚", diamond: "◆", "triangle-down": "▼", cross: "✖" };

/** Chips of the classes that have points in `list`; gives back what paints them in the theme's colours. */
export function startLegend(list, state, map) {
  const several = new Set(state.model.shapes).size > 1;
  const makeChip = (label) => {
    const chip = document.createElement("button");
    chip.addEventListener("click", () => {
      const hidden = new Set(state.hidden);
      if (!hidden.delete(label)) hidden.add(label);
      state.set({ hidden });
    });
    for (const event of ["pointerenter", "focus"]) chip.addEventListener(event, () => state.set({ lit: label }));
    for (const event of ["pointerleave", "blur"]) chip.addEventListener(event, () => state.set({ lit: undefined }));
    return chip;
  };
  const chips = new Map();
  const present = new Set(state.cloud.labels);
  state.model.classes.forEach((name, label) => {
    if (!present.has(label)) return;
    chips.set(label, makeChip(label));
    // Where colours are used more than once, shapes tell the classes apart.
    chips.get(label).textContent = several ? `${SIGNS[state.model.shapes[label]]} ${name}` : name;
  });
  if (state.cloud.hasBare) {
    chips.set(NO_LABEL, makeChip(NO_LABEL));
    chips.get(NO_LABEL).dataset.text = "noLabel";
    chips.get(NO_LABEL).textContent = text("noLabel");
  }
  list.replaceChildren(...chips.values());
  list.hidden = !state.model.labelled || chips.size < 2;
  const paint = () =>
    chips.forEach((chip, label) => {
      const isShown = !state.hidden.has(label);
      const colour = map.colours[label] ?? map.colours.plain;
      chip.setAttribute("aria-pressed", String(isShown));
      chip.style.background = isShown ? colour : "";
      chip.style.color = isShown ? inkOn(colour) : "";
    });
  state.on("hidden", paint);
  paint();
  return paint;
}
