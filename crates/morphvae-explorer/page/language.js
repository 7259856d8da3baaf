/** The page's language: from the address or the reader's choice, else from the browser's. */
import { LANGUAGES, TEXTS } from "./texts.js";
import { recall, remember } from "./memory.js";

export const LANGUAGE_NAMES = Object.keys(LANGUAGES);

const preferred = navigator.language.startsWith("ja") ? "ja" : "en";
let language = recall("language", LANGUAGE_NAMES) ?? preferred;

export function currentLanguage() {
  return language;
}

/** A text in the page's language, with `{name}` filled in from `values`. */
export function text(name, values = {}) {
  return TEXTS[name][language].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

/** Writes every marked text and label of the page anew. */
export function translate(root = document) {
  document.documentElement.lang = language;
  for (const element of root.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
  for (const element of root.querySelectorAll("[data-hint]")) element.placeholder = text(element.dataset.hint);
  for (const element of root.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", text(element.dataset.label));
    if (element.matches("button, .legend")) element.title = text(element.dataset.label);
  }
}

/** Shows a language; `then` writes what is not marked in the page. */
export function setLanguage(name, then) {
  language = name;
  translate();
  then();
}

/** Changes to the other language, and remembers it. */
export function switchLanguage(then) {
  const other = language === "en" ? "ja" : "en";
  remember("language", other);
  setLanguage(other, then);
}
