/** Attributes, directions of the latent space along which one thing changes, as sliders: from plain to smile. */
import { dot, showPlane } from "./plane.js";
import { makeSlider } from "./slider.js";

/** How far sliders go: 1 is as much as the images with the attribute have, counted from the mean of all. */
const REACH = 3;

export function startAttributes(state) {
  const { model } = state;
  document.getElementById("attributes").hidden = model.attributes.length === 0;
  const here = () => state.plane.point(state.cursor);
  /** How much of an attribute a latent has. */
  const amount = (direction, latent) => dot(direction, latent.map((value, axis) => value - model.statistics.mean[axis])) / dot(direction, direction);

  const sliders = model.attributes.map(({ name, direction }) => {
    const slider = makeSlider(name, -REACH, REACH, (wanted) => {
      const latent = here();
      const more = wanted - amount(direction, latent);
      const moved = latent.map((value, axis) => value + more * direction[axis]);
      if (model.latent > 2) showPlane(state, { base: moved });
      else state.set({ cursor: state.plane.place(moved), pointer: undefined, inClip: false, playing: false });
    });
    return { ...slider, direction };
  });
  document.getElementById("attribute-sliders").replaceChildren(...sliders.map(({ row }) => row));
  state.on("cursor plane", () => {
    const latent = here();
    for (const { direction, show } of sliders) show(amount(direction, latent));
  });
}
