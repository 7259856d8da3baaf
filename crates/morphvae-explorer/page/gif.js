/** Animated GIFs, written by hand: a palette of all greys or of the clip's own colours, and LZW. */
import { breath } from "./breath.js";
import { palette } from "./palette.js";

/**
 * A GIF of `frames`, each RGBA bytes of `width` x `height`, shown for `centiseconds` each and the last for `rest`, once or forever.
 *
 * Grey frames keep every grey exactly. `told` hears which share is done.
 */
export async function encodeGif(frames, { width, height, centiseconds, rest = centiseconds, repeats }, told = () => {}) {
  const breathe = breath();
  const { colours, indices } = frames.every(isGrey) ? greys() : palette(frames);
  const out = new Bytes();
  out.text("GIF89a");
  out.short(width);
  out.short(height);
  out.bytes([0xf7, 0, 0]);
  out.bytes(colours);
  if (repeats) {
    out.bytes([0x21, 0xff, 11]);
    out.text("NETSCAPE2.0");
    out.bytes([3, 1, 0, 0, 0]);
  }
  for (const [index, frame] of frames.entries()) {
    await breathe();
    told(index / frames.length);
    out.bytes([0x21, 0xf9, 4, 0]);
    out.short(index < frames.length - 1 ? centiseconds : rest);
    out.bytes([0, 0, 0x2c, 0, 0, 0, 0]);
    out.short(width);
    out.short(height);
    out.bytes([0, 8]);
    out.blocks(compress(indices(frame)));
  }
  out.bytes([0x3b]);
  return out.take();
}

function isGrey(frame) {
  for (let at = 0; at < frame.length; at += 4) if (frame[at] !== frame[at + 1] || frame[at] !== frame[at + 2]) return false;
  return true;
}

function greys() {
  return {
    colours: Uint8Array.from({ length: 768 }, (_, index) => Math.floor(index / 3)),
    indices: (frame) => Uint8Array.from({ length: frame.length / 4 }, (_, index) => frame[4 * index]),
  };
}

/** LZW with codes from 9 to 12 bits, as GIF has it for 8-bit indices. */
function compress(indices) {
  const CLEAR = 256;
  const END = 257;
  const out = new Bytes();
  let [bits, count] = [0, 0];
  let [width, next] = [9, 258];
  // The code of a known string and one more index: `prefix * 256 + index` to code.
  let table = new Map();
  const write = (code) => {
    bits |= code << count;
    count += width;
    while (count >= 8) {
      out.byte(bits & 255);
      bits >>>= 8;
      count -= 8;
    }
  };
  write(CLEAR);
  let prefix = indices[0];
  for (let at = 1; at < indices.length; at += 1) {
    const pair = prefix * 256 + indices[at];
    const known = table.get(pair);
    if (known !== undefined) {
      prefix = known;
      continue;
    }
    write(prefix);
    if (next === 4096) {
      write(CLEAR);
      table = new Map();
      [width, next] = [9, 258];
    } else {
      // The reader learns a code one step later than the writer.
      if (next === 1 << width) width += 1;
      table.set(pair, next);
      next += 1;
    }
    prefix = indices[at];
  }
  write(prefix);
  if (next === 1 << width && width < 12) width += 1;
  write(END);
  if (count > 0) out.byte(bits & 255);
  return out.take();
}

/** Bytes that become more. */
class Bytes {
  #bytes = new Uint8Array(1 << 16);
  #length = 0;

  byte(value) {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  bytes(values) {
    this.#grow(values.length);
    this.#bytes.set(values, this.#length);
    this.#length += values.length;
  }

  short(value) {
    this.bytes([value & 255, value >> 8]);
  }

  text(letters) {
    this.bytes(Array.from(letters, (letter) => letter.charCodeAt(0)));
  }

  /** In blocks of at most 255 bytes, each after its length, and an empty one at the end. */
  blocks(values) {
    for (let at = 0; at < values.length; at += 255) {
      const block = values.subarray(at, at + 255);
      this.byte(block.length);
      this.bytes(block);
    }
    this.byte(0);
  }

  take() {
    return this.#bytes.slice(0, this.#length);
  }

  #grow(more) {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * (this.#length + more));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
