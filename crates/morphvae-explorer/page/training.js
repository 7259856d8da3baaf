/** The view of a training, under way or done: the map moves with the epochs, and the curves grow. */
import { text } from "./language.js";
import { latest } from "./latest.js";
import { startReplay } from "./replay.js";

/** Past epochs come all at once: the map moves for the last of them, so many milliseconds later. */
const GATHERED = 30;

/**
 * Watches a training, if there is one under way, and replays what is kept of it; `move` is called after each epoch and gives
 * a promise, and `colours` gives those of the map. Gives back what draws the curves.
 */
export function startTraining(state, source, { move, colours }, failed) {
  const figure = document.getElementById("curves");
  const canvas = figure.querySelector("canvas");
  const epochs = new Map();
  let [whole, shown] = [0, undefined];
  let wait;

  const { watching, replay } = state.model;
  const draw = () => {
    // Of a run that is over, one epoch alone is no course.
    figure.hidden = epochs.size < (watching ? 1 : 2);
    if (figure.hidden) return;
    const lines = [...epochs.values()].sort((a, b) => a.epoch - b.epoch);
    figure.querySelector("figcaption").textContent = text("epochOf", { epoch: shown ?? lines.at(-1).epoch, epochs: whole });
    curves(canvas, lines, whole, shown);
  };
  const look = startReplay(state, source, colours, (kept, now) => {
    for (const epoch of kept) if (!epochs.has(epoch.epoch)) epochs.set(epoch.epoch, epoch);
    whole = Math.max(whole, ...epochs.keys());
    shown = now;
    draw();
  });
  if (replay) look().catch(failed);
  if (!watching) return draw;
  // An epoch that ends while the map takes the one before is not forgotten.
  const follow = latest(
    async () => {
      await move();
      if (state.model.replay) await look();
    },
    () => {},
    failed,
  );
  source.watch(({ epochs: count, metrics }) => {
    epochs.set(metrics.epoch, metrics);
    whole = count;
    draw();
    clearTimeout(wait);
    wait = setTimeout(() => follow(true), GATHERED);
  }, failed);
  return draw;
}

function curves(canvas, lines, whole, shown) {
  const style = getComputedStyle(canvas);
  const { width, height } = canvas.getBoundingClientRect();
  const ratio = window.devicePixelRatio;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const losses = lines.flatMap((line) => [line.train_loss, line.test_loss]);
  const [least, most] = [Math.min(...losses), Math.max(...losses)];
  const [left, right, top, bottom] = [6, width - 92, 14, height - 14];
  const x = (epoch) => left + ((epoch - 1) / Math.max(1, whole - 1)) * (right - left);
  const y = (loss) => bottom - ((loss - least) / Math.max(1e-9, most - least)) * (bottom - top);
  if (shown !== undefined) {
    context.fillStyle = style.getPropertyValue("--track");
    context.fillRect(x(shown) - 0.5, 0, 1, height);
  }
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  const last = lines.at(-1);
  const close = Math.abs(y(last.train_loss) - y(last.test_loss)) < 13;
  for (const [name, isTest] of [["train_loss", false], ["test_loss", true]]) {
    context.strokeStyle = context.fillStyle = style.getPropertyValue(isTest ? "--ink" : "--soft");
    context.setLineDash(isTest ? [] : [3, 3]);
    context.lineWidth = isTest ? 2 : 1.5;
    context.beginPath();
    for (const line of lines) context.lineTo(x(line.epoch), y(line[name]));
    context.stroke();
    context.setLineDash([]);
    context.beginPath();
    context.arc(x(last.epoch), y(last[name]), 2.5, 0, 7);
    context.fill();
    const away = close ? (isTest === last.test_loss > last.train_loss ? -6.5 : 6.5) : 0;
    const words = `${text(isTest ? "test" : "train")} ${last[name].toFixed(1)}`;
    context.fillText(words, x(last.epoch) + 8, y(last[name]) + away);
  }
}
