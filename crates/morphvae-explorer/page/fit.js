/** Drawings as the network takes images. */

/** The share of a side that the longer side of a drawing takes, as in MNIST: 20 of 28 pixels. */
const SHARE = 20 / 28;

/**
 * A drawing, white on black, as bytes `[channels, size, size]`: scaled to the size of a digit, with its centre of mass
 * in the middle. Nothing when nothing is drawn.
 */
export function fitDrawing(canvas, { channels, image_size: size }) {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const ink = { mass: 0, x: 0, y: 0, left: width, right: 0, top: height, bottom: 0 };
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const value = data[4 * (y * width + x)];
      if (value < 32) continue;
      ink.mass += value;
      ink.x += value * (x + 0.5);
      ink.y += value * (y + 0.5);
      ink.left = Math.min(ink.left, x);
      ink.right = Math.max(ink.right, x + 1);
      ink.top = Math.min(ink.top, y);
      ink.bottom = Math.max(ink.bottom, y + 1);
    }
  }
  if (ink.mass === 0) return undefined;
  const longest = Math.max(ink.right - ink.left, ink.bottom - ink.top, 0.25 * width);
  const scale = (SHARE * size) / longest;
  const small = document.createElement("canvas");
  small.width = small.height = size;
  const context = small.getContext("2d");
  context.fillStyle = "#000";
  context.fillRect(0, 0, size, size);
  context.imageSmoothingQuality = "high";
  context.translate(size / 2, size / 2);
  context.scale(scale, scale);
  context.drawImage(canvas, -ink.x / ink.mass, -ink.y / ink.mass);
  const pixels = context.getImageData(0, 0, size, size).data;
  const grey = Uint8Array.from({ length: size * size }, (_, index) => pixels[4 * index]);
  const bytes = new Uint8Array(channels * size * size);
  for (let channel = 0; channel < channels; channel += 1) bytes.set(grey, channel * size * size);
  return bytes;
}
