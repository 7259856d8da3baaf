/** Of a conditional model: which of its classes is drawn. Places on the map are style then, whatever the class. */

/** `renew` draws all anew; an exported file holds the images of one class alone. */
export function startCondition(state, source, renew, failed) {
  const byId = (id) => document.getElementById(id);
  const { classes, given } = state.model;
  byId("condition").hidden = given === undefined || !source.canEncode;
  byId("given").replaceChildren(...classes.map((name, index) => new Option(name, index)));
  byId("given").value = given;
  byId("given").addEventListener("change", () => {
    source.given = Number(byId("given").value);
    renew().catch(failed);
  });
}
