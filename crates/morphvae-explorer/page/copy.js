/** The clipboard, where a browser gives one. */

/** Copies words; `shown` is an element that holds them, which is selected where there is no clipboard. Says whether they are copied. */
export async function copy(words, shown) {
  try {
    await navigator.clipboard.writeText(words);
    return true;
  } catch {
    // Pages from another computer have no clipboard, and it may be forbidden: then the reader's own hand copies.
    getSelection().selectAllChildren(shown);
    return document.execCommand("copy");
  }
}
