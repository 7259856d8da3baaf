/**
 * Slow work for a fast hand: one piece is under way at a time, and of what is asked meanwhile only the latest is done.
 *
 * `work` is asynchronous; `deliver` gets its result and what was asked. Failures go to `failed`.
 */
export function latest(work, deliver, failed) {
  let wanted;
  let busy = false;
  const run = async () => {
    busy = true;
    while (wanted) {
      const { what } = wanted;
      wanted = undefined;
      try {
        deliver(await work(what), what);
      } catch (error) {
        failed(error);
      }
    }
    busy = false;
  };
  return (what) => {
    wanted = { what };
    if (!busy) run();
  };
}
