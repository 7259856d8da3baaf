/** In a latent space of more than two dimensions: which plane of it is shown, and sliders for the rest. */
import { text } from "./language.js";
import { firstAxes, isComponent, showPlane } from "./plane.js";
import { makeSlider } from "./slider.js";

/** How far sliders go: three deviations of the prior, and three of the encoded images around their mean. */
const REACH = 3;

/** What an axis of the plane is called. */
export function axisName(axis) {
  return isComponent(axis) ? text("component", { number: Number(axis.slice(1)) + 1 }) : `z${Number(axis) + 1}`;
}

/** Gives back what writes the axes' names anew. */
export function startAxes(state) {
  const byId = (id) => document.getElementById(id);
  const { model } = state;
  byId("plane").hidden = model.latent <= 2;
  if (model.latent <= 2) return () => {};
  const selects = [byId("axis-x"), byId("axis-y")];
  const here = () => state.plane.point(state.cursor);

  selects.forEach((select, axis) =>
    select.addEventListener("change", () => showPlane(state, { axes: chosen(model, state.axes, axis, select.value), base: here() })),
  );
  byId("base-reset").addEventListener("click", () => showPlane(state, { axes: firstAxes(model), base: model.base.slice() }));
  const sliders = byKl(model).map((dimension) => {
    const [mean, reach] = [model.statistics.mean[dimension], REACH * model.statistics.deviation[dimension]];
    const [min, max] = [Math.min(-REACH, mean - reach), Math.max(REACH, mean + reach)];
    const slider = makeSlider(`z${dimension + 1}`, min, max, (value) => showPlane(state, { base: here().with(dimension, value) }));
    // A dimension that carries little is written paler.
    slider.words.style.opacity = 0.5 + 0.5 * Math.min(1, model.statistics.kl[dimension] / 0.5);
    return { ...slider, dimension };
  });
  byId("sliders").replaceChildren(...sliders.map(({ row }) => row));

  const names = () => {
    const components = model.components.map((_, index) => new Option(axisName(`p${index}`), `p${index}`));
    const latents = byKl(model).map((dimension) => {
      const kl = text("klHint", { kl: model.statistics.kl[dimension].toFixed(2) });
      return new Option(`z${dimension + 1} · ${kl}`, String(dimension));
    });
    selects.forEach((select) => select.replaceChildren(...[...components, ...latents].map((option) => option.cloneNode(true))));
    show();
  };
  const show = () => {
    selects.forEach((select, axis) => (select.value = state.axes[axis]));
    const latent = here();
    for (const { dimension, show: showValue, row } of sliders) {
      row.hidden = state.axes.includes(String(dimension));
      showValue(latent[dimension]);
    }
  };
  state.on("axes cursor plane", show);
  return names;
}

/** The axes after one of them was chosen. Two latents or two principal directions: of a mixture nothing would be right. */
function chosen(model, axes, changed, value) {
  const other = axes[1 - changed];
  const partner = () => {
    if (isComponent(value)) return value === "p0" ? "p1" : "p0";
    return String(byKl(model).find((dimension) => String(dimension) !== value));
  };
  const swapped = other === value ? axes[changed] : other;
  return axes.with(changed, value).with(1 - changed, isComponent(swapped) === isComponent(value) ? swapped : partner());
}

/** Dimensions, those that carry most first. */
function byKl({ statistics }) {
  return statistics.kl.map((_, dimension) => dimension).sort((a, b) => statistics.kl[b] - statistics.kl[a]);
}
