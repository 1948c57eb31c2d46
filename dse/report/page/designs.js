const COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999933"];
const LOGARITHMIC_FROM = 5;

// The designs of all runs, and which of them are shown.
class Designs {
  constructor({head, columns}) {
    this.head = head;
    this.columns = columns;
    this.runs = head.runs.map((run) => run.name);
    this.groups = this.findGroups();
    this.hidden = new Set();
    this.ranges = new Map(); // column -> ranges kept, in what parallel coordinates show
    this.figures = [...new Set([...head.objectives, ...head.metrics])];
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
    const [least, most] = extent(column.values);
    return least > 0 && most / least >= LOGARITHMIC_FROM;
  }

  // a column as an axis places it: words by number, figures as shown, by decade where they span several
  placed(column) {
    if (column.words) return column.values;
    const logarithmic = this.isLogarithmic(column);
    return numbers(column.values, (value) => {
      const shown = value / column.factor;
      return logarithmic ? Math.log10(shown) : shown;
    });
  }

  shownGroups() { return this.groups.filter((group) => !this.hidden.has(group.key)); }

  kept() {
    const filters = [...this.ranges].map(([name, ranges]) => [this.placed(this.column(name)), ranges]);
    return this.shownGroups().map((group) => ({
      ...group,
      rows: group.rows.filter((row) => filters.every(([values, ranges]) =>
        ranges.some(([low, high]) => values[row] >= low && values[row] <= high))),
    }));
  }

  keptCount() { return this.kept().reduce((sum, group) => sum + group.rows.length, 0); }
}
