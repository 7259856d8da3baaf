// What was once found broken, each with what it was found by.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { clean, decodedLike, inPage, placeKeys } from "./steps.mjs";

const WAIT = (milliseconds) => `new Promise((done) => setTimeout(done, ${milliseconds}))`;

/** The longest that the page's thread was held up while `act` went on, in milliseconds. */
async function longestPause(page, act) {
  await page.value(`(() => {
    window.longest = 0;
    let last = performance.now();
    window.pulse = setInterval(() => {
      const now = performance.now();
      window.longest = Math.max(window.longest, now - last);
      last = now;
    }, 5);
  })()`);
  await act();
  await page.value(WAIT(100));
  return page.value("(clearInterval(window.pulse), window.longest)");
}

/** What the map is asked to decode while `act` goes on: how many points. */
async function asked(page, act) {
  await page.value(`(() => {
    window.askedPoints = 0;
    const plain = window.fetch;
    window.fetch = (address, options) => {
      if (String(address).endsWith("/api/decode")) window.askedPoints += JSON.parse(options.body).points.length;
      return plain(address, options);
    };
  })()`);
  await act();
  return page.value("window.askedPoints");
}

/** A file drawn in the page, in its own format. */
async function drawnFile(page, folder, name, type, paint) {
  const words = await page.value(`(() => {
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d");
    (${paint})(canvas, context);
    return canvas.toDataURL("${type}").split(",")[1];
  })()`);
  const file = join(folder, name);
  writeFileSync(file, Buffer.from(words, "base64"));
  return file;
}

export const findings = [
  ["no wheel, zoom or key freezes the map, over images or not", async ({ browser, address }) => {
    const page = await browser.open();
    await page.visit(address);
    await page.value(inPage.choose("#blend", 0.8));
    const wheel = async (deltaY, times) => {
      const [x, y] = await page.place("#map", [0.4, 0.6]);
      for (let turn = 0; turn < times; turn += 1) await page.send("Input.dispatchMouseEvent", { type: "mouseWheel", x, y, deltaX: 0, deltaY });
    };
    const pause = await longestPause(page, async () => {
      await wheel(-4000, 4);
      await page.value(WAIT(700));
      await wheel(100000, 6);
      await page.value(WAIT(300));
      await wheel(-100000, 6);
      await page.value(WAIT(700));
      await page.click("#whole");
      await page.value(WAIT(300));
      await page.value("document.querySelector('#map').focus()");
      for (const key of ["+", "+", "+", "-", "0"]) for (let turn = 0; turn < 30; turn += 1) await page.press(key);
      for (let turn = 0; turn < 300; turn += 1) await page.press("ArrowRight", { modifiers: 8 });
      await page.press("0");
    });
    assert.ok(pause < 6000, `${pause} ms`);
    await clean(page);
  }],

  ["a very large screen asks for no more images than are kept, and comes to rest", async ({ browser, address }) => {
    const page = await browser.open({ width: 5120, height: 2880 });
    await page.visit(address);
    const points = await asked(page, async () => {
      await page.value(inPage.choose("#blend", 0.9));
      await page.value(WAIT(6000));
    });
    assert.ok(points > 100 && points < 2500, `${points} points`);
    await page.close();
  }],

  ["the copied command makes the same clip", async ({ browser, address, folder, program }) => {
    const page = await browser.open();
    await page.visit(address);
    for (const loop of [true, false]) {
      await placeKeys(page, [[0.41, 0.4], [0.6, 0.35], [0.55, 0.62]]);
      await page.value(inPage.choose("#seconds", 1));
      await page.value(inPage.choose("#kind", "geodesic"));
      await page.value(`document.querySelector("#loop").checked !== ${loop} && document.querySelector("#loop").click()`);
      await page.until("document.querySelector('#making').hidden && document.querySelector('#scrub').max === '24'");
      const words = (await page.value("document.querySelector('#command').textContent")).trim().split(/\s+/);
      const out = join(folder, `command-${loop}.gif`);
      execFileSync(program, [...words.slice(1), "--scale", "1", "--out", out, "--no-sheet"], { stdio: "pipe" });
      const largest = await page.value(`(async () => {
        const data = Uint8Array.from(atob("${readFileSync(out).toString("base64")}"), (letter) => letter.charCodeAt(0));
        const decoder = new ImageDecoder({ data, type: "image/gif" });
        await decoder.completed;
        await decoder.tracks.ready;
        if (decoder.tracks.selectedTrack.frameCount !== 25) return decoder.tracks.selectedTrack.frameCount * 1000;
        const grey = (source) => {
          const context = new OffscreenCanvas(32, 32).getContext("2d");
          context.drawImage(source, 0, 0, 32, 32);
          return context.getImageData(0, 0, 32, 32).data;
        };
        const scrub = document.querySelector("#scrub");
        let largest = 0;
        for (const frameIndex of [0, 7, 13, 24]) {
          scrub.value = frameIndex;
          scrub.dispatchEvent(new Event("input"));
          await ${WAIT(120)};
          const [a, b] = [grey((await decoder.decode({ frameIndex })).image), grey(document.querySelector("#decoded"))];
          largest = a.reduce((most, value, index) => Math.max(most, Math.abs(value - b[index])), largest);
        }
        return largest;
      })()`);
      assert.ok(largest <= 2, `${largest} grey levels`);
      await page.click("#keys-clear");
    }
    await clean(page);
  }],

  ["what is saved is the path that is chosen, even while it is being computed", async ({ browser, address, folder }) => {
    const page = await browser.open();
    await page.visit(address);
    await placeKeys(page, [[0.4, 0.4], [0.6, 0.6]]);
    await page.until("document.querySelector('#making').hidden");
    await page.value(`(() => {
      const plain = window.fetch;
      window.fetch = async (address, options) => {
        if (String(address).endsWith("/api/path")) await ${WAIT(700)};
        return plain(address, options);
      };
    })()`);
    await page.value(inPage.choose("#seconds", 2));
    await page.until("!document.querySelector('#making').hidden");
    const bytes = await page.saved("#save-gif", folder);
    const frames = await page.value(`(async () => {
      const data = Uint8Array.from(atob("${bytes.toString("base64")}"), (letter) => letter.charCodeAt(0));
      const decoder = new ImageDecoder({ data, type: "image/gif" });
      await decoder.completed;
      await decoder.tracks.ready;
      return decoder.tracks.selectedTrack.frameCount;
    })()`);
    assert.equal(frames, 50);
    await clean(page);
  }],

  ["a long GIF is made without holding the page up", async ({ browser, address, folder }) => {
    const page = await browser.open();
    await page.visit(address);
    await placeKeys(page, [[0.4, 0.4], [0.6, 0.6]]);
    await page.value(inPage.choose("#seconds", 12));
    await page.until("document.querySelector('#scrub').max === '299'");
    const pause = await longestPause(page, () => page.saved("#save-gif", folder));
    assert.ok(pause < 1500, `${pause} ms`);
    await clean(page);
  }],

  ["photographs of any size and kind are read; dark on white can be inverted", async ({ browser, address, folder }) => {
    const page = await browser.open();
    await page.visit(address);
    const noise = await drawnFile(page, folder, "large.png", "image/png", `(canvas, context) => {
      canvas.width = canvas.height = 1400;
      const data = context.createImageData(1400, 1400);
      for (let at = 0; at < data.data.length; at += 1) data.data[at] = at % 4 === 3 ? 255 : 256 * Math.random();
      context.putImageData(data, 0, 0);
    }`);
    assert.ok(readFileSync(noise).length > 1 << 20);
    const svg = join(folder, "one.svg");
    writeFileSync(svg, '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><rect width="40" height="40"/><path d="M20 6v28" stroke="#fff" stroke-width="5"/></svg>');
    const gif = join(folder, "dot.gif");
    writeFileSync(gif, Buffer.from("R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==", "base64"));
    for (const file of [noise, svg, gif]) {
      await page.choose("#file", file);
      await page.until("document.querySelector('#guess').textContent.length > 0");
      await page.click("#pad-clear");
      await page.until("document.querySelector('#guess').textContent === ''");
    }
    const paper = await drawnFile(page, folder, "paper.png", "image/png", `(canvas, context) => {
      canvas.width = canvas.height = 64;
      context.fillStyle = "#fff";
      context.fillRect(0, 0, 64, 64);
      context.fillStyle = "#000";
      context.fillRect(28, 10, 8, 44);
    }`);
    await page.choose("#file", paper);
    await page.until("!document.querySelector('#invert').hidden");
    await page.click("#invert");
    await page.until("document.querySelector('#invert').getAttribute('aria-pressed') === 'true'");
    assert.match(await page.value("document.querySelector('#guess').textContent"), /1/);
    await clean(page);
  }],

  ["a photograph lies as its EXIF data says", async ({ browser, address, folder }) => {
    const page = await browser.open();
    await page.visit(address);
    const plain = readFileSync(await drawnFile(page, folder, "plain.jpg", "image/jpeg", `(canvas, context) => {
      canvas.width = canvas.height = 64;
      context.fillRect(0, 0, 64, 64);
      context.fillStyle = "#fff";
      context.fillRect(0, 0, 64, 20);
    }`));
    // Orientation 6: what is stored on top is seen at the right.
    const exif = Buffer.from("ffe100224578696600004d4d002a00000008000101120003000000010006000000000000", "hex");
    const turned = join(folder, "turned.jpg");
    writeFileSync(turned, Buffer.concat([plain.subarray(0, 2), exif, plain.subarray(2)]));
    await page.choose("#file", turned);
    await page.until("document.querySelector('#guess').textContent.length > 0");
    const [right, top] = await page.value(`(() => {
      const { data } = document.querySelector("#seen").getContext("2d").getImageData(0, 0, 32, 32);
      return [data[4 * (20 * 32 + 30)], data[4 * (2 * 32 + 8)]];
    })()`);
    assert.ok(right > 200 && top < 50, `${right} at the right, ${top} on top`);
    await page.close();
  }],

  ["what goes wrong is said in the page's language", async ({ browser, address, folder }) => {
    const page = await browser.open();
    await page.visit(address);
    await page.click("#language");
    const other = join(folder, "none.png");
    writeFileSync(other, "this is no image");
    await page.choose("#file", other);
    await page.until("!document.querySelector('#problem').hidden");
    assert.match(await page.value("document.querySelector('#problem').textContent"), /画像/);
    await page.click("#language");
    await clean(page);
  }],

  ["a key that is dragged is seen while it is dragged", async ({ browser, address }) => {
    const page = await browser.open();
    await page.visit(address);
    await placeKeys(page, [[0.4, 0.4]].concat([[0.6, 0.6]]));
    const start = await page.place("#map", [0.4, 0.4]);
    await page.mouse("mousePressed", start);
    for (let step = 1; step <= 6; step += 1) await page.mouse("mouseMoved", [start[0] + 12 * step, start[1]]);
    const { latent, largest } = await decodedLike(page);
    await page.mouse("mouseReleased", [start[0] + 72, start[1]]);
    const moved = await page.value("document.querySelector('#command').textContent.match(/z:(\\S+)/)[1]");
    assert.equal(largest, 0);
    assert.ok(JSON.parse(latent).every((value, axis) => Math.abs(value - Number(moved.split(",")[axis])) < 1e-3), `${latent} ${moved}`);
    await clean(page);
  }],

  ["the command can be copied without a clipboard", async ({ browser, address }) => {
    const page = await browser.open();
    await page.visit(address);
    await placeKeys(page, [[0.4, 0.4], [0.6, 0.6]]);
    await page.value("Object.defineProperty(navigator, 'clipboard', { value: undefined })");
    await page.click("#copy");
    await page.value(WAIT(200));
    const selected = await page.value("getSelection().toString()");
    assert.match(selected.replace(/\s+/g, " "), /morphvae morph z:/);
    await clean(page);
  }],

  ["nothing that a screen reader reads aloud changes while a clip plays", async ({ browser, address }) => {
    const page = await browser.open();
    await page.visit(address);
    await placeKeys(page, [[0.4, 0.4], [0.6, 0.6]]);
    await page.value(WAIT(700));
    assert.equal(await page.value("document.querySelector('#said').textContent"), "", "a key that nobody held is let go");
    await page.value(`(() => {
      window.spoken = 0;
      const live = document.querySelectorAll("output, [aria-live]:not([aria-live=off]), [role=status], [role=alert]");
      for (const element of live) new MutationObserver((list) => (window.spoken += list.length)).observe(element, { childList: true, characterData: true, subtree: true });
    })()`);
    await page.value("document.activeElement.blur()");
    await page.click("#play");
    await page.value(WAIT(900));
    assert.equal(await page.value("window.spoken"), 0);
    await clean(page);
  }],

  ["sliders and controls stand out three to one", async ({ browser, address }) => {
    for (const dark of [false, true]) {
      const page = await browser.open({ dark });
      await page.visit(address);
      const contrasts = await page.value(`(() => {
        const style = getComputedStyle(document.documentElement);
        const light = (name) => {
          const hex = style.getPropertyValue(name).trim();
          const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
            .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        return ["--paper", "--raised"].map((ground) => {
          const [a, b] = [light("--track"), light(ground)].sort((x, y) => y - x);
          return (a + 0.05) / (b + 0.05);
        });
      })()`);
      assert.ok(Math.min(...contrasts) >= 3, `${contrasts}`);
      await clean(page);
    }
  }],

  ["the tools of the map never lie over one another", async ({ browser, address }) => {
    for (const width of [1440, 1024, 897, 860, 821, 700, 390, 360]) {
      const page = await browser.open({ width, height: 800, phone: width < 500 });
      await page.visit(address);
      const overlaps = await page.value(`(() => {
        const boxes = [...document.querySelectorAll(".map-area > .tools, .map-area > .blend, .map-area > .legend, .map-area > .says")]
          .filter((element) => element.offsetParent).map((element) => element.getBoundingClientRect());
        return boxes.flatMap((a, index) => boxes.slice(index + 1)
          .filter((b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)).length;
      })()`);
      assert.equal(overlaps, 0, `${width} pixels`);
      assert.equal(await page.value("document.querySelector('#whole').offsetParent !== null"), true, `${width} pixels`);
      await clean(page);
    }
  }],
];
