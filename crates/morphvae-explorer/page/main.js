/** The page: makes its parts and ties them together. */
import { Atlas } from "./atlas.js";
import { startAxes } from "./axes.js";
import { startClip } from "./clip.js";
import { Cloud } from "./cloud.js";
import { startDrawing } from "./drawing.js";
import { startGestures } from "./gestures.js";
import { coordinates, startInspecting } from "./inspect.js";
import { Keys } from "./keys.js";
import { switchLanguage, text, translate } from "./language.js";
import { startLegend } from "./legend.js";
import { LatentMap } from "./map.js";
import { firstAxes, Plane } from "./plane.js";
import { startPlayer } from "./player.js";
import { startSaving } from "./save.js";
import { Server } from "./server.js";
import { startShortcuts } from "./shortcuts.js";
import { State } from "./state.js";
import { startTheme } from "./theme.js";
import { startTraining } from "./training.js";
import { startTroubles } from "./trouble.js";

const byId = (id) => document.getElementById(id);

const failed = startTroubles(byId("problem"));

async function start() {
  translate();
  const data = byId("morphvae-data");
  const source = data ? new Atlas(JSON.parse(data.textContent)) : new Server();
  const model = await source.model();
  const cloud = new Cloud(await source.points(), model.latent);
  const [axes, base] = [firstAxes(model), model.latent > 2 ? model.base.slice() : new Array(model.latent).fill(0)];
  const plane = new Plane(model, axes, base);
  cloud.lay(plane);
  const state = new State({
    model, cloud, axes, base, plane,
    view: undefined, tool: "explore", blend: 0.22, hidden: new Set(), lit: undefined,
    cursor: firstCursor(model, plane), pointer: undefined, hovered: undefined, encoded: undefined,
    keys: [], selected: undefined, kind: "spline", loop: true, seconds: 4, clip: undefined, making: false, frame: 0, playing: false, inClip: false,
  });

  let map;
  let [paintLegend, drawCurves] = [() => {}, () => {}];
  const theme = startTheme(() => {
    map?.recolour();
    paintLegend();
    drawCurves();
  });
  map = new LatentMap(byId("map"), state, source);
  paintLegend = startLegend(byId("legend"), state, map);
  const keys = new Keys(byId("keys"), state, source, failed);
  const inspect = startInspecting(state, source, failed);
  const play = startPlayer(state);
  const tell = startDrawing(state, source, (point) => keys.add(point), failed) ?? (() => {});
  const nameAxes = startAxes(state, source.canEncode);
  state.on("axes", () => map.showAll());
  startClip(state, source, failed);
  startSaving(state, failed);
  const reach = (place) => state.plane.place(source.within(state.plane.point(place)));
  startGestures(byId("map"), state, {
    reach,
    addKey: (place) => keys.add(state.plane.point(place)),
    moveKey: (index, place) => keys.move(index, state.plane.point(place)),
  });
  if (model.watching) drawCurves = startTraining(source, () => renew(state, source, map), failed);

  const words = () => {
    describe(model);
    keys.draw();
    inspect();
    tell();
    nameAxes();
    drawCurves();
  };
  const language = () => switchLanguage(words);
  startShortcuts(byId("map"), state, {
    theme, language, play, reach,
    whole: () => map.showAll(),
    addKey: () => keys.add(state.plane.point(state.cursor)),
    removeKey: () => state.selected !== undefined && keys.remove(state.selected),
    selectKey: (step) => keys.select(step),
    say: speaker(state),
  });
  byId("theme").addEventListener("click", theme);
  byId("language").addEventListener("click", language);
  byId("keys-clear").addEventListener("click", () => keys.clear());
  startControls(state, map);
  words();
  // Every part draws itself once from what there is.
  state.set({ ...Object.fromEntries(["cursor", "keys", "clip", "tool", "encoded", "view"].map((name) => [name, state[name]])) });
  document.documentElement.dataset.ready = "";
}

/** The first place that is decoded: a typical image's, where there are some. */
function firstCursor(model, plane) {
  return plane.place(model.typical[2 % Math.max(1, model.typical.length)] ?? model.base);
}

/** The page's title and what it says about the model. */
function describe(model) {
  const values = { dataset: model.dataset, latent: model.latent, loss: model.test_loss?.toFixed(1) };
  const facts = model.test_loss == null ? "factsPlain" : model.latent === 1 ? "factsOne" : "facts";
  byId("name").textContent = model.name;
  const shown = model.count < model.total ? [text("factsShown", { count: model.count.toLocaleString(), total: model.total.toLocaleString() })] : [];
  byId("facts").textContent = [text(facts, values), ...shown].join(" · ");
  document.title = `${model.name} · morphvae`;
  byId("language").textContent = text("otherLanguage");
  const { atlas } = model;
  if (atlas) {
    const { mean, worst, places } = atlas.difference;
    const values = { count: atlas.count.toLocaleString(), places: places.toLocaleString(), mean: mean.toFixed(1), worst: worst.toFixed(0) };
    byId("atlas-note").textContent = text("atlasNote", values);
  }
  const touch = matchMedia("(pointer: coarse)").matches;
  byId("key-hint").textContent = text(touch ? "keyHintTouch" : "keyHint");
}

/** Buttons and sliders that set one thing each. */
function startControls(state, map) {
  byId("closer").addEventListener("click", () => state.set({ view: state.view.zoomed(1.5) }));
  byId("wider").addEventListener("click", () => state.set({ view: state.view.zoomed(1 / 1.5) }));
  byId("whole").addEventListener("click", () => map.showAll());
  byId("blend").addEventListener("input", () => state.set({ blend: Number(byId("blend").value) }));
  byId("kind").addEventListener("change", () => state.set({ kind: byId("kind").value }));
  byId("loop").addEventListener("change", () => state.set({ loop: byId("loop").checked }));
  byId("seconds").addEventListener("change", () => {
    const seconds = Math.min(20, Math.max(1, Math.round(Number(byId("seconds").value)) || 4));
    byId("seconds").value = seconds;
    state.set({ seconds });
  });
  const tools = [...byId("tool").children];
  for (const tool of tools) tool.addEventListener("click", () => state.set({ tool: tool.dataset.value }));
  byId("tool").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tools[(tools.findIndex((tool) => tool.dataset.value === state.tool) + step + tools.length) % tools.length];
    state.set({ tool: next.dataset.value });
    next.focus();
  });
  state.on("tool", () => {
    byId("map").dataset.tool = state.tool;
    for (const tool of tools) {
      tool.setAttribute("aria-checked", String(tool.dataset.value === state.tool));
      tool.tabIndex = tool.dataset.value === state.tool ? 0 : -1;
    }
  });
}

/** Says where the cursor is, to those who listen, when it rests. */
function speaker(state) {
  let wait;
  return () => {
    clearTimeout(wait);
    wait = setTimeout(() => {
      const latent = state.plane.point(state.cursor);
      const where = coordinates(latent, state.cursor);
      const [near] = state.cloud.neighbours(latent, 1, (label) => !state.hidden.has(label));
      const name = near && state.model.classes[state.cloud.labels[near.index]];
      byId("said").textContent = name === undefined ? where : text("cursorAt", { where, name });
    }, 400);
  };
}

/** Takes what a finished epoch has changed. */
async function renew(state, source, map) {
  const model = await source.model();
  const cloud = new Cloud(await source.points(), model.latent);
  const plane = new Plane(model, state.axes, state.base);
  cloud.lay(plane);
  const old = state.cloud.places;
  state.set({ model, cloud, plane, keys: state.keys.map(({ point, bytes }) => ({ point, bytes })) });
  map.glideFrom(old);
  if (map.isWhole) map.showAll();
  describe(model);
}

start().catch(failed);
