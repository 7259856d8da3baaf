/** Bytes as they come: in text, compressed, and several images in a row. */

export function fromBase64(words) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(words);
  const letters = atob(words);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at += 1) bytes[at] = letters.charCodeAt(at);
  return bytes;
}

export async function inflate(words) {
  const packed = new Blob([fromBase64(words)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/** An array cut into so many equal parts. */
export function parts(values, count) {
  const length = values.length / count;
  return Array.from({ length: count }, (_, index) => values.subarray(index * length, (index + 1) * length));
}
