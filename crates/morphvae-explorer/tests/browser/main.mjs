// node main.mjs PROGRAM CHROMIUM [WORDS]: runs every test of the page, served and exported, and says how each went; with
// words, those whose names hold them. AXE names axe-core's script, where there is one, FIREFOX that browser and WEBKIT the driver of
// that one, in which the core of the page is tested as well.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch } from "./chromium.mjs";
import { exportedTests } from "./exported.mjs";
import { launch as launchFirefox } from "./firefox.mjs";
import { findings } from "./findings.mjs";
import { keptTests } from "./kept.mjs";
import { otherTests } from "./other.mjs";
import { moduleTests } from "./modules.mjs";
import { servedTests } from "./served.mjs";
import { launch as launchWebKit } from "./webkit.mjs";

const [program, chromium, words = ""] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "morphvae-page-"));
const images = ["--dataset", "strokes"];

/** Starts a program that serves, and waits for the address that it prints. */
function serve(args) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const address = new Promise((resolve, reject) => {
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (words) => {
        said += words;
        const found = said.match(/http:\/\/127\.0\.0\.1:\d+/);
        if (found) resolve(found[0]);
      });
    }
    child.once("exit", (code) => reject(new Error(`${args.join(" ")} ended with ${code}:\n${said}`)));
  });
  const stop = () => new Promise((done) => (child.once("exit", done), child.kill("SIGINT")));
  return { address, stop };
}

/** How long a test may take, in milliseconds: a page that hangs answers nothing. */
const LONGEST = 240_000;

/** What other browsers are to do as well. */
const CORE = [
  "dragging draws what the program decodes there",
  "a drawn digit is encoded and lands on the map",
  "whatever the file shows within its reach is as close to the decoder as it says, and fades beyond",
  "a drawing lands in the file where the program puts it",
];

let failures = 0;
const isMeant = ([name]) => name.includes(words);

/** What a test throws, if anything. */
async function failure(test, context) {
  const late = new Promise((_, reject) => setTimeout(reject, LONGEST, new Error("this took too long")).unref());
  return Promise.race([test(context), late]).then(() => undefined, (error) => error);
}

function report(name, error) {
  console.log(error ? `FAILS ${name}\n      ${error.stack}` : `ok    ${name}`);
  if (error) failures += 1;
}

async function run(tests, context) {
  for (const [name, test] of tests.filter(isMeant)) report(name, await failure(test, context));
}

/** How often another browser is started anew for a test whose driver has given up. */
const TRIES = 3;

/** The same of a test in a browser of its own, which may not even start. */
async function attempt(start, test, context) {
  try {
    const browser = await start();
    return await failure(test, { ...context, browser }).finally(browser.close);
  } catch (error) {
    return Object.assign(error, { isDriver: true });
  }
}

/** The same in another browser. Its driver may give up, again and again, which says nothing of the page. */
async function runElsewhere(engine, start, tests, context) {
  for (const [name, test] of tests.filter(isMeant)) {
    let error;
    for (let tries = 0; tries < TRIES && (tries === 0 || error?.isDriver); tries += 1) error = await attempt(start, test, context);
    if (error?.isDriver) console.log(`skipped: ${engine}: ${name}: its driver gave up ${TRIES} times: ${error.message}`);
    else report(`${engine}: ${name}`, error);
  }
}

const browser = await launch(chromium);
try {
  const bundled = serve(["explore", "--no-open", ...images]);
  const address = await bundled.address;
  await run([...servedTests, ...moduleTests, ...findings], { browser, address, folder, program });

  const file = join(folder, "map.html");
  if ([...exportedTests, ...keptTests].some(isMeant)) execFileSync(program, ["explore", "--export", file, ...images], { stdio: "pipe" });
  await run([...exportedTests, ...keptTests], { browser, address, folder, file, axe: process.env.AXE });
  const core = [...servedTests, ...exportedTests].filter(([name]) => CORE.includes(name));
  for (const [engine, path, start] of [["Firefox", process.env.FIREFOX, launchFirefox], ["WebKit", process.env.WEBKIT, launchWebKit]]) {
    if (path) await runElsewhere(engine, () => start(path), core, { address, folder, file });
  }
  await bundled.stop();

  const out = join(folder, "run");
  const training = ["train", ...images, "--limit", "300", "--epochs", "2", "--latent", "5", "--base-channels", "4", "--out", out];
  await run(otherTests, { browser, serve, training, out, program, images, folder });
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
console.log(failures === 0 ? "the page works" : `${failures} tests of the page fail`);
process.exit(failures === 0 ? 0 : 1);
