// The page: its controls, and what they draw.
class Explorer {
  constructor(designs, library) {
    this.designs = designs;
    const open = (row) => this.panel.open(row);
    this.scatter = new Scatter(designs, library, open);
    this.table = new Table(designs, open);
    this.parallel = new Parallel(designs, () => this.drawKept());
    this.panel = new Panel(designs, () => this.scatter.resize());
    this.fillControls();
  }

  drawAll() {
    return this.drawKept().then(() => this.parallel.draw());
  }

  drawKept() {
    this.table.draw();
    const [shown, all] = [this.designs.keptCount(), this.designs.head.count].map((count) => count.toLocaleString("en"));
    byId("count").textContent = `${shown} of ${all} designs`;
    return this.scatter.draw();
  }

  fillControls() {
    const {designs} = this;
    const {head} = designs;
    const names = [...new Set([...designs.figures, ...head.axes])];
    byId("title").textContent = head.title;
    byId("conditions").textContent = head.runs.map((run) =>
      (designs.runs.length > 1 ? `${run.name}: ${run.conditions}` : run.conditions)).join("\n");
    byId("groups").append(...designs.groups.map((group) => this.groupBox(group)));
    this.fillAxes(names);
    byId("dimensions").append(...["problem", ...names].map((name) => this.dimensionBox(name)));
    byId("logarithmic").addEventListener("change", () => { designs.ranges.clear(); this.drawAll(); });
    byId("reset").addEventListener("click", () => this.reset());
    byId("download").addEventListener("click", () => this.table.download());
  }

  groupBox(group) {
    const {hidden} = this.designs;
    const box = element("input", {type: "checkbox", checked: true, value: group.name});
    box.addEventListener("change", () => {
      box.checked ? hidden.delete(group.key) : hidden.add(group.key);
      this.drawAll();
    });
    const swatch = element("span", {className: "swatch"});
    swatch.style.background = group.color;
    return element("label", {}, [box, swatch, group.name]);
  }

  fillAxes(names) {
    const option = (name) => element("option", {value: name, textContent: this.designs.column(name).label});
    const {objectives} = this.designs.head;
    byId("z").append(element("option", {value: "", textContent: "none"}));
    byId("color").append(element("option", {value: "", textContent: "problem"}));
    for (const id of ["x", "y", "z", "color"]) {
      byId(id).append(...names.map(option));
      byId(id).addEventListener("change", () => this.scatter.draw());
    }
    byId("x").value = objectives[0];
    byId("y").value = objectives[1] ?? names[Math.min(1, names.length - 1)];
    byId("z").value = objectives[2] ?? "";
  }

  dimensionBox(name) {
    const box = element("input", {type: "checkbox", checked: this.parallel.dimensions.has(name), value: name});
    box.addEventListener("change", () => {
      this.parallel.choose(name, box.checked);
      this.drawAll();
    });
    return element("label", {}, [box, ` ${this.designs.column(name).label}`]);
  }

  reset() {
    this.designs.ranges.clear();
    this.designs.hidden.clear();
    for (const box of byId("groups").querySelectorAll("input")) box.checked = true;
    this.drawAll();
  }
}

// the picture that was asked for last is on the screen
function painted() {
  return new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve)); });
}

async function start() {
  keepFlatCanvasesAtHand();
  const library = run("plotly");
  const explorer = new Explorer(new Designs(unpacked(await inflated("data"))), library);
  await explorer.drawKept();
  await painted();
  document.body.dataset.ready = "yes";
  performance.mark("front drawn");
  requestIdleCallback(() => explorer.parallel.draw(), {timeout: 1000});
}

start().catch((error) => {
  byId("title").textContent = `This page could not be shown: ${error.message}`;
  throw error;
});
