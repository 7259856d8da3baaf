// Drives WebKitGTK by WebDriver as `chromium.mjs` drives Chromium, as far as the core of the page needs it: no package is needed for
// it but the driver and, since it has no mode without one, a display, for which Xvfb does.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { ended, Page } from "./chromium.mjs";

/** Where Debian has the driver's own browser. */
const BROWSERS = ["4.1", "4.0", "6.0"].map((version) => `/usr/lib/x86_64-linux-gnu/webkit2gtk-${version}/MiniBrowser`);
/** Errors that are not the page's. */
const DRIVERS = ["unknown error", "invalid session id", "no such window"];

/** Starts the driver with a display of its own. */
export async function launch(driver) {
  const display = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", "1600x1100x24"], { stdio: ["ignore", "ignore", "ignore", "pipe"] });
  const number = await first(display, display.stdio[3], /\d+/);
  const port = 20_000 + (process.pid % 20_000);
  const child = spawn(driver, [`--port=${port}`], { env: { ...process.env, DISPLAY: `:${number}`, LIBGL_ALWAYS_SOFTWARE: "1" }, stdio: "ignore" });
  const send = async (method, path, body) => {
    const options = { method, body: body && JSON.stringify(body), headers: { "Content-Type": "application/json" } };
    const { value } = await (await fetch(`http://127.0.0.1:${port}/session${path}`, options)).json();
    if (value?.error) throw Object.assign(new Error(`${path}: ${value.error} ${value.message}`), { isDriver: DRIVERS.includes(value.error) });
    return value;
  };
  const binary = BROWSERS.find(existsSync);
  const options = { "webkitgtk:browserOptions": { binary, args: ["--automation"] } };
  const { sessionId } = await patiently(() => send("POST", "", { capabilities: { alwaysMatch: binary ? options : {} } }));
  const ask = (method, path, body) => send(method, `/${sessionId}${path}`, body);
  const home = await ask("GET", "/window");
  const close = async () => {
    await ask("DELETE", "").catch(() => {});
    // Whoever starts next has the same port, and is not to find this one there.
    for (const each of [child, display]) await ended(each);
  };
  return { close, open: (look) => open(ask, home, look) };
}

/** What a process says first of what is looked for. */
function first(child, stream, words) {
  return new Promise((resolve, reject) => {
    stream.on("data", (said) => words.test(said) && resolve(String(said).match(words)[0]));
    child.once("exit", (code) => reject(new Error(`${child.spawnfile} ended with ${code}`)));
    child.once("error", reject);
  });
}

/** Asks again while nobody listens yet. */
async function patiently(ask) {
  for (let turn = 0; ; turn += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof TypeError) || turn > 100) throw error;
      await new Promise((done) => setTimeout(done, 100));
    }
  }
}

async function open(ask, home, { width = 1440, height = 900 } = {}) {
  // The page before may be closed; the driver asks for windows from one that is open.
  await ask("POST", "/window", { handle: home });
  const { handle } = await ask("POST", "/window/new", { type: "window" });
  const here = () => ask("POST", "/window", { handle });
  await here();
  await ask("POST", "/window/rect", { width, height });
  // Pages are asked one at a time; another one may have been asked in between.
  const asked = async (method, params) => {
    await here();
    return ASKED[method](ask, params);
  };
  const close = async () => {
    await here();
    await ask("DELETE", "/window");
  };
  return new Page({ send: asked, complaints: [], requests: [], close });
}

/** What a page is asked in Chromium's words. */
const ASKED = {
  "Page.navigate": (ask, { url }) => ask("POST", "/url", { url }),
  "Page.captureScreenshot": async (ask) => ({ data: await ask("GET", "/screenshot") }),
  "Runtime.evaluate": async (ask, { expression }) => {
    const script = `const done = arguments[0]; (async () => (${expression}))().then((value) => done({ value }), (error) => done({ error: String(error) }))`;
    const { value, error } = await ask("POST", "/execute/async", { script, args: [] });
    return error === undefined ? { result: { value: value ?? undefined } } : { exceptionDetails: { text: error } };
  },
  "Input.dispatchMouseEvent": (ask, { type, x, y }) => {
    const move = { type: "pointerMove", x: Math.round(x), y: Math.round(y), duration: 0, origin: "viewport" };
    const actions = { mouseMoved: [move], mousePressed: [move, { type: "pointerDown", button: 0 }], mouseReleased: [move, { type: "pointerUp", button: 0 }] }[type];
    return ask("POST", "/actions", { actions: [{ type: "pointer", id: "mouse", parameters: { pointerType: "mouse" }, actions }] });
  },
};
