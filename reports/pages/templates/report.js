// Script of the report: sortable and filterable tables, charts, and the objects in a cell of the confusion matrix. It
// loads only the images of this report and inserts names as textContent, so that no name is interpreted as HTML.
"use strict";
const planktonbench = {};
{
  const byId = (id) => document.getElementById(id);

  // ---- tables -------------------------------------------------------------------------------------------------
  const valueOf = (cell) => {
    const text = cell.dataset.value ?? cell.textContent.trim();
    const number = text === "" ? NaN : Number(text);
    return Number.isNaN(number) ? text.toLowerCase() : number;
  };
  const isMissing = (value) => value === "" || value === "–" || value === "nan";
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });

  const sortBy = (table, column, descending) => {
    const rows = [...table.tBodies[0].rows].map((row) => [valueOf(row.cells[column]), row]);
    rows.sort(([a], [b]) => isMissing(a) - isMissing(b) || (descending ? -compare(a, b) : compare(a, b)));
    table.tBodies[0].append(...rows.map(([, row]) => row));
    [...table.tHead.rows[0].cells].forEach((head) => head.removeAttribute("aria-sort"));
    table.tHead.rows[0].cells[column].setAttribute("aria-sort", descending ? "descending" : "ascending");
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      button.addEventListener("click", () => sortBy(table, column, head.getAttribute("aria-sort") === "ascending"));
      head.replaceChildren(button);
    });
  }

  for (const input of document.querySelectorAll("input[data-filters]")) {
    const rows = [...byId(input.dataset.filters).tBodies[0].rows];
    const count = document.querySelector(`[data-counts="${input.dataset.filters}"]`);
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/);
      for (const row of rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
      count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length}`;
    });
  }

  // ---- charts: each is drawn when it is scrolled into view, since drawing a hundred classes is slow ---------------
  const charts = {};
  const draw = (chart) => {
    chart.fill?.();
    const done = Plotly.react(chart.place, chart.data, chart.layout, { responsive: !chart.layout.width, displaylogo: false });
    if (!chart.drawn && chart.onClick) done.then(() => chart.place.on("plotly_click", chart.onClick));
    chart.drawn = true;
  };
  const redraw = (chart) => chart.drawn && draw(chart);

  if (window.Plotly) {
    document.documentElement.classList.add("js");
    for (const place of document.querySelectorAll(".chart")) {
      const { data, layout } = JSON.parse(place.querySelector("script").textContent);
      place.replaceChildren();
      place.style.minHeight = `min(${layout.height}px, 95vh)`;
      const chart = { place, data, layout, drawn: false };
      charts[place.dataset.chart] = chart;
      const near = new IntersectionObserver(
        ([entry]) => {
          if (!entry.isIntersecting) return;
          near.disconnect();
          draw(chart);
        },
        { rootMargin: "300px" },
      );
      near.observe(place);
    }
  }

  // ---- confusion matrix and the objects in its cells ----------------------------------------------------------
  const label = (name) => name.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const plural = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
  const share = (part, whole) => (whole ? `${((100 * part) / whole).toFixed(part / whole < 0.1 ? 1 : 0)} %` : "–");
  const option = (text, value) => Object.assign(document.createElement("option"), { textContent: text, value });

  const explore = (matrix) => {
    const { classes, sizes, orders, objects, tracks } = matrix;
    let pictures = null;
    let cell = null;

    const track = () => tracks[byId("matrix-track").selectedIndex];
    const support = (of) => {
      const sums = new Array(classes.length).fill(0);
      for (const [truth, , count] of of.cells) sums[truth] += count;
      return sums;
    };
    const describe = ([truth, predicted, count], sums) =>
      `${classes[truth]} predicted as ${classes[predicted]}: ${plural(count, "object")}, ` +
      `${share(count, sums[truth])} of the ${sums[truth].toLocaleString("en")} test objects of ${classes[truth]}`;

    charts.confusion.fill = () => {
      const order = orders[byId("matrix-order").value];
      const place = new Map(order.map((taxon, position) => [taxon, position]));
      const blank = () => order.map(() => new Array(order.length).fill(null));
      const z = blank();
      const text = blank();
      const sums = support(track());
      let most = 1;
      for (const found of track().cells) {
        const [row, column] = [place.get(found[0]), place.get(found[1])];
        z[row][column] = Math.log10(1 + found[2]);
        text[row][column] = label(describe(found, sums));
        most = Math.max(most, found[2]);
      }
      const names = order.map((taxon) => label(classes[taxon]));
      const ticks = [1, 10, 100, 1000, 10000, 100000].filter((tick) => tick <= most);
      const { data, layout } = charts.confusion;
      Object.assign(data[0], { z, text, x: names, y: names, zmin: 0, zmax: Math.log10(1 + most) });
      Object.assign(data[0].colorbar, {
        tickvals: ticks.map((tick) => Math.log10(1 + tick)),
        ticktext: ticks.map((tick) => tick.toLocaleString("en")),
      });
      for (const axis of [layout.xaxis, layout.yaxis])
        Object.assign(axis, { tickmode: "array", tickvals: names, ticktext: names });
    };

    const listCells = () => {
      const sums = support(track());
      const wrong = track().cells.filter(([truth, predicted]) => truth !== predicted);
      wrong.sort((a, b) => b[2] - a[2]);
      byId("cell-list").replaceChildren(
        ...wrong.slice(0, 40).map((found) => {
          const button = Object.assign(document.createElement("button"), { type: "button" });
          button.textContent = `${classes[found[0]]} predicted as ${classes[found[1]]} (${found[2].toLocaleString("en")}, ${share(found[2], sums[found[0]])})`;
          button.addEventListener("click", () => {
            choose(found[0], found[1]);
            byId("cell").scrollIntoView({ block: "nearest" });
          });
          const item = document.createElement("li");
          item.append(button);
          return item;
        }),
      );
      return wrong[0];
    };

    const showCell = () => {
      const [truth, predicted] = cell;
      const found = track().cells.find(([t, p]) => t === truth && p === predicted) ?? [truth, predicted, 0, []];
      byId("cell-words").textContent =
        describe(found, support(track())) + (found[3].length && found[3].length < found[2] ? "; examples:" : "");
      byId("cell-pictures").replaceChildren(
        ...found[3].map((number) => {
          const figure = document.createElement("figure");
          const caption = document.createElement("figcaption");
          caption.textContent = objects[number];
          const address = pictures?.[number];
          if (address) {
            const alt = `object ${objects[number]}, ${classes[truth]} predicted as ${classes[predicted]}`;
            figure.append(Object.assign(new Image(), { src: address, alt }));
          }
          figure.append(caption);
          return figure;
        }),
      );
    };

    const choose = (truth, predicted) => {
      cell = [truth, predicted];
      byId("cell-truth").value = truth;
      byId("cell-predicted").value = predicted;
      if (pictures === null && matrix.pictures) {
        pictures = [];
        const script = document.createElement("script");
        script.src = matrix.pictures;
        document.body.append(script);
      }
      showCell();
    };
    planktonbench.showPictures = (addresses) => {
      pictures = addresses;
      if (cell) showCell();
    };

    for (const order of Object.keys(orders)) byId("matrix-order").append(option(order, order));
    for (const id of ["cell-truth", "cell-predicted"])
      for (const taxon of orders.name) byId(id).append(option(classes[taxon], taxon));
    for (const id of ["cell-truth", "cell-predicted"])
      byId(id).addEventListener("change", () => choose(+byId("cell-truth").value, +byId("cell-predicted").value));
    byId("matrix-order").addEventListener("change", () => redraw(charts.confusion));
    byId("matrix-track").addEventListener("change", () => {
      redraw(charts.confusion);
      listCells();
      if (cell) showCell();
    });
    charts.confusion.onClick = ({ points: [{ pointIndex }] }) => {
      const order = orders[byId("matrix-order").value];
      choose(order[pointIndex[0]], order[pointIndex[1]]);
      byId("cell").scrollIntoView({ block: "nearest" });
    };
    const first = listCells() ?? track().cells[0];
    if (first) choose(first[0], first[1]);

    if (!charts.difference) return;
    charts.difference.fill = () => {
      const [a, b] = ["first-track", "second-track"].map((id) => tracks[byId(id).selectedIndex]);
      const known = classes.map((_, taxon) => taxon).filter((taxon) => a.f1[taxon] !== null && b.f1[taxon] !== null);
      Object.assign(charts.difference.data[0], {
        x: known.map((taxon) => sizes[taxon]),
        y: known.map((taxon) => a.f1[taxon] - b.f1[taxon]),
        text: known.map(
          (taxon) =>
            `<b>${label(classes[taxon])}</b><br>${label(a.name)} ${a.f1[taxon].toFixed(3)}, ` +
            `${label(b.name)} ${b.f1[taxon].toFixed(3)}<br>${plural(sizes[taxon], "object")}`,
        ),
      });
    };
    for (const id of ["first-track", "second-track"])
      byId(id).addEventListener("change", () => redraw(charts.difference));
  };

  const matrix = byId("matrix");
  if (matrix && charts.confusion) explore(JSON.parse(matrix.textContent));
}
