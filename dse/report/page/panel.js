const SHADES = ["#0072B2", "#56B4E9", "#009E73", "#F0E442", "#E69F00", "#D55E00", "#CC79A7", "#1B4F72", "#A9CCE3", "#999999"];

// One design in full: figures, breakdowns, floorplans, choices.
class Panel {
  constructor(designs, resized) {
    this.designs = designs;
    this.resized = resized;
    this.parts = [...new Set(designs.head.breakdowns.flatMap((one) => Object.values(one.bars)).flatMap(Object.keys))];
  }

  open(row) {
    const panel = byId("design");
    panel.hidden = false;
    const {designs} = this;
    const line = (name) => element("tr", {}, [
      element("td", {textContent: designs.column(name).label}), element("td", {textContent: designs.text(name, row)})]);
    const close = element("button", {type: "button", textContent: "close"});
    close.addEventListener("click", () => { panel.hidden = true; this.resized(); });
    const figures = designs.figures.map(line);
    const axes = designs.head.axes.map(line);
    panel.replaceChildren(
      element("h3", {textContent: designs.text("problem", row)}), close,
      element("h3", {textContent: "Figures"}), element("table", {}, figures),
      ...designs.head.breakdowns.map((one) => this.breakdown(one, row)),
      ...designs.head.floorplans.flatMap((plan) => this.floorplan(plan, row)),
      ...(axes.length ? [element("h3", {textContent: "Design"}), element("table", {}, axes)] : []),
    );
    this.resized();
  }

  floorplan(plan, row) {
    const value = (name) => Number(this.designs.column(name).at(row));
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
      [part, this.designs.column(name).values[row], this.designs.column(name)])]);
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
