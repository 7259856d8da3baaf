/** The pictures beside the map: what is decoded under the pointer, and the nearest encoded image. */
import { text } from "./language.js";
import { latest } from "./latest.js";
import { show } from "./picture.js";

/** `failed` is told of requests that came to nothing. */
export function startInspecting(state, source, failed) {
  const byId = (id) => document.getElementById(id);
  const decode = latest(
    (latent) => source.decode([latent]),
    (bytes, latent) => {
      show(byId("decoded"), bytes, state.model);
      byId("decoded").dataset.latent = JSON.stringify(latent);
    },
    failed,
  );
  const lookUp = latest(
    (index) => source.image(index),
    ({ real, rebuilt }) => {
      show(byId("real"), real, state.model);
      show(byId("rebuilt"), rebuilt, state.model);
    },
    failed,
  );
  let shown;

  const update = () => {
    if (state.playing) return;
    const place = state.pointer ?? state.cursor;
    if (!place) return;
    const latent = state.plane.point(place);
    byId("where").textContent = coordinates(latent, state.plane, place);
    decode(latent);
    const index = state.hovered ?? state.cloud.nearest(place, state.hidden)?.index;
    if (index === undefined) return;
    const name = state.model.classes[state.cloud.labels[index]];
    byId("near").textContent = name === undefined ? "" : text("nearClass", { name });
    if (index !== shown) lookUp(index);
    shown = index;
  };
  state.on("cursor pointer hovered plane playing hidden", update);
  state.on("model cloud", () => {
    shown = undefined;
    update();
  });
  return update;
}

/** A latent as people read it: all of a short one, the place in the plane of a long one. */
export function coordinates(latent, plane, place) {
  const numbers = latent.length <= 3 ? latent : place;
  const words = numbers.map((value) => value.toFixed(2).replace("-", "−"));
  return latent.length <= 3 ? `z = (${words.join(", ")})` : `(${words.join(", ")})`;
}
