// Sorting and searching the table of hosts; without it the table is there, the worst host first.
"use strict";
(() => {
  const table = document.getElementById("table");
  if (!table) return;
  const body = table.tBodies[0], rows = [...body.rows], order = new Map(rows.map((row, i) => [row, i]));
  const fresh = list => body.replaceChildren(...list);
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.onclick = () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = new Map(rows.map(row => [row, row.cells[column].textContent]));
      const compare = new Intl.Collator("en", { numeric: true }).compare;
      const by = column ? (a, b) => compare(key.get(a), key.get(b)) : (a, b) => order.get(a) - order.get(b);
      fresh([...rows].sort((a, b) => (down ? -by(a, b) : by(a, b)) || order.get(a) - order.get(b)));
    };
  });
  const label = document.createElement("label"), input = document.createElement("input");
  input.type = "search";
  label.append("Show only hosts with ", input);
  document.getElementById("tools").append(label);
  input.oninput = () => {
    const wanted = input.value.toLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  };
})();
