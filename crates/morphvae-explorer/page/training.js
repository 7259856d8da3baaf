/** The view of a training under way: after each epoch the map moves and the curves grow. */
import { text } from "./language.js";
import { latest } from "./latest.js";

/** Past epochs come all at once: the map moves for the last of them, so many milliseconds later. */
const GATHERED = 30;

/** Watches a training; `move` is called after each epoch and gives a promise. Gives back what draws the curves. */
export function startTraining(source, move, failed) {
  const figure = document.getElementById("curves");
  const canvas = figure.querySelector("canvas");
  const epochs = new Map();
  // An epoch that ends while the map takes the one before is not forgotten.
  const follow = latest(move, () => {}, failed);
  let whole = 0;
  let wait;

  const draw = () => {
    figure.hidden = epochs.size === 0;
    if (figure.hidden) return;
    const lines = [...epochs.values()].sort((a, b) => a.epoch - b.epoch);
    figure.querySelector("figcaption").textContent = text("epochOf", { epoch: lines.at(-1).epoch, epochs: whole });
    curves(canvas, lines, whole);
  };
  source.watch(({ epochs: count, metrics }) => {
    epochs.set(metrics.epoch, metrics);
    whole = count;
    draw();
    clearTimeout(wait);
    wait = setTimeout(() => follow(metrics.epoch), GATHERED);
  }, failed);
  return draw;
}

function curves(canvas, lines, whole) {
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
