// Other than a trained plane with images: a training that is watched, five dimensions, no images.
import assert from "node:assert/strict";
import { open } from "./chromium.mjs";
import { clean, decodedLike, inPage } from "./steps.mjs";

export const otherTests = [
  ["a training that is watched moves the map and draws its curves", async ({ browser, serve, training }) => {
    const trained = serve([...training, "--watch"]);
    const page = await open(browser);
    await page.visit(await trained.address);
    await page.until("!document.querySelector('#curves').hidden");
    await page.until("document.querySelector('#curves figcaption').textContent.includes('2 of 2')");
    assert.ok((await page.value(inPage.coloursOf("#curves canvas"))) > 2);
    await clean(page);
    await trained.stop();
  }],

  ["planes and sliders lead through a larger space", async ({ browser, serve, out, images }) => {
    const served = serve(["explore", out, "--no-open", ...images]);
    const page = await open(browser);
    await page.visit(await served.address);
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

  ["a model whose images are not there is shown by what it decodes", async ({ browser, serve, folder }) => {
    const served = serve(["explore", "--no-open", "--offline", "--data-dir", folder]);
    const page = await open(browser);
    await page.visit(await served.address);
    await page.click("#map", [0.6, 0.4]);
    assert.equal((await decodedLike(page)).largest, 0);
    assert.ok((await page.value(inPage.coloursOf("#map"))) > 20);
    await clean(page);
    await served.stop();
  }],
];
