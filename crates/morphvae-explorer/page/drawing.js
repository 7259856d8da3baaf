/** Images of the reader's own: drawn on the pad, chosen, or dropped. They are encoded and shown on the map. */
import { text } from "./language.js";
import { latest } from "./latest.js";
import { startPad } from "./pad.js";
import { inverted, readPhotograph } from "./photograph.js";
import { edge, show } from "./picture.js";
import { showPlane } from "./plane.js";

/** How many encoded images say what a drawing is near to. */
const NEIGHBOURS = 15;
/** What the edge of an image is beyond, of 255, to be called bright, or not to be called dark. */
const BRIGHT = 150;
const DARK = 80;

export function startDrawing(state, source, addKey, failed) {
  const byId = (id) => document.getElementById(id);
  let file;

  const encode = latest(
    async (what) => {
      if (!what.file) return source.encode(what);
      const { model } = state;
      const isDark = await knowsDark(source, model);
      const canvas = await readPhotograph(what.file, isDark ? "#000" : "#fff");
      const found = await source.photograph(what.isInverted ? inverted(canvas) : canvas);
      // Ink on paper, for a network that knows light on dark.
      return { ...found, isPaper: isDark && model.channels === 1 && edge(found.input, model) > BRIGHT };
    },
    (found, what) => {
      file = what.file && what;
      state.set({ encoded: found });
      // In a larger space the drawing lies beside the plane that is shown; through it there is one where it lies.
      if (state.model.latent > 2) showPlane(state, { base: found.mean });
    },
    failed,
  );
  const seen = byId("seen").closest(".seen");
  const take = async (what) => {
    encode(what);
    seen.ariaBusy = "true";
    await encode.settled();
    seen.ariaBusy = "false";
  };
  const wipe = startPad(byId("pad"), state.model, take, () => {
    // What is still being encoded was wiped, too.
    encode.forget();
    state.set({ encoded: undefined });
  });
  const choose = (chosen) => {
    wipe();
    take({ file: chosen, isInverted: false });
  };

  state.on("encoded", () => {
    const { encoded, model } = state;
    for (const id of ["pad-clear", "pad-key"]) byId(id).disabled = !encoded;
    for (const [id, bytes] of [["seen", encoded?.input], ["redrawn", encoded?.image]]) {
      byId(id).parentElement.hidden = !bytes;
      if (bytes) show(byId(id), bytes, model);
    }
    byId("invert").hidden = !encoded || !(encoded.isPaper || file?.isInverted);
    byId("invert").setAttribute("aria-pressed", String(file?.isInverted === true));
    tell();
  });
  const tell = () => {
    const { encoded, model, cloud } = state;
    const { label, votes, count } = encoded ? cloud.vote(encoded.mean, NEIGHBOURS) : {};
    const name = model.classes[label];
    // Where a conditional model puts an image says nothing of its class: that it has found out before.
    const taken = model.classes[encoded?.given];
    if (taken !== undefined) byId("guess").textContent = text("guessGiven", { name: taken });
    else byId("guess").textContent = name === undefined ? "" : text("guess", { name, votes, count });
  };

  byId("pad-clear").addEventListener("click", wipe);
  // Whoever is quicker than the network means all that was drawn.
  byId("pad-key").addEventListener("click", async () => {
    await encode.settled();
    if (state.encoded) addKey(state.encoded.mean);
  });
  byId("invert").addEventListener("click", () => take({ file: file.file, isInverted: !file.isInverted }));
  byId("choose").addEventListener("click", () => byId("file").click());
  byId("file").addEventListener("change", () => {
    const [chosen] = byId("file").files;
    if (chosen) choose(chosen);
    byId("file").value = "";
  });
  startDropping(byId("drop"), choose);
  return tell;
}

/** Whether the images that a network knows are dark at their edges, judged by what it decodes. */
async function knowsDark(source, model) {
  const points = model.typical.length > 0 ? model.typical : [model.base];
  const bytes = await source.decode(points);
  const length = bytes.length / points.length;
  const edges = points.map((_, index) => edge(bytes.subarray(index * length, (index + 1) * length), model));
  return edges.reduce((sum, value) => sum + value, 0) / points.length < DARK;
}

/** Files dropped anywhere on the page. */
function startDropping(curtain, dropped) {
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    curtain.hidden = false;
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) curtain.hidden = true;
  });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    curtain.hidden = true;
    const [file] = event.dataTransfer.files;
    if (file) dropped(file);
  });
}
