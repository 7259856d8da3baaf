/** Buttons, sliders and lists that set one thing each, and show what is set. */

export function startControls(state, map) {
  const byId = (id) => document.getElementById(id);
  byId("closer").addEventListener("click", () => state.set({ view: state.view.zoomed(1.5) }));
  byId("wider").addEventListener("click", () => state.set({ view: state.view.zoomed(1 / 1.5) }));
  byId("whole").addEventListener("click", () => map.showAll());
  byId("blend").addEventListener("input", () => state.set({ blend: Number(byId("blend").value) }));
  byId("kind").addEventListener("change", () => state.set({ kind: byId("kind").value, isExample: false }));
  byId("loop").addEventListener("change", () => state.set({ loop: byId("loop").checked, isExample: false }));
  byId("seconds").addEventListener("change", () => {
    const seconds = Math.min(20, Math.max(1, Math.round(Number(byId("seconds").value)) || 4));
    byId("seconds").value = seconds;
    state.set({ seconds, isExample: false });
  });
  state.on("blend kind loop seconds", () => {
    for (const name of ["blend", "kind", "seconds"]) byId(name).value = state[name];
    byId("loop").checked = state.loop;
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
