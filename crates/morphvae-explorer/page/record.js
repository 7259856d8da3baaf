/** A run as a GIF: its points, as they glide from epoch to epoch. */
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
 * `points(at)` gives those of a place between two of the `epochs`, as the map draws them, in its `colours` and `inks`. `told`
 * hears which share is done.
 */
export async function record({ model, cloud, plane, hidden }, epochs, points, { colours, inks }, told) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const [left, bottom, right, top] = cloud.bounds;
  const view = new View(SIDE, SIDE, plane.isLine ? [left, -1.2, right, 1.2] : [left, bottom, right, top]);
  const steps = Math.min(MOST, BETWEEN * (epochs.length - 1));
  const frames = Array.from({ length: steps + 1 }, (_, step) => {
    const at = (step / steps) * (epochs.length - 1);
    context.fillStyle = inks.paper;
    context.fillRect(0, 0, SIDE, SIDE);
    drawPoints(context, view, { cloud: points(at), model, hidden, colours, inks, opacity: 0.9 });
    title(context, inks, text("epochOf", { epoch: epochs[Math.round(at)].epoch, epochs: epochs.at(-1).epoch }));
    return context.getImageData(0, 0, SIDE, SIDE).data;
  });
  return encodeGif(frames, { width: SIDE, height: SIDE, centiseconds: PACE, rest: REST, repeats: true }, told);
}

function title(context, inks, words) {
  context.font = "600 14px system-ui, sans-serif";
  context.textBaseline = "top";
  context.lineJoin = "round";
  [context.lineWidth, context.strokeStyle, context.fillStyle] = [4, inks.paper, inks.ink];
  context.strokeText(words, 10, 10);
  context.fillText(words, 10, 10);
}
