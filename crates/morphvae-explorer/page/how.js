/** "How it works": encoder, plane, noise and decoder, shown on the model at hand and the image that is nearest. */
import { coordinates } from "./inspect.js";
import { text } from "./language.js";
import { show } from "./picture.js";

const byId = (id) => document.getElementById(id);
/** Draws of the noise that are shown. */
const DRAWS = 4;

export function startHow(state, source, map, failed) {
  const dialog = byId("how-dialog");
  let open = false;
  const draws = Array.from({ length: DRAWS }, () => {
    const picture = document.createElement("canvas");
    picture.setAttribute("role", "img");
    byId("how-draws").append(picture);
    return picture;
  });

  const tell = async () => {
    if (!open) return;
    const { model, cloud, plane, cursor } = state;
    const [nearest] = cloud.neighbours(plane.point(cursor), 1);
    const values = {
      pixels: (model.channels * model.image_size ** 2).toLocaleString(),
      size: model.image_size,
      latent: model.latent,
      count: model.count.toLocaleString(),
      loss: model.test_loss?.toFixed(1),
    };
    byId("how-encoder").textContent = text(model.noisy ? "howEncoderSays" : "howEncoderPlain", values);
    byId("how-plane-says").textContent = text(model.latent > 2 ? "howPlaneOf" : "howPlaneSays", values);
    byId("how-noise").textContent = text("howNoiseSays", values);
    byId("how-decoder").textContent = text("howDecoderSays", values);
    byId("how-loss").textContent = model.test_loss == null ? "" : text(model.noisy ? "howLossSays" : "howLossPlain", values);
    for (const [picture] of draws.entries()) draws[picture].setAttribute("aria-label", text("howDraw", { number: picture + 1 }));
    miniature(byId("how-plane"), state, map, nearest?.index);
    byId("how-noise-part").hidden = nearest === undefined || !model.noisy;
    show(byId("how-decoded"), await source.decode([plane.point(cursor)]), model);
    if (nearest === undefined) return;
    const { real } = await source.image(nearest.index);
    show(byId("how-real"), real, model);
    const mean = cloud.mean(nearest.index);
    const deviations = cloud.deviations(nearest.index);
    const spread = model.noisy ? ` ± (${deviations.map((value) => value.toFixed(2)).join(", ")})` : "";
    byId("how-code").textContent = model.latent > 3 ? "" : coordinates(mean) + spread;
    if (byId("how-noise-part").hidden) return;
    const points = draws.map(() => mean.map((value, axis) => value + deviations[axis] * normal()));
    const bytes = await source.decode(points);
    draws.forEach((picture, index) => show(picture, bytes.subarray((index * bytes.length) / DRAWS, ((index + 1) * bytes.length) / DRAWS), model));
  };
  const retell = () => tell().catch(failed);
  byId("how").addEventListener("click", () => {
    open = true;
    dialog.showModal();
    retell();
  });
  dialog.addEventListener("close", () => (open = false));
  byId("how-close").addEventListener("click", () => dialog.close());
  byId("how-again").addEventListener("click", retell);
  return retell;
}

/** All points, small, and the one that is spoken of. */
function miniature(canvas, { cloud }, map, index) {
  const { width, height } = canvas.getBoundingClientRect();
  const ratio = devicePixelRatio;
  [canvas.width, canvas.height] = [width * ratio, height * ratio];
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const [left, bottom, right, top] = cloud.bounds;
  const scale = Math.min(width / (right - left), height / (top - bottom));
  const at = (point) => {
    const [u, v] = cloud.place(point);
    return [width / 2 + (u - (left + right) / 2) * scale, height / 2 - (v - (bottom + top) / 2) * scale];
  };
  for (const point of cloud.order) {
    context.fillStyle = map.colours[cloud.labels[point]] ?? map.colours.plain;
    const [x, y] = at(point);
    context.fillRect(x - 0.6, y - 0.6, 1.2, 1.2);
  }
  if (index === undefined) return;
  for (const [colour, wide] of [[map.inks.paper, 5], [map.inks.ink, 2.5]]) {
    context.beginPath();
    context.arc(...at(index), 6, 0, 7);
    context.lineWidth = wide;
    context.strokeStyle = colour;
    context.stroke();
  }
}

/** A number of the standard normal distribution (Box and Muller, 1958). */
function normal() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}
