// CHOM's own script. Pages work without it; it makes them quicker. No inline handlers: everything hangs on data attributes.
(() => {
  "use strict";
  const root = document.documentElement, $ = (s, from = document) => from.querySelector(s), all = (s, from = document) => [...from.querySelectorAll(s)];
  root.classList.add("js");

  // Colours: system, light, dark; the cookie is read by the server, so no page flashes.
  const themes = ["auto", "light", "dark"];
  const theme = () => root.dataset.bsTheme || "auto";
  const nameTheme = () => all("[data-theme-toggle]").forEach(b => { const words = b.dataset["label" + theme()[0].toUpperCase() + theme().slice(1)]; b.setAttribute("aria-label", words); b.title = words; });
  function nextTheme() {
    const next = themes[(themes.indexOf(theme()) + 1) % 3];
    if (next === "auto") delete root.dataset.bsTheme; else root.dataset.bsTheme = next;
    document.cookie = `chom_theme=${next};path=/;samesite=lax;max-age=${next === "auto" ? 0 : 31536000}${location.protocol === "https:" ? ";secure" : ""}`;
    nameTheme(); redraw();
  }

  // Clicks ---------------------------------------------------------------------------------------------------------
  document.addEventListener("click", event => {
    const hit = s => event.target.closest(s);
    all("details.menu[open]").forEach(menu => { if (!menu.contains(event.target)) menu.open = false; });
    let it;
    if (hit("[data-theme-toggle]")) nextTheme();
    else if ((it = hit("[data-copy]"))) copy(it);
    else if ((it = hit("[data-dismiss]"))) it.closest("[data-dismissable]").remove();
    else if ((it = hit("[data-dialog]")) && document.getElementById(it.dataset.dialog)) { event.preventDefault(); document.getElementById(it.dataset.dialog).showModal(); }
    else if ((it = hit("[data-close-dialog]")) && it.closest("dialog")) { event.preventDefault(); it.closest("dialog").close(); }
    else if (event.target instanceof HTMLDialogElement) event.target.close();  // the backdrop
  });

  async function copy(button) {
    await navigator.clipboard.writeText(button.dataset.copy);
    const label = $("span", button), before = label.textContent;
    label.textContent = button.dataset.copied;
    button.setAttribute("aria-live", "polite");
    setTimeout(() => { label.textContent = before; }, 2000);
  }

  // Typing the name frees the red button; the server checks again.
  const guard = form => { $("[type=submit]", form).disabled = $("[name=confirm_name]", form).value.trim() !== form.dataset.confirmName; };
  document.addEventListener("input", event => { const form = event.target.closest("[data-confirm-name]"); if (form) guard(form); });

  document.addEventListener("change", event => {
    if (event.target.matches("[data-autosubmit]")) event.target.form.requestSubmit();
    const list = event.target.closest("[data-bulk]");
    if (!list) return;
    if (event.target.matches("[data-check-all]")) all("[name=id]", list).forEach(box => { box.checked = event.target.checked; });
    countBulk(list);
  });
  function countBulk(list) {
    const boxes = all("[name=id]", list), on = boxes.filter(box => box.checked).length, bar = $(".bulk", list), head = $("[data-check-all]", list);
    if (bar) { bar.dataset.count = on; const words = $("[data-bulk-count]", bar); if (words) words.textContent = on; }
    if (head) { head.checked = on > 0 && on === boxes.length; head.indeterminate = on > 0 && on < boxes.length; }
  }

  // A form goes once: a second click on a slow line must not buy twice.
  document.addEventListener("submit", event => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    setTimeout(() => { delete form.dataset.sent; }, 8000);
  });
  addEventListener("pageshow", () => all("form[data-sent]").forEach(form => { delete form.dataset.sent; }));

  // Keys: «/» filter, «?» help, «g» and a letter goes to that page of the menu.
  let chord = 0;
  document.addEventListener("keydown", event => {
    if (event.key === "Escape") all("details.menu[open]").forEach(menu => { menu.open = false; $("summary", menu).focus(); });
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input,textarea,select,[contenteditable]") || $("dialog[open]")) return;
    const field = $("[data-filter]"), link = Date.now() - chord < 1500 && $(`[data-key="${CSS.escape(event.key)}"]`);
    if (link) link.click();
    else if (event.key === "/" && field) { event.preventDefault(); field.focus(); field.select(); }
    else if (event.key === "?") $("#keys-help")?.showModal();
    chord = event.key === "g" ? Date.now() : 0;
  });

  // Live fragments: 1 s, growing to 5 s while nothing changes; asleep while the tab is hidden; over when the fragment says so.
  const FIRST = 1000, LAST = 5000;
  function watch(box) {
    if (box.chomWatched || !window.htmx) return;
    box.chomWatched = true;
    let pause = FIRST, tag = "";
    const again = () => { setTimeout(ask, pause); };
    async function ask() {
      if (!box.isConnected || !box.dataset.live) return;
      if (document.hidden) { document.addEventListener("visibilitychange", () => { pause = 0; again(); pause = FIRST; }, { once: true }); return; }
      const url = new URL(box.dataset.live, location.href);
      url.searchParams.set("after", box.dataset.liveAfter);
      try {
        const answer = await fetch(url, { headers: { "HX-Request": "true", ...(tag && { "If-None-Match": tag }) }, cache: "no-store", credentials: "same-origin" });
        if (answer.ok) {
          tag = answer.headers.get("ETag") || "";
          pause = FIRST;
          const logs = all("pre.log", box).map(log => log.scrollHeight - log.scrollTop - log.clientHeight < 8);
          await htmx.swap({ sourceElement: box, target: box, swap: "outerMorph", text: await answer.text() });
          all("pre.log", box).forEach((log, i) => { if (logs[i] !== false) log.scrollTop = log.scrollHeight; });
          if (answer.headers.get("X-Chom-Live") === "final") { box.dispatchEvent(new CustomEvent("chom:final", { bubbles: true })); return; }
        } else if (answer.status === 304) pause = Math.min(pause * 1.5, LAST);
        else if (answer.status < 500) return;  // gone, or logged out: the page stays as it was
        else pause = LAST;
      } catch { pause = LAST; }  // the line is down; it may come back
      again();
    }
    again();
  }

  // Charts: uPlot comes only where a page has one.
  let charts = [], uplot;
  const load = () => uplot ||= new Promise((done, failed) => {
    const css = Object.assign(document.createElement("link"), { rel: "stylesheet", href: document.body.dataset.uplotCss });
    const js = Object.assign(document.createElement("script"), { src: document.body.dataset.uplotJs, onload: done, onerror: failed });
    document.head.append(css, js);
  });
  function colour(tone) {  // a token as the colour the canvas understands: light-dark() is resolved by the element
    const probe = document.body.appendChild(document.createElement("i"));
    probe.className = tone.startsWith("--") ? "" : `tone-${tone}`;
    probe.style.color = tone.startsWith("--") ? `var(${tone})` : "var(--tone)";
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  }
  function draw(box) {
    const it = JSON.parse(box.dataset.chart), text = colour("--chom-text-2"), grid = colour("--chom-line"), format = new Intl.NumberFormat(root.lang);
    const say = v => v == null ? "–" : format.format(v) + (it.unit ? " " + it.unit : "");
    const bars = uPlot.paths.bars({ size: [0.6, 48], radius: 0.2 });
    const series = it.series.map(s => ({ label: s.label, stroke: colour(s.tone), width: s.kind === "bar" ? 0 : 2, dash: s.kind === "dash" ? [5, 5] : undefined, points: { show: false },
      fill: s.kind === "bar" ? colour(s.tone) : s.kind === "area" ? colour(s.tone).replace(/rgba?\((\d+), ?(\d+), ?(\d+).*/, "rgba($1,$2,$3,.12)") : undefined, paths: s.kind === "bar" ? bars : undefined }));
    const data = [it.x, ...it.series.map(s => s.values)];
    // a bar needs half a step on both sides; round a single day uPlot would show a thousand
    const step = it.words.length ? 1 : it.x.length > 1 ? it.x[1] - it.x[0] : 86400, room = it.x.length < 2 ? step : it.words.length || it.series.some(s => s.kind === "bar") ? step / 2 : 0;
    if (it.limit != null) { series.push({ stroke: colour("bad"), width: 1.5, dash: [3, 4], points: { show: false } }); data.push(it.x.map(() => it.limit)); }
    const axis = { stroke: text, font: "12px " + getComputedStyle(document.body).fontFamily, ticks: { show: false } };
    const tip = Object.assign(document.createElement("div"), { className: "chart-tip", hidden: true });
    const day = new Intl.DateTimeFormat(root.lang, { month: "short", day: "numeric" });
    const plot = new uPlot({
      width: box.clientWidth, height: it.height, legend: { show: false }, padding: [8, 12, 0, 0],
      cursor: { y: false, points: { size: 8 } }, scales: { x: { time: !it.words.length, range: (u, a, b) => it.x.length < 2 ? [it.x[0] - room, it.x[0] + room] : [a - room, b + room] }, y: { range: (u, low, high) => [Math.min(0, low), (high || 1) * 1.08] } },
      axes: [{ ...axis, grid: { show: false }, space: 64, size: 32, gap: 8, ...(it.words.length ? { splits: () => it.x, values: (u, v) => v.map(i => it.words[i] ?? "") } : { values: (u, v) => v.map(s => day.format(s * 1000)) }) },
             { ...axis, grid: { stroke: grid, width: 1 }, size: 64, space: 40, values: (u, v) => v.map(say) }],
      series: [{}, ...series],
      hooks: { setCursor: [u => {
        const i = u.cursor.idx;
        tip.hidden = i == null;
        if (i == null) return;
        tip.replaceChildren(...[it.words[i] ?? day.format(it.x[i] * 1000), ...it.series.filter(s => s.values[i] != null).map(s => `${s.label}: ${say(s.values[i])}`)].map(line => Object.assign(document.createElement("div"), { textContent: line })));
        const left = u.cursor.left + 12;
        tip.style.left = (left + tip.offsetWidth > u.over.clientWidth ? left - tip.offsetWidth - 24 : left) + "px";
        tip.style.top = "8px";
      }] },
    }, data, box);
    plot.over.append(tip);
    charts.push({ box, plot });
  }
  function redraw() { const boxes = charts.map(c => c.box); charts.forEach(c => c.plot.destroy()); charts = []; boxes.filter(b => b.isConnected).forEach(draw); }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("resize", () => { clearTimeout(redraw.later); redraw.later = setTimeout(() => charts.forEach(c => c.plot.setSize({ width: c.box.clientWidth, height: c.plot.height })), 100); });

  // Bring a piece of page to life: at load, and after each swap.
  function wake(from = document) {
    all("[data-confirm-name]", from).forEach(guard);
    all("[data-bulk]", from).forEach(countBulk);
    all("[data-live]", from).forEach(watch);
    if (from.matches?.("[data-live]")) watch(from);
    const fresh = all("[data-chart]:empty", from);
    if (fresh.length) load().then(() => fresh.forEach(draw));
  }
  document.addEventListener("DOMContentLoaded", () => { nameTheme(); wake(); });
  document.addEventListener("htmx:after:settle", () => wake());
})();
