/** What the page remembers from one visit to the next. A browser may refuse to: then it forgets. */
export function remember(name, value) {
  try {
    localStorage.setItem(`morphvae-${name}`, value);
  } catch {
    // Private windows and files may have no storage.
  }
}

/** What was remembered, if it is one of the `known` values. */
export function recall(name, known) {
  try {
    const value = localStorage.getItem(`morphvae-${name}`);
    return known.includes(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
