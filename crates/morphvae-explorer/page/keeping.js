/** Keeps the address as the page is, and the page as the address says. */
import { read, write } from "./address.js";
import { copy } from "./copy.js";
import { currentLanguage, LANGUAGE_NAMES, setLanguage, text } from "./language.js";
import { showPlane } from "./plane.js";
import { Trouble } from "./trouble.js";

/** How long the page must rest before its address is written, in milliseconds: browsers refuse to write it often. */
const REST = 250;

/** `words` writes all texts anew, and `draw` draws another class of a conditional model. */
export function startKeeping(state, map, { words, draw }, failed) {
  let written = location.hash;
  const store = () => {
    const hash = `#${write(state, { isWhole: map.isWhole, language: currentLanguage() })}`;
    if (hash === written) return;
    written = hash;
    try {
      // Each step of a hand is no step of the way back: that leads to where one came from.
      history.replaceState(null, "", hash);
    } catch {
      // A browser that has had enough of it for now.
    }
  };
  let wait;
  const keep = () => {
    clearTimeout(wait);
    if (!state.isUntouched) wait = setTimeout(store, REST);
  };
  state.on("model cursor view keys kind loop seconds axes base blend isExample isUntouched", keep);

  const restore = () => {
    const { language, view, axes, base, given, ...said } = read(location.hash, state.model, LANGUAGE_NAMES);
    if (language) setLanguage(language, words);
    if (given !== undefined) draw(given);
    if (axes || base) showPlane(state, { axes, base });
    if (view) state.set({ view: map.near(view) });
    const isExample = said.keys === undefined && (state.isExample || state.keys.length === 0);
    state.set({ ...said, isExample, selected: undefined });
  };
  if (location.hash.length > 1) restore();
  addEventListener("hashchange", () => {
    written = location.hash;
    restore();
  });
  addEventListener("pagehide", () => !state.isUntouched && store());

  const link = document.getElementById("link");
  link.addEventListener("click", async () => {
    store();
    const address = document.getElementById("address");
    address.textContent = location.href;
    if (!(await copy(location.href, address))) return failed(new Trouble("problemCopy"));
    link.classList.add("done");
    document.getElementById("said").textContent = text("linkCopied");
    setTimeout(() => link.classList.remove("done"), 1500);
  });
}
