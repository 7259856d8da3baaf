// The page as one file, from file:// and without a network.
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { open } from "./chromium.mjs";
import { clean, decodedLike, gifIn, inPage, placeKeys } from "./steps.mjs";

async function offline({ browser, file }, more = {}) {
  const page = await open(browser, { offline: true, ...more });
  await page.visit(pathToFileURL(file).href);
  return page;
}

export const exportedTests = [
  ["the file is small, and asks for nothing", async (context) => {
    assert.ok(statSync(context.file).size < 4_000_000);
    const page = await offline(context);
    assert.ok((await page.value(inPage.coloursOf("#map"))) > 200);
    assert.deepEqual(page.requests.filter((url) => !/^(file|data|blob):/.test(url)), []);
    assert.equal(await page.value("document.querySelector('#draw').hidden"), true);
    await clean(page);
  }],

  ["dragging in the file draws what the decoder says, as closely as the file tells", async (context) => {
    const page = await offline(context);
    const worst = Number((await page.value("document.querySelector('#atlas-note').textContent")).match(/(\d+) at worst/)[1]);
    assert.ok(worst <= 8, `${worst} grey levels at worst`);
    for (const place of [[0.3, 0.4], [0.5, 0.5], [0.52, 0.43], [0.6, 0.6], [0.45, 0.7]]) {
      await page.click("#map", place);
      const { largest } = await decodedLike(page, context.address);
      assert.ok(largest <= worst + 2, `${largest} > ${worst}`);
    }
    await clean(page);
  }],

  ["whatever the file shows, anywhere in its first view and far away, is as close to the decoder as it says", async (context) => {
    const page = await offline(context);
    const { places, mean, worst } = await page.value(`(() => {
      const { difference } = JSON.parse(document.querySelector("#morphvae-data").textContent).atlas;
      return difference;
    })()`);
    assert.ok(places >= 1000 && mean < worst);
    let beyond = 0;
    const look = async (place) => {
      const [x, y] = await page.place("#map", place);
      await page.mouse("mouseMoved", [x, y], { button: "none", buttons: 0 });
      await page.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
      const { largest } = await decodedLike(page, context.address);
      beyond = Math.max(beyond, largest);
    };
    for (let step = 1; step <= 20; step += 1) await look([(0.5 + 0.7549 * step) % 1, (0.5 + 0.5698 * step) % 1]);
    for (let turn = 0; turn < 8; turn += 1) await page.click("#wider");
    for (const place of [[0.05, 0.2], [0.9, 0.9], [0.5, 0.1], [0.3, 0.6]]) await look(place);
    assert.ok(beyond <= worst + 4, `${beyond}, and not ${worst}`);
    await clean(page);
  }],

  ["the file makes clips along every kind of path, plays and saves them", async (context) => {
    const page = await offline(context);
    await placeKeys(page, [[0.35, 0.4], [0.6, 0.35], [0.55, 0.65]]);
    await page.value(inPage.choose("#seconds", 1));
    for (const kind of ["line", "spherical", "spline", "geodesic"]) {
      await page.value(inPage.choose("#kind", kind));
      await page.until("document.querySelector('#scrub').max === '24' && !document.querySelector('#play').disabled");
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
