/** The pictures beside the map: what is decoded at the place one looks at, and the nearest encoded image. */
import { text } from "./language.js";
import { latest } from "./latest.js";
import { show } from "./picture.js";
import { strength } from "./reach.js";

/** `failed` is told of requests that came to nothing. Gives back what writes the words anew. */
export function startInspecting(state, source, failed) {
  const byId = (id) => document.getElementById(id);
  let looked = {};

  const draw = (bytes, latent) => {
    show(byId("decoded"), bytes, state.model);
    byId("decoded").style.opacity = strength(latent, state.model.reach);
    byId("decoded").dataset.latent = JSON.stringify(latent);
  };
  const decode = latest(
    (latent) => source.decode([latent]),
    // An answer may come after a clip has begun to play.
    (bytes, latent) => looked.bytes || draw(bytes, latent),
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

  const update = () => {
    const { place, latent, bytes } = lookedAt(state);
    if (bytes) draw(bytes, latent);
    else decode(latent);
    byId("where").textContent = coordinates(latent, place);
    // What lies near in the plane may be far away in a larger space.
    const index = state.hovered ?? state.cloud.neighbours(latent, 1, (label) => !state.hidden.has(label))[0]?.index;
    const name = state.model.classes[state.cloud.labels[index]];
    byId("near").textContent = name === undefined ? "" : text("nearClass", { name });
    byId("real-words").textContent = text(state.hovered === undefined ? "real" : "realHere");
    if (index !== undefined && index !== looked.index) lookUp(index);
    looked = { bytes, index };
  };
  state.on("cursor pointer hovered plane hidden inClip clip frame playing making", update);
  state.on("model cloud", () => {
    looked = {};
    update();
  });
  return update;
}

/** The place that is looked at: under the pointer, else the clip's frame, else the cursor. */
export function lookedAt({ plane, cursor, pointer, clip, frame, inClip, playing, making }) {
  if (pointer && !playing) return { place: pointer, latent: plane.point(pointer) };
  if (!inClip || !clip) return { place: cursor, latent: plane.point(cursor) };
  const latent = clip.points[frame];
  // A clip that is being made anew may be of another epoch or class; while it plays, it goes on all the same.
  const bytes = making && !playing ? undefined : clip.images[frame];
  return { place: plane.place(latent), latent, bytes };
}

/** A latent as people read it: all of a short one, the place in the plane of a long one. */
export function coordinates(latent, place) {
  const isShort = latent.length <= 3;
  const words = (isShort ? latent : place).map((value) => value.toFixed(2).replace("-", "−"));
  return `${isShort ? "z = " : ""}(${words.join(", ")})`;
}
