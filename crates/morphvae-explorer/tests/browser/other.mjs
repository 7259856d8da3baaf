// Other than a trained plane with images: a training that is watched, five dimensions, no images.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { clean, decodedLike, framesOf, inPage, placeKeys } from "./steps.mjs";

export const otherTests = [
  ["a training that is watched moves the map and draws its curves", async ({ browser, serve, training }) => {
    const trained = serve([...training, "--watch"]);
    const page = await browser.open();
    await page.visit(await trained.address);
    await page.until("!document.querySelector('#curves').hidden");
    await page.until("document.querySelector('#curves figcaption').textContent.includes('2 of 2')");
    assert.ok((await page.value(inPage.coloursOf("#curves canvas"))) > 2);
    await clean(page);
    await trained.stop();
  }],

  ["a training is followed from the first moment on, and by whoever comes or looks closer later", async ({ browser, serve, training, folder }) => {
    const longer = training.map((word, index) => ({ "--epochs": "6", "--out": `${folder}/followed` })[training[index - 1]] ?? word);
    const trained = serve([...longer, "--watch"]);
    const address = await trained.address;
    const early = await browser.open();
    await early.visit(address);
    // Points of the map: pixels that are neither paper nor a grey.
    const spread = (page) => page.value(`(() => {
      const canvas = document.querySelector("#map");
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
      copy.drawImage(canvas, 0, 0);
      const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
      let [left, right] = [canvas.width, 0];
      for (let at = 0; at < data.length; at += 4) {
        if (Math.max(data[at], data[at + 1], data[at + 2]) - Math.min(data[at], data[at + 1], data[at + 2]) < 40) continue;
        const x = (at / 4) % canvas.width;
        [left, right] = [Math.min(left, x), Math.max(right, x)];
      }
      return (right - left) / canvas.width;
    })()`);
    await early.click("#closer");
    await early.click("#whole");
    for (const page of [early, await browser.open()]) {
      if (page !== early) await page.visit(address);
      await page.until("document.querySelector('#curves figcaption').textContent.includes('6 of 6')");
      await page.value("new Promise((done) => setTimeout(done, 1500))");
      const share = await spread(page);
      assert.ok(share > 0.35 && share < 0.999, `the points take ${share} of the map`);
      await clean(page);
    }
    await trained.stop();
  }],

  ["a run is replayed, epoch by epoch, while it is watched and when it is explored later", async ({ browser, serve, training, folder, images: data }) => {
    const longer = training.map((word, index) => ({ "--epochs": "4", "--out": `${folder}/replayed` })[training[index - 1]] ?? word);
    const trained = serve([...longer, "--watch"]);
    const explored = () => serve(["explore", `${folder}/replayed`, "--no-open", ...data]);
    for (const start of [() => trained, explored]) {
      const served = start();
      const page = await browser.open();
      await page.visit(await served.address);
      const caption = "document.querySelector('#curves figcaption').textContent";
      await page.until(`!document.querySelector('.replay').hidden && ${caption}.includes('4 of 4') && document.querySelector('#replay').max === '3'`);
      const map = "document.querySelector('#map').toDataURL()";
      await page.value("new Promise((done) => setTimeout(done, 900))");
      const last = await page.value(map);
      // An image of each class above, as it is; what the network makes of it below.
      const rows = () => page.value(inPage.pixelsOf("#rebuilt-all")).then((pixels) => [pixels.slice(0, 4 * 320 * 32), pixels.slice(-4 * 320 * 32)]);
      const [images, after] = await rows();
      await page.value(inPage.choose("#replay", 0));
      await page.until(`${caption}.includes('1 of 4')`);
      await page.until(`${map} !== ${JSON.stringify(last)}`);
      const [same, before] = await rows();
      assert.deepEqual(same, images);
      const away = (rebuilt) => rebuilt.reduce((sum, value, at) => sum + Math.abs(value - images[at]), 0);
      assert.ok(away(after) < away(before), `${away(before)} after an epoch, ${away(after)} after four`);
      await page.click("#replay-play");
      await page.until(`${caption}.includes('4 of 4')`);
      const gif = await framesOf(page, await page.saved("#replay-save", folder));
      // Ten frames from each epoch to the next, and the last stays.
      assert.deepEqual([gif.length, gif[0], gif.at(-1)], [31, 80, 2000]);
      await clean(page);
      await served.stop();
    }
  }],

  ["in a larger space the nearest image is that of the latent space", async ({ browser, serve, out, images }) => {
    const served = serve(["explore", out, "--no-open", ...images]);
    const page = await browser.open();
    const address = await served.address;
    await page.visit(address);
    const bytes = Buffer.from(await (await fetch(`${address}/api/points`)).arrayBuffer());
    const { count, latent } = await (await fetch(`${address}/api/model`)).json();
    const means = Array.from({ length: count }, (_, index) => Array.from({ length: latent }, (_, axis) => bytes.readFloatLE(4 * (index * latent + axis))));
    for (const place of [[0.3, 0.3], [0.7, 0.4], [0.5, 0.8]]) {
      // Dragged, since a point that is pointed at is shown by itself.
      const [x, y] = await page.place("#map", place);
      await page.drag([[x - 60, y], [x - 30, y], [x, y]]);
      await page.mouse("mouseMoved", [5, 5], { button: "none", buttons: 0 });
      await page.value("new Promise((done) => setTimeout(done, 300))");
      const point = JSON.parse(await page.value("document.querySelector('#decoded').dataset.latent"));
      const distances = means.map((mean) => mean.reduce((sum, value, axis) => sum + (value - point[axis]) ** 2, 0));
      const nearest = distances.indexOf(Math.min(...distances));
      const image = new Uint8Array(await (await fetch(`${address}/api/image/${nearest}`)).arrayBuffer());
      const shown = await page.value(`Array.from(document.querySelector("#real").getContext("2d").getImageData(0, 0, 32, 32).data.filter((_, at) => at % 4 === 0))`);
      assert.deepEqual(shown, [...image.subarray(0, 1024)]);
    }
    await page.close();
    await served.stop();
  }],

  ["planes and sliders lead through a larger space", async ({ browser, serve, out, images }) => {
    const served = serve(["explore", out, "--no-open", ...images]);
    const page = await browser.open();
    await page.visit(await served.address);
    // The example stops.
    await page.press("Shift");
    const latent = () => page.value("JSON.parse(document.querySelector('#decoded').dataset.latent)");
    assert.equal(await page.value("document.querySelector('#axis-x').value"), "p0");
    await page.value(inPage.choose("#axis-x", "0"));
    assert.notEqual(await page.value("document.querySelector('#axis-y').value"), "p1");
    const before = (await decodedLike(page)).latent;
    const slider = "#sliders label:not([hidden]) input";
    await page.value(inPage.choose(slider, 1.5));
    assert.equal((await decodedLike(page)).largest, 0);
    const changed = (await latent()).filter((value, index) => Math.abs(value - JSON.parse(before)[index]) > 1e-6);
    assert.equal(changed.length, 1);
    assert.ok(Math.abs(changed[0] - 1.5) < 1e-6);
    await clean(page);
    await served.stop();
  }],

  ["an attribute is a slider, whose way is the attribute's", async ({ browser, serve, out, program, folder, images }) => {
    const [strokes, attribute] = [`${folder}/strokes`, `${folder}/slant.attribute.json`];
    const say = (...words) => execFileSync(program, words, { stdio: "pipe" });
    say("data", "export", ...images, "--limit", "60", "--out", strokes);
    say("attribute", "slant", out, "--from", `${strokes}/train/1`, "--to", `${strokes}/train/7`, "--out", attribute);
    const served = serve(["explore", out, "--no-open", "--attribute", attribute, ...images]);
    const page = await browser.open();
    await page.visit(await served.address);
    await page.press("Shift");
    const { direction } = JSON.parse(readFileSync(attribute));
    const before = JSON.parse((await decodedLike(page)).latent);
    const slider = "#attribute-sliders input";
    const amount = Number(await page.value(`document.querySelector("${slider}").value`));
    await page.value(inPage.choose(slider, 2));
    const { latent, largest } = await decodedLike(page);
    assert.equal(largest, 0);
    JSON.parse(latent).forEach((value, axis) => {
      const wanted = before[axis] + (2 - amount) * direction[axis];
      assert.ok(Math.abs(value - wanted) < 0.02 * Math.hypot(...direction), `${value}, and not ${wanted}`);
    });
    await clean(page);
    await served.stop();
  }],

  ["a model whose images are not there is shown by what it decodes", async ({ browser, serve, folder }) => {
    const served = serve(["explore", "--no-open", "--offline", "--data-dir", folder]);
    const page = await browser.open();
    await page.visit(await served.address);
    await page.click("#map", [0.6, 0.4]);
    assert.equal((await decodedLike(page)).largest, 0);
    assert.ok((await page.value(inPage.coloursOf("#map"))) > 20);
    await clean(page);
    await served.stop();
  }],

  ["a conditional model draws the class that is chosen", async ({ browser, serve, training, folder }) => {
    const told = training.map((word, index) => ({ "--latent": "2", "--out": `${folder}/told` })[training[index - 1]] ?? word);
    const trained = serve([...told, "--conditional", "--watch"]);
    const page = await browser.open();
    await page.visit(await trained.address);
    await page.until("document.querySelector('#curves figcaption').textContent.includes('2 of 2')");
    assert.equal(await page.value("document.querySelectorAll('#given option').length"), 10);
    const address = new URL(await page.value("location.href")).origin;
    // Whoever clicks stops the example.
    await page.click("#map", [0.5, 0.5]);
    const drawn = [];
    for (const given of [0, 7]) {
      await page.value(inPage.choose("#given", given));
      let found;
      // The model and its points are fetched anew before.
      for (let turn = 0; turn < 40 && found?.largest !== 0; turn += 1) found = await decodedLike(page, address, given);
      const { latent, largest } = found;
      assert.equal(largest, 0, `as ${given}`);
      drawn.push(latent);
    }
    // The place is the same, and another image is there.
    assert.equal(drawn[0], drawn[1]);
    assert.notEqual((await decodedLike(page, address, 0)).largest, 0);
    await page.click("#keys-clear");
    await placeKeys(page, [[0.3, 0.4], [0.6, 0.6]]);
    const command = await page.value("document.querySelector('#command').textContent");
    assert.match(command, /z:[-\d.,]+=7 z:[-\d.,]+=7 /);
    // The link says the class.
    await page.until("location.hash.includes('class=7')");
    const link = await page.value("location.href");
    await clean(page);
    const other = await browser.open();
    await other.visit(link);
    await other.until("document.querySelector('#given').value === '7'");
    await other.press("Shift");
    let again;
    for (let turn = 0; turn < 40 && again?.largest !== 0; turn += 1) again = await decodedLike(other, address, 7);
    assert.equal(again.largest, 0);
    await clean(other);
    await trained.stop();
  }],
];
