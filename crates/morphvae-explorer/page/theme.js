/** Light and dark: as the system says, until the reader says otherwise. */
import { recall, remember } from "./memory.js";

const system = matchMedia("(prefers-color-scheme: dark)");
let chosen = recall("theme", ["light", "dark"]);

/** Whether the page is dark now. */
export function isDark() {
  return chosen ? chosen === "dark" : system.matches;
}

/** Shows the theme and tells `changed` now and whenever it changes; gives back what switches it. */
export function startTheme(changed) {
  const show = () => {
    document.documentElement.dataset.theme = isDark() ? "dark" : "light";
    changed();
  };
  system.addEventListener("change", show);
  show();
  return () => {
    chosen = isDark() ? "light" : "dark";
    remember("theme", chosen);
    show();
  };
}
