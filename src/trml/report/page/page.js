/* The page's script: views of the data, kept in the address; tables that sort and filter; where numbers come from.
   Everything it adds is an addition: without it the page shows the default view and every table. */
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const id = (name) => document.getElementById(name);
  const MINUS = "\u2212", NBSP = "\u00a0", SCALE = 1e6;
  const VERDICTS = ["better", "worse", "equivalent", "undecided", "too little data", "failed"];
  const own = data.sets[0];
  document.documentElement.classList.add("scripted");

  // ---- numbers, as the server writes them -------------------------------------------------------------------------
  const sc = (x, n = 3) => x == null ? "" : (+x.toFixed(n) === 0 ? (0).toFixed(n) : x.toFixed(n)).replace("-", MINUS);
  const sg = (x, n = 3) => x == null ? "" : +x.toFixed(n) === 0 ? (0).toFixed(n) : (x > 0 ? "+" : MINUS) + Math.abs(x).toFixed(n);
  const range = (low, high, form) => low == null || high == null ? "" : `${form(low)} to ${form(high)}`;
  const pc = (share) => `${+(100 * share).toFixed(1)}${NBSP}%`;
  const pv = (p) => p == null ? "" : p < 0.0005 ? "p < 0.001" : `p ${p.toFixed(3)}`;
  const html = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
  const traced = (text, address, decided) =>
    `<span class="n${decided ? " decided" : ""}"${address ? ` title="trml trace ${html(address)}"` : ""}>${text}</span>`;
  const key = (method) => `<svg class="key" aria-hidden="true"><use href="#m-${method}"/></svg>`;

  // ---- the view, and its address ------------------------------------------------------------------------------------
  const first = {
    on: "", missing: data.first.missing, train: own.own, scored: "all", metric: data.metrics[0] ? data.metrics[0].id : "",
    ref: data.first.ref, at: data.first.at, show: data.first.show, lead: "score", regime: "", method: data.first.ref, q: "", u: "",
  };
  let view = { ...first, show: [...first.show] };
  let section = "";
  const set = () => data.sets.find((each) => each.id === view.on) || own;
  const victim = () => set().victims[view.missing];

  const readAddress = () => {
    const [anchor, query] = location.hash.slice(1).split("?");
    section = decodeURIComponent(anchor || "");
    const asked = new URLSearchParams(query || "");
    view = { ...first, show: [...first.show] };
    for (const [name, value] of asked) {
      if (!Object.hasOwn(first, name)) continue;
      if (name === "show") view.show = value.split(",").filter((each) => Object.hasOwn(data.methods, each));
      else if (name === "at") view.at = +value;
      else view[name] = value;
    }
    mend();
  };
  const mend = () => {  // what does not exist falls back to what does
    if (!data.sets.some((each) => each.id === view.on)) view.on = "";
    const s = set();
    if (!Object.hasOwn(s.victims, view.missing)) view.missing = Object.keys(s.victims)[0];
    if (!s.protocols.includes(view.train)) view.train = s.protocols[0];
    if (!data.metrics.some((each) => each.id === view.metric)) view.metric = first.metric;
    if (!(victim() && victim().lacking)) view.scored = "all";
    if (!Object.hasOwn(data.methods, view.ref)) view.ref = first.ref;
    if (victim() && !victim().rates.includes(view.at)) view.at = victim().rates.includes(s.studyRate) ? s.studyRate : victim().rates.at(-1);
  };
  const address = () => {
    const differs = [];
    for (const name of Object.keys(first)) {
      const value = name === "show" ? view.show.join(",") : String(view[name]);
      const usual = name === "show" ? first.show.join(",") : String(first[name]);
      if (value !== usual) differs.push(`${name}=${encodeURIComponent(value).replace(/%2C/g, ",")}`);
    }
    return differs.length ? `#${section || "curves"}?${differs.join("&")}` : section ? `#${section}` : "";
  };
  const keep = (where) => {
    if (where) section = where;
    history.replaceState(null, "", address() || location.pathname);
  };

  // ---- scores and pairs of a view -----------------------------------------------------------------------------------
  const keyOf = (v, metric = v.metric) => `${v.train}|${v.missing}|${v.scored}|${metric}`;
  const scoreAt = (s, v, method, i, metric) => {
    const flat = s.scores[keyOf(v, metric)], names = [...s.methods, "constant", "ceiling"];
    const m = names.indexOf(method), n = s.victims[v.missing].rates.length;
    if (!flat || m < 0) return null;
    const [value, low, high] = flat.slice(3 * (m * n + i), 3 * (m * n + i) + 3);
    return value == null ? null : { value: value / SCALE, low: low == null ? null : low / SCALE, high: high == null ? null : high / SCALE };
  };
  const other = (verdict) => ({ better: "worse", worse: "better" })[verdict] || verdict;
  const up = (metric) => data.metrics.find((each) => each.id === metric).up;
  const less = (s, v, ref) => {  // method -> rate -> the method's score less the reference's
    const found = {}, sign = up(v.metric) ? 1 : -1, r = s.methods.indexOf(ref);
    for (const [a, b, i, effect, low, high, p, same, seen, margin, word] of s.pairs[keyOf(v)] || []) {
      if (a !== r && b !== r) continue;
      const turn = sign * (b === r ? 1 : -1), method = s.methods[b === r ? a : b];
      const ends = low == null ? [null, null] : [low * turn, high * turn].sort((x, y) => x - y).map((x) => x / SCALE);
      const verdict = b === r ? VERDICTS[word] : other(VERDICTS[word]);
      (found[method] ||= {})[i] = {
        value: effect == null ? null : effect * turn / SCALE, low: ends[0], high: ends[1], p: p == null ? null : p / 1000,
        same: same == null ? null : same / 1000, seen: seen == null ? null : seen / SCALE, margin: margin == null ? null : margin / SCALE,
        verdict, decided: ["better", "worse", "equivalent"].includes(verdict),
      };
    }
    return found;
  };
  const condition = (v, rate) => rate === 0 ? "complete" : `${v.missing}@${rate}`;
  const cellsOf = (s, v, method, i) => {
    const of = (s.trained[`${v.train}|${v.missing}`] || [])[s.methods.indexOf(method)];
    return of ? of[i] || [] : [];
  };
  const seedScores = (s, v, method, i) => {
    const { rates, whole } = s.victims[v.missing], m = data.metrics.findIndex((each) => each.id === v.metric);
    if (v.scored !== "all") return [];
    const names = [condition(v, rates[i]), `${whole}@${rates[i]}`];  // a sequence without any step is a missing modality
    const at = names.map((name) => s.cellScores[name]).filter(Boolean);
    const of = (cell) => at.map(([cells, scores]) => scores[cells.indexOf(cell)]).find(Boolean);
    return cellsOf(s, v, method, i).map(of).filter(Boolean).map((scores) => scores[m]).filter((x) => x != null).map((x) => x / SCALE);
  };
  const addressOf = (s, v, method, rate) => {
    const where = rate === 0 ? `complete/${v.missing}` : `${v.missing}@${rate}`, suffix = s.id ? `_${s.id}` : "";
    const more = v.metric === data.metrics[0].id ? "" : `/${v.metric}`;
    if (v.scored !== "all" && rate < 1) return null;
    const table = v.train === s.own || rate === 0 ? `main${suffix}` : v.train === "complete" && !s.id ? `complete_training_${v.missing}` : null;
    return table && `${data.result}:${table}/${method}/${where}${more}`;
  };
  const pairAddress = (s, v, one, two, rate) => {
    if (s.id || v.metric !== data.metrics[0].id) return null;
    const [a, b] = [one, two].sort((x, y) => s.methods.indexOf(x) - s.methods.indexOf(y));
    return `${data.result}:pairs/${a}/${b}/${rate === 0 ? `complete/${v.missing}` : `${v.missing}@${rate}`}/${v.train}`;
  };
  const verdictWords = (pair, method, ref) => {
    const short = (name) => data.methods[name].short;
    if (pair.verdict === "better") return [`${short(method)} better`, pv(pair.p)];
    if (pair.verdict === "worse") return [`${short(ref)} better`, pv(pair.p)];
    if (pair.verdict === "equivalent") return ["equivalent", `within ${sc(pair.margin)}, ${pv(pair.same)}`];
    if (pair.verdict === "undecided") return ["undecided", [pv(pair.p), pair.seen == null ? "" : `can see ${sc(pair.seen)}`].filter(Boolean).join(", ")];
    return [pair.verdict, ""];
  };

  // ---- controls -------------------------------------------------------------------------------------------------------
  const radios = (name, label, choices, chosen) => choices.length < 2 ? "" :
    `<fieldset><legend>${label}</legend><span class="switch">${choices.map(([value, words]) =>
      `<label><input type="radio" name="${name}" value="${html(value)}"${String(value) === String(chosen) ? " checked" : ""}>${html(words)}</label>`).join("")}</span></fieldset>`;
  const select = (name, label, choices, chosen) => choices.length < 2 ? "" :
    `<label>${label} <select name="${name}">${choices.map(([value, words]) =>
      `<option value="${html(value)}"${value === chosen ? " selected" : ""}>${html(words)}</option>`).join("")}</select></label>`;
  const fill = (where, content) => {  // keeps the focus on what was just used
    const at = document.activeElement, name = at && where.contains(at) ? [at.name, at.value, at.type] : null;
    where.innerHTML = content;
    if (!name) return;
    const again = [...where.querySelectorAll("input,select")].find((e) => e.name === name[0] && (e.type !== "radio" && e.type !== "checkbox" || e.value === name[1]));
    if (again) again.focus();
  };
  const drawControls = () => {
    const s = set();
    const patterns = Object.entries(s.victims).map(([name, each]) => [name, each.label.replace(/ missing$/, "")]);
    const few = patterns.length <= 4 ? radios : select;
    fill(id("controls"), [
      few("missing", "Missing", patterns, view.missing),
      radios("train", "Training", s.protocols.map((p) => [p, p === "matched" ? "same share" : "complete"]), view.train),
      victim().lacking ? radios("scored", "Scored on", [["all", "all"], ["lacking", "those that lack it"]], view.scored) : "",
      select("metric", "Metric", data.metrics.map((m) => [m.id, m.label]), view.metric),
      select("ref", "Compare with", s.methods.map((m) => [m, data.methods[m].label]), view.ref),
      select("on", "Regime", data.sets.map((each) => [each.id, each.label]), view.on),
    ].join(""));
    fill(id("rates"), radios("at", "Read off at % missing", victim().rates.map((r) => [r, String(+(100 * r).toFixed(1))]), view.at));
  };

  // ---- the table beside the curves ---------------------------------------------------------------------------------
  const drawReadout = (rate = view.at, preview = false) => {
    const s = set(), v = view, i = v && victim().rates.indexOf(rate), pairs = less(s, v, v.ref), higher = up(v.metric);
    const rows = s.methods.map((m) => [m, scoreAt(s, v, m, i)]).filter((row) => row[1]);
    rows.sort((a, b) => (higher ? -1 : 1) * (a[1].value - b[1].value));
    const lines = rows.map(([m, x]) => {
      const pair = (pairs[m] || {})[i], words = m === v.ref ? ["compared with", ""] : pair ? verdictWords(pair, m, v.ref) : ["", ""];
      const seeds = pair && pair.low == null && pair.value != null ? "no interval" : "";
      return `<tr data-method="${m}"${v.show.includes(m) ? "" : ' class="off"'}><th scope="row"><label><input type="checkbox" name="show" value="${m}"${v.show.includes(m) ? " checked" : ""}>${key(m)}${html(data.methods[m].label)}</label></th>` +
        `<td>${traced(sc(x.value), addressOf(s, v, m, rate))}<span class="ci">${range(x.low, x.high, sc)}</span></td>` +
        `<td>${pair ? traced(sg(pair.value), pairAddress(s, v, m, v.ref, rate), pair.decided) : ""}<span class="ci">${pair ? range(pair.low, pair.high, sg) || seeds : ""}</span></td>` +
        `<td class="words"><span${pair && pair.decided ? ' class="decided"' : ""}>${html(words[0])}</span><span class="ci">${words[1]}</span></td></tr>`;
    });
    for (const [name, words] of [["ceiling", "Best possible"], ["constant", "Always saying the same"]]) {
      const x = scoreAt(s, v, name, i);
      if (x) lines.push(`<tr><th scope="row">${words}</th><td>${traced(sc(x.value), addressOf(s, v, name, rate))}</td><td></td><td class="words"></td></tr>`);
    }
    const table = id("readout");
    table.tHead.rows[0].cells[1].textContent = data.metrics.find((m) => m.id === v.metric).label;
    table.tHead.rows[0].cells[2].textContent = v.ref ? `more than ${data.methods[v.ref].short}` : "";
    fill(table.tBodies[0], lines.join("") || '<tr><th scope="row">No score at this condition.</th></tr>');
    const trained = rate === 0 ? "" : v.train === "matched" ? ", in training and at test" : " at test; nothing missing in training";
    id("at").textContent = `${rate === 0 ? "Nothing missing" : `${pc(rate)} of utterances with ${victim().label}`}${trained}${v.scored === "lacking" ? "; scored on those that lack it" : ""}${v.on ? `. ${set().label}` : ""}`;
    id("at").classList.toggle("preview", preview);
  };

  // ---- charts ---------------------------------------------------------------------------------------------------------
  const pushedApart = (values, low, high, share) => {
    const gap = share * (high - low);
    let at = [...values];
    for (let turn = 0; turn < 200; turn++) {
      at = at.map((y) => Math.min(Math.max(y, low), high));
      const close = at.slice(1).map((y, i) => [i, y - at[i]]).filter(([, d]) => d < gap * 0.999);
      if (!close.length) break;
      for (const [i] of close) { const middle = (at[i] + at[i + 1]) / 2; at[i] = middle - gap / 2; at[i + 1] = middle + gap / 2; }
      at.sort((a, b) => a - b);
    }
    return at;
  };
  const chartData = (name) => {
    const s = set(), v = view, rates = victim().rates, whiskers = name === "differences";
    const shown = s.methods.filter((m) => v.show.includes(m) && !(whiskers && m === v.ref)), pairs = whiskers ? less(s, v, v.ref) : null;
    const rows = [], limits = whiskers ? [0] : [];
    shown.forEach((m, place) => rates.forEach((rate, i) => {
      const x = whiskers ? (pairs[m] || {})[i] : scoreAt(s, v, m, i);
      if (!x || x.value == null) return;
      const band = !whiskers && (m === v.ref || m === first.ref) && x.low != null;
      rows.push({ method: m, rate, x: rate + (whiskers ? 0.012 * (place - (shown.length - 1) / 2) : 0), y: x.value, low: x.low, high: x.high, band, decided: whiskers ? x.decided : true });
      limits.push(x.value);
      if ((whiskers || band) && x.low != null) limits.push(x.low, x.high);
    }));
    const bound = whiskers ? [] : rates.map((rate, i) => ({ x: rate, y: (scoreAt(s, v, "ceiling", i) || {}).value })).filter((b) => b.y != null);
    limits.push(...bound.map((b) => b.y));
    let [low, high] = limits.length ? [Math.min(...limits), Math.max(...limits)] : [0, 1];
    const pad = 0.06 * (high - low) || 0.06;
    [low, high] = [low - pad, high + pad];
    const ends = shown.map((m) => rows.filter((row) => row.method === m).at(-1)).filter(Boolean).sort((a, b) => a.y - b.y);
    const places = pushedApart(ends.map((e) => e.y), low, high, data.sizes.line / data.sizes[name]);
    const labels = ends.map((e, i) => ({ method: e.method, text: data.methods[e.method].short, y: places[i] }));
    return { rows, bound: bound.length > 1 ? bound : [], labels, reading: [{ x: view.at }], low, high, ticks: rates };
  };
  const views = {};
  const adapt = (name) => {
    const spec = structuredClone(data.charts[name]), made = chartData(name);
    const { rows, labels, bound, reading } = made, reach = rows.filter((row) => row.low != null);
    spec.datasets = {
      ...spec.datasets, rows, labels, bound, reading, reach, strong: rows.filter((row) => data.methods[row.method].family === "proposed"),
      bands: reach.filter((row) => row.band), decided: rows.filter((row) => row.decided), open: rows.filter((row) => !row.decided),
    };
    for (const param of spec.params) {
      if (param.name === "lowest") param.value = made.low;
      if (param.name === "highest") param.value = made.high;
    }
    const pairs = Object.values(less(set(), view, view.ref)).flatMap((of) => Object.values(of)), edge = (pairs.find((pair) => pair.margin != null) || {}).margin;
    spec.datasets.margin = edge == null ? [] : [{ edge: -edge, other: edge }];
    spec.layer = spec.layer.filter((layer) => spec.datasets[layer.data.name].length);
    for (const layer of spec.layer) if (layer.data.name === "bound") layer.transform[0].calculate = up(view.metric) ? "highest" : "lowest";
    const visit = (node) => {
      if (!node || typeof node !== "object") return;
      if (node.axis && Array.isArray(node.axis.values)) node.axis.values = made.ticks;
      Object.values(node).forEach(visit);
    };
    visit(spec.layer);
    return spec;
  };
  const tip = id("tip");
  const tell = (event, datum) => {
    const s = set(), i = victim().rates.indexOf(datum.rate), x = scoreAt(s, view, datum.method, i), pair = (less(s, view, view.ref)[datum.method] || {})[i];
    const seeds = seedScores(s, view, datum.method, i), cells = cellsOf(s, view, datum.method, i).map((c) => s.cells[c]);
    const words = pair ? verdictWords(pair, datum.method, view.ref) : null;
    tip.innerHTML = `<strong>${html(data.methods[datum.method].label)}</strong>, ${pc(datum.rate)} missing<br>` +
      (x ? `${sc(x.value)} <span class="ci" style="display:inline">${range(x.low, x.high, sc)}</span><br>` : "") +
      (pair ? `${sg(pair.value)} against ${html(data.methods[view.ref].short)}, ${range(pair.low, pair.high, sg)}<br>${html(words[0])} ${words[1]}<br>` : "") +
      (seeds.length ? `seeds: ${seeds.map((y) => sc(y)).join(", ")}; ${data.n.toLocaleString("en")} test utterances<br>` : "") +
      (cells.length ? `<span class="ci">cells ${cells.join(" ")}<br>click: where it comes from</span>` : "");
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(6, Math.min(event.clientX + 16, innerWidth - box.width - 10))}px`;
    tip.style.top = `${Math.max(6, Math.min(event.clientY + 16, innerHeight - box.height - 10))}px`;
  };
  const nearest = (made, event) => {
    const box = made.view.container().querySelector("svg").getBoundingClientRect();
    const share = made.view.scale("x").invert(event.clientX - box.left - made.view.origin()[0]);
    return victim().rates.reduce((best, rate) => Math.abs(rate - share) < Math.abs(best - share) ? rate : best);
  };
  const reading = (rate) => { for (const made of Object.values(views)) made.view.data("reading", [{ x: rate }]).runAsync(); };
  let previewed = null;
  const draw = async (name, i) => {
    const frame = id(`chart-${i + 1}`);
    if (!frame || !window.vegaEmbed) return;
    const made = await window.vegaEmbed(frame, adapt(name), { actions: false, renderer: "svg", ast: true, tooltip: false });
    if (views[name]) views[name].finalize();
    views[name] = made;
    frame.classList.add("live");
    frame.querySelectorAll("svg").forEach((svg) => svg.setAttribute("aria-hidden", "true"));
    const isPoint = (item) => item && item.mark.marktype === "symbol" && item.datum.rate != null;
    made.view.addEventListener("mousemove", (event, item) => {
      if (isPoint(item)) tell(event, item.datum); else tip.hidden = true;
      const rate = nearest(made, event);
      if (rate !== previewed) { previewed = rate; reading(rate); drawReadout(rate, rate !== view.at); }
    });
    made.view.addEventListener("click", (event, item) => {
      view.at = nearest(made, event);
      keep("curves"); drawControls(); drawReadout(); drawPairs();
      if (isPoint(item)) {
        const s = set(), at = victim().rates.indexOf(item.datum.rate);
        showTrace(name === "differences" ? pairAddress(s, view, item.datum.method, view.ref, item.datum.rate) : addressOf(s, view, item.datum.method, item.datum.rate),
          cellsOf(s, view, item.datum.method, at).map((c) => s.cells[c]));
      }
    });
  };
  const leave = () => {
    tip.hidden = true;
    if (previewed !== null && previewed !== view.at) { reading(view.at); drawReadout(); }
    previewed = null;
  };
  const drawCharts = () => {
    const metric = data.metrics.find((m) => m.id === view.metric), higher = metric.up;
    if (id("label-1")) id("label-1").textContent = `${metric.label} by % missing, ${higher ? "higher" : "lower"} is better`;
    if (id("label-2")) id("label-2").textContent = `${metric.label} less that of ${data.methods[view.ref].short}: ${higher ? "below" : "above"} 0 is worse than ${data.methods[view.ref].short}`;
    const constant = scoreAt(set(), view, "constant", victim().rates.length - 1), frame = chartData("scores");
    const bounded = scoreAt(set(), view, "ceiling", 0);
    const banded = [...new Set([first.ref, view.ref])].filter((m) => view.show.includes(m) && victim().rates.some((_, i) => (scoreAt(set(), view, m, i) || {}).low != null));
    const said = [
      bounded ? "Shaded: what no predictor can reach." : "",
      banded.length ? `Bands: 95${NBSP}% intervals of ${banded.map((m) => data.methods[m].short).join(" and ")}.` : "",
      constant ? `Always saying the same gives ${sc(constant.value)}${constant.value < frame.low || constant.value > frame.high ? ", outside the frame" : ""}.` : "",
    ];
    if (id("note-1")) id("note-1").textContent = said.filter(Boolean).join(" ");
    Object.keys(data.charts).forEach((name, i) => {
      const frame = id(`chart-${i + 1}`), shown = set().methods.filter((m) => view.show.includes(m)).map((m) => data.methods[m].label);
      if (frame) frame.setAttribute("aria-label", `${id(`label-${i + 1}`).textContent}, ${victim().label}: ${shown.join(", ")}; the table beside it has the numbers.`);
    });
    Object.keys(data.charts).forEach(draw);
  };

  // ---- every pair -----------------------------------------------------------------------------------------------------
  const drawPairs = () => {
    const table = id("every-pair");
    if (!table) return;
    const s = set(), i = victim().rates.indexOf(view.at), by = Object.fromEntries(s.methods.map((m) => [m, less(s, view, m)]));
    const names = s.methods.filter((m) => Object.values(by[m]).some((of) => of[i] && of[i].value != null));
    const metric = data.metrics.find((m) => m.id === view.metric).label;
    id("pairs-of").textContent = `${metric} of the row less that of the column, ${view.at === 0 ? "nothing missing" : `${pc(view.at)} of utterances with ${victim().label}`}.`;
    table.tHead.innerHTML = `<tr><th scope="col">row less column</th>${names.map((m) => `<th scope="col">${html(data.methods[m].short)}</th>`).join("")}</tr>`;
    table.tBodies[0].innerHTML = names.map((row) => `<tr><th scope="row">${key(row)}${html(data.methods[row].label)}</th>${names.map((column) => {
      const pair = (by[column][row] || {})[i];
      if (!pair || pair.value == null) return '<td class="none">·</td>';
      return `<td class="${pair.verdict.replace(/ /g, "-")}">${traced(sg(pair.value), pairAddress(s, view, row, column, view.at), ["better", "worse"].includes(pair.verdict))}<span class="ci">${pair.verdict}</span></td>`;
    }).join("")}</tr>`).join("");
  };

  // ---- where a number comes from ------------------------------------------------------------------------------------
  const showTrace = (where, cells = []) => {
    const bar = id("trace");
    bar.innerHTML = (where ? `<span>Where it comes from: <code>trml trace ${html(where)}</code></span>` : "<span>No published table has this number; its cells are in metrics.csv.</span>") +
      (cells.length ? `<span>cells <code>${cells.map(html).join(" ")}</code></span>` : "") +
      '<button type="button" class="copy">Copy</button><button type="button" class="close">Close</button>';
    bar.hidden = false;
    bar.querySelector(".copy").onclick = () => copy(where ? `trml trace ${where}` : cells.join(" "), bar.querySelector(".copy"));
    bar.querySelector(".close").onclick = () => { bar.hidden = true; };
  };
  const copy = async (text, button) => {
    try { await navigator.clipboard.writeText(text); } catch {
      const area = Object.assign(document.createElement("textarea"), { value: text });
      document.body.append(area); area.select(); document.execCommand("copy"); area.remove();
    }
    const before = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = before; }, 1500);
  };
  document.addEventListener("click", (event) => {
    const number = event.target.closest("[title^='trml trace ']");
    if (!number || event.target.closest("a")) return;
    const row = number.closest("tr[data-method]");
    const cells = row ? cellsOf(set(), view, row.dataset.method, victim().rates.indexOf(view.at)).map((c) => set().cells[c]) : [];
    showTrace(number.title.replace("trml trace ", ""), cells);
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") { id("trace").hidden = true; tip.hidden = true; } });

  // ---- long lists: 25 rows, then 100 more -------------------------------------------------------------------------
  const list = (where, hint, name, head, makeRows, toHtml) => {
    const box = id(where);
    let rows = null, shown = 25;
    box.hidden = false;
    box.querySelector(".controls").innerHTML = `<label>Filter <input type="search" placeholder="${hint}"></label><span role="status" class="note"></span>`;
    const field = box.querySelector("input"), status = box.querySelector("[role=status]"), more = box.querySelector(".more");
    const draw = () => {
      rows ||= makeRows();
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      const hits = words.length ? rows.filter((row) => tables.matches(words, row.text)) : rows;
      box.querySelector("thead").innerHTML = head();
      box.querySelector("tbody").innerHTML = hits.slice(0, shown).map(toHtml).join("");
      status.textContent = `${hits.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")}`;
      more.innerHTML = hits.length > shown ? '<button type="button">100 more</button>' : "";
      if (more.firstChild) more.firstChild.onclick = () => { shown += 100; draw(); };
    };
    field.addEventListener("input", () => { shown = 25; view[name] = field.value; keep(where === "all" ? "numbers" : "utterances"); draw(); });
    return { draw, restore: () => { field.value = view[name]; draw(); }, renew: () => { rows = null; draw(); } };
  };
  const allRows = () => {
    const rows = [], scored = { all: "all utterances", lacking: "those that lack it" };
    for (const s of data.sets) for (const name of Object.keys(s.scores)) {
      const [train, missing, which, metric] = name.split("|"), v = { train, missing, scored: which, metric };
      const label = data.metrics.find((m) => m.id === metric).label;
      s.victims[missing].rates.forEach((rate, i) => [...s.methods, "constant", "ceiling"].forEach((method) => {
        const x = scoreAt(s, v, method, i);
        if (!x || (rate === 0 && (train !== s.own || missing !== Object.keys(s.victims)[0]))) return;
        const who = data.methods[method] ? data.methods[method].label : { constant: "Always saying the same", ceiling: "Best possible" }[method];
        const what = rate === 0 ? "nothing missing" : `${s.victims[missing].label} ${+(100 * rate).toFixed(1)} %`;
        const how = rate === 0 ? "" : train === "matched" ? "same share in training" : "complete in training";
        rows.push({ s, v, method, rate, i, x, who, what, how, label, regime: s.id ? s.label : "", which: scored[which],
          text: `${who} ${method} ${what} ${how} ${label} ${metric} ${scored[which]} ${s.label} ${data.methods[method] ? data.methods[method].family : ""}`.toLowerCase() });
      }));
    }
    return rows.sort((a, b) => (a.method !== data.first.ref) - (b.method !== data.first.ref));
  };
  const all = list("all", "e.g. zero fill vision 50 MAE", "q",
    () => `<tr>${["method", "condition", "training", "scored on", "metric", "score", "cells, one a seed"].map((w) => `<th scope="col">${w}</th>`).join("")}</tr>`, allRows,
    (r) => `<tr><th scope="row">${data.methods[r.method] ? key(r.method) : ""}${html(r.who)}</th><td class="words">${html(r.what).replace(" %", "&nbsp;%")}</td><td class="words">${html([r.how, r.regime].filter(Boolean).join("; "))}</td><td class="words">${r.which}</td><td class="words">${html(r.label)}</td>` +
      `<td>${traced(sc(r.x.value), addressOf(r.s, r.v, r.method, r.rate))}<span class="ci">${range(r.x.low, r.x.high, sc)}</span></td><td class="words"><code>${cellsOf(r.s, r.v, r.method, r.i).map((c) => r.s.cells[c]).join(" ")}</code></td></tr>`);

  let browser = null;
  const bank = data.utterances;
  if (bank) {
    const decode = (text) => new Uint16Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
    const columns = bank.views.map((each) => ({ ...each, numbers: decode(each.values) }));
    let which = Math.min(1, columns.length - 1);
    const value = (c, m, i) => { const x = c.numbers[m * bank.ids.length + i]; return x === 65535 ? null : (x - bank.offset) / bank.steps; };
    const say = (y) => y == null ? "" : bank.classes.length ? html(bank.classes[Math.round(y)] ?? "") : sg(y, 2);
    browser = list("browser", "words of the sentence", "u",
      () => `<tr><th scope="col">utterance</th>${bank.texts ? '<th scope="col">text</th><th scope="col">truth</th>' : ""}${columns[which].methods.map((m) => `<th scope="col">${html(data.methods[m].short)}</th>`).join("")}</tr>`,
      () => bank.ids.map((name, i) => ({ i, name, text: `${name} ${bank.texts ? bank.texts[i] : ""}`.toLowerCase() })),
      (r) => `<tr><th scope="row">${html(r.name)}</th>${bank.texts ? `<td class="text">${html(bank.texts[r.i])}</td><td class="decided">${say(bank.labels[r.i])}</td>` : ""}${columns[which].methods.map((m, j) => `<td>${say(value(columns[which], j, r.i))}</td>`).join("")}</tr>`);
    const controls = id("browser").querySelector(".controls");
    controls.insertAdjacentHTML("afterbegin", radios("shown-to", "Shown to the methods", columns.map((c, i) => [i, c.label]), which));
    controls.addEventListener("change", (event) => { if (event.target.name === "shown-to") { which = +event.target.value; browser.draw(); } });
    id("browser-note").textContent = "Each prediction is the mean over seeds, or the most frequent class, of methods that were trained with what they are shown missing. All are published in predictions/.";
  }
  id("all-note").textContent = "Words are ANDed; a number matches a whole number. Every single training\u2019s score is in metrics.csv, every mean in summary.parquet, every pair in pairs.parquet.";

  // ---- leaderboard, grids, light ----------------------------------------------------------------------------------
  const board = document.querySelector("table.board");
  const showRegime = (n) => { if (board) for (const row of board.rows) [...row.cells].forEach((cell, i) => { if (!cell.classList.contains("over")) { const at = row.parentElement.tagName === "THEAD" && row.rowIndex === 1 ? i + 1 : i; cell.toggleAttribute("data-hide", at > 0 && at !== +n); } }); };
  const drawBoard = () => {
    if (!board) return;
    const button = document.querySelector("button.raw");
    if (button) { board.classList.toggle("is-raw", view.lead === "raw"); button.setAttribute("aria-pressed", view.lead === "raw"); }
    showRegime(view.regime || board.dataset.shown);
    if (id("regime")) id("regime").value = view.regime || board.dataset.shown;
  };
  document.querySelectorAll(".needs-script").forEach((each) => { each.hidden = false; });
  const raw = document.querySelector("button.raw");
  if (raw) raw.addEventListener("click", () => { view.lead = view.lead === "raw" ? "score" : "raw"; keep("leaderboard"); drawBoard(); });
  if (id("regime")) id("regime").addEventListener("change", (event) => { view.regime = event.target.value === board.dataset.shown ? "" : event.target.value; keep("leaderboard"); drawBoard(); });
  const drawGrids = () => {
    if (!id("grids")) return;
    if (!Object.hasOwn(data.grids, view.method)) view.method = first.method;
    id("grid-method").value = view.method;
    if (view.method === first.method && !drawGrids.moved) return;
    drawGrids.moved = true;
    id("grids").innerHTML = data.grids[view.method].map((grid) => `<div class="scroll" tabindex="0" role="region" aria-label="${html(grid.label)}: trained at, tested at"><table class="grid"><caption>${html(grid.label)}; down: share in training, across: share at test</caption><thead><tr><th scope="col">trained</th>${grid.rates.map((r) => `<th scope="col">${pc(r)}</th>`).join("")}</tr></thead><tbody>${grid.rows.map(([rate, cells]) => `<tr><th scope="row">${rate ? pc(rate) : "none"}</th>${cells.map((c) => c ? `<td class="tinted" style="--tint: ${c[1]}%">${traced(c[0], c[2])}</td>` : "<td></td>").join("")}</tr>`).join("")}</tbody></table></div>`).join("") || "<p>This method has no such scores.</p>";
  };
  if (id("grid-method")) id("grid-method").addEventListener("change", (event) => { view.method = event.target.value; keep("patterns"); drawGrids(); });
  const claims = [...document.querySelectorAll(".claims > .claim")];
  const drawClaims = () => {  // one claim at a time: the chooser above them leads to each
    const asked = claims.find((each) => section && each.querySelector(`[id="${CSS.escape(section)}"]`)) || claims.find((each) => each.classList.contains("chosen")) || claims[0];
    claims.forEach((each) => each.classList.toggle("chosen", each === asked));
    for (const link of document.querySelectorAll(".chooser a")) link.toggleAttribute("aria-current", Boolean(asked) && asked.querySelector(`[id="${link.getAttribute("href").slice(1)}"]`) !== null);
  };
  // ---- everything together --------------------------------------------------------------------------------------------
  const explores = Boolean(id("controls"));
  const drawView = () => {
    if (!explores) return;
    mend(); drawControls(); drawReadout(); drawPairs(); drawCharts();
  };
  const change = (event) => {
    const { name, value } = event.target;
    if (name === "show") view.show = set().methods.filter((m) => m === value ? event.target.checked : view.show.includes(m));
    else if (name === "at") view.at = +value;
    else if (Object.hasOwn(first, name)) view[name] = value;
    else return;
    mend();
    keep("curves");
    drawView();
  };
  const restore = () => {
    readAddress();
    drawView(); drawBoard(); drawGrids(); drawClaims(); all.restore();
    if (browser) browser.restore();
    const target = section && id(section);
    if (target) { for (let up = target.closest("details"); up; up = up.parentElement.closest("details")) up.open = true; target.scrollIntoView(); }
  };
  if (explores) {
    id("controls").hidden = id("rates").hidden = id("copy").hidden = false;
    for (const where of ["controls", "rates", "readout"]) id(where).addEventListener("change", change);
    id("controls").addEventListener("submit", (event) => event.preventDefault());
    document.querySelectorAll(".chart").forEach((frame) => frame.addEventListener("mouseleave", leave));
    id("copy-view").addEventListener("click", () => copy(location.href.split("#")[0] + (address() || "#curves"), id("copy-view")));
  }
  addEventListener("hashchange", restore);
  addEventListener("vega-ready", () => { if (explores) drawCharts(); });
  restore();
})();
