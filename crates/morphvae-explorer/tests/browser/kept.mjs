// What is kept and shared, what the page opens with, what its map says, and that any hand can use it.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { clean, decodedLike, inPage, placeKeys } from "./steps.mjs";

const WAIT = (milliseconds) => `new Promise((done) => setTimeout(done, ${milliseconds}))`;
const KEYS = "document.querySelectorAll('#keys li').length";
const HASH = "location.hash";

/** All that an address is to keep. */
const SHOWN = `JSON.stringify([
  document.querySelector("#command").textContent, document.querySelector("#where").textContent, document.documentElement.lang,
  document.querySelector("#kind").value, document.querySelector("#loop").checked, document.querySelector("#seconds").value,
  document.querySelector("#blend").value,
])`;

async function makeSomething(page) {
  await placeKeys(page, [[0.4, 0.4], [0.6, 0.35], [0.5, 0.7]]);
  await page.value(inPage.choose("#kind", "line"));
  await page.value(inPage.choose("#seconds", 3));
  await page.click("#loop");
  await page.click("#closer");
  await page.click("#language");
  await page.value(WAIT(700));
}

export const keptTests = [
  ["a reload and a link show the same again, map and all", async ({ browser, address }) => {
    const page = await browser.open();
    await page.visit(address);
    await makeSomething(page);
    const [shown, hash] = [await page.value(SHOWN), await page.value(HASH)];
    assert.match(hash, /keys=.*path=line.*language=ja/);
    await page.send("Page.reload");
    await page.value(WAIT(300)).catch(() => {});
    await page.until("document.documentElement?.dataset.ready !== undefined");
    await page.value(WAIT(300));
    assert.equal(await page.value(SHOWN), shown);
    const other = await browser.open();
    await other.visit(`${address}/${hash}`);
    await other.value(WAIT(600));
    assert.equal(await other.value(SHOWN), shown);
    assert.equal((await other.value(HASH)).match(/view=[^&]*/)?.[0], hash.match(/view=[^&]*/)[0]);
    await page.click("#language");
    await clean(page);
    await clean(other);
  }],

  ["back and forward keep everything, and so does the exported file", async ({ browser, address, file }) => {
    for (const start of [address, pathToFileURL(file).href]) {
      const page = await browser.open();
      await page.visit(start);
      await makeSomething(page);
      const shown = await page.value(SHOWN);
      await page.send("Page.navigate", { url: "about:blank" });
      await page.until("location.href === 'about:blank'");
      await page.value("history.back()");
      await page.until("document.documentElement?.dataset.ready !== undefined");
      await page.value(WAIT(600));
      assert.equal(await page.value(SHOWN), shown, start);
      await page.click("#language");
      await clean(page);
    }
  }],

  ["an address that makes no sense is as good as none", async ({ browser, address }) => {
    for (const hash of ["#at=NaN,1&view=0,0,-5&keys=1,2,3;x&path=teleport&seconds=1e9&axes=p0,9&base=1&blend=7&language=xx", "#&&=&keys", "#view=1e300,0,1e-300&at=Infinity,0"]) {
      const page = await browser.open();
      await page.visit(`${address}/${hash}`);
      await page.until(`${KEYS} > 1`);
      await page.click("#map", [0.3, 0.6]);
      assert.equal((await decodedLike(page)).largest, 0);
      await clean(page);
    }
  }],

  ["the link is copied", async ({ browser, address }) => {
    const page = await browser.open();
    await page.visit(address);
    await placeKeys(page, [[0.4, 0.4], [0.6, 0.35]]);
    await page.value("Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (words) => (window.copied = words) } })");
    await page.click("#link");
    await page.until("window.copied?.includes('keys=')");
    await clean(page);
  }],

  ["what is done is undone and redone, by button and by key", async ({ browser, address }) => {
    const page = await browser.open();
    await page.visit(address);
    await placeKeys(page, [[0.4, 0.4], [0.6, 0.35], [0.5, 0.7]]);
    const words = () => page.value("document.querySelector('#command').textContent");
    const three = await words();
    await page.drag([await page.place("#map", [0.5, 0.7]), await page.place("#map", [0.45, 0.6]), await page.place("#map", [0.4, 0.65])]);
    await page.value(WAIT(100));
    const moved = await words();
    assert.notEqual(moved, three);
    await page.click("#undo");
    await page.value(WAIT(100));
    assert.equal(await words(), three);
    await page.value("document.activeElement.blur()");
    const CONTROL = 2;
    await page.press("z", { modifiers: CONTROL, text: undefined });
    await page.until(`${KEYS} === 2`);
    await page.press("y", { modifiers: CONTROL, text: undefined });
    await page.until(`${KEYS} === 3`);
    await page.click("#redo");
    await page.value(WAIT(100));
    assert.equal(await words(), moved);
    await clean(page);
  }],

  ["the page opens with a path that plays until it is touched, and says what to do", async ({ browser, address }) => {
    const page = await browser.open();
    await page.visit(address);
    const frame = "Number(document.querySelector('#scrub').value)";
    await page.until(`${frame} > 2`);
    assert.ok((await page.value(KEYS)) >= 3);
    assert.ok((await page.value("document.querySelector('#intro').textContent.length")) > 40);
    assert.equal(await page.value(HASH), "");
    await page.click("#map", [0.2, 0.7]);
    await page.until(`${KEYS} === 1`);
    const order = await page.value("[...document.querySelectorAll('.panel > section h2')].map((heading) => heading.firstElementChild?.dataset.text ?? heading.dataset.text)");
    assert.ok(order.indexOf("path") < order.indexOf("draw"), `${order}`);
    await clean(page);
  }],

  ["nobody who minds motion sees any", async ({ browser, address }) => {
    const page = await browser.open();
    await page.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-reduced-motion", value: "reduce" }] });
    await page.visit(address);
    await page.until("!document.querySelector('#play').disabled");
    await page.value(WAIT(700));
    assert.equal(await page.value("document.querySelector('#scrub').value"), "0");
    await clean(page);
  }],

  ["how it works is shown on the model, in this order and in both languages", async ({ browser, address }) => {
    const page = await browser.open();
    await page.visit(`${address}/#language=en`);
    for (const words of [["encoder", "map", "Noise", "decoder"], ["エンコーダ", "地図", "ノイズ", "デコーダ"]]) {
      await page.click("#how");
      await page.until("document.querySelector('#how-real').width === 32 && document.querySelector('#how-draws canvas').width === 32");
      const headings = await page.value("[...document.querySelectorAll('#how-dialog h3')].map((heading) => heading.textContent)");
      words.forEach((word, index) => assert.ok(headings[index].includes(word), `${headings[index]}: ${word}`));
      assert.match(await page.value("document.querySelector('#how-encoder').textContent"), /32 × 32/);
      const before = await page.value("document.querySelector('#how-draws canvas').toDataURL()");
      await page.click("#how-again");
      await page.until(`document.querySelector('#how-draws canvas').toDataURL() !== ${JSON.stringify(before)}`);
      await page.click("#how-close");
      await page.press("l");
    }
    await clean(page);
  }],

  ["a click on a point leads to its image, and the ten nearest are those of the latent space", async ({ browser, address }) => {
    const page = await browser.open();
    await page.visit(address);
    await page.click("[data-value=look]");
    const bytes = Buffer.from(await (await fetch(`${address}/api/points`)).arrayBuffer());
    const { count } = await (await fetch(`${address}/api/model`)).json();
    const means = Array.from({ length: count }, (_, index) => [bytes.readFloatLE(8 * index), bytes.readFloatLE(8 * index + 4)]);
    const keys = await page.value(KEYS);
    await page.click("#map", [0.5, 0.5]);
    await page.until("document.querySelector('#near-list li > span')?.textContent === '0.00'");
    const point = JSON.parse((await decodedLike(page)).latent);
    const distances = means.map((mean) => Math.hypot(mean[0] - point[0], mean[1] - point[1])).sort((a, b) => a - b);
    const shown = await page.value("[...document.querySelectorAll('#near-list li > span')].map((far) => far.textContent)");
    assert.deepEqual(shown, distances.slice(0, 10).map((distance) => distance.toFixed(2)));
    assert.equal(await page.value(KEYS), keys);
    await page.click("#near-list .use");
    await page.until(`${KEYS} === 1`);
    await clean(page);
  }],

  ["images are found by their class and by their name, and saved as a table, served and in the file", async ({ browser, address, file, folder }) => {
    for (const start of [address, pathToFileURL(file).href]) {
      const page = await browser.open();
      await page.visit(start);
      const count = "Number(document.querySelector('#found-count').textContent.replace(/\\D.*/, ''))";
      const before = await page.value("document.querySelector('#map').toDataURL()");
      await page.value("document.querySelector('#map').focus()");
      await page.press("/");
      await page.until("document.activeElement.id === 'find'");
      await page.value(inPage.choose("#find", "7"));
      await page.until(`${count} > 10 && document.querySelectorAll('#found-list li').length === Math.min(60, ${count})`);
      await page.until(`document.querySelector('#map').toDataURL() !== ${JSON.stringify(before)}`);
      const lines = (await page.saved("#found-save", folder)).toString().trim().split("\n");
      assert.equal(lines.length - 1, await page.value(count));
      assert.equal(lines[0], "id,label,mean_1,mean_2,log_variance_1,log_variance_2,class");
      assert.ok(lines.slice(1).every((line) => /^test\/\d{5},7,.*,7$/.test(line)), lines[1]);
      const [name] = lines[1].split(",");
      await page.value(inPage.choose("#find", name));
      await page.until(`${count} === 1`);
      await page.click("#found-list .go");
      await page.until("document.querySelector('#near-list li > span')?.textContent === '0.00'");
      await page.click("#found-clear");
      await page.until("document.querySelector('#found-list').hidden && document.querySelector('#find').value === ''");
      await clean(page);
    }
  }],

  ["a region of the map is selected by hand, by finger and by keyboard, and what lies in it is listed", async ({ browser, address }) => {
    const [found, WHOLE] = ["document.querySelector('#found-count').textContent", "document.querySelectorAll('#found-list li').length > 0"];
    const page = await browser.open();
    await page.visit(address);
    await page.click("[data-value=select]");
    const corners = await Promise.all([[0.3, 0.3], [0.7, 0.3], [0.7, 0.7], [0.3, 0.7]].map((place) => page.place("#map", place)));
    await page.drag([...corners, corners[0]]);
    await page.until(WHOLE);
    const byHand = await page.value(found);
    await page.press("Escape");
    await page.until("document.querySelector('#found-list').hidden");
    await page.value("document.querySelector('#map').focus()");
    await page.press("r");
    await page.press("Enter");
    for (let turn = 0; turn < 3; turn += 1) await page.press("ArrowRight", { modifiers: 8 });
    for (let turn = 0; turn < 3; turn += 1) await page.press("ArrowDown", { modifiers: 8 });
    await page.press("Enter");
    await page.until(WHOLE);
    assert.notEqual(await page.value(found), byHand);
    await clean(page);
    const phone = await browser.open({ width: 390, height: 844, phone: true });
    await phone.visit(address);
    await phone.click("[data-value=select]");
    const places = await Promise.all([[0.3, 0.3], [0.7, 0.3], [0.7, 0.7], [0.3, 0.7]].map((place) => phone.place("#map", place)));
    await phone.touch(places.map((place) => [place]));
    await phone.until(WHOLE);
    await clean(phone);
  }],

  ["keys are moved without a mouse", async ({ browser, address }) => {
    const page = await browser.open();
    await page.visit(address);
    await placeKeys(page, [[0.4, 0.4], [0.6, 0.35]]);
    await page.value("document.querySelector('#map').focus()");
    const first = () => page.value("document.querySelector('#command').textContent.match(/z:(\\S+)/)[1]");
    const before = await first();
    await page.press("[");
    await page.press("g");
    for (let turn = 0; turn < 4; turn += 1) await page.press("ArrowDown");
    await page.press("Enter");
    await page.value(WAIT(100));
    const moved = await first();
    assert.notEqual(moved, before);
    assert.equal(await page.value(KEYS), 2);
    await page.press("ArrowDown");
    await page.value(WAIT(100));
    assert.equal(await first(), moved);
    await clean(page);
  }],

  ["fingers find whatever can be touched: 44 pixels", async ({ browser, address }) => {
    const page = await browser.open({ width: 390, height: 844, phone: true });
    await page.visit(address);
    await page.value(WAIT(800));
    const small = await page.value(`[...document.querySelectorAll("button, select, input:not([type=checkbox]), .tick")]
      .filter((element) => element.offsetParent)
      .map((element) => [element.id || element.className || element.dataset.value, element.getBoundingClientRect()])
      .filter(([, box]) => box.width < 43.9 || box.height < 43.9)
      .map(([name, box]) => \`\${name} \${box.width} x \${box.height}\`)`);
    assert.deepEqual(small, []);
    await clean(page);
  }],

  ["on a phone a drawing and the place where it lands are seen together", async ({ browser, address }) => {
    const page = await browser.open({ width: 390, height: 844, phone: true });
    await page.visit(address);
    await page.until("document.querySelector('#near-list li')");
    await page.value("document.querySelector('#pad').scrollIntoView({ block: 'center' })");
    await page.value(WAIT(500));
    const [map, pad, right] = await page.value(`[
      ...["#map", "#pad"].map((name) => { const { top, bottom } = document.querySelector(name).getBoundingClientRect(); return [top, bottom]; }),
      document.documentElement.scrollWidth,
    ]`);
    assert.ok(map[0] >= 0 && map[1] <= pad[0] && pad[1] <= 844, `${map} ${pad}`);
    assert.equal(right, 390);
    await clean(page);
  }],

  ["axe finds nothing to object to", async ({ browser, address, axe }) => {
    if (!axe || !existsSync(axe)) return console.log("      skipped: no axe-core (npm could not install it)");
    const rules = readFileSync(axe, "utf8");
    for (const look of [{}, { dark: true }, { width: 390, height: 844, phone: true }]) {
      const page = await browser.open(look);
      await page.visit(address);
      await placeKeys(page, [[0.4, 0.6], [0.6, 0.55]]);
      await page.value(WAIT(800));
      await page.value(rules);
      for (const dialog of ["", "#how", "#help"]) {
        if (dialog) await page.value(`document.querySelector("${dialog}").click()`);
        const found = await page.value(`axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map((node) => id + ": " + node.html.slice(0, 120) + " " + (node.any[0]?.message ?? ""))))`);
        assert.deepEqual(found, [], JSON.stringify(look) + dialog);
        await page.value("document.querySelector('dialog[open]')?.close()");
      }
      await clean(page);
    }
    return undefined;
  }],
];
