/** The quiet parts of the map: lines at round numbers, their numbers, and the prior's circles. */

/** `names` are those of the axes, across and up. */
export function drawGrid(context, view, inks, { isLine, isPrior, insets, names }) {
  const step = roundStep(90 / view.scale);
  const [left, bottom, right, top] = view.bounds;
  context.lineWidth = 1;
  context.font = "11px system-ui, sans-serif";
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const number = (value) => value.toFixed(digits).replace("-", "−").replace(/^−(0(\.0+)?)$/, "$1");
  for (let index = Math.ceil(left / step); index * step <= right; index += 1) {
    const x = Math.round(view.pixel([index * step, 0])[0]) + 0.5;
    rule(context, inks.line, [x, 0], [x, view.height]);
    label(context, inks, number(index * step), [x, view.height - insets.bottom - 10], "center");
  }
  for (let index = Math.ceil(bottom / step); !isLine && index * step <= top; index += 1) {
    const y = Math.round(view.pixel([0, index * step])[1]) + 0.5;
    rule(context, inks.line, [0, y], [view.width, y]);
    if (y < view.height - insets.bottom - 26 && y > insets.top + 22) label(context, inks, number(index * step), [12, y], "left");
  }
  if (isPrior) drawPrior(context, view, inks);
  context.font = "600 12px system-ui, sans-serif";
  label(context, inks, `${names[0]} →`, [view.width - 14, view.height - insets.bottom - 26], "right");
  if (!isLine) label(context, inks, `↑ ${names[1]}`, [12, insets.top + 6], "left");
}

/** One and two standard deviations of the prior. */
function drawPrior(context, view, inks) {
  context.setLineDash([2, 5]);
  context.strokeStyle = inks.soft;
  const [x, y] = view.pixel([0, 0]);
  for (const deviations of [1, 2]) {
    context.beginPath();
    context.arc(x, y, deviations * view.scale, 0, 7);
    context.stroke();
  }
  context.setLineDash([]);
}

function rule(context, colour, from, to) {
  context.strokeStyle = colour;
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

function label(context, inks, words, [x, y], align) {
  context.textAlign = align;
  context.textBaseline = "middle";
  context.lineWidth = 4;
  context.lineJoin = "round";
  context.strokeStyle = inks.paper;
  context.strokeText(words, x, y);
  context.lineWidth = 1;
  context.fillStyle = inks.soft;
  context.fillText(words, x, y);
}

/** The least of 1, 2, 5, 10, ... times a power of ten that is at least `least`. */
function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least * 0.999);
}
