"use strict";
// Unpacks the columns of a run, and draws them: scatter plots, parallel coordinates, a table, and one design in full.

const COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999933"];
const SHADES = ["#0072B2", "#56B4E9", "#009E73", "#F0E442", "#E69F00", "#D55E00", "#CC79A7", "#1B4F72", "#A9CCE3", "#999999"];
const ROWS = 100;
const MOST_DIMENSIONS = 8;
const MOST_LINES = 1000; // in parallel coordinates: more cannot be told apart; ranges hold for all designs
const LOGARITHMIC_FROM = 5;
const byId = (id) => document.getElementById(id);

async function inflate(id) {
  const element = byId(id);
  const text = atob(element.textContent.trim());
  element.remove();
  const bytes = new Uint8Array(text.length);
  for (let place = 0; place < text.length; place++) bytes[place] = text.charCodeAt(place);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

const ARRAYS = {u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array};

function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const columns = new Map();
  for (const entry of head.columns) {
    const raw = new ARRAYS[entry.kind](buffer, 4 + length + entry.start, head.count);
    const values = entry.numbers ? Float64Array.from(raw, (code) => entry.numbers[code]) : raw;
    columns.set(entry.name, {...entry, values, at: (row) => (entry.words ? entry.words[values[row]] : values[row])});
  }
  return {head, columns};
}

function element(tag, properties = {}, children = []) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const escaped = (text) => String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const round = (number) => (Number.isFinite(number) ? String(Number(number.toPrecision(4))) : "–");

class Explorer {
  constructor({head, columns}) {
    this.head = head;
    this.columns = columns;
    this.runs = head.runs.map((run) => run.name);
    this.groups = this.findGroups();
    this.hidden = new Set();
    this.ranges = new Map(); // column -> ranges kept, in what parallel coordinates show
    this.sorted = {name: head.objectives[0], down: false};
    this.dimensions = new Set([...new Set(["problem", ...head.objectives, ...head.metrics, ...head.axes])]
      .filter((name) => this.differs(name)).slice(0, MOST_DIMENSIONS));
    this.parts = [...new Set(head.breakdowns.flatMap((one) => Object.values(one.bars)).flatMap(Object.keys))];
  }

  column(name) { return this.columns.get(name); }

  title(column) { return column.shown ? `${column.label} [${column.shown}]` : column.label; }

  text(name, row) {
    const column = this.column(name);
    if (column.words) return column.at(row);
    return round(column.values[row] / column.factor) + (column.shown ? ` ${column.shown}` : "");
  }

  differs(name) {
    const {values} = this.column(name);
    return values.some((value) => value !== values[0]);
  }

  // one group for each problem of each run, which is what is switched on and off
  findGroups() {
    const run = this.column("run"), problem = this.column("problem");
    const found = new Map();
    for (let row = 0; row < this.head.count; row++) {
      const key = `${run.values[row]} ${problem.values[row]}`;
      if (!found.has(key)) {
        const name = this.runs.length > 1 ? `${run.at(row)}: ${problem.at(row)}` : problem.at(row);
        found.set(key, {key, name, run: run.at(row), rows: [], color: COLORS[found.size % COLORS.length]});
      }
      found.get(key).rows.push(row);
    }
    return [...found.values()];
  }

  isLogarithmic(column) {
    if (column.words || !byId("logarithmic").checked) return false;
    let least = Infinity, most = -Infinity;
    for (const value of column.values) {
      if (Number.isNaN(value)) continue;
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    return least > 0 && most / least >= LOGARITHMIC_FROM;
  }

  // a column as parallel coordinates place it: words by number, figures as shown, by decade where they span several
  placed(name) {
    const column = this.column(name);
    if (column.words) return column.values;
    const logarithmic = this.isLogarithmic(column);
    return Float64Array.from(column.values, (value) => {
      const shown = value / column.factor;
      return logarithmic ? Math.log10(shown) : shown;
    });
  }

  kept() {
    const filters = [...this.ranges].map(([name, ranges]) => [this.placed(name), ranges]);
    return this.groups.filter((group) => !this.hidden.has(group.key)).map((group) => ({
      ...group,
      rows: group.rows.filter((row) => filters.every(([values, ranges]) =>
        ranges.some(([low, high]) => values[row] >= low && values[row] <= high))),
    }));
  }

  // controls

  fillControls() {
    byId("title").textContent = this.head.title;
    byId("conditions").textContent = this.head.runs.map((run) =>
      (this.runs.length > 1 ? `${run.name}: ${run.conditions}` : run.conditions)).join("\n");
    for (const group of this.groups) {
      const box = element("input", {type: "checkbox", checked: true, value: group.name});
      box.addEventListener("change", () => {
        box.checked ? this.hidden.delete(group.key) : this.hidden.add(group.key);
        this.drawAll();
      });
      const swatch = element("span", {className: "swatch"});
      swatch.style.background = group.color;
      byId("groups").append(element("label", {}, [box, swatch, group.name]));
    }
    const names = [...new Set([...this.head.objectives, ...this.head.metrics, ...this.head.axes])];
    for (const [place, id] of ["x", "y", "z"].entries()) {
      const select = byId(id);
      if (id === "z") select.append(element("option", {value: "", textContent: "none"}));
      for (const name of names) select.append(element("option", {value: name, textContent: this.column(name).label}));
      select.value = this.head.objectives[place] ?? (id === "z" ? "" : names[Math.min(place, names.length - 1)]);
      select.addEventListener("change", () => this.drawPlots());
    }
    byId("color").append(element("option", {value: "", textContent: "problem"}));
    for (const name of names) {
      byId("color").append(element("option", {value: name, textContent: this.column(name).label}));
    }
    byId("color").addEventListener("change", () => this.drawPlots());
    byId("logarithmic").addEventListener("change", () => { this.ranges.clear(); this.drawAll(); });
    byId("reset").addEventListener("click", () => this.reset());
    byId("download").addEventListener("click", () => this.download());
    for (const name of ["problem", ...names]) {
      const box = element("input", {type: "checkbox", checked: this.dimensions.has(name), value: name});
      box.addEventListener("change", () => {
        box.checked ? this.dimensions.add(name) : this.dimensions.delete(name);
        this.ranges.delete(name);
        this.drawAll();
      });
      byId("dimensions").append(element("label", {}, [box, ` ${this.column(name).label}`]));
    }
  }

  reset() {
    this.ranges.clear();
    this.hidden.clear();
    for (const box of byId("groups").querySelectorAll("input")) box.checked = true;
    this.drawAll();
  }

  drawAll() {
    this.drawParallel();
    this.drawKept();
  }

  drawKept() {
    this.drawPlots();
    this.drawTable();
    const shown = this.kept().reduce((sum, group) => sum + group.rows.length, 0);
    byId("count").textContent = `${shown.toLocaleString("en")} of ${this.head.count.toLocaleString("en")} designs`;
  }

  // scatter plots, one for each run

  drawPlots() {
    const chosen = ["x", "y", "z"].map((id) => byId(id).value).filter(Boolean).map((name) => this.column(name));
    const kept = this.kept();
    for (const [place, run] of this.runs.entries()) {
      const id = `plot-${place}`;
      if (!byId(id)) byId("plots").append(element("div", {id}));
      const traces = kept.filter((group) => group.run === run).map((group) => this.trace(group, chosen));
      const layout = this.layout(chosen, run, this.ranged(chosen));
      Plotly.react(id, traces, layout, {responsive: true, displaylogo: false}).then((plot) => {
        if (plot.dataset.ready) return;
        plot.dataset.ready = "yes";
        plot.on("plotly_click", (event) => this.open(event.points[0].customdata));
        plot.on("plotly_relayout", (change) => this.follow(place, change));
      });
    }
  }

  // two runs are seen from the same side
  follow(place, change) {
    const camera = change["scene.camera"];
    if (!camera || this.following) return;
    this.following = true;
    const others = this.runs.map((_, other) => other).filter((other) => other !== place);
    Promise.all(others.map((other) => Plotly.relayout(`plot-${other}`, {"scene.camera": camera})))
      .then(() => { this.following = false; });
  }

  trace(group, chosen) {
    const [x, y, z] = chosen.map((column) => group.rows.map((row) =>
      (column.words ? column.at(row) : column.values[row] / column.factor)));
    const by = byId("color").value && this.column(byId("color").value);
    const marker = {size: chosen.length === 3 ? 2.6 : 5, color: group.color, opacity: 0.8};
    if (by) {
      const logarithmic = this.isLogarithmic(by);
      const all = Array.from(by.values, (value) => (by.words ? value : value / by.factor));
      const number = (value) => (logarithmic ? Math.log10(value) : value);
      marker.color = group.rows.map((row) => number(all[row]));
      marker.colorscale = "Viridis";
      const known = all.filter((value) => !Number.isNaN(value));
      marker.cmin = number(known.reduce((a, b) => Math.min(a, b)));
      marker.cmax = number(known.reduce((a, b) => Math.max(a, b)));
      marker.colorbar = {title: {text: (logarithmic ? "log10 " : "") + this.title(by), side: "right"}, thickness: 12};
      if (by.words) Object.assign(marker.colorbar, {tickvals: by.words.map((_, code) => code), ticktext: by.words});
    }
    const text = group.rows.map((row) => this.head.objectives.map((name) =>
      `${this.column(name).label}: ${this.text(name, row)}`).join("<br>"));
    const shared = {name: group.name, mode: "markers", customdata: group.rows, text, marker,
      hovertemplate: "%{text}<extra>%{fullData.name}</extra>"};
    return chosen.length === 3 ? {type: "scatter3d", x, y, z, ...shared} : {type: "scattergl", x, y, ...shared};
  }

  // runs that are compared have the same ranges
  ranged(chosen) {
    if (this.runs.length < 2) return chosen.map(() => null);
    return chosen.map((column) => {
      if (column.words) return null;
      const logarithmic = this.isLogarithmic(column);
      let least = Infinity, most = -Infinity;
      for (const value of column.values) {
        if (Number.isNaN(value)) continue;
        const shown = logarithmic ? Math.log10(value / column.factor) : value / column.factor;
        least = Math.min(least, shown);
        most = Math.max(most, shown);
      }
      const margin = (most - least || 1) * 0.04;
      return [least - margin, most + margin];
    });
  }

  layout(chosen, run, ranges) {
    const axis = (column, range) => ({title: {text: this.title(column)}, automargin: true, zeroline: false,
      ...(column.words ? {type: "category"} : {type: this.isLogarithmic(column) ? "log" : "linear"}),
      ...(range ? {range} : {})});
    const layout = {margin: {l: 10, r: 10, t: this.runs.length > 1 ? 32 : 10, b: 10}, showlegend: false,
      hovermode: "closest", uirevision: chosen.map((column) => column.name).join(), font: {size: 12},
      ...(this.runs.length > 1 ? {title: {text: run, font: {size: 14}}} : {})};
    const [x, y, z] = chosen.map((column, place) => axis(column, ranges[place]));
    if (z) return {...layout, scene: {xaxis: x, yaxis: y, zaxis: z, camera: {eye: {x: 1.75, y: 1.7, z: 0.9}, center: {x: 0, y: 0, z: -0.12}}}};
    return {...layout, xaxis: x, yaxis: y, margin: {...layout.margin, l: 65, b: 60}};
  }

  // parallel coordinates, whose brushes filter everything else

  drawParallel() {
    const names = [...this.dimensions];
    const shown = this.groups.filter((group) => !this.hidden.has(group.key));
    const every = Math.max(1, shown.reduce((sum, group) => sum + group.rows.length, 0) / MOST_LINES);
    for (const group of shown) group.drawn = group.rows.filter((_, place) => place % every < 1);
    const rows = shown.flatMap((group) => group.drawn);
    const dimensions = names.map((name) => this.dimension(name, rows));
    const color = shown.flatMap((group) => group.drawn.map(() => this.groups.findIndex(({key}) => key === group.key)));
    const last = Math.max(1, this.groups.length - 1);
    const colorscale = this.groups.length === 1 ? [[0, COLORS[0]], [1, COLORS[0]]]
      : this.groups.map((group, place) => [place / last, group.color]);
    const trace = {type: "parcoords", dimensions, line: {color, colorscale, cmin: 0, cmax: last},
      labelfont: {size: 12}, tickfont: {size: 10}, rangefont: {size: 10, color: "rgba(0,0,0,0)"}};
    Plotly.react("parallel", [trace], {margin: {l: 80, r: 90, t: 46, b: 16}}, {responsive: true, displayModeBar: false})
      .then((plot) => {
        if (plot.dataset.ready) return;
        plot.dataset.ready = "yes";
        plot.on("plotly_restyle", () => this.brushed(plot));
      });
  }

  dimension(name, rows) {
    const column = this.column(name);
    const placed = this.placed(name);
    const values = rows.map((row) => placed[row]);
    const dimension = {label: this.title(column), values, ...this.ticks(column, values)};
    const kept = this.ranges.get(name);
    if (kept) dimension.constraintrange = kept;
    return dimension;
  }

  ticks(column, values) {
    if (column.words) {
      return {tickvals: column.words.map((_, code) => code), ticktext: column.words.map(String),
        range: [-0.3, column.words.length - 0.7]};
    }
    if (!this.isLogarithmic(column)) return {};
    const least = values.reduce((a, b) => Math.min(a, b), Infinity);
    const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
    const steps = most - least > 3 ? [1] : [1, 2, 5];
    const shown = [];
    for (let decade = Math.floor(least); decade <= most; decade++) {
      for (const step of steps) {
        const tick = decade + Math.log10(step);
        if (tick >= least && tick <= most) shown.push([tick, round(step * 10 ** decade)]);
      }
    }
    return {tickvals: shown.map(([tick]) => tick), ticktext: shown.map(([, text]) => text)};
  }

  brushed(plot) {
    const names = [...this.dimensions];
    this.ranges.clear();
    for (const dimension of plot.data[0].dimensions) {
      const name = names.find((one) => this.title(this.column(one)) === dimension.label);
      const range = dimension.constraintrange;
      if (name && range && range.length) this.ranges.set(name, Array.isArray(range[0]) ? range : [range]);
    }
    this.drawKept();
  }

  // the table

  tableColumns() {
    return [...new Set([...(this.runs.length > 1 ? ["run"] : []), "problem", ...this.head.objectives,
      ...this.head.metrics, ...this.head.axes])];
  }

  sortedRows() {
    const rows = this.kept().flatMap((group) => group.rows);
    const column = this.column(this.sorted.name);
    const sign = this.sorted.down ? -1 : 1;
    const key = (row) => (column.words ? column.at(row) : column.values[row]);
    return rows.sort((one, other) => sign * (key(one) < key(other) ? -1 : key(one) > key(other) ? 1 : 0));
  }

  drawTable() {
    const names = this.tableColumns();
    const heads = names.map((name) => {
      const column = this.column(name);
      const arrow = this.sorted.name === name ? (this.sorted.down ? " ▼" : " ▲") : "";
      const head = element("th", {textContent: this.title(column) + arrow});
      head.addEventListener("click", () => {
        this.sorted = {name, down: this.sorted.name === name && !this.sorted.down};
        this.drawTable();
      });
      return head;
    });
    const rows = this.sortedRows().slice(0, ROWS).map((row) => {
      const line = element("tr", {}, names.map((name) => {
        const column = this.column(name);
        const text = column.words ? column.at(row) : round(column.values[row] / column.factor);
        return element("td", {textContent: text});
      }));
      line.addEventListener("click", () => this.open(row));
      return line;
    });
    byId("table").replaceChildren(element("thead", {}, [element("tr", {}, heads)]), element("tbody", {}, rows));
  }

  download() {
    const names = this.tableColumns();
    const quoted = (value) => {
      const text = String(value);
      const safe = /^[=+@\t\r]/.test(text) || /^-[^0-9]/.test(text) ? `'${text}` : text;
      return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
    };
    const lines = this.sortedRows().map((row) => names.map((name) => {
      const value = this.column(name).at(row);
      return Number.isNaN(value) ? "" : quoted(value);
    }).join(","));
    const blob = new Blob([[names.join(","), ...lines].join("\n") + "\n"], {type: "text/csv"});
    const link = element("a", {href: URL.createObjectURL(blob), download: "designs.csv"});
    link.click();
    URL.revokeObjectURL(link.href);
  }

  // one design in full

  open(row) {
    const panel = byId("design");
    panel.hidden = false;
    const line = (name) => element("tr", {}, [
      element("td", {textContent: this.column(name).label}), element("td", {textContent: this.text(name, row)})]);
    const close = element("button", {type: "button", textContent: "close"});
    close.addEventListener("click", () => { panel.hidden = true; this.resize(); });
    const figures = [...new Set([...this.head.objectives, ...this.head.metrics])].map(line);
    const axes = this.head.axes.map(line);
    panel.replaceChildren(
      element("h3", {textContent: this.text("problem", row)}), close,
      element("h3", {textContent: "Figures"}), element("table", {}, figures),
      ...this.head.breakdowns.map((one) => this.breakdown(one, row)),
      ...this.head.floorplans.flatMap((plan) => this.floorplan(plan, row)),
      ...(axes.length ? [element("h3", {textContent: "Design"}), element("table", {}, axes)] : []),
    );
    this.resize();
  }

  resize() {
    for (const place of this.runs.keys()) Plotly.Plots.resize(`plot-${place}`);
  }

  floorplan(plan, row) {
    const value = (name) => Number(this.column(name).at(row));
    const height = value(plan.height), width = value(plan.width);
    if (!(height > 0 && width > 0)) return [];
    const scale = Math.min(340 / width, 220 / height);
    const shapes = [];
    this.blocks(plan.grids, value, {left: 0, top: 0, width, height, active: true}, scale, shapes);
    const micrometers = (meters) => round(meters * 1e6);
    const text = `${plan.name}, ${micrometers(width)} × ${micrometers(height)} µm: ` + plan.grids.map((grid) =>
      `${value(grid.rows)}×${value(grid.columns)} ${grid.name} (${value(grid.active_rows)}×${value(grid.active_columns)} active)`
    ).join(", each of ");
    const frame = `<rect x="0.5" y="0.5" width="${width * scale}" height="${height * scale}" fill="#fff" stroke="#333"/>`;
    const holder = element("div", {className: "floorplan"});
    holder.innerHTML = `<svg width="${width * scale + 2}" height="${height * scale + 2}">${frame}${shapes.join("")}</svg>`;
    return [element("h3", {textContent: text}), holder];
  }

  // equal blocks evenly in a rectangle; what is active together is dark
  blocks([grid, ...inner], value, outer, scale, shapes) {
    if (!grid) return;
    const rows = value(grid.rows), columns = value(grid.columns);
    const height = Math.min(value(grid.height), outer.height / rows), width = Math.min(value(grid.width), outer.width / columns);
    if (height * scale < 1.5 || width * scale < 1.5) return;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        const block = {height, width,
          left: outer.left + (j + 0.5) * outer.width / columns - width / 2,
          top: outer.top + (i + 0.5) * outer.height / rows - height / 2,
          active: outer.active && i < value(grid.active_rows) && j < value(grid.active_columns)};
        const fill = block.active ? (inner.length ? "#cfe3f1" : "#0072B2") : inner.length ? "#f3f4f6" : "#d5d9de";
        shapes.push(`<rect x="${block.left * scale + 0.5}" y="${block.top * scale + 0.5}" width="${width * scale}" ` +
          `height="${height * scale}" fill="${fill}" stroke="#fff" stroke-width="${inner.length ? 0.8 : 0.4}"/>`);
        this.blocks(inner, value, block, scale, shapes);
      }
    }
  }

  shade(part) { return SHADES[this.parts.indexOf(part) % SHADES.length]; }

  breakdown(one, row) {
    const bars = Object.entries(one.bars).map(([bar, parts]) => [bar, Object.entries(parts).map(([part, name]) =>
      [part, this.column(name).values[row], this.column(name)])]);
    const totals = bars.map(([, parts]) => parts.reduce((sum, [, value]) => sum + value, 0));
    const most = Math.max(...totals);
    const column = bars[0][1].reduce((a, b) => (b[1] > a[1] ? b : a))[2];
    const holder = element("div", {className: "breakdown"}, [element("h3", {textContent: one.quantity})]);
    if (!(most > 0)) return holder;
    const names = [...new Set(bars.flatMap(([, parts]) => parts.map(([part]) => part)))];
    let drawn = "";
    for (const [place, [bar, parts]] of bars.entries()) {
      let left = 40;
      drawn += `<text x="0" y="${place * 22 + 14}">${escaped(bar)}</text>`;
      for (const [part, value] of parts) {
        const width = 230 * value / most;
        const title = `${part}: ${round(value / column.factor)} ${column.shown}`;
        drawn += `<rect x="${left}" y="${place * 22 + 3}" width="${width}" height="15" fill="${this.shade(part)}"><title>${escaped(title)}</title></rect>`;
        left += width;
      }
      drawn += `<text x="${left + 4}" y="${place * 22 + 14}">${round(totals[place] / column.factor)} ${column.shown}</text>`;
    }
    const present = names.filter((name) => bars.some(([, parts]) =>
      parts.some(([part, value]) => part === name && value > most / 200)));
    let x = 0, y = bars.length * 22 + 12;
    for (const name of present) {
      const width = name.length * 5.8 + 24;
      if (x + width > 350) { x = 0; y += 15; }
      drawn += `<rect x="${x}" y="${y - 8}" width="9" height="9" fill="${this.shade(name)}"/><text x="${x + 12}" y="${y}">${escaped(name)}</text>`;
      x += width;
    }
    const picture = element("div");
    picture.innerHTML = `<svg width="360" height="${y + 6}">${drawn}</svg>`;
    holder.append(picture);
    return holder;
  }
}

async function start() {
  const [data, library] = await Promise.all([inflate("data"), inflate("plotly")]);
  const script = element("script", {textContent: new TextDecoder().decode(library)});
  document.head.append(script);
  const explorer = new Explorer(unpack(data));
  explorer.fillControls();
  explorer.drawAll();
  window.explorer = explorer;
  document.body.dataset.ready = "yes";
}

start().catch((error) => {
  byId("title").textContent = `This page could not be shown: ${error.message}`;
  throw error;
});
