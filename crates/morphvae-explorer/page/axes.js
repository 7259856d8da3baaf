/** In a latent space of more than two dimensions: which plane of it is shown, and sliders for the rest. */
import { text } from "./language.js";
import { firstAxes, isComponent, Plane } from "./plane.js";

/** How far sliders go: three deviations of the prior, or all encoded images. */
const REACH = 3;

export function startAxes(state, canChoose) {
  const byId = (id) => document.getElementById(id);
  const { model } = state;
  const isLarge = model.latent > 2 && canChoose;
  byId("plane").hidden = !isLarge;
  const selects = [byId("axis-x"), byId("axis-y")];
  const sliders = new Map();

  const replace = () => {
    const plane = new Plane(state.model, state.axes, state.base);
    state.cloud.lay(plane);
    state.set({ plane, cursor: state.cursor ?? plane.place(state.base) });
    for (const [dimension, { input, output, row }] of sliders) {
      row.hidden = state.axes.includes(String(dimension));
      input.value = state.base[dimension];
      output.textContent = state.base[dimension].toFixed(2).replace("-", "−");
    }
  };
  state.on("axes base", replace);
  if (!isLarge) return () => {};

  const names = () => {
    const components = model.components.map((_, index) => [`p${index}`, text("component", { number: index + 1 })]);
    const latents = byKl(model).map((dimension) => [String(dimension), `z${dimension + 1} · ${text("klHint", { kl: model.statistics.kl[dimension].toFixed(2) })}`]);
    selects.forEach((select, axis) => {
      select.replaceChildren(...[...components, ...latents].map(([value, label]) => new Option(label, value)));
      select.value = state.axes[axis];
    });
  };
  selects.forEach((select, axis) =>
    select.addEventListener("change", () => {
      const axes = state.axes.slice();
      // Two principal directions or two latents: a mixture of both would not be at right angles.
      if (isComponent(select.value) !== isComponent(axes[1 - axis])) axes[1 - axis] = partner(model, select.value);
      else if (axes[1 - axis] === select.value) axes[1 - axis] = axes[axis];
      axes[axis] = select.value;
      names();
      selects.forEach((each, index) => (each.value = axes[index]));
      state.set({ axes });
    }),
  );
  byId("base-reset").addEventListener("click", () => {
    state.set({ axes: firstAxes(model), base: model.centre.slice(), cursor: undefined });
    names();
  });
  byId("sliders").replaceChildren(
    ...byKl(model).map((dimension) => {
      const row = document.createElement("label");
      const [name, input, output] = ["span", "input", "output"].map((tag) => document.createElement(tag));
      name.textContent = `z${dimension + 1}`;
      name.style.opacity = 0.45 + 0.55 * Math.min(1, model.statistics.kl[dimension] / 0.5);
      const far = Math.max(REACH, Math.abs(model.statistics.mean[dimension]) + REACH * model.statistics.deviation[dimension]);
      Object.assign(input, { type: "range", min: -far, max: far, step: 0.01 });
      input.addEventListener("input", () => {
        const base = state.plane.point(state.cursor ?? state.plane.place(state.base));
        base[dimension] = Number(input.value);
        state.set({ base, cursor: undefined });
      });
      row.append(name, input, output);
      sliders.set(dimension, { input, output, row });
      return row;
    }),
  );
  names();
  replace();
  return names;
}

/** Dimensions, those that carry most first. */
function byKl({ statistics }) {
  return statistics.kl.map((_, dimension) => dimension).sort((a, b) => statistics.kl[b] - statistics.kl[a]);
}

function partner(model, axis) {
  if (isComponent(axis)) return axis === "p0" ? "p1" : "p0";
  return String(byKl(model).find((dimension) => String(dimension) !== axis));
}
