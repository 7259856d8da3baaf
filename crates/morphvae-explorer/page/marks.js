/** Marks of the map: points, class names, key points, the ellipse of an uncertain one. */
import { inkOn, rim } from "./colour.js";

/** The encoded images: dots from afar, the names of their classes from near. */
export function drawPoints(context, view, { cloud, model, hidden, lit, found, colours, inks, opacity, glide }) {
  if (opacity === 0) return;
  const radius = Math.min(4.5, Math.max(1.7, 2 * Math.sqrt(view.scale / 110)));
  const named = view.scale > 420 && model.classes.every((name) => name.length <= 2);
  const ratio = context.getTransform().a;
  const sprites = new Map();
  for (const index of cloud.order) {
    const label = cloud.labels[index];
    if (hidden.has(label)) continue;
    const [x, y] = view.pixel(glide ? glide(index) : cloud.place(index));
    if (x < -9 || y < -9 || x > view.width + 9 || y > view.height + 9) continue;
    if (!sprites.has(label)) {
      const colour = colours[label] ?? colours.plain;
      sprites.set(label, named && model.classes[label] ? letter(model.classes[label], colour, ratio) : mark(model.shapes[label], radius, colour, rim(colour, inks.paper), ratio));
    }
    const sprite = sprites.get(label);
    // What has no label is quiet beside what has one.
    const strength = model.labelled && !(label in colours) ? 0.4 * opacity : opacity;
    const isLit = (lit === undefined || lit === label) && (found === undefined || found.has(index));
    context.globalAlpha = isLit ? strength : 0.12 * strength;
    const [width, height] = [sprite.width / ratio, sprite.height / ratio];
    context.drawImage(sprite, x - width / 2, y - height / 2, width, height);
  }
  context.globalAlpha = 1;
}

/** Corners of the shapes that are no discs, in radii: each is as large as a disc. */
const CORNERS = {
  triangle: [[0, -1.555], [1.347, 0.777], [-1.347, 0.777]],
  square: [[-0.886, -0.886], [0.886, -0.886], [0.886, 0.886], [-0.886, 0.886]],
  plus: cross(0),
  diamond: [[0, -1.253], [1.253, 0], [0, 1.253], [-1.253, 0]],
  "triangle-down": [[0, 1.555], [1.347, -0.777], [-1.347, -0.777]],
  cross: cross(Math.PI / 4),
};

/** Two bars of equal length, turned. */
function cross(angle) {
  const [length, width] = [1.25, 0.44];
  const arm = [[-width, -width], [-width, -length], [width, -length]];
  return [0, 1, 2, 3].flatMap((quarter) => {
    const [cosine, sine] = [Math.cos(angle + quarter * Math.PI / 2), Math.sin(angle + quarter * Math.PI / 2)];
    return arm.map(([x, y]) => [x * cosine - y * sine, x * sine + y * cosine]);
  });
}

/** What a class's points look like; without a class, a disc. */
function mark(shape, radius, colour, edge, ratio) {
  const reach = shape in CORNERS ? 1.6 : 1;
  return sprite(2 * reach * radius + 3, ratio, (context, middle) => {
    context.fillStyle = colour;
    trace(context, shape, [middle, middle], radius);
    context.fill();
    if (!edge) return;
    [context.strokeStyle, context.lineWidth] = [edge, 0.8];
    context.stroke();
  });
}

/** Puts the outline of a shape into the context's path. */
export function trace(context, shape, [x, y], radius) {
  context.beginPath();
  const corners = CORNERS[shape];
  if (corners) for (const [across, down] of corners) context.lineTo(x + across * radius, y + down * radius);
  else context.arc(x, y, radius, 0, 7);
  context.closePath();
}

function letter(name, colour, ratio) {
  return sprite(18, ratio, (context, middle) => {
    context.fillStyle = colour;
    context.font = "600 13px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(name, middle, middle + 0.5);
  });
}

function sprite(side, ratio, paint) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.ceil(side * ratio);
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  paint(context, canvas.width / ratio / 2);
  return canvas;
}

/** The names of the classes, where their points are; names that would touch are pushed apart. */
export function drawNames(context, view, { middles, model, hidden, lit, colours, inks, opacity }) {
  const names = [];
  middles.forEach((middle, label) => {
    if (middle && !hidden.has(label)) names.push({ label, at: view.pixel(middle) });
  });
  context.font = "650 14px system-ui, sans-serif";
  for (const name of names) name.width = Math.max(24, context.measureText(model.classes[name.label]).width + 14);
  pushApart(names);
  for (const { label, at, width } of names) {
    context.globalAlpha = lit === undefined || lit === label ? opacity : 0.25 * opacity;
    pill(context, at, width, 12, colours[label], inks.paper);
    context.fillStyle = inkOn(colours[label]);
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(model.classes[label], at[0], at[1] + 1);
  }
  context.globalAlpha = 1;
}

function pushApart(names) {
  for (let turn = 0; turn < 40; turn += 1) {
    let moved = false;
    names.forEach((a, index) => {
      for (const b of names.slice(0, index)) {
        const [dx, dy] = [a.at[0] - b.at[0] || 0.01, a.at[1] - b.at[1]];
        const room = [(a.width + b.width) / 2 + 3, 28];
        const closeness = Math.hypot(dx / room[0], dy / room[1]);
        if (closeness >= 1) continue;
        const push = (0.5 * (1 - closeness)) / Math.max(closeness, 0.05);
        const [px, py] = [dx * push, dy * push].map((value) => Math.max(-8, Math.min(8, value)));
        a.at = [a.at[0] + px, a.at[1] + py];
        b.at = [b.at[0] - px, b.at[1] - py];
        moved = true;
      }
    });
    if (!moved) break;
  }
}

function pill(context, [x, y], width, radius, fill, rim) {
  context.beginPath();
  context.roundRect(x - width / 2, y - 12, width, 24, radius);
  context.fillStyle = fill;
  context.fill();
  context.lineWidth = 2;
  context.strokeStyle = rim;
  context.stroke();
}

/** What a key point is called: A to Z, then AA, AB, ... Classes may be numbers. */
export function letters(index) {
  const letter = String.fromCharCode(65 + (index % 26));
  return index < 26 ? letter : letters(Math.floor(index / 26) - 1) + letter;
}

/** A path through the plane and its key points, lettered. */
export function drawPath(context, view, { places, keys, selected, inks }) {
  if (places.length > 1) {
    const line = () => {
      context.beginPath();
      for (const place of places) context.lineTo(...view.pixel(place));
      context.stroke();
    };
    context.lineJoin = context.lineCap = "round";
    [context.strokeStyle, context.lineWidth] = [inks.paper, 6];
    line();
    [context.strokeStyle, context.lineWidth] = [inks.ink, 2.25];
    line();
  }
  keys.forEach((place, index) => {
    const [x, y] = view.pixel(place);
    context.font = "600 12px system-ui, sans-serif";
    pill(context, [x, y], 23, 6, inks.ink, index === selected ? inks.mark : inks.paper);
    if (index === selected) {
      context.lineWidth = 3;
      context.stroke();
    }
    context.fillStyle = inks.paper;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(letters(index), x, y + 1);
  });
}

/** A drawn or dropped image on the map: its mean, and ellipses of one and two standard deviations. */
export function drawEllipse(context, view, place, [[uu, uv], [, vv]], inks) {
  const [x, y] = view.pixel(place);
  const middle = (uu + vv) / 2;
  const reach = Math.hypot((uu - vv) / 2, uv);
  const radii = [middle + reach, middle - reach].map((variance) => Math.sqrt(Math.max(variance, 0)) * view.scale);
  const angle = -Math.atan2(2 * uv, uu - vv) / 2;
  for (const deviations of [2, 1]) {
    context.beginPath();
    context.ellipse(x, y, Math.max(deviations * radii[0], 3), Math.max(deviations * radii[1], 3), angle, 0, 7);
    context.globalAlpha = 0.25;
    context.fillStyle = inks.mark;
    context.fill();
    context.globalAlpha = 1;
    for (const [colour, width] of [[inks.paper, 4], [inks.mark, 2]]) {
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.stroke();
    }
  }
  context.beginPath();
  context.arc(x, y, 3.5, 0, 7);
  context.fillStyle = inks.mark;
  context.fill();
  context.strokeStyle = inks.paper;
  context.stroke();
}

/** A part of the plane that is selected. */
export function drawRegion(context, view, region, inks) {
  context.beginPath();
  for (const place of region) context.lineTo(...view.pixel(place));
  context.closePath();
  context.globalAlpha = 0.1;
  context.fillStyle = inks.mark;
  context.fill();
  context.globalAlpha = 1;
  context.lineJoin = "round";
  for (const [colour, width] of [[inks.paper, 4], [inks.mark, 2]]) {
    [context.strokeStyle, context.lineWidth] = [colour, width];
    context.stroke();
  }
}

/** The cursor: a ring with four short hairs; filled, where it runs along a path. */
export function drawCursor(context, pixel, inks, isFilled) {
  if (isFilled) {
    context.beginPath();
    context.arc(...pixel, 9, 0, 7);
    context.fillStyle = inks.paper;
    context.fill();
  }
  ring(context, pixel, 9, inks);
  const [x, y] = pixel;
  for (const [colour, width] of [[inks.paper, 4], [inks.ink, 1.75]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(x + 9 * dx, y + 9 * dy);
      context.lineTo(x + 16 * dx, y + 16 * dy);
    }
    context.stroke();
  }
}

/** A ring around a point that is pointed at. */
export function ring(context, [x, y], radius, inks) {
  for (const [colour, width] of [[inks.paper, 4.5], [inks.ink, 2]]) {
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  }
}
