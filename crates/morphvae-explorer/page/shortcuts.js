/** The keyboard: what each key does, and the list of it. */
import { text } from "./language.js";

const LIST = [
  ["← ↑ → ↓", "keyMove"],
  ["Enter", "keyAdd"],
  ["[ ]", "keySelect"],
  ["G", "keyGrab"],
  ["Delete", "keyDelete"],
  ["Ctrl Z", "keyUndo"],
  ["Space", "keyPlay"],
  ["+ − 0", "keyZoom"],
  ["E K M", "keyTools"],
  ["R", "keyRegion"],
  ["/", "keyFind"],
  ["Shift", "keyPan"],
  ["Alt", "keyPlace"],
  ["T L", "keyLooks"],
  ["?", "keyHelp"],
];

/** Share of the map's narrower side that an arrow key moves the cursor by. */
const STEP = 1 / 60;

/**
 * `act` holds what the keys do: `addKey`, `removeKey`, `moveKey(place)`, `selectKey(step)`, `grab`, `undo`, `redo`, `play`,
 * `whole`, `theme`, `language`, `say`, `find`, `select(region)`, and `unselect`.
 */
export function startShortcuts(canvas, state, act) {
  const dialog = document.getElementById("shortcuts");
  const help = () => {
    const items = LIST.flatMap(([keys, name]) => {
      const [term, words] = ["dt", "dd"].map((tag) => document.createElement(tag));
      term.append(...keys.split(" ").map((key) => Object.assign(document.createElement("kbd"), { textContent: key })));
      words.textContent = text(name);
      return [term, words];
    });
    document.getElementById("shortcut-list").replaceChildren(...items);
    dialog.showModal();
  };
  document.getElementById("help").addEventListener("click", help);
  document.getElementById("help-close").addEventListener("click", () => dialog.close());

  const tool = (name) => () => state.set({ tool: name });
  const zoom = (factor) => () => state.set({ view: state.view.zoomed(factor) });
  const anywhere = {
    " ": act.play,
    "?": help,
    "/": act.find,
    escape: act.unselect,
    e: tool("look"),
    g: act.grab,
    k: tool("key"),
    m: tool("pan"),
    r: tool("select"),
    t: act.theme,
    l: act.language,
    "[": () => act.selectKey(-1),
    "]": () => act.selectKey(1),
    "+": zoom(1.3),
    "=": zoom(1.3),
    "-": zoom(1 / 1.3),
    0: act.whole,
  };
  const withControl = { z: act.undo, Z: act.redo, y: act.redo };
  /** With the selecting tool, Enter sets a corner of a region, the cursor leads to the other one, and Enter selects it. */
  let from;
  const corner = () => {
    if (from) act.select(box(from, state.cursor));
    from = from ? undefined : state.cursor;
  };
  state.on("cursor tool", () => {
    if (state.tool !== "select") from = undefined;
    if (from) state.set({ region: box(from, state.cursor) });
  });
  const enter = () => (state.tool === "select" ? corner() : state.isHeld ? act.grab() : act.addKey());
  const onMap = { Enter: enter, Delete: act.removeKey, Backspace: act.removeKey };

  addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || event.target.matches("select, input:not([type=range])")) return;
    if (event.ctrlKey || event.metaKey) {
      withControl[event.key]?.();
      return;
    }
    // A focused button takes the space bar itself.
    if (event.key === " " && event.target.matches("button, a")) return;
    const action = (event.target === canvas && (onMap[event.key] ?? arrow(event))) || anywhere[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action();
  });

  const arrow = (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way) return undefined;
    return () => {
      const { view } = state;
      const factor = event.shiftKey ? 6 : event.altKey ? 0.2 : 1;
      const step = (factor * STEP * Math.min(view.width, view.height)) / view.scale;
      const cursor = state.cursor.map((value, axis) => value + way[axis] * step);
      state.set({ cursor, pointer: undefined, hovered: undefined, playing: false, inClip: false, view: inSight(view, cursor) });
      if (state.isHeld) act.moveKey(cursor);
      act.say();
    };
  };
}

/** The rectangle between two corners. */
function box([left, bottom], [right, top]) {
  return [[left, bottom], [right, bottom], [right, top], [left, top]];
}

/** The view, moved so far that a place can be seen. */
function inSight(view, place) {
  const [x, y] = view.pixel(place);
  const margin = 48;
  const dx = Math.max(0, margin - x) - Math.max(0, x - view.width + margin);
  const dy = Math.max(0, margin - y) - Math.max(0, y - view.height + margin);
  return dx === 0 && dy === 0 ? view : view.moved(dx, dy);
}
