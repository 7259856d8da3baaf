/** Image files of the reader's own: whatever the browser reads, made small and upright before it is sent. */
import { Trouble } from "./trouble.js";

/** Pixels along the longer side of what is sent: more than any network takes, and less than the program's limit. */
const LONGEST = 448;

/** A file as a canvas, upright as its EXIF data says; what is transparent becomes `ground`. */
export async function readPhotograph(file, ground) {
  const picture = await decode(file);
  const share = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * share));
  canvas.height = Math.max(1, Math.round(picture.height * share));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = ground;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** The same with white for black. */
export function inverted(canvas) {
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const context = copy.getContext("2d");
  context.filter = "invert(1)";
  context.drawImage(canvas, 0, 0);
  return copy;
}

/** A canvas as a file that the program reads. */
export function asFile(canvas) {
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

/** An element that the browser has read a file into: photographs and drawings, still or the first of many frames. */
async function decode(file) {
  const address = URL.createObjectURL(file);
  const picture = new Image();
  picture.src = address;
  try {
    await picture.decode();
  } catch {
    throw new Trouble("problemImage");
  } finally {
    URL.revokeObjectURL(address);
  }
  // A drawing may have no size of its own.
  if (picture.naturalWidth === 0) [picture.width, picture.height] = [LONGEST, LONGEST];
  return picture;
}
