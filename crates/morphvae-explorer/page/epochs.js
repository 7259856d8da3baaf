/** The epochs of a run as the program keeps them: `src/replay.rs` says how. */

const HEAD = 36;

/**
 * The points' labels, a few pictures, and each epoch's number, losses, means, `[points, latent]`, and pictures as it rebuilt
 * them.
 */
export function fromBytes(buffer) {
  const view = new DataView(buffer);
  const [latent, count, shown, channels, side, length] = [12, 16, 20, 24, 28, 32].map((at) => view.getUint32(at, true));
  const size = channels * side * side;
  const pictures = (start) => Array.from({ length: shown }, (_, index) => new Uint8Array(buffer, start + index * size, size));
  const start = HEAD + 2 * count + shown * size;
  const epoch = 16 + 2 * count * latent + shown * size;
  const epochs = Array.from({ length }, (_, index) => {
    const end = start + (index + 1) * epoch;
    return { ...readEpoch(view, end - epoch, count * latent), rebuilt: pictures(end - shown * size) };
  });
  return { labels: new Uint16Array(buffer, HEAD, count), pictures: pictures(HEAD + 2 * count), epochs };
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
