/** Long work in the page's own thread, which an exported file has alone: it lets the page breathe. */

/** How long work may go on before the page may draw and listen, in milliseconds. */
const LONGEST = 12;

/** Gives back what long work awaits again and again: it takes a moment whenever enough time has passed. */
export function breath() {
  let begun = performance.now();
  return async () => {
    if (performance.now() - begun < LONGEST) return;
    await new Promise((done) => setTimeout(done));
    begun = performance.now();
  };
}
