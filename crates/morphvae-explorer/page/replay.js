/**
 * How a run went: where its points lay after each epoch, and what the network made of a few images, gone through by hand or
 * played; both glide in between.
 */
import { download } from "./download.js";
import { fromBytes } from "./epochs.js";
import { text } from "./language.js";
import { showPairs } from "./pairs.js";
import { record } from "./record.js";

/** How long an epoch takes when a run is played, in milliseconds, and how long all of it takes at most. */
const PACE = 500;
const LONGEST = 12_000;

/**
 * `told(epochs, shown)` hears of the run's epochs and of the one that is shown; `look` gives the map's colours. Gives back what looks
 * for the epochs anew.
 */
export function startReplay(state, source, look, told) {
  const [scrub, button, save, strip] = ["replay", "replay-play", "replay-save", "rebuilt-all"].map((id) => document.getElementById(id));
  let [labels, pictures, epochs] = [[], [], []];
  let shown;
  let begun;

  const last = () => epochs.length - 1;
  const paint = (canvas, at) => showPairs(canvas, pictures, mixed(epochs, at), state.model);
  const pace = () => Math.min(PACE, LONGEST / epochs.length);
  /** Shows the run at a place between two of its epochs; at its end, the map as it is. */
  const show = (at) => {
    const isOver = at >= last();
    scrub.value = at;
    state.set({ replayed: isOver ? undefined : between(labels, epochs, at, state) });
    shown = isOver ? undefined : epochs[Math.round(at)].epoch;
    paint(strip, at);
    told(epochs, shown);
  };
  const play = (isPlaying) => {
    begun = isPlaying ? performance.now() - (state.replayed ? Number(scrub.value) * pace() : 0) : undefined;
    button.classList.toggle("playing", isPlaying);
    button.setAttribute("aria-pressed", String(isPlaying));
    if (isPlaying) requestAnimationFrame(step);
  };
  const step = (now) => {
    if (begun === undefined) return;
    const at = Math.min(last(), Math.max(0, now - begun) / pace());
    show(at);
    if (at < last()) requestAnimationFrame(step);
    else play(false);
  };
  button.addEventListener("click", () => play(begun === undefined));
  scrub.addEventListener("input", () => {
    play(false);
    show(Number(scrub.value));
  });
  save.addEventListener("click", async () => {
    if (save.ariaBusy === "true") return;
    save.ariaBusy = "true";
    const points = (at) => between(labels, epochs, at, state);
    const pairs = pictures.length > 0 ? paint : undefined;
    const bytes = await record(state, epochs, { points, pairs }, look(), (share) => (save.textContent = `${Math.round(100 * share)} %`));
    download(new Blob([bytes], { type: "image/gif" }), `${state.model.name}-training.gif`);
    save.textContent = text("saveGif");
    save.ariaBusy = "false";
  });
  return async () => {
    ({ labels, pictures, epochs } = fromBytes(await source.replay()));
    scrub.parentElement.hidden = epochs.length < 2;
    strip.hidden = pictures.length === 0;
    scrub.max = Math.max(1, last());
    if (!state.replayed) {
      scrub.value = scrub.max;
      paint(strip, last());
    }
    told(epochs, shown);
  };
}

/** The epochs around a place between two of them, and the way from one to the other. */
function around(epochs, at) {
  return { from: epochs[Math.floor(at)], to: epochs[Math.ceil(at)], share: at - Math.floor(at) };
}

/** The rebuilt pictures there: a mixture. */
function mixed(epochs, at) {
  const { from, to, share } = around(epochs, at);
  return from.rebuilt.map((bytes, index) => bytes.map((byte, place) => byte + share * (to.rebuilt[index][place] - byte)));
}

/** The points there, as the map draws points: those of some of the images. */
function between(labels, epochs, at, { plane, cloud, model: { latent } }) {
  const { from, to, share } = around(epochs, at);
  const eased = share * share * (3 - 2 * share);
  const place = (point) => {
    const [a, b] = [from, to].map(({ means }) => plane.place(means.subarray(point * latent, (point + 1) * latent)));
    const [u, v] = a.map((value, axis) => value + eased * (b[axis] - value));
    return [u, plane.isLine ? cloud.scattered(point) : v];
  };
  return { labels, order: labels.map((_, point) => point), place };
}
