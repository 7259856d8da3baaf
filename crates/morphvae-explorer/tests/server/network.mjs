// node network.mjs CASES: runs the worker of exported files, with WebAssembly and without, and holds what it computes against
// what the program does.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const cases = JSON.parse(readFileSync(process.argv[2], "utf8"));

/** A worker's script in this thread: a function that asks it for something. */
function start(code) {
  const waiting = new Map();
  const self = { postMessage: ({ id, answer, failure }) => waiting.get(id)(failure ? Promise.reject(new Error(failure)) : answer) };
  new Function("self", code)(self);
  let last = 0;
  return (task, ...values) => {
    last += 1;
    const answer = new Promise((done) => waiting.set(last, done));
    self.onmessage({ data: { id: last, task, values } });
    return answer;
  };
}

const fromBase64 = (words) => new Uint8Array(Buffer.from(words, "base64"));
const apart = (a, b) => Math.max(...Array.from(a, (value, index) => Math.abs(value - b[index])));

async function check({ file, worst, expected }) {
  const page = readFileSync(file, "utf8");
  const data = JSON.parse(page.split('<script id="morphvae-data" type="application/json">')[1].split("</script>")[0]);
  const ask = start(data.worker);
  await ask("begin", data.network);
  const { points, mean, log_variance: logVariance, classes, told } = expected;
  const [images, inputs] = [expected.images, expected.inputs].map(fromBase64);
  const count = 5;
  const found = await ask("decode", Float32Array.from(points), count);
  assert.equal(found.length, images.length);
  assert.ok(apart(found, images) <= worst + 1, `${file}: images differ by ${apart(found, images)}, and not ${worst}`);
  const [length, latent] = [inputs.length / count, mean.length / count];
  for (let index = 0; index < count; index += 1) {
    const code = await ask("encode", inputs.subarray(index * length, (index + 1) * length), told);
    const of = (values) => values.slice(index * latent, (index + 1) * latent);
    assert.ok(apart(code.mean, of(mean)) < 0.01, `${file}: ${code.mean}, and not ${of(mean)}`);
    assert.ok(apart(code.logVariance, of(logVariance)) < 0.01, `${file}: ${code.logVariance}, and not ${of(logVariance)}`);
    assert.equal(code.given, classes[index]);
  }
}

for (const each of cases) await check(each);
globalThis.WebAssembly = undefined;
for (const each of cases) await check(each);
