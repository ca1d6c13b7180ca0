/* What every page has: tables that sort and filter, the switch between light and dark, everything open in print. */
const tables = (() => {
  "use strict";
  const sortable = (table) => {
    const head = [...table.tHead.rows].at(-1), lead = table.tHead.rows.length > 1 ? 1 : 0;
    [...head.cells].forEach((th, i) => {
      if (!th.textContent.trim()) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...th.childNodes);
      th.append(button);
      button.addEventListener("click", () => {
        const down = th.getAttribute("aria-sort") !== "descending";
        table.tHead.querySelectorAll("[aria-sort]").forEach((each) => each.removeAttribute("aria-sort"));
        th.setAttribute("aria-sort", down ? "descending" : "ascending");
        const raw = table.classList.contains("is-raw");
        for (const body of table.tBodies) {
          const rows = [...body.rows].filter((row) => !row.classList.contains("group"));
          const value = (row) => {
            const cell = row.cells[i + lead];
            if (!cell) return null;
            const kept = raw && cell.dataset.r !== undefined ? cell.dataset.r : cell.dataset.v;
            return kept === undefined ? (cell.tagName === "TH" || !/\d/.test(cell.textContent) ? cell.textContent.trim() : null) : kept === "" ? null : +kept;
          };
          rows.sort((a, b) => {
            const [x, y] = [value(a), value(b)];
            if (x === null || y === null) return (x === null) - (y === null);
            const order = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
            return down ? -order : order;
          });
          body.append(...rows);
        }
      });
    });
  };
  document.querySelectorAll("table.sortable").forEach(sortable);
  const matches = (words, text) => words.every((word) => /^\d+(\.\d+)?$/.test(word) ? new RegExp(`(^|[^\\d.])${word.replace(".", "\\.")}(?![\\d.])`).test(text) : text.includes(word));
  const filterable = (table) => {  // long tables get a field above them
    const rows = [...table.tBodies].flatMap((body) => [...body.rows]).filter((row) => !row.classList.contains("group"));
    if (rows.length < 13) return;
    const box = document.createElement("p");
    box.className = "controls";
    box.innerHTML = '<label>Filter <input type="search" placeholder="words and numbers"></label><span role="status" class="note"></span>';
    table.closest(".scroll").before(box);
    box.querySelector("input").addEventListener("input", (event) => {
      const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
      let n = 0;
      for (const row of rows) { const hit = matches(words, row.textContent.toLowerCase().replace(/\u00a0/g, " ")); row.hidden = !hit; n += hit; }
      box.querySelector("[role=status]").textContent = words.length ? `${n} of ${rows.length}` : "";
    });
  };
  document.querySelectorAll("details table.sortable, table.filterable").forEach(filterable);

  const light = document.getElementById("light"), isDark = () => document.documentElement.dataset.light ? document.documentElement.dataset.light === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  light.hidden = false;
  light.textContent = isDark() ? "Light" : "Dark";
  light.addEventListener("click", () => { document.documentElement.dataset.light = isDark() ? "light" : "dark"; light.textContent = isDark() ? "Light" : "Dark"; });

  let opened = [];
  addEventListener("beforeprint", () => { opened = [...document.querySelectorAll("details:not([open])")]; opened.forEach((each) => { each.open = true; }); });
  addEventListener("afterprint", () => opened.forEach((each) => { each.open = false; }));
  return { matches };
})();
