/**
 * Products of matrices, of which a network is made: by WebAssembly with SIMD, which the page writes itself, and by plain
 * JavaScript where a browser has none.
 *
 * `multiply(a, b, c, rows, inner, columns)` makes `c`, `[rows, columns]`, of `a`, `[rows, inner]`, times `b`, whose columns are in
 * panels of eight: `[columns / 8, inner, 8]`. All three are places in one array of 32-bit numbers.
 */

/** Columns of a panel: `columns` are a multiple of it. */
export const PANEL = 8;
/** Rows that are computed together, as far as there are so many: with a panel they fill half of the registers. */
const ROWS = 4;
/** Steps along the inner side that are written out one after another. */
const STEPS = 4;

/** Memory for so many numbers, and what multiplies in it. */
export async function kernel(length) {
  try {
    const memory = new WebAssembly.Memory({ initial: Math.ceil((4 * length) / 65536) });
    const { instance } = await WebAssembly.instantiate(code(), { page: { memory } });
    return { floats: new Float32Array(memory.buffer), multiply: instance.exports.multiply };
  } catch {
    return plain(length);
  }
}

/** The same without WebAssembly. */
export function plain(length) {
  const floats = new Float32Array(length);
  const multiply = (a, b, c, rows, inner, columns) => {
    for (let column = 0; column < columns; column += PANEL) {
      for (let row = 0; row < rows; row += 1) {
        let [x0, x1, x2, x3, x4, x5, x6, x7] = [0, 0, 0, 0, 0, 0, 0, 0];
        let at = b + column * inner;
        for (let from = a + row * inner; from < a + (row + 1) * inner; from += 1, at += PANEL) {
          const value = floats[from];
          x0 += value * floats[at];
          x1 += value * floats[at + 1];
          x2 += value * floats[at + 2];
          x3 += value * floats[at + 3];
          x4 += value * floats[at + 4];
          x5 += value * floats[at + 5];
          x6 += value * floats[at + 6];
          x7 += value * floats[at + 7];
        }
        floats.set([x0, x1, x2, x3, x4, x5, x6, x7], c + row * columns + column);
      }
    }
  };
  return { floats, multiply };
}

const [I32, V128] = [0x7f, 0x7b];
const PARAMETERS = ["a", "b", "c", "rows", "inner", "columns"];
const each = Array.from({ length: ROWS }, (_, row) => row);
/** Byte addresses and counts: of a row and of a row of the result in bytes; where a tile begins; how much of it is left. */
const ADDRESSES = ["stride", "pitch", "from", "to", "left", "panel", "count", ...each.map((row) => `from${row}`)];
/** Eight sums for each row of a tile; eight numbers of a panel; one of `a`, four times. */
const VECTORS = [...each.flatMap((row) => [`low${row}`, `high${row}`]), "lower", "upper", "value"];
const LOCALS = [...PARAMETERS, ...ADDRESSES, ...VECTORS];

const get = (name) => [0x20, ...unsigned(LOCALS.indexOf(name))];
const set = (name) => [0x21, ...unsigned(LOCALS.indexOf(name))];
const [ADD, SUBTRACT, MULTIPLY, SHIFT, IS_ZERO, IS_LESS] = [0x6a, 0x6b, 0x6c, 0x74, 0x45, 0x48];
const constant = (value) => [0x41, ...signed(value)];
const vector = (operation) => [0xfd, ...unsigned(operation)];
const ZERO = [...vector(12), ...new Array(16).fill(0)];
/** Four numbers, one number four times, and where four numbers go, so many bytes beyond an address. */
const load = (offset) => [...vector(0), 2, ...unsigned(offset)];
const splat = (offset) => [...vector(9), 2, ...unsigned(offset)];
const store = (offset) => [...vector(11), 2, ...unsigned(offset)];
const [SUM, PRODUCT] = [vector(228), vector(230)];

const increase = (name, amount) => [...get(name), ...amount, ADD, ...set(name)];
const decrease = (name, amount) => [...get(name), ...constant(amount), SUBTRACT, ...set(name)];
/** Goes on with `body` until `name` is less than `least`. */
const whileAtLeast = (name, least, body) => [
  ...[0x02, 0x40, 0x03, 0x40], ...get(name), ...constant(least), IS_LESS, ...[0x0d, 1], ...body, ...[0x0c, 0, 0x0b, 0x0b],
];

/** A module that exports `multiply`. */
function code() {
  const bytes = [...PARAMETERS.slice(0, 3).flatMap((name) => [...get(name), ...constant(2), SHIFT, ...set(name)]), ...body()];
  const locals = list([[...unsigned(ADDRESSES.length), I32], [...unsigned(VECTORS.length), V128]]);
  const inside = [...locals, ...bytes, 0x0b];
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list([[0x60, ...list(PARAMETERS.map(() => [I32])), 0]])),
    ...section(2, list([[...name("page"), ...name("memory"), 2, 0, 1]])),
    ...section(3, list([[0]])),
    ...section(7, list([[...name("multiply"), 0, 0]])),
    ...section(10, list([[...unsigned(inside.length), ...inside]])),
  ]);
}

/** Panel after panel, in each of them tile after tile, so that a panel stays near. */
function body() {
  const next = (rows) => {
    const by = (pitch) => [...get(pitch), ...constant(rows), MULTIPLY];
    return [...tile(rows), ...increase("from", by("stride")), ...increase("to", by("pitch")), ...decrease("left", rows)];
  };
  const whole = (name, from) => [...get(from), ...constant(2), SHIFT, ...set(name)];
  return [
    ...whole("stride", "inner"), ...whole("pitch", "columns"),
    ...whileAtLeast("columns", 1, [
      ...get("a"), ...set("from"), ...get("c"), ...set("to"), ...get("rows"), ...set("left"),
      ...whileAtLeast("left", ROWS, next(ROWS)),
      ...whileAtLeast("left", 1, next(1)),
      ...increase("b", [...get("stride"), ...constant(PANEL), MULTIPLY]), ...increase("c", constant(4 * PANEL)), ...decrease("columns", PANEL),
    ]),
  ];
}

/** So many rows of a panel's columns. */
function tile(rows) {
  const mine = each.slice(0, rows);
  const first = (row) => (row === 0 ? get("from") : [...get(`from${row - 1}`), ...get("stride"), ADD]);
  const result = (row) => [...get("to"), ...get("pitch"), ...constant(row), MULTIPLY, ADD];
  const go = (steps) => [
    ...Array.from({ length: steps }, (_, step) => along(mine, step)).flat(),
    ...mine.flatMap((row) => increase(`from${row}`, constant(4 * steps))), ...increase("panel", constant(4 * PANEL * steps)), ...decrease("count", steps),
  ];
  return [
    ...mine.flatMap((row) => [...first(row), ...set(`from${row}`), ...ZERO, ...set(`low${row}`), ...ZERO, ...set(`high${row}`)]),
    ...get("b"), ...set("panel"), ...get("inner"), ...set("count"),
    ...whileAtLeast("count", STEPS, go(STEPS)),
    ...whileAtLeast("count", 1, go(1)),
    ...mine.flatMap((row) => [...result(row), ...get(`low${row}`), ...store(0), ...result(row), ...get(`high${row}`), ...store(16)]),
  ];
}

/** One step along the inner side: a number of each row times eight of the panel. */
function along(rows, step) {
  const add = (sum, numbers) => [...get(sum), ...get("value"), ...get(numbers), ...PRODUCT, ...SUM, ...set(sum)];
  return [
    ...get("panel"), ...load(4 * PANEL * step), ...set("lower"), ...get("panel"), ...load(4 * PANEL * step + 16), ...set("upper"),
    ...rows.flatMap((row) => [...get(`from${row}`), ...splat(4 * step), ...set("value"), ...add(`low${row}`, "lower"), ...add(`high${row}`, "upper")]),
  ];
}

const list = (items) => [...unsigned(items.length), ...items.flat()];
const section = (id, bytes) => [id, ...unsigned(bytes.length), ...bytes];
const name = (letters) => list(Array.from(letters, (letter) => [letter.charCodeAt(0)]));

/** Numbers in seven bits a byte (LEB128). */
function unsigned(value) {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

function signed(value) {
  return value < 64 ? [value] : [(value & 127) | 128, ...signed(value >>> 7)];
}
