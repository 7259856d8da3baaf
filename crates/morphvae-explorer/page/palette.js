/** 256 colours for frames in colour: median cut over a histogram of 15 bits. */

/** The palette, `[256, 3]`, and a function from a frame of RGBA bytes to indices into it. */
export function palette(frames) {
  const counts = new Uint32Array(1 << 15);
  for (const frame of frames) for (let at = 0; at < frame.length; at += 4) counts[cell(frame, at)] += 1;
  const boxes = cut(counts);
  const colours = new Uint8Array(768);
  const nearest = new Uint8Array(1 << 15);
  boxes.forEach((box, index) => {
    const weight = box.reduce((sum, at) => sum + counts[at], 0);
    for (let channel = 0; channel < 3; channel += 1) {
      const sum = box.reduce((total, at) => total + counts[at] * level(at, channel), 0);
      colours[3 * index + channel] = Math.round((sum / weight) * (255 / 31));
    }
    for (const at of box) nearest[at] = index;
  });
  const indices = (frame) => Uint8Array.from({ length: frame.length / 4 }, (_, index) => nearest[cell(frame, 4 * index)]);
  return { colours, indices };
}

function cell(frame, at) {
  return ((frame[at] >> 3) << 10) | ((frame[at + 1] >> 3) << 5) | (frame[at + 2] >> 3);
}

function level(at, channel) {
  return (at >> (10 - 5 * channel)) & 31;
}

/** Boxes of cells: the one with the most pixels times its width is halved at its median, again and again. */
function cut(counts) {
  const boxes = [Array.from(counts.keys()).filter((at) => counts[at] > 0)];
  while (boxes.length < 256) {
    const measured = boxes.map((box) => measure(box, counts));
    const most = Math.max(...measured.map(({ worth }) => worth));
    if (most === 0) break;
    const chosen = measured.findIndex(({ worth }) => worth === most);
    const { channel, weight } = measured[chosen];
    const sorted = boxes[chosen].sort((a, b) => level(a, channel) - level(b, channel));
    let sum = 0;
    let middle = 0;
    while (middle < sorted.length - 1 && sum + counts[sorted[middle]] <= weight / 2) sum += counts[sorted[middle++]];
    middle = Math.max(1, middle);
    boxes.splice(chosen, 1, sorted.slice(0, middle), sorted.slice(middle));
  }
  return boxes;
}

function measure(box, counts) {
  const weight = box.reduce((sum, at) => sum + counts[at], 0);
  const widths = [0, 1, 2].map((channel) => {
    const levels = box.map((at) => level(at, channel));
    return levels.reduce((a, b) => Math.max(a, b), 0) - levels.reduce((a, b) => Math.min(a, b), 31);
  });
  const channel = widths.indexOf(Math.max(...widths));
  return { channel, weight, worth: box.length > 1 ? weight * widths[channel] : 0 };
}
