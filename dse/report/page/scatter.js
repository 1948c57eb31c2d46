// points drawn for one of the screen: smooth edges, at half the cost of Plotly's 2 for common screens
const SHARPNESS = Math.max(1.5, Math.min(window.devicePixelRatio, 2));

// Scatter plots, one for each run.
class Scatter {
  constructor(designs, library, open) {
    this.designs = designs;
    this.library = library;
    this.open = open;
    this.ids = designs.runs.map((_, place) => `plot-${place}`);
    byId("plots").append(...this.ids.map((id) => element("div", {id})));
  }

  async draw() {
    await this.library;
    const {designs} = this;
    const chosen = ["x", "y", "z"].map((id) => byId(id).value).filter(Boolean).map((name) => designs.column(name));
    const kept = designs.kept();
    const rows = kept.flatMap((group) => group.rows);
    const layout = this.layout(chosen, rows);
    await Promise.all(designs.runs.map(async (run, place) => {
      const traces = kept.filter((group) => group.run === run).map((group) => this.trace(group, chosen));
      const titled = designs.runs.length > 1 ? {title: {text: run, font: {size: 14}}} : {};
      const settings = {responsive: true, displaylogo: false, plotGlPixelRatio: SHARPNESS};
      const plot = await Plotly.react(this.ids[place], traces, {...layout, ...titled}, settings);
      if (plot.dataset.ready) return;
      plot.dataset.ready = "yes";
      plot.on("plotly_click", (event) => this.open(event.points[0].customdata));
      plot.on("plotly_relayout", (change) => this.follow(place, change));
    }));
  }

  // two runs are seen from the same side
  follow(place, change) {
    const camera = change["scene.camera"];
    if (!camera || this.following) return;
    this.following = true;
    const others = this.ids.filter((_, other) => other !== place);
    Promise.all(others.map((id) => Plotly.relayout(id, {"scene.camera": camera}))).then(() => { this.following = false; });
  }

  resize() {
    for (const id of this.ids) Plotly.Plots.resize(id);
  }

  trace(group, chosen) {
    const {designs} = this;
    const [x, y, z] = chosen.map((column) => group.rows.map((row) =>
      (column.words ? column.at(row) : column.values[row] / column.factor)));
    const by = byId("color").value && designs.column(byId("color").value);
    const size = chosen.length === 3 ? 2.6 : 5;
    const marker = {size, opacity: 0.8, ...(by ? this.colored(group, by) : {color: group.color})};
    const text = group.rows.map((row) => designs.head.objectives.map((name) =>
      `${designs.column(name).label}: ${designs.text(name, row)}`).join("<br>"));
    const shared = {name: group.name, mode: "markers", customdata: group.rows, text, marker,
      hovertemplate: "%{text}<extra>%{fullData.name}</extra>"};
    return chosen.length === 3 ? {type: "scatter3d", x, y, z, ...shared} : {type: "scattergl", x, y, ...shared};
  }

  colored(group, by) {
    const placed = this.designs.placed(by);
    const [cmin, cmax] = extent(placed);
    const title = (this.designs.isLogarithmic(by) ? "log10 " : "") + this.designs.title(by);
    const colorbar = {title: {text: title, side: "right"}, thickness: 12};
    if (by.words) Object.assign(colorbar, {tickvals: by.words.map((_, code) => code), ticktext: by.words});
    return {color: group.rows.map((row) => placed[row]), colorscale: "Viridis", cmin, cmax, colorbar};
  }

  // runs that are compared have the same ranges
  axis(column) {
    const axis = {title: {text: this.designs.title(column)}, automargin: true, zeroline: false};
    if (column.words) return {...axis, type: "category"};
    axis.type = this.designs.isLogarithmic(column) ? "log" : "linear";
    if (this.designs.runs.length < 2) return axis;
    const [least, most] = extent(this.designs.placed(column));
    const margin = (most - least || 1) * 0.04;
    return {...axis, range: [least - margin, most + margin]};
  }

  layout(chosen, rows) {
    const layout = {margin: {l: 10, r: 10, t: this.designs.runs.length > 1 ? 32 : 10, b: 10}, showlegend: false,
      hovermode: "closest", uirevision: chosen.map((column) => column.name).join(), font: {size: 12}};
    const [xaxis, yaxis, zaxis] = chosen.map((column) => this.axis(column));
    if (!zaxis) return {...layout, xaxis, yaxis, margin: {...layout.margin, l: 65, b: 60}};
    for (const [place, axis] of [xaxis, yaxis, zaxis].entries()) Object.assign(axis, this.fewTicks(chosen[place], rows));
    const far = this.designs.runs.length > 1 ? 1.35 : 1; // what is narrow shows the same from further away
    const camera = {eye: {x: 1.45 * far, y: 1.4 * far, z: 0.75 * far}, center: {x: 0, y: 0, z: -0.1}};
    return {...layout, scene: {xaxis, yaxis, zaxis, camera, aspectmode: "manual", aspectratio: {x: 1.2, y: 1.2, z: 0.9}}};
  }

  // letters in space are dear: each is a body of its own
  fewTicks(column, rows) {
    if (!this.designs.isLogarithmic(column)) return {};
    const placed = this.designs.placed(column);
    const {tickvals, ticktext} = logarithmicTicks(...extent(rows.map((row) => placed[row])));
    return tickvals ? {tickvals: tickvals.map((tick) => 10 ** tick), ticktext} : {};
  }
}
