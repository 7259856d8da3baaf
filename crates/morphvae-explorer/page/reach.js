/** How far the latent space is known, and how pictures fade beyond. */

/** How much of a picture is left far away, and how far that is, as a share of what is known. */
const LEAST = 0.12;
const FAR = 0.35;

/** How strongly a picture at a latent is drawn: fully within reach, where images lie and the prior does, and less beyond. */
export function strength(latent, { least, most }) {
  let beyond = 0;
  for (let axis = 0; axis < latent.length; axis += 1) {
    const away = Math.max(least[axis] - latent[axis], latent[axis] - most[axis]);
    beyond = Math.max(beyond, away / (most[axis] - least[axis]));
  }
  return Math.max(LEAST, 1 - ((1 - LEAST) * beyond) / FAR);
}
