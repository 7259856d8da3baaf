/** Of a conditional model: which of its classes is drawn. Places on the map are style then, whatever the class. */

/** `renew` draws all anew. Gives back what draws a class. */
export function startCondition(state, source, renew, failed) {
  const byId = (id) => document.getElementById(id);
  const { classes, given } = state.model;
  byId("condition").hidden = given === undefined;
  byId("given").replaceChildren(...classes.map((name, index) => new Option(name, index)));
  byId("given").value = given;
  const draw = (label) => {
    if (label === state.model.given) return;
    byId("given").value = label;
    source.given = label;
    renew().catch(failed);
  };
  byId("given").addEventListener("change", () => draw(Number(byId("given").value)));
  return draw;
}
