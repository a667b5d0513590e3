"use strict";

// Choose one panel of several.
function choose(select) {
  const panels = document.querySelectorAll(`[data-panel="${select.dataset.panels}"]`);
  panels.forEach((panel, place) => { panel.hidden = place !== Number(select.value); });
}

// Sort a table by a column: numbers as numbers, words as words, what is missing last.
function sortBy(header) {
  const table = header.closest("table"), body = table.tBodies[0], column = header.cellIndex;
  const down = header.getAttribute("aria-sort") === "ascending";
  const key = (row) => row.cells[column].dataset.sort;
  const rows = [...body.rows].sort((a, b) => compare(key(a), key(b), down));
  for (const other of header.parentNode.cells) other.setAttribute("aria-sort", "none");
  header.setAttribute("aria-sort", down ? "descending" : "ascending");
  body.append(...rows);
}

function compare(a, b, down) {
  if (a === "" || b === "") return (a === "") - (b === "");
  const x = Number(a), y = Number(b);
  const order = Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, "en") : x - y;
  return down ? -order : order;
}

// Show the rows in which the text stands.
function filter(input) {
  const wanted = input.value.trim().toLowerCase();
  for (const row of document.querySelectorAll(`#${input.dataset.filter} tbody tr`))
    row.hidden = !row.textContent.toLowerCase().includes(wanted);
}

// Say what stands in the cell of a heat map under the pointer, or where the arrow keys have gone.
function heatMap(box) {
  const data = JSON.parse(box.querySelector("script").textContent);
  const nats = unpack(data.nats), half = unpack(data.half);
  const image = box.querySelector('image[id$="-cells"]'), here = box.querySelector(".here");
  const readout = box.parentNode.querySelector(".readout");
  const rows = data.models.length, columns = data.texts.length;
  let row = -1, column = -1;

  function show(newRow, newColumn) {
    row = Math.max(0, Math.min(rows - 1, newRow));
    column = Math.max(0, Math.min(columns - 1, newColumn));
    readout.textContent = words(data, nats[row * columns + column], half[row * columns + column], row, column);
    const field = image.getBoundingClientRect(), frame = box.getBoundingClientRect();
    const width = field.width / columns, height = field.height / rows;
    here.style.left = `${field.left - frame.left + box.scrollLeft + column * width - 2}px`;
    here.style.top = `${field.top - frame.top + box.scrollTop + row * height - 2}px`;
    here.style.width = `${width + 4}px`;
    here.style.height = `${height + 4}px`;
    here.hidden = false;
  }

  function point(event) {
    const field = image.getBoundingClientRect();
    const x = (event.clientX - field.left) / field.width, y = (event.clientY - field.top) / field.height;
    if (x >= 0 && x < 1 && y >= 0 && y < 1) show(Math.floor(y * rows), Math.floor(x * columns));
  }

  function step(event) {
    const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!by) return;
    event.preventDefault();
    show(row < 0 ? 0 : row + by[0], column < 0 ? 0 : column + by[1]);
  }

  box.addEventListener("pointermove", point);
  box.addEventListener("pointerdown", point);
  box.addEventListener("keydown", step);
}

function words(data, nats, half, row, column) {
  const who = `${data.models[row]} reads ${data.texts[column]}: `;
  if (nats === 65535) return `${who}not scored`;
  const margin = half === 65535 ? "" : ` ± ${(half / 1000).toFixed(3)}`;
  return `${who}${(nats / 1000).toFixed(3)}${margin} nats per character`;
}

function unpack(text) {
  return new Uint16Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

document.querySelectorAll("select[data-panels]").forEach((select) => {
  select.addEventListener("change", () => choose(select));
  choose(select);
});
document.querySelectorAll("table.sortable th").forEach((header) => header.addEventListener("click", () => sortBy(header)));
document.querySelectorAll("input[data-filter]").forEach((input) => input.addEventListener("input", () => filter(input)));
document.querySelectorAll(".heat").forEach(heatMap);
