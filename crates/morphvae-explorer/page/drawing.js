/** Images of the reader's own: drawn on the pad, chosen, or dropped. They are encoded and shown on the map. */
import { text } from "./language.js";
import { latest } from "./latest.js";
import { startPad } from "./pad.js";
import { show } from "./picture.js";
import { showPlane } from "./plane.js";

/** How many encoded images say what a drawing is near to. */
const NEIGHBOURS = 15;

export function startDrawing(state, source, addKey, failed) {
  const byId = (id) => document.getElementById(id);
  if (!source.canEncode) return;
  byId("draw").hidden = false;

  const encode = latest(
    (body) => source.encode(body),
    (found) => {
      state.set({ encoded: found });
      // In a larger space the drawing lies beside the plane that is shown; through it there is one where it lies.
      if (state.model.latent > 2) showPlane(state, { base: found.mean });
    },
    failed,
  );
  const wipe = startPad(byId("pad"), state.model, encode, () => {
    // What is still being encoded was wiped, too.
    encode.forget();
    state.set({ encoded: undefined });
  });

  state.on("encoded", () => {
    const { encoded, model } = state;
    for (const id of ["pad-clear", "pad-key"]) byId(id).disabled = !encoded;
    for (const [id, bytes] of [["seen", encoded?.input], ["redrawn", encoded?.image]]) {
      show(byId(id), bytes ?? new Uint8Array(model.channels * model.image_size ** 2), model);
    }
    tell();
  });
  const tell = () => {
    const { encoded, model, cloud } = state;
    const { label, votes, count } = encoded ? cloud.neighbours(encoded.mean, NEIGHBOURS) : {};
    const name = model.classes[label];
    byId("guess").textContent = name === undefined ? "" : text("guess", { name, votes, count });
  };

  byId("pad-clear").addEventListener("click", wipe);
  byId("pad-key").addEventListener("click", () => addKey(state.encoded.mean));
  byId("choose").addEventListener("click", () => byId("file").click());
  byId("file").addEventListener("change", () => {
    const [file] = byId("file").files;
    if (file) encode(file);
    byId("file").value = "";
  });
  startDropping(byId("drop"), (file) => {
    wipe();
    encode(file);
  });
  return tell;
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
