// Drives a headless Firefox by WebDriver BiDi as `chromium.mjs` drives Chromium, as far as the core of the page needs it: no package
// is needed for it but a Node that has WebSocket.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ended, Page } from "./chromium.mjs";

/** Starts a browser with a profile of its own. */
export async function launch(binary) {
  const profile = mkdtempSync(join(tmpdir(), "morphvae-browser-"));
  const child = spawn(binary, ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"], { stdio: ["ignore", "ignore", "pipe"] });
  const address = await new Promise((resolve, reject) => {
    let said = "";
    child.stderr.on("data", (words) => {
      said += words;
      const found = said.match(/ws:\/\/[\d.]+:\d+/);
      if (found) resolve(found[0]);
    });
    child.once("exit", () => reject(new Error(`Firefox ended:\n${said}`)));
  });
  const socket = new WebSocket(`${address}/session`);
  await new Promise((done) => socket.addEventListener("open", done));
  const [waiting, listeners] = [new Map(), []];
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(data);
    const asked = waiting.get(message.id);
    waiting.delete(message.id);
    if (!asked) for (const listener of listeners) listener(message);
    else if (message.type === "error") asked.reject(new Error(`${asked.method}: ${message.message}`));
    else asked.resolve(message.result);
  });
  let last = 0;
  const send = (method, params = {}) =>
    new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, { resolve, reject, method });
      socket.send(JSON.stringify({ id: last, method, params }));
    });
  await send("session.new", { capabilities: {} });
  await send("session.subscribe", { events: ["log.entryAdded"] });
  const close = async () => {
    await ended(child);
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { send, listeners, close, open: (look) => open({ send, listeners }, look) };
}

async function open({ send, listeners }, { width = 1440, height = 900 } = {}) {
  const { context } = await send("browsingContext.create", { type: "tab" });
  await send("browsingContext.setViewport", { context, viewport: { width, height } });
  const complaints = [];
  listeners.push(({ method, params }) => method === "log.entryAdded" && params.source.context === context && complaints.push(params.text));
  const asked = (method, params) => ASKED[method](send, context, params);
  return new Page({ send: asked, complaints, requests: [], close: () => send("browsingContext.close", { context }) });
}

/** What a page is asked in Chromium's words. */
const ASKED = {
  "Page.navigate": (send, context, { url }) => send("browsingContext.navigate", { context, url, wait: "none" }),
  "Page.captureScreenshot": (send, context) => send("browsingContext.captureScreenshot", { context }),
  "Runtime.evaluate": async (send, context, { expression }) => {
    const words = `Promise.resolve(${expression}).then((value) => JSON.stringify({ value }))`;
    const { type, result, exceptionDetails } = await send("script.evaluate", { expression: words, target: { context }, awaitPromise: true });
    return type === "success" ? { result: JSON.parse(result.value) } : { exceptionDetails };
  },
  "Input.dispatchMouseEvent": (send, context, { type, x, y }) => {
    const move = { type: "pointerMove", x: Math.round(x), y: Math.round(y) };
    const actions = { mouseMoved: [move], mousePressed: [move, { type: "pointerDown", button: 0 }], mouseReleased: [move, { type: "pointerUp", button: 0 }] }[type];
    return send("input.performActions", { context, actions: [{ type: "pointer", id: "mouse", actions }] });
  },
};
