/** The latent map: everything that is drawn on the large canvas. */
import { axisName } from "./axes.js";
import { classColours, inks } from "./colour.js";
import { drawGrid } from "./grid.js";
import { Lattice } from "./lattice.js";
import { drawCursor, drawEllipse, drawNames, drawPath, drawPoints, drawRegion, ring } from "./marks.js";
import { isComponent } from "./plane.js";
import { isDark } from "./theme.js";
import { View } from "./view.js";

/** How long points glide to where a new epoch has put them, in milliseconds. */
const GLIDE = 700;

export class LatentMap {
  #glide;

  constructor(canvas, state, source) {
    Object.assign(this, { canvas, state });
    this.context = canvas.getContext("2d");
    this.ground = document.createElement("canvas").getContext("2d");
    this.lattice = new Lattice(source, state.model, () => this.askAnew());
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    new ResizeObserver(() => this.#fit()).observe(canvas);
    this.middles = state.cloud.middles(state.model.classes.length);
    this.recolour();
    this.#fit();
    state.on("view hidden lit found blend replayed", () => this.askAnew());
    state.on("cursor hovered keys selected clip frame inClip encoded region", () => this.ask());
    state.on("cloud plane", () => {
      this.lattice.forget(state.model);
      this.middles = state.cloud.middles(state.model.classes.length);
      this.askAnew();
    });
  }

  /** Draws before the next frame. */
  ask() {
    this.asked ??= requestAnimationFrame((now) => {
      this.asked = undefined;
      this.#draw(now);
    });
  }

  /** The same, with the ground anew: lattice, grid, points, and names stay while the cursor moves. */
  askAnew() {
    this.isStale = true;
    this.ask();
  }

  /** Takes the colours of the theme. */
  recolour() {
    this.inks = inks();
    this.colours = classColours(this.state.model.colours, isDark());
    this.colours.plain = this.inks.soft;
    this.lattice.repaint();
    this.askAnew();
  }

  /** Shows everything. */
  showAll() {
    const { width, height } = this.canvas.getBoundingClientRect();
    const insets = this.insets();
    const inner = new View(width, Math.max(60, height - insets.top - insets.bottom), this.#wholeBounds());
    this.whole = inner.with({ height }).moved(0, (insets.top - insets.bottom) / 2);
    this.state.set({ view: this.whole });
  }

  /** A view of an address, on this map and within its limits. */
  near({ middle, span }) {
    return this.whole.with({ middle }).zoomed(this.whole.span / span);
  }

  /** Whether everything is shown, and nobody has looked closer. */
  get isWhole() {
    return this.state.view === this.whole;
  }

  /** Lets the points glide from their old places to their new ones, and the eye from an old view. */
  glideFrom(old, view) {
    if (this.still.matches || old.length !== this.state.cloud.places.length) return;
    this.#glide = { old, view, start: performance.now() };
  }

  /** What of the map other things cover, in pixels. */
  insets() {
    const style = getComputedStyle(this.canvas);
    return { top: parseFloat(style.getPropertyValue("--inset-top")), bottom: parseFloat(style.getPropertyValue("--inset-bottom")) };
  }

  #wholeBounds() {
    const bounds = this.state.cloud.bounds;
    return this.state.plane.isLine ? [bounds[0], -1.2, bounds[2], 1.2] : bounds;
  }

  #fit() {
    const { width, height } = this.canvas.getBoundingClientRect();
    if (width === 0) return;
    const ratio = window.devicePixelRatio;
    for (const canvas of [this.canvas, this.ground.canvas]) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    this.isStale = true;
    if (!this.state.view || this.isWhole) this.showAll();
    else this.state.set({ view: this.state.view.resized(width, height) });
    // A canvas that was given a size is empty: drawing at once keeps it from flashing.
    this.#draw(performance.now());
  }

  #draw(now) {
    const { context, ground } = this;
    const glided = this.#glided(now);
    const view = this.#glide ? this.#glide.view.toward(this.state.view, glided) : this.state.view;
    if (this.isStale) this.#drawGround(view, glided);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(ground.canvas, 0, 0);
    context.scale(window.devicePixelRatio, window.devicePixelRatio);
    this.#drawOver(view);
  }

  #drawGround(view, glided) {
    this.isStale = false;
    const { ground: context, state, inks } = this;
    const { plane, replayed } = state;
    const ratio = window.devicePixelRatio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = inks.paper;
    context.fillRect(0, 0, view.width, view.height);
    // The decoder is that of the last epoch, and none of those before.
    const images = replayed ? 0 : Math.min(1, 1.7 * state.blend);
    const points = replayed || state.blend < 0.6 ? 0.85 : 0.85 * (1 - (state.blend - 0.6) / 0.4);
    this.lattice.draw(context, view, plane, inks.ink, images);
    const isPrior = state.model.latent <= 3 && !plane.axes.some(isComponent) && !plane.isLine;
    drawGrid(context, view, inks, { isLine: plane.isLine, isPrior, insets: this.insets(), names: plane.axes.map(axisName) });
    const look = { ...this.#shared(), opacity: points };
    // What is found are images of the map as it is.
    const found = replayed ? undefined : state.found;
    drawPoints(context, view, { ...look, found, cloud: replayed ?? state.cloud, glide: this.#glide && !replayed ? this.#between(glided) : undefined });
    if (state.model.classes.length > 1 && !replayed) drawNames(context, view, { ...look, opacity: Math.max(0.35, Math.min(1, 1.4 * points)) });
  }

  #shared() {
    const { colours, inks, middles } = this;
    const { cloud, model, hidden, lit } = this.state;
    return { cloud, model, hidden, lit, colours, inks, middles };
  }

  #drawOver(view) {
    const { context, state, inks } = this;
    const { plane, encoded, hovered, clip, region } = state;
    if (region) drawRegion(context, view, region, inks);
    if (encoded) drawEllipse(context, view, plane.place(encoded.mean), plane.spread(encoded.variance), inks);
    const places = clip ? clip.points.map((point) => plane.place(point)) : [];
    const keys = state.keys.map(({ point }) => plane.place(point));
    const way = clip?.loop ? [...places, places[0]] : places;
    drawPath(context, view, { places: way, keys, selected: state.selected, inks });
    if (hovered !== undefined) ring(context, view.pixel(state.cloud.place(hovered)), 6, inks);
    const isFrame = state.inClip && clip;
    drawCursor(context, view.pixel(isFrame ? places[state.frame] : state.cursor), inks, isFrame);
  }

  /** How far points that glide have come, from 0 to 1; 1 where none does. */
  #glided(now) {
    if (!this.#glide) return 1;
    const share = Math.min(1, Math.max(0, now - this.#glide.start) / GLIDE);
    if (share === 1) this.#glide = undefined;
    this.askAnew();
    return 1 - (1 - share) ** 3;
  }

  /** Where a point is on its way. */
  #between(glided) {
    const { old } = this.#glide;
    const { places } = this.state.cloud;
    const along = (index) => old[index] + glided * (places[index] - old[index]);
    return (index) => [along(2 * index), along(2 * index + 1)];
  }
}
