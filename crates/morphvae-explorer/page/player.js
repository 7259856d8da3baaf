/** Plays the clip in the large picture, with a scrubber. A clip that is not closed ends at its last frame. */
import { RATE } from "./clip.js";

export function startPlayer(state) {
  const byId = (id) => document.getElementById(id);
  const [scrub, button] = [byId("scrub"), byId("play")];
  let begun;
  let asked = false;

  const step = (now) => {
    asked = false;
    const { clip, playing, frame } = state;
    if (!clip || !playing) return;
    begun ??= now - (frame * 1000) / RATE;
    const [steps, last] = [Math.floor(((now - begun) * RATE) / 1000), clip.images.length - 1];
    const next = clip.loop ? steps % (last + 1) : Math.min(steps, last);
    if (next !== frame) state.set({ frame: next });
    if (!clip.loop && next === last) state.set({ playing: false });
    else ask();
  };
  const ask = () => {
    if (!asked) requestAnimationFrame(step);
    asked = true;
  };
  const toggle = () => {
    if (!state.clip) return;
    begun = undefined;
    const isOver = !state.clip.loop && state.frame === state.clip.images.length - 1;
    state.set({ playing: !state.playing, inClip: true, frame: isOver ? 0 : state.frame });
  };

  button.addEventListener("click", toggle);
  scrub.addEventListener("input", () => state.set({ playing: false, inClip: true, frame: Number(scrub.value), pointer: undefined }));
  state.on("clip frame playing making", () => {
    const { clip, frame, playing, making } = state;
    const count = clip?.images.length ?? 0;
    for (const id of ["play", "scrub"]) byId(id).disabled = count === 0;
    for (const id of ["save-gif", "save-sheet", "copy"]) byId(id).disabled = count === 0 && !making;
    byId("making").hidden = !making;
    button.classList.toggle("playing", playing);
    button.setAttribute("aria-pressed", String(playing));
    scrub.max = Math.max(1, count - 1);
    scrub.value = frame;
    byId("frame").textContent = count > 0 ? `${(frame / RATE).toFixed(1)} / ${(count / RATE).toFixed(1)}` : "";
    if (playing) ask();
    else begun = undefined;
  });
  return toggle;
}
