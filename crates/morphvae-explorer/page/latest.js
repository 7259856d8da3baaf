/**
 * Slow work for a fast hand: one piece is under way at a time, and of what is asked meanwhile only the latest is done.
 *
 * `work` is asynchronous; `deliver` gets its result and what was asked, `failed` an error and the same. After `forget`, what was
 * asked before is neither begun nor delivered. `settled` promises that nothing is under way any more.
 */
export function latest(work, deliver, failed) {
  let wanted;
  let busy = false;
  let running;
  let era = 0;
  const run = async () => {
    busy = true;
    while (wanted) {
      const { what } = wanted;
      const begun = era;
      wanted = undefined;
      try {
        const result = await work(what);
        if (begun === era) deliver(result, what);
      } catch (error) {
        if (begun === era) failed(error, what);
      }
    }
    busy = false;
  };
  const ask = (what) => {
    wanted = { what };
    if (!busy) running = run();
  };
  ask.forget = () => {
    wanted = undefined;
    era += 1;
  };
  ask.settled = () => running;
  return ask;
}
