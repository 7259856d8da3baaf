/** A few images above, and what a network makes of each below it. */
import { toCanvas } from "./picture.js";

/** Pixels between the two rows. */
const BETWEEN = 3;

/** Draws images and rebuilt ones, lists of bytes, into a canvas, whose size becomes theirs. */
export function showPairs(canvas, images, rebuilt, model) {
  const { image_size: size } = model;
  canvas.width = Math.max(1, images.length * size);
  canvas.height = 2 * size + BETWEEN;
  const context = canvas.getContext("2d");
  for (const [row, bytes] of [images, rebuilt].entries()) {
    for (const [index, each] of bytes.entries()) context.drawImage(toCanvas(each, model), index * size, row * (size + BETWEEN));
  }
}
