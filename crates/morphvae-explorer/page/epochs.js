/** The epochs of a run as the program keeps them: `src/replay.rs` says how. */

const HEAD = 24;

/** The points' labels, and each epoch's number, losses, and means, `[points, latent]`. */
export function fromBytes(buffer) {
  const view = new DataView(buffer);
  const [latent, count, length] = [12, 16, 20].map((at) => view.getUint32(at, true));
  const epochs = Array.from({ length }, (_, index) => readEpoch(view, HEAD + 2 * count + index * (16 + 2 * count * latent), count * latent));
  return { labels: new Uint16Array(buffer, HEAD, count), epochs };
}

function readEpoch(view, start, length) {
  const scale = view.getFloat32(start + 12, true) / 32767;
  return {
    epoch: view.getUint32(start, true),
    train_loss: view.getFloat32(start + 4, true),
    test_loss: view.getFloat32(start + 8, true),
    means: Float32Array.from({ length }, (_, index) => scale * view.getInt16(start + 16 + 2 * index, true)),
  };
}
