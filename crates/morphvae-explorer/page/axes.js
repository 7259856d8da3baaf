/** In a latent space of more than two dimensions: which plane of it is shown, and sliders for the rest. */
import { text } from "./language.js";
import { firstAxes, isComponent, showPlane } from "./plane.js";

/** How far sliders go: three deviations of the prior, and three of the encoded images around their mean. */
const REACH = 3;

/** What an axis of the plane is called. */
export function axisName(axis) {
  return isComponent(axis) ? text("component", { number: Number(axis.slice(1)) + 1 }) : `z${Number(axis) + 1}`;
}

/** Gives back what writes the axes' names anew. */
export function startAxes(state, canChoose) {
  const byId = (id) => document.getElementById(id);
  const { model } = state;
  const isLarge = model.latent > 2 && canChoose;
  byId("plane").hidden = !isLarge;
  if (!isLarge) return () => {};
  const selects = [byId("axis-x"), byId("axis-y")];
  const here = () => state.plane.point(state.cursor);

  selects.forEach((select, axis) =>
    select.addEventListener("change", () => showPlane(state, { axes: chosen(model, state.axes, axis, select.value), base: here() })),
  );
  byId("base-reset").addEventListener("click", () => showPlane(state, { axes: firstAxes(model), base: model.base.slice() }));
  const sliders = byKl(model).map((dimension) => {
    const slider = makeSlider(model, dimension);
    slider.input.addEventListener("input", () => showPlane(state, { base: here().with(dimension, Number(slider.input.value)) }));
    return slider;
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
    for (const { dimension, input, output, row } of sliders) {
      row.hidden = state.axes.includes(String(dimension));
      input.value = latent[dimension];
      output.textContent = latent[dimension].toFixed(2).replace("-", "−");
    }
  };
  state.on("axes cursor plane", show);
  return names;
}

function makeSlider({ statistics }, dimension) {
  const [row, name, input, output] = ["label", "span", "input", "span"].map((tag) => document.createElement(tag));
  name.textContent = `z${dimension + 1}`;
  // A dimension that carries little is written paler.
  name.style.opacity = 0.5 + 0.5 * Math.min(1, statistics.kl[dimension] / 0.5);
  const [mean, reach] = [statistics.mean[dimension], REACH * statistics.deviation[dimension]];
  const [min, max] = [Math.min(-REACH, mean - reach), Math.max(REACH, mean + reach)];
  Object.assign(input, { type: "range", min, max, step: 0.01 });
  row.append(name, input, output);
  return { dimension, row, input, output };
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
