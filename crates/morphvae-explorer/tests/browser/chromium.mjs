// Drives a headless Chromium through its debugging pipe: no package is needed for it.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--remote-debugging-pipe",
];
/** How long anything may take, in milliseconds. */
const PATIENCE = 100_000;

/** Starts a browser with a profile of its own. */
export async function launch(binary) {
  const profile = mkdtempSync(join(tmpdir(), "morphvae-browser-"));
  const child = spawn(binary, [...FLAGS, `--user-data-dir=${profile}`], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
  const [input, output] = [child.stdio[3], child.stdio[4]];
  const waiting = new Map();
  const listeners = [];
  let rest = Buffer.alloc(0);
  let last = 0;
  output.on("data", (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0)) {
      const message = JSON.parse(rest.subarray(0, end).toString());
      rest = rest.subarray(end + 1);
      const asked = waiting.get(message.id);
      waiting.delete(message.id);
      if (!asked) for (const listener of listeners) listener(message);
      else if (message.error) asked.reject(new Error(`${asked.method}: ${message.error.message}`));
      else asked.resolve(message.result);
    }
  });
  const send = (method, params = {}, sessionId = undefined) =>
    new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, { resolve, reject, method });
      input.write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`);
    });
  const close = async () => {
    const ended = new Promise((done) => child.once("exit", done));
    await Promise.race([send("Browser.close").catch(() => {}), ended]);
    setTimeout(() => child.kill("SIGKILL"), 2000).unref();
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  const browser = { send, listeners, close };
  return { ...browser, open: (look) => open(browser, look) };
}

async function open(browser, { width = 1440, height = 900, phone = false, dark = false, offline = false, ratio = 1 } = {}) {
  const { targetId } = await browser.send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await browser.send("Target.attachToTarget", { targetId, flatten: true });
  const send = (method, params) => browser.send(method, params, sessionId);
  const complaints = [];
  const requests = [];
  browser.listeners.push((message) => {
    if (message.sessionId !== sessionId) return;
    const { method, params } = message;
    if (method === "Runtime.consoleAPICalled") complaints.push(params.args.map((arg) => arg.value ?? arg.description).join(" "));
    if (method === "Runtime.exceptionThrown") complaints.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    if (method === "Network.requestWillBeSent") requests.push(params.request.url);
    if (method === "Log.entryAdded") complaints.push(`${params.entry.text} ${params.entry.url ?? ""}`);
  });
  for (const domain of ["Runtime", "Log", "Page", "Network"]) await send(`${domain}.enable`);
  await send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: ratio, mobile: phone });
  await send("Emulation.setTouchEmulationEnabled", { enabled: phone });
  await send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }] });
  if (offline) await send("Network.emulateNetworkConditions", { offline: true, latency: 0, downloadThroughput: 0, uploadThroughput: 0 });
  const download = (folder) => browser.send("Browser.setDownloadBehavior", { behavior: "allowAndName", downloadPath: folder, eventsEnabled: true });
  return new Page({ send, complaints, requests, download, listeners: browser.listeners, close: () => browser.send("Target.closeTarget", { targetId }) });
}

/** Ends a process, and waits until it has ended. */
export async function ended(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const end = new Promise((done) => child.once("exit", done));
  child.kill();
  setTimeout(() => child.kill("SIGKILL"), 5000).unref();
  await end;
}

/** A page; `complaints` gathers what it writes to the console and every error. */
export class Page {
  constructor(parts) {
    Object.assign(this, parts);
  }

  /** Goes to an address and waits until the page has started. */
  async visit(address) {
    await this.send("Page.navigate", { url: address });
    await this.until("document.documentElement?.dataset.ready !== undefined");
  }

  /** The value of an expression, or of the promise that it gives. */
  async value(expression) {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    return result.value;
  }

  /** Waits until an expression is true. */
  async until(expression) {
    for (const start = Date.now(); Date.now() - start < PATIENCE; ) {
      if (await this.value(`Boolean(${expression})`)) return;
      await new Promise((done) => setTimeout(done, 30));
    }
    throw new Error(`this did not come true: ${expression}`);
  }

  /** The middle of an element, or a place in it given by shares of its sides. */
  async place(selector, [across, down] = [0.5, 0.5]) {
    return this.value(`(() => {
      const element = document.querySelector(${JSON.stringify(selector)});
      element.scrollIntoView({ block: "nearest" });
      const box = element.getBoundingClientRect();
      return [box.left + ${across} * box.width, box.top + ${down} * box.height];
    })()`);
  }

  mouse(type, [x, y], more = {}) {
    return this.send("Input.dispatchMouseEvent", { type, x, y, button: "left", buttons: type === "mouseReleased" ? 0 : 1, clickCount: 1, ...more });
  }

  async click(selector, shares, more) {
    const at = await this.place(selector, shares);
    await this.mouse("mousePressed", at, more);
    await this.mouse("mouseReleased", at, more);
  }

  /** Presses at the first place, moves through the others, and lets go. */
  async drag(places) {
    await this.mouse("mousePressed", places[0]);
    for (const place of places.slice(1)) await this.mouse("mouseMoved", place);
    await this.mouse("mouseReleased", places.at(-1));
  }

  async press(key, more = {}) {
    const text = key.length === 1 ? { text: key } : {};
    await this.send("Input.dispatchKeyEvent", { type: "keyDown", key, ...text, ...more });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", key, ...more });
  }

  /** Fingers: what each list holds is where they are, one step after the other. */
  async touch(steps) {
    const points = (places) => places.map(([x, y], id) => ({ x, y, id }));
    await this.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: points(steps[0]) });
    for (const step of steps.slice(1)) await this.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: points(step) });
    await this.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  }

  /** Chooses a file where one is asked for. */
  async choose(selector, path) {
    const { root } = await this.send("DOM.getDocument");
    const { nodeId } = await this.send("DOM.querySelector", { nodeId: root.nodeId, selector });
    await this.send("DOM.setFileInputFiles", { nodeId, files: [path] });
  }

  /** The bytes of the file that a click saves. */
  async saved(selector, folder) {
    await this.download(folder);
    const finished = new Promise((resolve) => {
      this.listeners.push(({ method, params }) => {
        if (method === "Browser.downloadProgress" && params.state === "completed") resolve(params.guid);
      });
    });
    await this.click(selector);
    return readFileSync(join(folder, await finished));
  }

  /** A picture of what is seen, PNG. */
  async picture() {
    const { data } = await this.send("Page.captureScreenshot", { format: "png" });
    return Buffer.from(data, "base64");
  }
}
