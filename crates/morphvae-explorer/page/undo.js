/** Undo and redo of what a clip is made of. */
const MADE_OF = ["keys", "kind", "loop", "seconds", "isExample"];
/** Steps that are remembered. */
const MOST = 200;
/** Moves of one key point that follow one another faster, in milliseconds, are one. */
const ONE_MOVE = 700;

export function startUndo(state) {
  const [past, future] = [[], []];
  const snapshot = () => Object.fromEntries(MADE_OF.map((name) => [name, state[name]]));
  const buttons = { undo: document.getElementById("undo"), redo: document.getElementById("redo") };
  let now = snapshot();
  let last = -Infinity;
  const show = () => {
    buttons.undo.disabled = past.length === 0;
    buttons.redo.disabled = future.length === 0;
  };
  state.on(MADE_OF.join(" "), () => {
    const next = snapshot();
    if (words(next) === words(now)) return;
    const time = performance.now();
    if (!isMove(now, next) || time - last > ONE_MOVE) past.push(now);
    if (past.length > MOST) past.shift();
    [now, last] = [next, isMove(now, next) ? time : -Infinity];
    future.length = 0;
    show();
  });
  const step = (from, to) => () => {
    const wanted = from.pop();
    if (!wanted) return;
    to.push(now);
    [now, last] = [wanted, -Infinity];
    state.set({ ...wanted, selected: undefined, playing: false });
    show();
  };
  const [undo, redo] = [step(past, future), step(future, past)];
  buttons.undo.addEventListener("click", undo);
  buttons.redo.addEventListener("click", redo);
  show();
  const forget = () => {
    past.length = future.length = 0;
    now = snapshot();
    show();
  };
  return { undo, redo, forget };
}

/** What was made, whatever pictures its key points carry. */
function words({ keys, ...others }) {
  return JSON.stringify([keys.map(({ point }) => point), others]);
}

/** Whether from one to the next a key point moved, and nothing else. */
function isMove(a, b) {
  const moved = a.keys.filter((key, index) => String(key.point) !== String(b.keys[index]?.point)).length;
  return a.keys.length === b.keys.length && moved === 1;
}
