/** What the parts of the page share. A part is told when a name that it draws from has changed. */
export class State {
  #values;
  #listeners = [];
  #changed = new Set();

  constructor(values) {
    this.#values = values;
    for (const name of Object.keys(values)) Object.defineProperty(this, name, { get: () => this.#values[name] });
  }

  /** Takes new values; whoever listens is told once what is going on now has ended. */
  set(values) {
    Object.assign(this.#values, values);
    if (this.#changed.size === 0) queueMicrotask(() => this.#tell());
    for (const name of Object.keys(values)) this.#changed.add(name);
  }

  /** Calls `listener` after any of the space-separated `names` has changed. */
  on(names, listener) {
    this.#listeners.push({ names: names.split(" "), listener });
  }

  #tell() {
    const changed = this.#changed;
    this.#changed = new Set();
    for (const { names, listener } of this.#listeners) if (names.some((name) => changed.has(name))) listener();
  }
}
