/** What a clip is saved as: a GIF, a sheet of its frames, the command that makes it. */
import { RATE } from "./clip.js";
import { encodeGif } from "./gif.js";
import { text } from "./language.js";
import { toCanvas } from "./picture.js";

/** Pixels of a saved frame along a side, about. */
const SIDE = 256;
/** Frames of a sheet: ten columns of six. */
const COLUMNS = 10;
const ROWS = 6;
const GAP = 2;

export function startSaving(state) {
  const byId = (id) => document.getElementById(id);
  const name = () => `${state.model.name.replace(/[^\w-]+/g, "-").replace(/^-+|-+$/g, "")}-clip`;

  byId("save-gif").addEventListener("click", async () => {
    byId("save-gif").textContent = text("saving");
    // The words are seen before the work begins.
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    download(new Blob([gif(state)], { type: "image/gif" }), `${name()}.gif`);
    byId("save-gif").textContent = text("saveGif");
  });
  byId("save-sheet").addEventListener("click", () => sheet(state).toBlob((blob) => download(blob, `${name()}.png`)));
  byId("copy").addEventListener("click", async () => {
    await navigator.clipboard.writeText(command(state).join(" "));
    byId("copy").textContent = text("copied");
    setTimeout(() => (byId("copy").textContent = text("copyCommand")), 1500);
  });
  state.on("keys kind loop seconds model", () => {
    // A word of a command is not broken at a hyphen.
    const words = command(state).map((word) => Object.assign(document.createElement("span"), { textContent: `${word} ` }));
    byId("command").replaceChildren(...words);
    byId("command").hidden = state.keys.length < 2;
  });
}

function gif({ clip, model }) {
  const factor = Math.max(1, Math.round(SIDE / model.image_size));
  const side = factor * model.image_size;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  const frames = clip.images.map((bytes) => {
    context.drawImage(toCanvas(bytes, model), 0, 0, side, side);
    return context.getImageData(0, 0, side, side).data;
  });
  return encodeGif(frames, side, side, 100 / RATE);
}

function sheet({ clip, model }) {
  const side = Math.max(64, model.image_size) + GAP;
  const count = Math.min(clip.images.length, COLUMNS * ROWS);
  const canvas = document.createElement("canvas");
  canvas.width = COLUMNS * side - GAP;
  canvas.height = Math.ceil(count / COLUMNS) * side - GAP;
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  for (let index = 0; index < count; index += 1) {
    const frame = Math.round((index * (clip.images.length - 1)) / Math.max(1, count - 1));
    const at = [index % COLUMNS, Math.floor(index / COLUMNS)].map((place) => place * side);
    context.drawImage(toCanvas(clip.images[frame], model), ...at, side - GAP, side - GAP);
  }
  return canvas;
}

/** The words of the command line that makes the same clip. */
function command({ keys, kind, loop, seconds, model }) {
  const latents = keys.map(({ point }) => `z:${point.map((value) => String(Number(value.toFixed(3)))).join(",")}`);
  // All is said, whatever the program does by itself.
  const time = [`--loop ${loop ? "cycle" : "once"}`, `--frames ${RATE * seconds}`, `--fps ${RATE}`, "--hold 0"];
  const options = [`--path ${kind}`, ...time];
  return [model.command, quoted(model.model_argument), ...latents, ...options].filter(Boolean);
}

function quoted(word) {
  return /^[\w./-]*$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
