/** What did not work, as the page says it. */
import { text } from "./language.js";

/** Something that people are told of; `name` is that of its text. */
export class Trouble extends Error {
  constructor(name, options) {
    super(name, options);
    this.name = name;
  }
}

/** How long it is told, in milliseconds. */
const LONG = 6000;

/** Gives back what shows for some seconds what went wrong. */
export function startTroubles(place) {
  let quiet;
  return (error) => {
    if (!(error instanceof Trouble)) throw error;
    place.textContent = text(error.name);
    place.hidden = false;
    clearTimeout(quiet);
    quiet = setTimeout(() => (place.hidden = true), LONG);
  };
}
