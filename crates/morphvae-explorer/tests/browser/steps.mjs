// What several tests of the page do.
import assert from "node:assert/strict";

/** The RGBA bytes of a canvas, read from a copy: a browser remarks on a canvas that is read often. */
const pixelsOf = (canvas) => `(() => {
  const canvas = ${canvas};
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  return copy.getImageData(0, 0, canvas.width, canvas.height).data;
})()`;

/** Expressions for the page. */
export const inPage = {
  /** How many colours a canvas has. */
  coloursOf: (selector) => `new Set(new Uint32Array(${pixelsOf(`document.querySelector(${JSON.stringify(selector)})`)}.buffer)).size`,
  /** The RGBA bytes of a canvas. */
  pixelsOf: (selector) => `[...${pixelsOf(`document.querySelector(${JSON.stringify(selector)})`)}]`,
  /** Sets a control and tells the page. */
  choose: (selector, value) => `(() => {
    const control = document.querySelector(${JSON.stringify(selector)});
    control.value = ${JSON.stringify(value)};
    control.dispatchEvent(new Event("input", { bubbles: true }));
    control.dispatchEvent(new Event("change", { bubbles: true }));
  })()`,
};

/** Nothing was written to the console; then the page is closed. */
export async function clean(page) {
  assert.deepEqual(page.complaints, []);
  await page.close();
}

/** Compares the large picture with what the program decodes there: the latent, and the largest difference of a pixel. */
export async function decodedLike(page, address = "", given = undefined) {
  await page.value("new Promise((done) => setTimeout(done, 250))");
  const { latent, shown } = await page.value(`(() => {
    const pixels = ${pixelsOf('document.querySelector("#decoded")')};
    const { latent } = document.querySelector("#decoded").dataset;
    return { latent, shown: Array.from({ length: pixels.length / 4 }, (_, index) => pixels[4 * index]) };
  })()`);
  const base = address || new URL(await page.value("location.href")).origin;
  const response = await fetch(`${base}/api/decode`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ points: [JSON.parse(latent)], given }),
  });
  const decoded = new Uint8Array(await response.arrayBuffer());
  assert.equal(decoded.length, shown.length);
  return { latent, largest: Math.max(...shown.map((value, index) => Math.abs(value - decoded[index]))) };
}

/** Places key points on the map, given as shares of its sides. */
export async function placeKeys(page, places) {
  const ALT = 1;
  for (const place of places) await page.click("#map", place, { modifiers: ALT });
  await page.until(`document.querySelectorAll('#keys li').length === ${places.length}`);
  await page.until("!document.querySelector('#play').disabled");
}

/** How long a browser shows each frame of a GIF, in milliseconds. */
export async function framesOf(page, bytes) {
  return page.value(`(async () => {
    const data = Uint8Array.from(atob("${bytes.toString("base64")}"), (letter) => letter.charCodeAt(0));
    const decoder = new ImageDecoder({ data, type: "image/gif" });
    await decoder.completed;
    await decoder.tracks.ready;
    const { frameCount } = decoder.tracks.selectedTrack;
    const frames = [];
    for (let frameIndex = 0; frameIndex < frameCount; frameIndex += 1) frames.push((await decoder.decode({ frameIndex })).image.duration / 1000);
    return frames;
  })()`);
}

/** Draws a zero on the pad, and waits until it is encoded. */
export async function drawZero(page) {
  // Until all pictures are there, the pad may move.
  await page.until("document.querySelector('#near-list li') && document.querySelector('#keys canvas')?.width === 32");
  const stroke = [];
  for (let step = 0; step <= 24; step += 1) {
    const angle = (step / 24) * 2 * Math.PI;
    stroke.push(await page.place("#pad", [0.5 + 0.2 * Math.sin(angle), 0.5 - 0.32 * Math.cos(angle)]));
  }
  await page.drag(stroke);
  // Every step of the hand is encoded, and the last one comes last.
  await page.until("!document.querySelector('#pad-key').disabled && document.querySelector('.seen').ariaBusy === 'false'");
}

/** What the browser's own decoder finds in a GIF; `largest` is by how much a first frame's pixel is off in grey. */
export async function gifIn(page, bytes) {
  return page.value(`(async () => {
    const data = Uint8Array.from(atob("${bytes.toString("base64")}"), (letter) => letter.charCodeAt(0));
    const decoder = new ImageDecoder({ data, type: "image/gif" });
    await decoder.completed;
    await decoder.tracks.ready;
    const { frameCount: frames, repetitionCount } = decoder.tracks.selectedTrack;
    const { image } = await decoder.decode({ frameIndex: 0 });
    const side = image.displayWidth;
    const paint = (source) => {
      const context = new OffscreenCanvas(side, side).getContext("2d");
      context.imageSmoothingQuality = "high";
      context.drawImage(source, 0, 0, side, side);
      return context.getImageData(0, 0, side, side).data;
    };
    for (let frameIndex = 1; frameIndex < frames; frameIndex += 1) (await decoder.decode({ frameIndex })).image.close();
    const scrub = document.querySelector("#scrub");
    scrub.value = 0;
    scrub.dispatchEvent(new Event("input"));
    await new Promise((done) => setTimeout(done, 200));
    const [found, expected] = [paint(image), paint(document.querySelector("#decoded"))];
    const grey = found.every((value, index) => index % 4 === 3 || value === found[index - (index % 4)]);
    const largest = found.reduce((most, value, index) => Math.max(most, Math.abs(value - expected[index])), 0);
    return { frames, width: side, height: image.displayHeight, milliseconds: image.duration / 1000, repeats: repetitionCount === Infinity, grey, largest };
  })()`);
}
