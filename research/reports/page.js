"use strict";
// Sortable tables. Without this script the tables read the same; with it each heading becomes a button.
for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    heading.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const numeric = heading.dataset.kind === "number";
      const was = heading.getAttribute("aria-sort");
      // Numbers start with the highest, names with the first.
      const first = numeric ? "descending" : "ascending";
      const second = numeric ? "ascending" : "descending";
      const next = was === first ? second : first;
      const sign = next === "ascending" ? 1 : -1;
      const key = (row) => row.cells[column].dataset.order;
      const rows = [...body.rows].sort((one, other) => {
        const a = key(one), b = key(other);
        if (a === "" || b === "") return (a === "") - (b === ""); // unknown values stay last
        return sign * (numeric ? Number(a) - Number(b) : a.localeCompare(b));
      });
      body.append(...rows);
      table.classList.add("sorted");
      for (const each of headings) each.setAttribute("aria-sort", each === heading ? next : "none");
    });
  });
}
