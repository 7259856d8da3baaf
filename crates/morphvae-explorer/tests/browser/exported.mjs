// The page as one file, from file:// and without a network connection.
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { clean, decodedLike, drawZero, gifIn, inPage, placeKeys } from "./steps.mjs";

async function offline({ browser, file }, more = {}) {
  const page = await browser.open({ offline: true, ...more });
  await page.visit(pathToFileURL(file).href);
  return page;
}

const DIFFERENCE = 'JSON.parse(document.querySelector("#morphvae-data").textContent).difference';

export const exportedTests = [
  ["the file is small, and asks for nothing", async (context) => {
    assert.ok(statSync(context.file).size < 8_000_000);
    const page = await offline(context);
    await page.until(`${inPage.coloursOf("#map")} > 200`);
    assert.deepEqual(page.requests.filter((url) => !/^(file|data|blob):/.test(url)), []);
    await clean(page);
  }],

  // In Firefox a worker that begins before is slow for ten seconds.
  ["the network of the file begins when the page stands", async (context) => {
    const page = await context.browser.open({ offline: true });
    const source = "const Old = Worker; window.begun = []; window.Worker = class extends Old { constructor(...given) { super(...given); window.begun.push(document.readyState); } };";
    await page.send("Page.addScriptToEvaluateOnNewDocument", { source });
    await page.visit(pathToFileURL(context.file).href);
    await page.until("document.querySelector('#decoded').dataset.latent");
    assert.deepEqual(await page.value("window.begun"), ["complete"]);
    await clean(page);
  }],

  ["whatever the file shows within its reach is as close to the decoder as it says, and fades beyond", async (context) => {
    const page = await offline(context);
    const { places, mean, worst } = await page.value(DIFFERENCE);
    assert.ok(places >= 1000 && mean < 0.5 && worst <= 8, `${mean} ${worst}`);
    const note = await page.value("document.querySelector('#file-note').textContent");
    assert.ok(note.includes(`${worst} at worst`), note);
    await page.click("#map", [0.5, 0.5]);
    await page.until("document.querySelector('#decoded').dataset.latent");
    const strength = "Number(document.querySelector('#decoded').style.opacity)";
    const move = async (place) => page.mouse("mouseMoved", await page.place("#map", place), { button: "none", buttons: 0 });
    for (let step = 1; step <= 12; step += 1) {
      await move([0.2 + 0.6 * ((0.7549 * step) % 1), 0.15 + 0.7 * ((0.5698 * step) % 1)]);
      const { largest } = await decodedLike(page, context.address);
      assert.ok(largest <= worst + 1, `${largest}, and not ${worst}`);
      assert.equal(await page.value(strength), 1);
    }
    for (let turn = 0; turn < 8; turn += 1) await page.click("#wider");
    await move([0.05, 0.2]);
    await page.until(`${strength} < 0.2`);
    await clean(page);
  }],

  ["a drawing lands in the file where the program puts it", async (context) => {
    const codes = [];
    for (const address of [pathToFileURL(context.file).href, context.address]) {
      const each = await context.browser.open();
      await each.visit(address);
      await drawZero(each);
      await each.click("#pad-key");
      await each.until("document.querySelectorAll('#keys li').length === 1");
      await each.click("#map", [0.5, 0.5], { modifiers: 1 });
      await each.until("document.querySelectorAll('#keys li').length === 2");
      codes.push((await each.value("document.querySelector('#command').textContent")).match(/z:([-\d.]+),([-\d.]+)/).slice(1).map(Number));
      await clean(each);
    }
    const apart = Math.hypot(codes[0][0] - codes[1][0], codes[0][1] - codes[1][1]);
    assert.ok(apart < 0.02, `${apart}: ${codes.join(" and ")}`);
  }],

  ["the file makes clips along every kind of path, plays and saves them", async (context) => {
    const page = await offline(context);
    await placeKeys(page, [[0.35, 0.4], [0.55, 0.65]]);
    await page.value(inPage.choose("#seconds", 1));
    for (const kind of ["line", "spherical", "spline", "geodesic"]) {
      await page.value(inPage.choose("#kind", kind));
      await page.until("document.querySelector('#scrub').max === '24' && document.querySelector('#making').hidden");
    }
    await page.click("#play");
    await page.until("Number(document.querySelector('#scrub').value) > 2");
    await page.click("#play");
    const gif = await gifIn(page, await page.saved("#save-gif", context.folder));
    assert.deepEqual(gif, { frames: 25, width: 256, height: 256, milliseconds: 40, repeats: true, grey: true, largest: 0 });
    await clean(page);
  }],

  ["the file has both languages and both themes, on a phone too", async (context) => {
    const page = await offline(context, { width: 360, height: 740, phone: true });
    assert.equal(await page.value("document.documentElement.scrollWidth"), 360);
    await page.click("#language");
    await page.click("#theme");
    assert.deepEqual(await page.value("[document.documentElement.lang, document.documentElement.dataset.theme]"), ["ja", "dark"]);
    await clean(page);
  }],
];
