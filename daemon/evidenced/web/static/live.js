// Live updates, copying and confirmations. Every page works without it.
"use strict";
(() => {
  const GAP = 2000; // milliseconds between two looks, at least
  const POLL = 5000; // while something runs: progress makes no event
  const REST = 30000; // a full disk makes no event either
  const { liveNow, liveLost, liveUnknown, copied: isCopied } = document.body.dataset; // its language
  let lookedAt = 0;
  let took = 0;
  let timer = 0;
  let lostAt = null;
  let busy = false;
  let again = false;
  let stream = null;

  const live = () => document.querySelector("[data-live]");

  function pulse(words, isBad) {
    const place = document.getElementById("pulse");
    if (!place || (place.textContent === words && !place.hidden)) return;
    place.hidden = false;
    lost(isBad);
    document.body.classList.toggle("stale", isBad);
    place.textContent = words;
    place.classList.toggle("bad", isBad);
  }

  function gone() {
    lost(true);
    pulse(liveLost.replace("{at}", lostAt), true);
  }

  function soon() {
    if (timer || !live()) return;
    const gap = Math.max(GAP, 10 * took);
    timer = setTimeout(look, Math.max(250, lookedAt + gap - Date.now()));
  }

  async function look() {
    timer = 0;
    if (document.hidden) return; // it looks again when it is seen
    if (busy) { again = true; return; }
    busy = true;
    lookedAt = Date.now();
    try {
      const answer = await fetch(location.href, {
        headers: { "X-Evidenced-Live": "1", Accept: "text/html" },
        redirect: "manual",
      });
      if (answer.type === "opaqueredirect") return location.reload(); // logged out
      if (!answer.ok) throw new Error(`answer ${answer.status}`);
      count(answer.headers.get("X-Evidenced-Menu"));
      show(await answer.text());
      if (stream.readyState === EventSource.OPEN) pulse(liveNow, false);
    } catch { // what is shown may be of before: say so, and do not leave it at that
      gone();
      setTimeout(soon, POLL);
    }
    took = Date.now() - lookedAt;
    busy = false;
    if (again) { again = false; soon(); }
  }

  function count(said) { // the numbers beside the menu's words
    const numbers = JSON.parse(said || "{}");
    for (const place of document.querySelectorAll("[data-count]")) {
      const number = numbers[place.dataset.count] || 0;
      place.textContent = number || "";
      place.hidden = !number;
    }
  }

  function show(text) {
    const place = live();
    const next = document.createElement("div");
    const parsed = new DOMParser().parseFromString(text, "text/html");
    next.append(...parsed.body.childNodes);
    for (const old of place.querySelectorAll("details[id]")) {
      const same = next.querySelector("#" + CSS.escape(old.id));
      if (same) same.open = old.open;
    }
    for (const old of place.querySelectorAll("input:checked")) { // what was chosen stays so
      const same = next.querySelector(`input[value="${CSS.escape(old.value)}"]`);
      if (same) same.checked = true;
    }
    if (next.innerHTML === place.innerHTML) return;
    const focused = place.contains(document.activeElement) && document.activeElement;
    const href = focused && focused.getAttribute("href");
    const box = focused && focused.matches("input[type=checkbox]") && focused.value;
    place.replaceChildren(...next.childNodes);
    tell();
    if (box) place.querySelector(`input[value="${CSS.escape(box)}"]`)?.focus();
    if (href) place.querySelector(`a[href="${CSS.escape(href)}"]`)?.focus();
    ready(place);
  }

  function listen() {
    stream = new EventSource("/api/events?pulse=1");
    stream.onopen = () => { pulse(liveNow, false); soon(); };
    stream.onerror = () => {
      gone();
      if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 5000);
    };
    stream.addEventListener("changed", soon);
  }

  const title = document.title;

  function lost(isLost) { // since when: said once, and the lamp goes out with it
    if (isLost === (lostAt !== null)) return;
    lostAt = isLost ? new Date().toLocaleTimeString() : null;
    tell();
  }

  function tell() { // a tab is a lamp
    const part = document.querySelector("[data-mood]");
    const icon = document.getElementById("icon");
    if (!part || !icon) return;
    const { mood, number, says } = lostAt === null ? part.dataset
      : { mood: "warn", number: 0, says: liveUnknown.replace("{at}", lostAt) };
    document.title = mood === "good" ? title : `${number > 0 ? `(${number}) ` : ""}${says} · ${title}`;
    if (icon.getAttribute("href") !== icon.dataset[mood]) icon.setAttribute("href", icon.dataset[mood]);
  }

  let copied = null;

  function ready(root) {
    for (const button of root.querySelectorAll("[data-copy]")) {
      button.hidden = false;
      button.dataset.plain ??= button.textContent;
      button.textContent = button.dataset.copy === copied ? isCopied : button.dataset.plain;
    }
  }

  async function copy(button) {
    const text = button.dataset.copy;
    try {
      await navigator.clipboard.writeText(text);
    } catch { // not over TLS: the old way
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    copied = text; // said by a button that a live update puts here meanwhile, too
    ready(document);
    setTimeout(() => { if (copied === text) { copied = null; ready(document); } }, 2000);
  }

  async function confirm(link) {
    let asked = null;
    try {
      const answer = await fetch(link.href, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      asked = page.querySelector("[data-dialog]");
    } catch { /* the link itself says what is wrong */ }
    if (!asked) return location.assign(link.href);
    const dialog = document.createElement("dialog");
    const title = asked.querySelector("h1");
    title.id = "dialog-title";
    dialog.setAttribute("aria-labelledby", title.id);
    dialog.append(asked);
    document.body.append(dialog);
    dialog.addEventListener("close", () => {
      dialog.remove();
      const href = CSS.escape(link.getAttribute("href")); // the link may be a new one
      document.querySelector(`a[data-confirm][href="${href}"]`)?.focus();
    });
    dialog.showModal();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) return copy(button);
    if (event.target.closest("[data-print]")) return window.print();
    const close = event.target.closest("dialog [data-close]");
    if (close) {
      event.preventDefault();
      return close.closest("dialog").close();
    }
    const link = event.target.closest("a[data-confirm]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      confirm(link);
    }
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });

  for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;
  ready(document);
  tell();
  if (live()) {
    listen();
    setInterval(() => {
      if (!document.hidden && document.querySelector("[data-running], .row-busy, .row-late")) soon();
    }, POLL);
    setInterval(soon, REST);
  }
})();
