/** Bytes as they come: in text, compressed, and several images in a row. */

export function fromBase64(words) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(words);
  const letters = atob(words);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at += 1) bytes[at] = letters.charCodeAt(at);
  return bytes;
}

/** Not by way of a blob: in a worker of a page from `file://`, WebKitGTK cannot read one. */
export async function inflate(words) {
  const packed = new Response(fromBase64(words)).body;
  return new Uint8Array(await new Response(packed.pipeThrough(new DecompressionStream("deflate-raw"))).arrayBuffer());
}

/** An array cut into so many equal parts. */
export function parts(values, count) {
  const length = values.length / count;
  return Array.from({ length: count }, (_, index) => values.subarray(index * length, (index + 1) * length));
}
