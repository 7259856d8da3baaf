/** A slider with its name and its value. */

/** `changed(value)` is called when a hand moves it. */
export function makeSlider(name, min, max, changed) {
  const [row, words, input, output] = ["label", "span", "input", "span"].map((tag) => document.createElement(tag));
  words.textContent = name;
  Object.assign(input, { type: "range", min, max, step: 0.01 });
  input.addEventListener("input", () => changed(Number(input.value)));
  row.append(words, input, output);
  const show = (value) => {
    input.value = value;
    output.textContent = value.toFixed(2).replace("-", "−");
  };
  return { row, words, show };
}
