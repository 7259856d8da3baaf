/** The page: makes its parts and ties them together. */
import { startAttributes } from "./attributes.js";
import { startAxes } from "./axes.js";
import { startClip } from "./clip.js";
import { Cloud } from "./cloud.js";
import { startCondition } from "./condition.js";
import { startControls } from "./controls.js";
import { startDrawing } from "./drawing.js";
import { startExample } from "./example.js";
import { startFinding } from "./find.js";
import { startGestures } from "./gestures.js";
import { startHow } from "./how.js";
import { startInspecting } from "./inspect.js";
import { startKeeping } from "./keeping.js";
import { Keys } from "./keys.js";
import { switchLanguage, text, translate } from "./language.js";
import { startLegend } from "./legend.js";
import { LatentMap } from "./map.js";
import { startNear } from "./near.js";
import { Network } from "./network.js";
import { firstAxes, Plane } from "./plane.js";
import { startPlayer } from "./player.js";
import { startSaving } from "./save.js";
import { Server } from "./server.js";
import { startShortcuts } from "./shortcuts.js";
import { startSpeaking } from "./speaking.js";
import { State } from "./state.js";
import { stand } from "./strip.js";
import { startTheme } from "./theme.js";
import { startTraining } from "./training.js";
import { startTroubles } from "./trouble.js";
import { startUndo } from "./undo.js";

const byId = (id) => document.getElementById(id);

const failed = startTroubles(byId("problem"));

async function start() {
  translate();
  const data = byId("morphvae-data");
  const source = data ? new Network(JSON.parse(data.textContent)) : new Server();
  const model = await source.model();
  const cloud = new Cloud(await source.points(), model.latent);
  const [axes, base] = [firstAxes(model), model.latent > 2 ? model.base.slice() : new Array(model.latent).fill(0)];
  const plane = new Plane(model, axes, base);
  cloud.lay(plane);
  const state = new State({
    model, cloud, axes, base, plane,
    view: undefined, tool: "key", blend: 0.22, hidden: new Set(), lit: undefined,
    cursor: firstCursor(model, plane), pointer: undefined, hovered: undefined, encoded: undefined, replayed: undefined, found: undefined, region: undefined,
    keys: [], selected: undefined, isHeld: false, isExample: true, isUntouched: location.hash.length < 2, kind: "spline", loop: true, seconds: 4, clip: undefined, making: false, frame: 0, playing: false, inClip: false,
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
  const tellNear = startNear(state, source, (point) => keys.add(point), failed);
  const find = startFinding(state, source, (point) => keys.add(point), failed);
  const tell = startDrawing(state, source, (point) => keys.add(point), failed);
  const nameAxes = startAxes(state);
  startAttributes(state);
  state.on("axes", () => map.showAll());
  startClip(state, source, failed);
  startSaving(state, failed);
  startGestures(byId("map"), state, {
    addKey: (place) => keys.add(state.plane.point(place)),
    addImage: (index) => keys.add(state.cloud.mean(index)),
    moveKey: (index, place) => keys.move(index, state.plane.point(place)),
    stand: (index) => stand(state, index),
    select: find.select,
  });
  if (model.watching || model.replay) drawCurves = startTraining(state, source, { move: () => renew(state, source, map), colours: () => map }, failed);

  const explain = startHow(state, source, map, failed);
  const say = startSpeaking(state);
  const words = () => {
    describe(state.model);
    keys.draw();
    inspect();
    tell();
    tellNear();
    find.words();
    nameAxes();
    explain();
    map.askAnew();
    drawCurves();
  };
  const { undo, redo, forget } = startUndo(state);
  startControls(state, map);
  const draw = startCondition(state, source, () => renew(state, source, map), failed);
  startExample(state, () => startKeeping(state, map, { words, draw }, failed), forget);
  const language = () => {
    switchLanguage(words);
    state.set({ isUntouched: false });
  };
  startShortcuts(byId("map"), state, {
    theme, language, play, say, undo, redo,
    whole: () => map.showAll(),
    addKey: () => keys.add(state.plane.point(state.cursor)),
    removeKey: () => state.selected !== undefined && keys.remove(state.selected),
    moveKey: (place) => keys.move(state.selected, state.plane.point(place)),
    selectKey: (step) => keys.select(step),
    find: () => byId("find").focus(),
    select: find.select,
    unselect: find.clear,
    grab: () => state.set({ isHeld: !state.isHeld && state.selected !== undefined }),
  });
  byId("theme").addEventListener("click", theme);
  byId("language").addEventListener("click", language);
  byId("keys-clear").addEventListener("click", () => keys.clear());
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
  if (model.difference) {
    const { mean, worst, places } = model.difference;
    const values = { places: places.toLocaleString(), mean: mean.toFixed(2), worst, shift: model.shift.mean.toPrecision(1) };
    byId("file-note").textContent = text(model.count > 0 ? "fileNote" : "fileNotePlain", values);
  }
  const touch = matchMedia("(pointer: coarse)").matches ? "Touch" : "";
  byId("intro").textContent = text(`intro${touch}`);
  byId("key-words").textContent = text(`keyHint${touch}`);
}

/** Takes what a finished epoch has changed. */
async function renew(state, source, map) {
  const model = await source.model();
  const cloud = new Cloud(await source.points(), model.latent);
  const plane = new Plane(model, state.axes, state.base);
  cloud.lay(plane);
  const old = state.cloud.places;
  state.set({ model, cloud, plane, keys: state.keys.map(({ point, bytes }) => ({ point, bytes })) });
  map.glideFrom(old, state.view);
  if (map.isWhole) map.showAll();
  describe(model);
}

start().catch(failed);
