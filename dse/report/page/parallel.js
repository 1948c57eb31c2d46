const MOST_DIMENSIONS = 8;
const MOST_LINES = 1000; // more cannot be told apart; ranges hold for all designs

// Parallel coordinates, whose brushes filter everything else; drawn when they come into view.
class Parallel {
  constructor(designs, changed) {
    this.designs = designs;
    this.changed = changed;
    this.dimensions = new Set(["problem", ...designs.figures, ...designs.head.axes]
      .filter((name) => designs.differs(name)).slice(0, MOST_DIMENSIONS));
    this.due = false;
    this.seen = false;
    new IntersectionObserver(([entry]) => {
      this.seen = entry.isIntersecting;
      if (this.seen && this.due) this.drawNow();
    }).observe(byId("parallel"));
  }

  choose(name, wanted) {
    wanted ? this.dimensions.add(name) : this.dimensions.delete(name);
    this.designs.ranges.delete(name);
  }

  draw() {
    this.due = true;
    if (this.seen) this.drawNow();
  }

  async drawNow() {
    this.due = false;
    const plot = await Plotly.react("parallel", [this.trace()], {margin: {l: 80, r: 90, t: 46, b: 16}},
      {responsive: true, displayModeBar: false});
    if (plot.dataset.ready) return;
    plot.dataset.ready = "yes";
    plot.on("plotly_restyle", () => this.brushed(plot));
  }

  trace() {
    const {groups} = this.designs;
    const shown = this.designs.shownGroups();
    const count = shown.reduce((sum, group) => sum + group.rows.length, 0);
    const every = Math.max(1, count / MOST_LINES);
    const drawn = shown.map((group) => group.rows.filter((_, place) => place % every < 1));
    const rows = drawn.flat();
    byId("lines").textContent = rows.length < count
      ? `${rows.length.toLocaleString("en")} of ${count.toLocaleString("en")} designs have a line; ranges hold for all.` : "";
    const color = shown.flatMap((group, place) => drawn[place].map(() => groups.indexOf(group)));
    const last = Math.max(1, groups.length - 1);
    const colorscale = groups.length === 1 ? [0, 1].map((place) => [place, groups[0].color])
      : groups.map((group, place) => [place / last, group.color]);
    return {type: "parcoords", dimensions: [...this.dimensions].map((name) => this.dimension(name, rows)),
      line: {color, colorscale, cmin: 0, cmax: last},
      labelfont: {size: 12}, tickfont: {size: 10}, rangefont: {size: 10, color: "rgba(0,0,0,0)"}};
  }

  dimension(name, rows) {
    const column = this.designs.column(name);
    const placed = this.designs.placed(column);
    const values = rows.map((row) => placed[row]);
    const dimension = {label: this.designs.title(column), values, ...this.ticks(column, values)};
    const kept = this.designs.ranges.get(name);
    if (kept) dimension.constraintrange = kept;
    return dimension;
  }

  ticks(column, values) {
    if (column.words) {
      return {tickvals: column.words.map((_, code) => code), ticktext: column.words.map(String),
        range: [-0.3, column.words.length - 0.7]};
    }
    return this.designs.isLogarithmic(column) ? logarithmicTicks(...extent(values)) : {};
  }

  brushed(plot) {
    const names = [...this.dimensions];
    this.designs.ranges.clear();
    for (const dimension of plot.data[0].dimensions) {
      const name = names.find((one) => this.designs.title(this.designs.column(one)) === dimension.label);
      const range = dimension.constraintrange;
      if (name && range && range.length) this.designs.ranges.set(name, Array.isArray(range[0]) ? range : [range]);
    }
    this.changed();
  }
}
