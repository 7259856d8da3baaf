/** What hands do on the map: mouse, pen, fingers, wheel. */

/** How near to a key point, in pixels, a press takes hold of it. */
const GRIP = 16;
/** How near to a point, in pixels, the pointer is over it, and a click is meant for it. */
const NEAR = 9;
const ON = 6;
/** How far a hand may move, in pixels, and still have clicked. */
const STILL = 5;

/** `act` has `addKey(place)`, `addImage(index)`, `stand(index)`, `moveKey(index, place)`, and `select(region)`. */
export function startGestures(canvas, state, act) {
  const fingers = new Map();
  let hold;

  const pixel = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const place = (event) => state.view.place(pixel(event));

  const keyAt = (at) =>
    state.keys.findLastIndex(({ point }) => {
      const [x, y] = state.view.pixel(state.plane.place(point));
      return Math.hypot(x - at[0], y - at[1]) <= GRIP;
    });

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, pixel(event));
    if (fingers.size === 2) {
      hold = { kind: "pinch", last: pinch(fingers) };
      return;
    }
    const key = keyAt(pixel(event));
    if (event.button === 1 || event.button === 2 || event.shiftKey || state.tool === "pan") hold = { kind: "pan", last: pixel(event) };
    else if (state.tool === "select") hold = { kind: "region", region: [place(event)], last: pixel(event) };
    else if (key >= 0 && !event.altKey) {
      hold = { kind: "key", key };
      state.set({ selected: key });
    } else {
      hold = { kind: "cursor", from: pixel(event), adds: state.tool === "key" || event.altKey };
      state.set({ cursor: place(event), pointer: undefined, playing: false, inClip: false });
    }
  });

  canvas.addEventListener("pointermove", (event) => {
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, pixel(event));
    if (!hold) {
      if (event.pointerType !== "touch") hover(event);
    } else if (hold.kind === "pinch") {
      const now = pinch(fingers);
      const moved = state.view.moved(now.x - hold.last.x, now.y - hold.last.y);
      state.set({ view: moved.zoomed(now.apart / hold.last.apart, [now.x, now.y]) });
      hold.last = now;
    } else if (hold.kind === "pan") {
      const at = pixel(event);
      state.set({ view: state.view.moved(at[0] - hold.last[0], at[1] - hold.last[1]) });
      hold.last = at;
    } else if (hold.kind === "region") {
      const at = pixel(event);
      if (Math.hypot(at[0] - hold.last[0], at[1] - hold.last[1]) < STILL) return;
      hold = { ...hold, region: [...hold.region, place(event)], last: at };
      state.set({ region: hold.region });
    } else if (hold.kind === "key") act.moveKey(hold.key, place(event));
    else if (hold.kind === "cursor") {
      const at = pixel(event);
      hold.moved ||= Math.hypot(at[0] - hold.from[0], at[1] - hold.from[1]) > STILL;
      state.set({ cursor: place(event), hovered: over(event) });
    }
  });

  const release = (event) => {
    fingers.delete(event.pointerId);
    if (hold?.kind === "region" && event.type === "pointerup") act.select(hold.region);
    if (hold?.kind === "cursor" && !hold.moved && event.type === "pointerup") click(event, hold.adds);
    if (hold?.kind === "pinch" && fingers.size === 1) hold = { kind: "pan", last: [...fingers.values()][0] };
    else if (fingers.size === 0) hold = undefined;
  };
  /** On a point, what counts is where the encoder put its image; on free ground, the place. */
  const click = (event, adds) => {
    const index = over(event, ON);
    if (index !== undefined) act.stand(index);
    if (!adds) return;
    if (index === undefined) act.addKey(place(event));
    else act.addImage(index);
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("pointerleave", () => state.set({ pointer: undefined, hovered: undefined }));

  const over = (event, reach = NEAR) => {
    const near = state.cloud.nearest(state.view.place(pixel(event)), state.hidden);
    return near && near.distance * state.view.scale <= reach ? near.index : undefined;
  };
  const hover = (event) => state.set({ pointer: place(event), hovered: over(event) });

  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      const strength = event.ctrlKey ? 0.012 : 0.0022;
      state.set({ view: state.view.zoomed(Math.exp(-event.deltaY * lines * strength), pixel(event)) });
    },
    { passive: false },
  );
  // Both fingers of a pinch belong to the map and not to the page.
  canvas.addEventListener("touchstart", (event) => event.touches.length > 1 && event.preventDefault(), { passive: false });
}

function pinch(fingers) {
  const [[ax, ay], [bx, by]] = [...fingers.values()];
  return { x: (ax + bx) / 2, y: (ay + by) / 2, apart: Math.max(8, Math.hypot(ax - bx, ay - by)) };
}
