/** A run as a GIF: its points, as they glide from epoch to epoch, above what the network makes of a few images. */
import { encodeGif } from "./gif.js";
import { text } from "./language.js";
import { drawPoints } from "./marks.js";
import { View } from "./view.js";

/** Pixels along a side; frames between two epochs, and in all at most. */
const SIDE = 320;
const BETWEEN = 10;
const MOST = 48;
/** How long a frame is shown, and the last one, in hundredths of a second. */
const PACE = 8;
const REST = 200;

/**
 * `points(at)` gives those of a place between two of the `epochs`, as the map draws them, in its `colours` and `inks`, and
 * `pairs(canvas, at)`, where there is one, draws the images. `told` hears which share is done.
 */
export async function record({ model, cloud, plane, hidden }, epochs, { points, pairs }, { colours, inks }, told) {
  const [canvas, strip] = [document.createElement("canvas"), document.createElement("canvas")];
  pairs?.(strip, 0);
  // At most half as high as the map.
  const scale = pairs ? Math.min(1, SIDE / strip.width, SIDE / 2 / strip.height) : 0;
  canvas.width = SIDE;
  canvas.height = SIDE + Math.round(scale * strip.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const [left, bottom, right, top] = cloud.bounds;
  const view = new View(SIDE, SIDE, plane.isLine ? [left, -1.2, right, 1.2] : [left, bottom, right, top]);
  const steps = Math.min(MOST, BETWEEN * (epochs.length - 1));
  const frames = Array.from({ length: steps + 1 }, (_, step) => {
    const at = (step / steps) * (epochs.length - 1);
    context.fillStyle = inks.paper;
    context.fillRect(0, 0, canvas.width, canvas.height);
    drawPoints(context, view, { cloud: points(at), model, hidden, colours, inks, opacity: 0.9 });
    pairs?.(strip, at);
    if (pairs) context.drawImage(strip, (SIDE - scale * strip.width) / 2, SIDE, scale * strip.width, scale * strip.height);
    title(context, inks, text("epochOf", { epoch: epochs[Math.round(at)].epoch, epochs: epochs.at(-1).epoch }));
    return context.getImageData(0, 0, canvas.width, canvas.height).data;
  });
  return encodeGif(frames, { width: canvas.width, height: canvas.height, centiseconds: PACE, rest: REST, repeats: true }, told);
}

function title(context, inks, words) {
  context.font = "600 14px system-ui, sans-serif";
  context.textBaseline = "top";
  context.lineJoin = "round";
  [context.lineWidth, context.strokeStyle, context.fillStyle] = [4, inks.paper, inks.ink];
  context.strokeText(words, 10, 10);
  context.fillText(words, 10, 10);
}
