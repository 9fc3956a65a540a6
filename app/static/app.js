// The little that HTML cannot do alone: toasts, the palette, shortcuts, and noticing that one was logged out.
"use strict";

const TOAST_MS = 6000;

function toast(text, kind) {
  const place = document.getElementById("toasts");
  if (!place) return;
  const box = document.createElement("div"), line = document.createElement("p");
  box.className = `toast ${kind}`;
  line.textContent = text;
  box.append(line);
  place.append(box);
  dismiss(box);
}

function dismiss(box) {
  setTimeout(() => box.remove(), TOAST_MS);
}

// "Done" said by an action, and requests that never got an answer. Refusals come as toasts from the server itself.
document.addEventListener("parley:done", (event) => toast(event.detail.text, "ok"));
document.addEventListener("htmx:error", (event) => {
  const ctx = event.detail.ctx;
  const asked = ctx && ctx.request && ctx.request.method !== "GET";
  if (asked && !ctx.response) toast(document.body.dataset.offline || "", "bad");
});
new MutationObserver((changes) => {
  for (const change of changes) for (const node of change.addedNodes) if (node.nodeType === 1) dismiss(node);
}).observe(document.getElementById("toasts"), { childList: true });
for (const box of document.querySelectorAll("#toasts > .toast")) dismiss(box);

// The stream answers 401 once the session is over: then this page is no longer ours to show.
document.addEventListener("htmx:sse:error", (event) => {
  if (event.detail.status === 401) location.assign("/login?next=" + encodeURIComponent(location.pathname));
});

// Palette: type to narrow, arrows to move, Enter to go.
const palette = document.getElementById("palette");
const links = () => [...palette.querySelectorAll("li > a")].filter((link) => !link.parentElement.hidden);

function mark(link) {
  for (const other of palette.querySelectorAll("a.active")) other.classList.remove("active");
  if (link) link.classList.add("active");
}

if (palette) {
  const input = palette.querySelector("input");
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    for (const link of palette.querySelectorAll("li > a")) {
      link.parentElement.hidden = !link.textContent.toLowerCase().includes(wanted);
    }
    mark(links()[0]);
  });
  input.addEventListener("keydown", (event) => {
    const all = links(), at = all.findIndex((link) => link.classList.contains("active"));
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      mark(all[(at + step + all.length) % all.length]);
    } else if (event.key === "Enter" && all.length) {
      event.preventDefault();
      (all[at] || all[0]).click();
    }
  });
  palette.addEventListener("toggle", (event) => {
    if (event.newState !== "open") return;
    input.value = "";
    input.dispatchEvent(new Event("input"));
    input.focus();
  });
}

// A form that was begun is not lost by a click beside it: the browser asks first. One that was refused counts as begun.
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form && "guard" in form.dataset) form.dataset.guard = "begun";
});
document.addEventListener("submit", (event) => {
  if ("guard" in event.target.dataset) event.target.dataset.guard = "";
});
addEventListener("beforeunload", (event) => {
  if (document.querySelector('form[data-guard="begun"]')) event.preventDefault();
});

// Ctrl K opens the palette. G and a letter goes to a place, unless somebody is writing.
let going = 0;
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && palette) {
    event.preventDefault();
    palette.togglePopover();
    return;
  }
  const writing = event.target.closest && event.target.closest("input, textarea, select, [contenteditable]");
  if (writing || event.ctrlKey || event.metaKey || event.altKey || document.body.dataset.shortcuts === "off") return;
  const key = event.key.toLowerCase();
  if (key === "g") {
    going = Date.now();
  } else if (Date.now() - going < 1500 && palette) {
    going = 0;
    for (const link of links()) {
      const last = link.querySelector("kbd:last-child");
      if (last && last.textContent.toLowerCase() === key) link.click();
    }
  }
});
