// Modules of the page by themselves, in the browser that runs them.
import assert from "node:assert/strict";
import { open } from "./chromium.mjs";
import { clean } from "./steps.mjs";

async function within({ browser, address }, work) {
  const page = await open(browser);
  await page.visit(address);
  const found = await page.value(`(${work})()`);
  await clean(page);
  return found;
}

export const moduleTests = [
  ["a GIF keeps every grey of noise, and the browser reads all of it", async (context) => {
    const found = await within(context, async () => {
      const { encodeGif } = await import("/page/gif.js");
      const [width, height] = [301, 203];
      let seed = 7;
      const random = () => (seed = (seed * 1103515245 + 12345) % 2147483648) >> 16;
      const frames = Array.from({ length: 3 }, () => {
        const frame = new Uint8ClampedArray(4 * width * height);
        for (let at = 0; at < frame.length; at += 4) frame.set([...new Array(3).fill(random() & 255), 255], at);
        return frame;
      });
      const decoder = new ImageDecoder({ data: await encodeGif(frames, { width, height, centiseconds: 4, repeats: true }), type: "image/gif" });
      await decoder.completed;
      let wrong = 0;
      for (let frameIndex = 0; frameIndex < frames.length; frameIndex += 1) {
        const { image } = await decoder.decode({ frameIndex });
        const canvas = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
        canvas.drawImage(image, 0, 0);
        const { data } = canvas.getImageData(0, 0, width, height);
        wrong += data.reduce((sum, value, at) => sum + Number(value !== frames[frameIndex][at]), 0);
      }
      return { count: decoder.tracks.selectedTrack.frameCount, wrong };
    });
    assert.deepEqual(found, { count: 3, wrong: 0 });
  }],

  ["a GIF in colour is close to its frames", async (context) => {
    const largest = await within(context, async () => {
      const { encodeGif } = await import("/page/gif.js");
      const side = 64;
      const frame = new Uint8ClampedArray(4 * side * side);
      for (let at = 0; at < side * side; at += 1) frame.set([4 * (at % side), 4 * Math.floor(at / side), 90, 255], 4 * at);
      const decoder = new ImageDecoder({ data: await encodeGif([frame], { width: side, height: side, centiseconds: 4, repeats: true }), type: "image/gif" });
      const { image } = await decoder.decode();
      const canvas = new OffscreenCanvas(side, side).getContext("2d", { willReadFrequently: true });
      canvas.drawImage(image, 0, 0);
      const { data } = canvas.getImageData(0, 0, side, side);
      return data.reduce((most, value, at) => Math.max(most, Math.abs(value - frame[at])), 0);
    });
    assert.ok(largest > 0 && largest <= 20, `${largest} levels`);
  }],

  ["what is forgotten is neither begun nor delivered, and what is asked next is", async (context) => {
    const found = await within(context, async () => {
      const { latest } = await import("/page/latest.js");
      const [begun, delivered] = [[], []];
      const answers = {};
      const ask = latest(
        (what) => new Promise((done, refuse) => (begun.push(what), (answers[what] = { done, refuse }))),
        (result) => delivered.push(result),
        (error) => delivered.push(String(error)),
      );
      const turn = () => new Promise((done) => setTimeout(done, 0));
      ask("under way"); ask("waits"); ask.forget();
      answers["under way"].done("late"); await turn();
      ask("fails"); ask.forget(); ask("next");
      answers.fails.refuse("late"); await turn();
      answers.next.done("next"); await turn();
      return { begun, delivered };
    });
    assert.deepEqual(found, { begun: ["under way", "fails", "next"], delivered: ["next"] });
  }],

  ["the file's geodesic is straight over a plain, and goes around a hill", async (context) => {
    const { plain, hill } = await within(context, async () => {
      const [{ geodesic }, { along, difference }] = await Promise.all([import("/page/geodesic.js"), import("/page/curves.js")]);
      const bounds = { least: [-3, -3], most: [3, 3] };
      const ends = [[-2, 0.13], [2, 0.13]];
      const walk = (curve, image) => {
        const places = Array.from({ length: 201 }, (_, index) => curve[0](index / 200));
        const images = places.map(image);
        const length = images.slice(1).reduce((sum, now, index) => sum + difference(images[index], now), 0);
        return { length, aside: Math.max(...places.map(([, v]) => Math.abs(v - 0.13))), ends: [places[0], places.at(-1)] };
      };
      const measure = (image) => ({
        line: walk(along("line", ends, false), image),
        way: walk(geodesic(ends, false, image, bounds), image),
      });
      return {

        plain: measure(([u, v]) => [40 * u, 40 * v]),
        hill: measure(([u, v]) => [40 * u, 40 * v, 200 * Math.exp(-(u * u + v * v))]),
      };
    });
    assert.ok(plain.way.length < 1.002 * plain.line.length && plain.way.aside < 0.1, JSON.stringify(plain));
    assert.ok(hill.way.length < 0.8 * hill.line.length && hill.way.aside > 0.8, JSON.stringify(hill));
    for (const { way } of [plain, hill]) assert.deepEqual(way.ends, [[-2, 0.13], [2, 0.13]]);
  }],

  ["curves go through their key points, and frames change evenly", async (context) => {
    const { misses, ratio } = await within(context, async () => {
      const { along, difference, pace } = await import("/page/curves.js");
      const keys = [[-1, 0.4], [0.3, 1.2], [1.5, -0.2], [0.2, -1]];
      const misses = ["line", "spherical", "spline"].flatMap((kind) => [true, false].map((loop) => {
        const curve = along(kind, keys, loop);
        return Math.max(...curve.map((segment, index) => {
          const [from, to] = [segment(0), segment(1)];
          const next = keys[(index + 1) % keys.length];
          return Math.hypot(from[0] - keys[index][0], from[1] - keys[index][1], to[0] - next[0], to[1] - next[1]);
        }));
      }));
      const image = ([u, v]) => [50 * u, 20 * v ** 3];
      const frames = pace(along("spline", keys, false), false, 60, image).map(image);
      const steps = frames.slice(1).map((now, index) => difference(frames[index], now));
      return { misses, ratio: Math.max(...steps) / (steps.reduce((sum, step) => sum + step) / steps.length) };
    });
    assert.ok(misses.every((miss) => miss < 1e-9), String(misses));
    assert.ok(ratio < 1.1, `${ratio}`);
  }],

  ["a plane goes through its base, and its places are those of its points", async (context) => {
    const misses = await within(context, async () => {
      const { Plane } = await import("/page/plane.js");
      const components = [[0.6, 0.8, 0], [-0.8, 0.6, 0]];
      const model = { latent: 3, components, centre: [1, -2, 0.5] };
      const apart = (a, b) => Math.hypot(...a.map((value, index) => value - b[index]));
      return [["p0", "p1"], ["p1", "p0"], ["0", "2"]].flatMap((axes) => {
        const base = [0.3, 0.7, -1.1];
        const plane = new Plane(model, axes, base);
        return [apart(plane.point(plane.place(base)), base), apart(plane.place(plane.point([0.4, -1.3])), [0.4, -1.3])];
      });
    });
    assert.ok(misses.every((miss) => miss < 1e-12), String(misses));
  }],
];
