/** Images that are looked for, by the name of a class or a file or by a region of the map: listed, lit on the map, saved as a table. */
import { NO_LABEL } from "./cloud.js";
import { download } from "./download.js";
import { text } from "./language.js";
import { latest } from "./latest.js";
import { Strip } from "./strip.js";

/** Images that are listed. */
const LISTED = 60;
/** How long a word rests before it is looked for, in milliseconds. */
const REST = 200;

/** `addKey(point)` takes a key point. Gives back `words`, which writes everything anew, `select(region)`, and `clear`. */
export function startFinding(state, source, addKey, failed) {
  const byId = (id) => document.getElementById(id);
  const [field, list] = [byId("find"), byId("found-list")];
  const strip = new Strip(list, state, source, addKey);
  byId("finding").hidden = state.cloud.count === 0;
  let names;

  /** A short name of an image, and the class that it has. */
  const nameOf = (index) => names[index].split("/").at(-1);
  const classOf = (index) => state.model.classes[state.cloud.labels[index]] ?? text("noLabel");
  const look = latest(
    async ({ query, region }) => {
      names ??= await source.names();
      const found = region ? inside(state, region) : query ? named(state, names, query) : undefined;
      await strip.load(found?.slice(0, LISTED) ?? []);
      return found;
    },
    (found, { query, region }) => state.set({ found: found && new Set(found), region: region ?? (query ? undefined : state.region) }),
    failed,
  );
  const select = (region) => {
    field.value = "";
    look({ region });
  };
  const clear = () => {
    field.value = "";
    look.forget();
    state.set({ found: undefined, region: undefined });
  };
  let wait;
  field.addEventListener("input", () => {
    clearTimeout(wait);
    if (field.value.trim() === "") clear();
    else wait = setTimeout(() => look({ query: field.value.trim() }), REST);
  });
  byId("found-clear").addEventListener("click", clear);
  byId("found-save").addEventListener("click", () => download(new Blob([table(state, names)], { type: "text/csv" }), `${state.model.name}-found.csv`));
  // Where the images lie changes while a training is watched.
  state.on("cloud", () => state.region && look({ region: state.region }));

  const words = () => {
    const { found } = state;
    const shown = [...(found ?? [])].slice(0, LISTED);
    strip.show(shown.map((index) => ({ index, caption: nameOf(index), told: () => text("imageOf", { name: nameOf(index), label: classOf(index) }) })));
    byId("found-count").textContent = found ? text(found.size > LISTED ? "foundFirst" : "found", { count: found.size.toLocaleString(), listed: LISTED }) : "";
    for (const id of ["found-clear", "found-save"]) byId(id).hidden = !found;
    byId("found-save").disabled = !found?.size;
    list.hidden = !found?.size;
  };
  state.on("found", words);
  return { words, select, clear };
}

/** The images whose class is called so; where none is, those in whose class's or file's name these letters are. */
function named({ model, cloud }, names, query) {
  const low = (word) => word.toLocaleLowerCase();
  const label = model.classes.findIndex((name) => low(name) === low(query));
  const all = Array.from({ length: cloud.count }, (_, index) => index);
  if (label >= 0) return all.filter((index) => cloud.labels[index] === label);
  const holds = (word) => low(word ?? "").includes(low(query));
  return all.filter((index) => holds(names[index]) || holds(model.classes[cloud.labels[index]]));
}

/** The images that are seen inside a region of the plane, `[place, …]`: where a ray to the right crosses its border an odd number of times. */
function inside({ cloud, hidden }, region) {
  const isInside = ([u, v]) =>
    region.reduce((isOdd, [x, y], index) => {
      const [to, up] = region[(index + 1) % region.length];
      return y > v !== up > v && u < x + ((v - y) / (up - y)) * (to - x) ? !isOdd : isOdd;
    }, false);
  const all = Array.from({ length: cloud.count }, (_, index) => index);
  return all.filter((index) => !hidden.has(cloud.labels[index]) && isInside(cloud.place(index)));
}

/** What is known of the images that are found, as `morphvae encode` writes it. */
function table({ model, cloud, found }, names) {
  const columns = (name) => Array.from({ length: model.latent }, (_, axis) => `${name}_${axis + 1}`);
  const rows = [...found].map((index) => {
    const label = cloud.labels[index];
    const numbers = [cloud.means, cloud.logVariances].flatMap((values) => Array.from(values.subarray(index * model.latent, (index + 1) * model.latent)));
    return [names[index], label === NO_LABEL ? "" : label, ...numbers, model.classes[label] ?? ""];
  });
  const header = ["id", "label", ...columns("mean"), ...columns("log_variance"), "class"];
  return [header, ...rows].map((row) => `${row.map(quoted).join(",")}\n`).join("");
}

function quoted(value) {
  const word = String(value);
  return /[",\r\n]/.test(word) ? `"${word.replaceAll('"', '""')}"` : word;
}
