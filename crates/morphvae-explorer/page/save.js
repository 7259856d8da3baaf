/** What a clip is saved as: a GIF, a sheet of its frames, the command that makes it. */
import { breath } from "./breath.js";
import { RATE, whenMade } from "./clip.js";
import { copy } from "./copy.js";
import { download } from "./download.js";
import { encodeGif } from "./gif.js";
import { text } from "./language.js";
import { toCanvas } from "./picture.js";
import { Trouble } from "./trouble.js";

/** Pixels of a saved frame along a side, about. */
const SIDE = 256;
/** Frames of a sheet: ten columns of six. */
const COLUMNS = 10;
const ROWS = 6;
const GAP = 2;
/** Decimals of a key point in the command: finer than any pixel shows. */
const DECIMALS = 5;

export function startSaving(state, failed) {
  const byId = (id) => document.getElementById(id);
  const made = whenMade(state);
  const name = () => `${state.model.name.replace(/[^\w-]+/g, "-").replace(/^-+|-+$/g, "")}-clip`;

  /** Saves what `work` makes of the clip that is shown, which may still be on its way; a second press does nothing. */
  const onPress = (id, work) => {
    const button = byId(id);
    const words = button.dataset.text;
    button.addEventListener("click", async () => {
      if (button.ariaBusy === "true") return;
      button.ariaBusy = "true";
      await made();
      if (state.clip) await work(state, (share) => (button.textContent = `${Math.round(100 * share)} %`));
      button.ariaBusy = "false";
      button.textContent = text(words);
    });
  };
  onPress("save-gif", async (what, told) => download(await gif(what, told), `${name()}.gif`));
  onPress("save-sheet", async (what) => download(await sheet(what), `${name()}.png`));
  byId("copy").addEventListener("click", async () => {
    const isCopied = await copy(command(state).join(" "), byId("command"));
    if (!isCopied) return failed(new Trouble("problemCopy"));
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

async function gif({ clip, model }, told) {
  const factor = Math.max(1, Math.round(SIDE / model.image_size));
  const side = factor * model.image_size;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  const [frames, breathe] = [[], breath()];
  for (const bytes of clip.images) {
    context.drawImage(toCanvas(bytes, model), 0, 0, side, side);
    frames.push(context.getImageData(0, 0, side, side).data);
    await breathe();
  }
  const look = { width: side, height: side, centiseconds: 100 / RATE, repeats: clip.loop };
  return new Blob([await encodeGif(frames, look, told)], { type: "image/gif" });
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
  return new Promise((done) => canvas.toBlob(done));
}

/** The words of the command line that makes the same clip. */
function command({ keys, kind, loop, seconds, model }) {
  const told = model.given === undefined ? "" : `=${model.classes[model.given]}`;
  const latents = keys.map(({ point }) => quoted(`z:${point.map((value) => String(Number(value.toFixed(DECIMALS)))).join(",")}${told}`));
  // All is said, whatever the program does by itself.
  const time = [`--loop ${loop ? "cycle" : "once"}`, `--frames ${RATE * seconds}`, `--fps ${RATE}`, "--hold 0"];
  const options = [`--path ${kind}`, ...time];
  return [model.command, quoted(model.model_argument), ...latents, ...options].filter(Boolean);
}

function quoted(word) {
  return /^[\w./:,=-]*$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
