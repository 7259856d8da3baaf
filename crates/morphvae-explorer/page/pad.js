/** The pad: what is drawn on it is encoded while it is drawn. */
import { fitDrawing } from "./fit.js";

/** Pixels of the pad's canvas along a side, and of the pen. */
const SIDE = 224;
const PEN = 17;

/** `drawn` gets bytes as the network takes them after each stroke's step; `cleared` is called when all is wiped. */
export function startPad(canvas, model, drawn, cleared) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const hint = document.getElementById("pad-hint");
  let last;

  const wipe = () => {
    canvas.width = canvas.height = SIDE;
    context.fillStyle = "#000";
    context.fillRect(0, 0, SIDE, SIDE);
    context.strokeStyle = "#fff";
    context.lineCap = context.lineJoin = "round";
    hint.hidden = false;
    cleared();
  };
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
  };
  const stroke = (event) => {
    for (const step of event.getCoalescedEvents?.().length ? event.getCoalescedEvents() : [event]) {
      const now = at(step);
      // A pen that is pressed harder draws thicker.
      context.lineWidth = PEN * (step.pointerType === "pen" && step.pressure > 0 ? 0.6 + 0.8 * step.pressure : 1);
      context.beginPath();
      context.moveTo(...last);
      context.lineTo(...now);
      context.stroke();
      last = now;
    }
    const bytes = fitDrawing(canvas, model);
    if (bytes) drawn(bytes);
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    hint.hidden = true;
    last = at(event);
    stroke(event);
  });
  canvas.addEventListener("pointermove", (event) => last && stroke(event));
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => (last = undefined));
  wipe();
  return wipe;
}
