/** Images of a network on canvases: bytes `[channels, size, size]`. */
import { channels as split } from "./colour.js";

/** Bytes as the pixels of a canvas, in their own colours. */
export function toImageData(bytes, { channels, image_size: size }) {
  const data = new ImageData(size, size);
  const area = size * size;
  for (let index = 0; index < area; index += 1) {
    for (let channel = 0; channel < 3; channel += 1) {
      data.data[4 * index + channel] = bytes[(channels === 3 ? channel * area : 0) + index];
    }
    data.data[4 * index + 3] = 255;
  }
  return data;
}

/** Draws bytes into a canvas, whose size becomes the image's; the page's style enlarges it. */
export function show(canvas, bytes, model) {
  canvas.width = model.image_size;
  canvas.height = model.image_size;
  canvas.getContext("2d").putImageData(toImageData(bytes, model), 0, 0);
}

/** Bytes as a canvas of their own, in their own colours. */
export function toCanvas(bytes, model) {
  const canvas = document.createElement("canvas");
  show(canvas, bytes, model);
  return canvas;
}

/** Bright strokes on dark ground as ink of one colour on nothing. */
export function toInk(bytes, { image_size: size }, colour) {
  const canvas = document.createElement("canvas");
  canvas.width = size;
  canvas.height = size;
  const data = new ImageData(size, size);
  const ink = split(colour);
  for (let index = 0; index < size * size; index += 1) {
    data.data.set(ink, 4 * index);
    data.data[4 * index + 3] = bytes[index];
  }
  canvas.getContext("2d").putImageData(data, 0, 0);
  return canvas;
}

/** The mean along the edge of an image, of 255, over its channels. */
export function edge(bytes, { channels, image_size: size }) {
  let sum = 0;
  for (let start = 0; start < bytes.length; start += size * size) {
    for (let index = 0; index < size; index += 1) {
      for (const at of [index, size * (size - 1) + index, index * size, index * size + size - 1]) sum += bytes[start + at];
    }
  }
  return sum / (4 * size * channels);
}
