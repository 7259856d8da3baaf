// Modules of the page by themselves, in the browser that runs them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { clean } from "./steps.mjs";

async function within({ browser, address }, work) {
  const page = await browser.open();
  await page.visit(address);
  const found = await page.value(`(${work})()`);
  await clean(page);
  return found;
}

/** A module that imports none, here and not in the page. */
function here(name) {
  const text = readFileSync(new URL(`../../page/${name}`, import.meta.url), "utf8");
  return import(`data:text/javascript,${encodeURIComponent(text)}`);
}

export const moduleTests = [
  ["matrices are multiplied by WebAssembly as by hand, whatever their size", async () => {
    const { kernel, plain, PANEL } = await here("gemm.js");
    for (const [rows, inner, columns] of [[1, 1, 8], [4, 4, 8], [5, 7, 16], [3, 2, 8], [9, 33, 24], [1, 70, 40]]) {
      const [a, b] = [rows * inner, inner * columns].map((length, seed) => Float32Array.from({ length }, (_, index) => Math.sin((seed + 2) * (index + 1))));
      for (const make of [kernel, plain]) {
        const { floats, multiply } = await make(a.length + b.length + rows * columns + 3);
        assert.equal(make === kernel, multiply.name !== "multiply", "WebAssembly is there");
        floats.set(a, 3);
        for (let row = 0; row < inner; row += 1) {
          for (let column = 0; column < columns; column += 1) floats[3 + a.length + (column - (column % PANEL)) * inner + row * PANEL + (column % PANEL)] = b[row * columns + column];
        }
        multiply(3, 3 + a.length, 3 + a.length + b.length, rows, inner, columns);
        for (let at = 0; at < rows * columns; at += 1) {
          let sum = 0;
          for (let index = 0; index < inner; index += 1) sum += a[Math.floor(at / columns) * inner + index] * b[index * columns + (at % columns)];
          assert.ok(Math.abs(sum - floats[3 + a.length + b.length + at]) < 1e-5, `${rows} ${inner} ${columns}: ${at}`);
        }
      }
    }
  }],

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

  ["the file's geodesic is straight over a plain, and goes around a hill, in a plane and in a space", async (context) => {
    const found = await within(context, async () => {
      const [{ geodesic }, { along, difference }] = await Promise.all([import("/page/geodesic.js"), import("/page/curves.js")]);
      const walk = (curve, image) => {
        const places = Array.from({ length: 201 }, (_, index) => curve[0](index / 200));
        const images = places.map(image);
        const length = images.slice(1).reduce((sum, now, index) => sum + difference(images[index], now), 0);
        return { length, aside: Math.max(...places.map(([, v]) => Math.abs(v - 0.13))), places: [places[0], places.at(-1)] };
      };
      const measure = async (ends, image) => {
        const images = async (points) => points.map((point) => Float32Array.from(image(point)));
        return { ends, line: walk(along("line", ends, false), image), way: walk(await geodesic(ends, false, images), image) };
      };
      const plain = ([u, v]) => [0.4 * u, 0.4 * v];
      const hill = (point) => [...point.map((value) => 0.4 * value), 2 * Math.exp(-point.reduce((sum, value) => sum + value * value, 0))];
      const plane = [[-2, 0.13], [2, 0.13]];
      return { plain: await measure(plane, plain), hill: await measure(plane, hill), space: await measure(plane.map((end) => [...end, 0.1]), hill) };
    });
    const { plain, hill, space } = found;
    assert.ok(plain.way.length < 1.002 * plain.line.length && plain.way.aside < 0.1, JSON.stringify(plain));
    assert.ok(hill.way.length < 0.8 * hill.line.length && hill.way.aside > 0.8, JSON.stringify(hill));
    assert.ok(space.way.length < 0.9 * space.line.length, JSON.stringify(space));
    for (const { way, ends } of [plain, hill, space]) assert.deepEqual(way.places, ends);
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
      const points = await pace(along("spline", keys, false), false, 60, async (places) => places.map(image));
      const frames = points.map(image);
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
