/** Pictures of any size as a network takes them: square, as the images were made that it learned from. */

/** Channels that differ by no more than this are grey. */
const GREY = 8;

/** A canvas as bytes `[channels, size, size]`, as the program makes them of an image file (`data/folder/picture.rs`). */
export function square(canvas, { channels, image_size: size, fit }) {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const picture = { width, height, planes: [0, 1, 2].map((channel) => Float32Array.from({ length: width * height }, (_, at) => data[4 * at + channel])) };
  const [red, green, blue] = MADE[fit](picture, size).planes.map((plane) => Uint8ClampedArray.from(plane));
  const isColoured = red.some((_, at) => Math.max(red[at], green[at], blue[at]) - Math.min(red[at], green[at], blue[at]) > GREY);
  const grey = () => red.map((_, at) => Math.floor((2126 * red[at] + 7152 * green[at] + 722 * blue[at]) / 10000));
  const planes = channels === 3 && isColoured ? [red, green, blue] : new Array(channels).fill(grey());
  const bytes = new Uint8Array(channels * size * size);
  planes.forEach((plane, channel) => bytes.set(plane, channel * size * size));
  return bytes;
}

const MADE = {
  stretch: (picture, size) => resized(picture, size, size),
  crop(picture, size) {
    const side = Math.min(picture.width, picture.height);
    const [left, top] = [picture.width, picture.height].map((length) => Math.floor((length - side) / 2));
    return resized(cut(picture, side, side, (x, y) => [x + left, y + top]), size, size);
  },
  pad(picture, size) {
    const longer = Math.max(picture.width, picture.height);
    const [width, height] = [picture.width, picture.height].map((side) => Math.max(1, Math.floor((side * size + Math.floor(longer / 2)) / longer)));
    const [left, top] = [width, height].map((length) => Math.floor((size - length) / 2));
    const inside = (value, length) => Math.min(length - 1, Math.max(0, value));
    return cut(resized(picture, width, height), size, size, (x, y) => [inside(x - left, width), inside(y - top, height)]);
  },
};

/** Another picture, whose pixels come from places of the first. */
function cut({ width: from, planes }, width, height, place) {
  const taken = Int32Array.from({ length: width * height }, (_, at) => {
    const [x, y] = place(at % width, Math.floor(at / width));
    return y * from + x;
  });
  return { width, height, planes: planes.map((plane) => Float32Array.from(taken, (at) => plane[at])) };
}

/** Scaled bilinearly, with the filter widened where the picture shrinks, so that nothing aliases. */
function resized({ width, height, planes }, to, tall) {
  const [across, down] = [weights(width, to), weights(height, tall)];
  const mix = ({ first, shares }, value) => shares.reduce((sum, share, index) => sum + share * value(first + index), 0);
  return {
    width: to,
    height: tall,
    planes: planes.map((plane) => {
      const rows = Float32Array.from({ length: width * tall }, (_, at) => mix(down[Math.floor(at / width)], (y) => plane[y * width + (at % width)]));
      return Float32Array.from({ length: to * tall }, (_, at) => mix(across[at % to], (x) => rows[Math.floor(at / to) * width + x]));
    }),
  };
}

/** For each of `to` pixels of a side, which of `from` pixels it is mixed of. */
function weights(from, to) {
  const ratio = from / to;
  const reach = Math.max(1, ratio);
  return Array.from({ length: to }, (_, index) => {
    const middle = (index + 0.5) * ratio;
    const first = Math.min(from - 1, Math.max(0, Math.floor(middle - reach)));
    const end = Math.min(from, Math.max(first + 1, Math.ceil(middle + reach)));
    const shares = Array.from({ length: end - first }, (_, at) => Math.max(0, 1 - Math.abs(first + at + 0.5 - middle) / reach));
    const sum = shares.reduce((a, b) => a + b, 0);
    return { first, shares: shares.map((share) => share / sum) };
  });
}
