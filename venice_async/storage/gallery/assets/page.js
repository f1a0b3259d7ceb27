// The page's behaviour. Every text goes in as text, never as HTML; only what can be seen is in the document.
(() => {
  "use strict";
  const { images, fields, folder } = window.venice;
  const $ = (id) => document.getElementById(id);
  const view = $("view"), space = $("space"), dialog = $("dialog");
  const TOP = 30, LEFT = 180, GAP = 150, NARROW = 110, MOST = 400;

  const element = (kind, className, text) => {
    const made = document.createElement(kind);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const words = (value) => (typeof value === "object" && value !== null ? JSON.stringify(value) : String(value));
  const value = (image, name) =>
    name in (image.request || {}) ? image.request[name] : (image.metadata || {})[name];
  const path = (name) => name.split("/").map(encodeURIComponent).join("/");
  const thumbnail = (image) => `${folder}/${image.sha256.slice(0, 2)}/${image.sha256}.webp`;
  const title = (image) => image.request.prompt + ("seed" in image.request ? `, seed ${image.request.seed}` : `, image ${image.image + 1} of its answer`);

  for (const image of images)
    image.text = [...Object.values(image.request), ...Object.values(image.metadata || {})].map(words).join("\n").toLowerCase();

  // Which fields vary: those can be rows and columns.
  const varying = () => {
    const found = [];
    const names = new Set([...fields, ...images.flatMap((image) => Object.keys(image.metadata || {}))]);
    for (const name of names) {
      const values = new Set();
      for (const image of images) {
        const one = value(image, name);
        values.add(one === undefined ? "" : words(one));
        if (values.size > 1 && values.size > MOST) break;
      }
      if (values.size > 1) found.push([name, values.size]);
    }
    return found;
  };
  const axes = varying();
  const state = { shown: images, rows: "", columns: "", cells: [], across: 1, rowLabels: null, columnLabels: null, current: -1, opened: -1 };

  const choose = (select, chosen) => {
    select.replaceChildren(new Option("none", ""), ...axes.map(([name, count]) => new Option(`${name} (${count > MOST ? `${MOST}+` : count})`, name)));
    select.value = chosen;
  };
  // A sweep is a grid that is mostly full; everything else is looked at one after the other.
  const sensible = () => {
    const by = Object.fromEntries(axes);
    for (const [rows, columns] of [["prompt", "seed"], ...axes.flatMap(([one]) => [["prompt", one], [one, "seed"]]), ...axes.flatMap(([one]) => axes.map(([other]) => [one, other]))])
      if (rows !== columns && by[rows] && by[columns] && by[rows] * by[columns] <= 1.5 * images.length) return [rows, columns];
    return ["", ""];
  };

  const sorted = (texts) => {
    const all = [...texts];
    return all.every((text) => text === "" || !Number.isNaN(Number(text))) ? all.sort((a, b) => a - b) : all;
  };
  const labelOf = (image, name) => {
    const one = value(image, name);
    return one === undefined ? "" : words(one);
  };

  const arrange = () => {
    const text = $("text").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const model = $("model").value, flag = $("flag").value;
    state.shown = images.filter((image) => {
      const flags = image.flags || [];
      if (model && image.request.model !== model) return false;
      if (flag === "any" ? !flags.length : flag === "none" ? flags.length : flag && !flags.includes(flag)) return false;
      return text.every((word) => image.text.includes(word));
    });
    [state.rows, state.columns] = [$("rows").value, $("columns").value];
    state.current = state.shown.length ? 0 : -1;
    $("count").textContent = state.shown.length === images.length ? `${images.length} images` : `${state.shown.length} of ${images.length} images`;
    place();
    view.scrollTo(0, 0);
    draw();
  };

  // Cells hold places in `shown`; a cell may hold several, or none.
  const place = () => {
    const grid = Boolean(state.rows || state.columns);
    state.left = grid && state.rows ? Math.min(LEFT, view.clientWidth / 3) : 0;
    state.top = grid && state.columns ? TOP : 0;
    const room = view.clientWidth - state.left - 8;
    const wish = view.clientWidth < 600 ? NARROW : GAP;
    if (grid) {
      const labels = (name) => (name ? sorted(new Set(state.shown.map((image) => labelOf(image, name)))) : [""]);
      [state.rowLabels, state.columnLabels] = [labels(state.rows), labels(state.columns)];
      state.across = state.columnLabels.length;
      state.size = Math.max(wish, Math.min(260, Math.floor(room / state.across)));
      const at = (all) => new Map(all.map((label, number) => [label, number]));
      const [rows, columns] = [at(state.rowLabels), at(state.columnLabels)];
      state.cells = Array.from({ length: state.rowLabels.length * state.across }, () => []);
      state.shown.forEach((image, number) => {
        const row = state.rows ? rows.get(labelOf(image, state.rows)) : 0;
        const column = state.columns ? columns.get(labelOf(image, state.columns)) : 0;
        state.cells[row * state.across + column].push(number);
      });
    } else {
      state.rowLabels = state.columnLabels = null;
      state.across = Math.max(1, Math.floor(room / wish));
      state.size = Math.floor(room / state.across);
      state.cells = state.shown.map((_, number) => [number]);
    }
    const down = Math.ceil(state.cells.length / state.across);
    space.style.width = `${state.left + state.across * state.size}px`;
    space.style.height = `${state.top + down * state.size + 4}px`;
    view.setAttribute("aria-rowcount", down);
    view.setAttribute("aria-colcount", state.across);
  };

  const cellOf = (number) => {
    if (!state.rowLabels) return number;
    return state.cells.findIndex((cell) => cell.includes(number));
  };

  const tile = (index, cell) => {
    const made = element("div", "cell");
    made.id = `cell-${index}`;
    made.setAttribute("role", "gridcell");
    const [row, column] = [Math.floor(index / state.across), index % state.across];
    made.style.cssText = `left:${state.left + column * state.size}px;top:${state.top + row * state.size}px;width:${state.size}px;height:${state.size}px`;
    if (!cell.length) {
      made.classList.add("empty");
      return made;
    }
    const image = state.shown[cell[0]];
    made.setAttribute("aria-label", title(image));
    made.title = title(image);
    if (image.broken) made.append(element("div", "none", "cannot be shown"));
    else {
      const picture = element("img");
      picture.loading = "lazy";
      picture.decoding = "async";
      picture.alt = "";
      picture.src = thumbnail(image);
      made.append(picture);
    }
    if ((image.flags || []).length) made.append(element("span", "flag", image.flags.includes("is_blurred") ? "blurred" : "flagged"));
    if (cell.length > 1) made.append(element("span", "many", cell.length));
    made.addEventListener("click", () => { state.current = cell[0]; show(cell[0]); draw(); });
    return made;
  };

  const label = (className, text, left, top, width, height) => {
    const made = element("div", className, text);
    made.title = text;
    made.style.cssText = `left:${left}px;top:${top}px;width:${width}px;height:${height}px`;
    return made;
  };

  // Only the cells that can be seen, and a screen's worth around them, are in the document.
  const kept = new Map();
  const draw = () => {
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = view;
    const { size, across, left, top } = state;
    const [first, last] = [Math.max(0, Math.floor((scrollTop - clientHeight / 2) / size)), Math.ceil((scrollTop + 1.5 * clientHeight) / size)];
    const [begin, end] = [Math.max(0, Math.floor((scrollLeft - clientWidth / 2) / size)), Math.min(across - 1, Math.ceil((scrollLeft + 1.5 * clientWidth) / size))];
    const wanted = new Set();
    for (let row = first; row <= last; row++)
      for (let column = begin; column <= end; column++) {
        const index = row * across + column;
        if (index < state.cells.length) wanted.add(index);
      }
    const current = state.current < 0 ? -1 : cellOf(state.current);
    for (const [index, made] of kept)
      if (made.arranged !== state.cells || !wanted.has(index)) { made.remove(); kept.delete(index); }
    for (const index of wanted) {
      let made = kept.get(index);
      if (!made) {
        made = tile(index, state.cells[index]);
        made.arranged = state.cells;
        kept.set(index, made);
        space.append(made);
      }
      made.classList.toggle("current", index === current);
    }
    if (current >= 0) view.setAttribute("aria-activedescendant", `cell-${current}`);
    else view.removeAttribute("aria-activedescendant");
    for (const old of space.querySelectorAll(".row, .column, .corner")) old.remove();
    if (state.top)
      for (let column = begin; column <= end; column++)
        space.append(label("column", state.columnLabels[column], left + column * size, scrollTop, size, top));
    if (left)
      for (let row = first; row <= Math.min(last, state.rowLabels.length - 1); row++)
        space.append(label("row", state.rowLabels[row], scrollLeft, top + row * size, left, size));
    if (left && state.top) space.append(label("corner", `${state.rows} / ${state.columns}`, scrollLeft, scrollTop, left, top));
  };

  const move = (by) => {
    if (!state.cells.length) return;
    const from = state.current < 0 ? 0 : cellOf(state.current);
    const to = Math.min(state.cells.length - 1, Math.max(0, from + by));
    let index = to;
    const step = by < 0 ? -1 : 1;
    while (state.cells[index] && !state.cells[index].length) index += step;
    if (!state.cells[index]) return;
    state.current = state.cells[index][0];
    const [row, column] = [Math.floor(index / state.across), index % state.across];
    const [y, x] = [state.top + row * state.size, state.left + column * state.size];
    if (y - state.top < view.scrollTop) view.scrollTop = y - state.top;
    if (y + state.size > view.scrollTop + view.clientHeight) view.scrollTop = y + state.size - view.clientHeight;
    if (x - state.left < view.scrollLeft) view.scrollLeft = x - state.left;
    if (x + state.size > view.scrollLeft + view.clientWidth) view.scrollLeft = x + state.size - view.clientWidth;
    draw();
  };

  // The same image again: a word is quoted as every POSIX shell reads it.
  const quoted = (word) => (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`);
  const command = (image) => {
    const { prompt, ...rest } = image.request;
    if (image.answer_seed !== undefined) rest.seed = image.answer_seed;
    const parts = ["venice-async", "generate"];
    for (const [name, one] of Object.entries(rest)) {
      const option = name.replaceAll("_", "-");
      if (typeof one === "boolean") parts.push(one ? `--${option}` : `--no-${option}`);
      else parts.push(`--${option}=${one}`);
    }
    parts.push("--limits=schema", "--into=again", "--", prompt);
    return parts.map(quoted).join(" ");
  };

  const show = (number) => {
    const image = state.shown[number];
    state.opened = number;
    $("large").src = path(image.file);
    $("large").alt = title(image);
    $("open").href = path(image.file);
    $("prompt").textContent = image.request.prompt;
    const facts = [];
    for (const [name, one] of Object.entries(image.request)) if (name !== "prompt") facts.push([name, words(one)]);
    for (const [name, one] of Object.entries(image.metadata || {})) facts.push([name, words(one)]);
    facts.push(["file", image.file], ["size", `${(image.size / 1000).toFixed(1)} kB`]);
    if (image.timing) facts.push(["took", `${image.timing.total} ms at the server, ${image.timing.inference_queue_time} ms of them in its queue`]);
    if ((image.flags || []).length) facts.push(["moderation", image.flags.join(", ")]);
    if (image.id) facts.push(["request id", image.id]);
    facts.push(["sha256", image.sha256]);
    $("facts").replaceChildren(...facts.map(([name, one]) => {
      const row = element("tr"), head = element("th", "", name);
      head.scope = "row";
      row.append(head, element("td", "", one));
      return row;
    }));
    const left = image.more ? `\n# without what was sent along: ${image.more.join(", ")}` : "";
    $("command").textContent = command(image) + (image.image ? `\n# image ${image.image + 1} of its answer: only the first has the seed, the seeds of the others are random and not known` : "") + left;
    if (!dialog.open) dialog.showModal();
  };
  const turn = (by) => {
    const to = state.opened + by;
    if (to < 0 || to >= state.shown.length) return;
    state.current = to;
    show(to);
  };

  view.addEventListener("keydown", (event) => {
    const steps = {
      ArrowLeft: -1, ArrowRight: 1, ArrowUp: -state.across, ArrowDown: state.across,
      PageUp: -state.across * Math.max(1, Math.floor(view.clientHeight / state.size)),
      PageDown: state.across * Math.max(1, Math.floor(view.clientHeight / state.size)),
      Home: -Infinity, End: Infinity,
    };
    if (event.key in steps) move(Math.max(-state.cells.length, Math.min(state.cells.length, steps[event.key])));
    else if (event.key === "Enter" && state.current >= 0) show(state.current);
    else return;
    event.preventDefault();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") turn(-1);
    else if (event.key === "ArrowRight") turn(1);
  });
  dialog.addEventListener("close", () => { draw(); move(0); view.focus(); });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !dialog.open && !/^(INPUT|SELECT)$/.test(event.target.tagName)) {
      event.preventDefault();
      $("text").focus();
    }
  });
  $("back").addEventListener("click", () => turn(-1));
  $("next").addEventListener("click", () => turn(1));
  $("close").addEventListener("click", () => dialog.close());
  $("copy").addEventListener("click", async () => {
    getSelection().selectAllChildren($("command"));
    try { await navigator.clipboard.writeText($("command").textContent); } catch { /* it is selected: Ctrl-C copies it */ }
  });
  $("text").addEventListener("input", arrange);
  $("text").addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === "Escape") view.focus(); });
  for (const id of ["model", "flag", "rows", "columns"]) $(id).addEventListener("change", arrange);
  let asked = false;
  view.addEventListener("scroll", () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; draw(); });
  });
  addEventListener("resize", () => { place(); draw(); });
  const root = document.documentElement;
  const remember = (theme) => { try { localStorage.setItem("venice-theme", theme); } catch { /* a private window */ } };
  try { const theme = localStorage.getItem("venice-theme"); if (theme) root.dataset.theme = theme; } catch { /* a private window */ }
  $("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    remember(root.dataset.theme);
  });

  const models = new Set(images.map((image) => image.request.model));
  $("model").append(...[...models].sort().map((name) => new Option(name, name)));
  const flags = new Set(images.flatMap((image) => image.flags || []));
  $("flag").append(...[...flags].sort().map((name) => new Option(name.replace("is_", "").replaceAll("_", " "), name)));
  const [rows, columns] = sensible();
  choose($("rows"), rows);
  choose($("columns"), columns);
  arrange();
})();
