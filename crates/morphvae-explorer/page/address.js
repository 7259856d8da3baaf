/**
 * What the page shows, in its address: a link, a reload and the way back lead to it.
 *
 * `#at=0.5,-1&view=0,0,6&keys=0.3,1.4;1,2&path=spline&loop=0&seconds=6&axes=p0,p1&base=...&class=7&blend=0.4&language=ja`. An
 * address comes from anywhere: what is not well formed is as if it were not there.
 */
import { isComponent } from "./plane.js";

/** Decimals of places and latents: finer than any pixel shows. */
const DECIMALS = 5;
/** No place is further away. */
const FARTHEST = 1e6;
/** Key points, at most, as the program takes them. */
const MOST_KEYS = 32;
export const KINDS = ["spline", "line", "spherical", "geodesic"];

/** The part of the address after `#`; what is as it is at first is left out. */
export function write(state, { isWhole, language }) {
  const { model, cursor, view, keys, kind, loop, seconds, axes, base, blend, isExample } = state;
  const parts = { at: row(cursor) };
  if (!isWhole) parts.view = row([...view.middle, view.span]);
  if (!isExample) parts.keys = keys.map(({ point }) => row(point)).join(";");
  if (kind !== KINDS[0]) parts.path = kind;
  if (!loop) parts.loop = "0";
  if (seconds !== 4) parts.seconds = seconds;
  if (model.latent > 2) Object.assign(parts, { axes: axes.join(","), base: row(base) });
  if (model.given !== undefined) parts.class = model.given;
  parts.blend = row([blend]);
  parts.language = language;
  return Object.entries(parts).map(([name, value]) => `${name}=${value}`).join("&");
}

/** What an address says, for a model; nothing stands there that was not said, or that the model does not have. */
export function read(hash, model, languages) {
  const said = new Map(hash.replace(/^#/, "").split("&").map((part) => part.split("=")));
  const list = (name, count, words = said.get(name)) => numbers(words, count);
  const one = (name, known) => (known.includes(said.get(name)) ? said.get(name) : undefined);
  const keys = said.get("keys")?.split(";").filter(Boolean).slice(0, MOST_KEYS).map((words) => numbers(words, model.latent));
  const view = list("view", 3);
  const found = {
    cursor: list("at", 2),
    view: view?.[2] > 0 ? { middle: view.slice(0, 2), span: view[2] } : undefined,
    keys: keys?.every(Boolean) ? keys.map((point) => ({ point })) : undefined,
    kind: one("path", KINDS) ?? KINDS[0],
    loop: said.get("loop") !== "0",
    seconds: Math.round(Math.min(20, Math.max(1, list("seconds", 1)?.[0] ?? 4))),
    axes: knownAxes(said.get("axes"), model),
    base: model.latent > 2 ? list("base", model.latent) : undefined,
    given: model.given === undefined ? undefined : [...model.classes.keys()].find((label) => String(label) === said.get("class")),
    blend: Math.min(1, Math.max(0, list("blend", 1)?.[0] ?? 0.22)),
    language: one("language", languages),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

function row(values) {
  return values.map((value) => String(Number(value.toFixed(DECIMALS)))).join(",");
}

function numbers(words, count) {
  const values = words?.split(",").map((word) => (word === "" ? NaN : Number(word))) ?? [];
  return values.length === count && values.every((value) => Math.abs(value) <= FARTHEST) ? values : undefined;
}

/** Two latents or two principal directions, as the page can show them. */
function knownAxes(words, model) {
  const axes = words?.split(",") ?? [];
  const exists = (axis) => /^p?\d{1,5}$/.test(axis) && Number(axis.replace("p", "")) < (isComponent(axis) ? model.components.length : model.latent);
  const isPair = axes.length === 2 && axes[0] !== axes[1] && isComponent(axes[0]) === isComponent(axes[1]);
  return model.latent > 2 && isPair && axes.every(exists) ? axes : undefined;
}
