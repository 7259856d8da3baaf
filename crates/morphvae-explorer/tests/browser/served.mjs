// The page as the program serves it, with the bundled model.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { clean, decodedLike, drawZero, gifIn, inPage, placeKeys } from "./steps.mjs";

export const servedTests = [
  ["the map is shown, and nothing is fetched from elsewhere", async ({ browser, address }) => {
    const page = await browser.open();
    await page.visit(address);
    assert.equal(await page.value("document.querySelector('#name').textContent.length > 0"), true);
    await page.until("document.querySelector('#decoded').dataset.latent");
    const colours = await page.value(inPage.coloursOf("#map"));
    assert.ok(colours > 200, `${colours} colours on the map`);
    assert.deepEqual(page.requests.filter((url) => !url.startsWith(address) && !url.startsWith("data:")), []);
    await clean(page);
  }],

  ["dragging draws what the program decodes there", async ({ browser, address }) => {
    const page = await browser.open();
    await page.visit(address);
    const seen = new Set();
    for (const [from, to] of [[[0.3, 0.4], [0.6, 0.6]], [[0.7, 0.3], [0.5, 0.7]], [[0.45, 0.5], [0.55, 0.45]]]) {
      const [start, end] = [await page.place("#map", from), await page.place("#map", to)];
      const steps = Array.from({ length: 12 }, (_, step) => start.map((value, axis) => value + ((end[axis] - value) * step) / 11));
      await page.drag(steps);
      const { latent, largest } = await decodedLike(page);
      assert.equal(largest, 0);
      seen.add(latent);
    }
    assert.equal(seen.size, 3);
    await clean(page);
  }],

  ["pointing at a point shows its image and reconstruction", async ({ browser, address }) => {
    const page = await browser.open();
    await page.visit(address);
    await page.until("document.querySelector('#near').textContent");
    const pictures = new Set();
    for (const at of [[0.3, 0.5], [0.5, 0.5], [0.6, 0.3]]) {
      const [x, y] = await page.place("#map", at);
      await page.mouse("mouseMoved", [x, y], { button: "none", buttons: 0 });
      await page.value("new Promise((done) => setTimeout(done, 300))");
      pictures.add(await page.value("document.querySelector('#real').toDataURL()"));
    }
    assert.ok(pictures.size >= 2);
    await clean(page);
  }],

  ["a drawn digit is encoded and lands on the map", async ({ browser, address }) => {
    const page = await browser.open();
    await page.visit(address);
    const before = await page.value(inPage.coloursOf("#redrawn"));
    await drawZero(page);
    await page.until("document.querySelector('#guess').textContent.includes('0')");
    assert.ok((await page.value(inPage.coloursOf("#redrawn"))) > before);
    await page.click("#pad-key");
    await page.until("document.querySelectorAll('#keys li').length === 1");
    await page.click("#pad-clear");
    await page.until("document.querySelector('#pad-key').disabled");
    await clean(page);
  }],

  ["an image file is encoded; what is no image is refused in words", async ({ browser, address, folder }) => {
    const page = await browser.open();
    await page.visit(address);
    const png = await page.value(`(() => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 48, height: 40 });
      const context = canvas.getContext("2d");
      context.fillRect(0, 0, 48, 40);
      Object.assign(context, { strokeStyle: "#fff", lineWidth: 5 });
      context.strokeRect(24, 6, 0.1, 28);
      return canvas.toDataURL().split(",")[1];
    })()`);
    const [image, other] = ["one.png", "none.png"].map((name) => join(folder, name));
    writeFileSync(image, Buffer.from(png, "base64"));
    writeFileSync(other, "this is no image");
    await page.choose("#file", image);
    await page.until("document.querySelector('#guess').textContent.length > 0");
    await page.choose("#file", other);
    await page.until("!document.querySelector('#problem').hidden");
    await clean(page);
  }],

  ["key points are placed, put in order and removed, by mouse and by keyboard", async ({ browser, address }) => {
    const page = await browser.open();
    await page.visit(address);
    await placeKeys(page, [[0.4, 0.35], [0.6, 0.5]]);
    await page.value("document.querySelector('#map').focus()");
    await page.press("ArrowLeft");
    await page.press("Enter");
    await page.until("document.querySelectorAll('#keys li').length === 3");
    const order = "[...document.querySelectorAll('#keys canvas')].map((canvas) => canvas.toDataURL())";
    await page.until("[...document.querySelectorAll('#keys canvas')].every((canvas) => canvas.width === 32)");
    const [first, second, third] = await page.value(order);
    await page.value("document.querySelectorAll('#keys li')[0].focus()");
    await page.press("ArrowRight");
    await page.until(`JSON.stringify(${order}) === ${JSON.stringify(JSON.stringify([second, first, third]))}`);
    await page.press("Delete");
    await page.until("document.querySelectorAll('#keys li').length === 2");
    await page.until("document.querySelector('#command').textContent.match(/z:/g)?.length === 2");
    await clean(page);
  }],

  ["a clip plays, stops, and is gone through by hand; each kind of path makes one", async ({ browser, address }) => {
    const page = await browser.open();
    await page.visit(address);
    await placeKeys(page, [[0.35, 0.4], [0.6, 0.35], [0.55, 0.65]]);
    const commands = new Set();
    for (const kind of ["line", "spherical", "spline", "geodesic"]) {
      await page.value(inPage.choose("#kind", kind));
      await page.until(`document.querySelector('#command').textContent.includes('--path ${kind}')`);
      await page.until("!document.querySelector('#play').disabled");
      commands.add(await page.value("document.querySelector('#command').textContent"));
    }
    assert.equal(commands.size, 4);
    await page.value("document.activeElement.blur()");
    const frame = "Number(document.querySelector('#scrub').value)";
    await page.press(" ");
    await page.until(`${frame} > 3`);
    await page.press(" ");
    const stopped = await page.value(frame);
    await page.value("new Promise((done) => setTimeout(done, 200))");
    assert.equal(await page.value(frame), stopped);
    await page.value("(() => { const scrub = document.querySelector('#scrub'); scrub.value = 60; scrub.dispatchEvent(new Event('input')); })()");
    assert.equal((await decodedLike(page)).largest, 0);
    await clean(page);
  }],

  ["a saved GIF has the clip's frames, and a sheet is saved", async ({ browser, address, folder }) => {
    const page = await browser.open();
    await page.visit(address);
    await placeKeys(page, [[0.4, 0.4], [0.6, 0.6]]);
    await page.value(inPage.choose("#seconds", 2));
    await page.until("document.querySelector('#scrub').max === '49'");
    const gif = await gifIn(page, await page.saved("#save-gif", folder));
    assert.deepEqual(gif, { frames: 50, width: 256, height: 256, milliseconds: 40, repeats: true, grey: true, largest: 0 });
    const sheet = await page.saved("#save-sheet", folder);
    assert.equal(sheet.subarray(1, 4).toString(), "PNG");
    await clean(page);
  }],

  ["language and theme are switched, and remembered", async ({ browser, address }) => {
    const page = await browser.open();
    await page.visit(address);
    const look = "[document.documentElement.lang, document.documentElement.dataset.theme, document.querySelector('.path h2 span').textContent]";
    assert.deepEqual(await page.value(look), ["en", "light", "Path"]);
    const paper = await page.value("getComputedStyle(document.body).backgroundColor");
    await page.click("#language");
    await page.click("#theme");
    assert.deepEqual(await page.value(look), ["ja", "dark", "経路"]);
    assert.notEqual(await page.value("getComputedStyle(document.body).backgroundColor"), paper);
    await page.visit(address);
    assert.deepEqual(await page.value(look), ["ja", "dark", "経路"]);
    await page.press("l");
    await page.press("t");
    assert.deepEqual(await page.value(look), ["en", "light", "Path"]);
    await clean(page);
  }],

  ["every text is there in every language, and everything can be named", async ({ browser, address }) => {
    const page = await browser.open();
    await page.visit(address);
    const { TEXTS, LANGUAGES } = await import("../../page/texts.js");
    for (const [name, texts] of Object.entries(TEXTS)) {
      assert.deepEqual(Object.keys(texts), Object.keys(LANGUAGES), name);
      const [slots] = [Object.values(texts).map((words) => [...words.matchAll(/\{\w+\}/g)].map(String).sort().join())];
      assert.equal(new Set(slots).size, 1, name);
    }
    const nameless = await page.value(`[...document.querySelectorAll("button, select, input:not([hidden]), canvas")]
      .filter((element) => element.offsetParent && !element.getAttribute("aria-label") && !element.textContent.trim() && !element.closest("label, figure, [aria-hidden]"))
      .map((element) => element.outerHTML)`);
    assert.deepEqual(nameless, []);
    await clean(page);
  }],

  ["a phone shows everything, and fingers drag and pinch", async ({ browser, address }) => {
    const page = await browser.open({ width: 360, height: 740, phone: true });
    await page.visit(address);
    assert.equal(await page.value("document.documentElement.scrollWidth"), 360);
    const before = await page.value("document.querySelector('#where').textContent");
    await page.touch([[await page.place("#map", [0.2, 0.75])], [await page.place("#map", [0.3, 0.7])]]);
    assert.notEqual(await page.value("document.querySelector('#where').textContent"), before);
    assert.equal((await decodedLike(page)).largest, 0);
    const map = "document.querySelector('#map').toDataURL()";
    const whole = await page.value(map);
    const at = (x) => page.place("#map", [x, 0.5]);
    await page.touch([[await at(0.45), await at(0.55)], [await at(0.3), await at(0.7)], [await at(0.2), await at(0.8)]]);
    await page.until(`${map} !== ${JSON.stringify(whole)}`);
    await page.click("[data-value=key]");
    await page.touch([[await page.place("#map", [0.15, 0.7])]]);
    await page.until("document.querySelectorAll('#keys li').length === 1");
    await clean(page);
  }],

  ["a class is hidden and shown", async ({ browser, address }) => {
    const page = await browser.open();
    await page.visit(address);
    const chip = "document.querySelector('#legend button')";
    assert.equal(await page.value(`${chip}.getAttribute('aria-pressed')`), "true");
    await page.click("#legend button");
    assert.equal(await page.value(`${chip}.getAttribute('aria-pressed')`), "false");
    await clean(page);
  }],
];
