"use strict";
// What a page carries, packed: columns of designs, and the library that draws them. And small helpers.

const ARRAYS = {u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array};
const byId = (id) => document.getElementById(id);
const escaped = (text) => String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const round = (number) => (Number.isFinite(number) ? String(Number(number.toPrecision(4))) : "–");

function element(tag, properties = {}, children = []) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// least and largest of the numbers among values
function extent(values) {
  let least = Infinity, most = -Infinity;
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}

// what a function makes of each value; several times faster than Float64Array.from
function numbers(values, made) {
  const found = new Float64Array(values.length);
  for (let place = 0; place < values.length; place++) found[place] = made(values[place]);
  return found;
}

// few ticks of an axis whose values are decimal logarithms; none of its own for one too short to meet them
function logarithmicTicks(least, most) {
  const steps = most - least > 3 ? [1] : [1, 2, 5];
  const shown = [];
  for (let decade = Math.floor(least); decade <= most; decade++) {
    for (const step of steps) {
      const tick = decade + Math.log10(step);
      if (tick >= least && tick <= most) shown.push([tick, round(step * 10 ** decade)]);
    }
  }
  return shown.length > 1 ? {tickvals: shown.map(([tick]) => tick), ticktext: shown.map(([, text]) => text)} : {};
}

// letters of axes in space are drawn flat and read back one by one: kept where no graphics processor must be waited for
function keepFlatCanvasesAtHand() {
  const canvas = HTMLCanvasElement.prototype;
  const context = canvas.getContext;
  canvas.getContext = function (kind, settings) {
    return context.call(this, kind, kind === "2d" ? {willReadFrequently: true, ...settings} : settings);
  };
}

function inflated(id) {
  const holder = byId(id);
  const text = atob(holder.textContent.trim());
  const bytes = new Uint8Array(text.length);
  for (let place = 0; place < text.length; place++) bytes[place] = text.charCodeAt(place);
  holder.remove();
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

function unpacked(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const columns = new Map();
  for (const entry of head.columns) {
    const raw = new ARRAYS[entry.kind](buffer, 4 + length + entry.start, head.count);
    const values = entry.numbers ? numbers(raw, (code) => entry.numbers[code]) : raw;
    columns.set(entry.name, {...entry, values, at: (row) => (entry.words ? entry.words[values[row]] : values[row])});
  }
  return {head, columns};
}

// that most functions of a script run at once, so that Chromium reads none of them twice
const CALLED_ON_LOAD = "//# allFunctionsCalledOnLoad\n";

// runs a packed script by an address, since browsers compile such a one beside what else there is to do
async function run(id) {
  const address = URL.createObjectURL(new Blob([CALLED_ON_LOAD, await inflated(id)], {type: "text/javascript"}));
  await new Promise((resolve, reject) => {
    const script = element("script", {src: address});
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => reject(new Error(`${id} does not run`)));
    document.head.append(script);
  });
  URL.revokeObjectURL(address);
}
