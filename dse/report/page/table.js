const ROWS = 100;

// The table of designs shown, by the column clicked; and all of them as a file.
class Table {
  constructor(designs, open) {
    const {head} = designs;
    this.designs = designs;
    this.open = open;
    this.sorted = {name: head.objectives[0], down: false};
    this.names = [...new Set([...(designs.runs.length > 1 ? ["run"] : []), "problem", ...designs.figures, ...head.axes])];
  }

  sortedRows() {
    const rows = this.designs.kept().flatMap((group) => group.rows);
    const column = this.designs.column(this.sorted.name);
    const sign = this.sorted.down ? -1 : 1;
    const key = (row) => (column.words ? column.at(row) : column.values[row]);
    return rows.sort((one, other) => sign * (key(one) < key(other) ? -1 : key(one) > key(other) ? 1 : 0));
  }

  draw() {
    const heads = this.names.map((name) => this.headOf(name));
    const rows = this.sortedRows().slice(0, ROWS).map((row) => {
      const line = element("tr", {}, this.names.map((name) => {
        const column = this.designs.column(name);
        const text = column.words ? column.at(row) : round(column.values[row] / column.factor);
        return element("td", {textContent: text});
      }));
      line.addEventListener("click", () => this.open(row));
      return line;
    });
    byId("table").replaceChildren(element("thead", {}, [element("tr", {}, heads)]), element("tbody", {}, rows));
  }

  headOf(name) {
    const sorted = this.sorted.name === name;
    const arrow = sorted ? (this.sorted.down ? " ▼" : " ▲") : "";
    const head = element("th", {textContent: this.designs.title(this.designs.column(name)) + arrow});
    head.addEventListener("click", () => {
      this.sorted = {name, down: sorted && !this.sorted.down};
      this.draw();
    });
    return head;
  }

  download() {
    const quoted = (value) => {
      const text = String(value);
      const safe = /^[=+@\t\r]/.test(text) || /^-[^0-9]/.test(text) ? `'${text}` : text;
      return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
    };
    const lines = this.sortedRows().map((row) => this.names.map((name) => {
      const value = this.designs.column(name).at(row);
      return Number.isNaN(value) ? "" : quoted(value);
    }).join(","));
    const blob = new Blob([[this.names.join(","), ...lines].join("\n") + "\n"], {type: "text/csv"});
    const link = element("a", {href: URL.createObjectURL(blob), download: "designs.csv"});
    link.click();
    URL.revokeObjectURL(link.href);
  }
}
