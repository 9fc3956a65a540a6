// The bot document in a code editor. The text area stays the form's field: the editor writes into it, so that checking,
// saving and sending are the page's own. It lives in a shadow root, whose style sheets are constructed: no inline style.
"use strict";

const CM = window.CodeMirror;
const field = document.getElementById("bot-text");

// ---- completion from the JSON Schema ----------------------------------------------------------------------------

let schema = null; // asked for once, when the first completion is wanted

async function theSchema() {
  if (!schema) schema = fetch(field.dataset.schema).then((answer) => (answer.ok ? answer.json() : {}), () => ({}));
  return schema;
}

// All shapes that a schema stands for: references followed, choices opened.
function shapes(root, one, depth = 0) {
  if (!one || typeof one !== "object" || depth > 8) return [];
  if (one.$ref) {
    const parts = one.$ref.replace(/^#\/?/, "").split("/").filter(Boolean);
    return shapes(root, parts.reduce((at, part) => at && at[part], root), depth + 1);
  }
  const choices = [...(one.anyOf || []), ...(one.oneOf || [])];
  return [one, ...choices.flatMap((choice) => shapes(root, choice, depth + 1))];
}

// One step down: `key` is a key of a group, or null for an entry of a list.
function below(root, shape, key) {
  if (key === null) return shapes(root, shape.items);
  const named = shape.properties && shape.properties[key];
  if (named) return shapes(root, named);
  const pattern = Object.entries(shape.patternProperties || {}).find(([wanted]) => new RegExp(wanted).test(key));
  return shapes(root, pattern ? pattern[1] : shape.additionalProperties);
}

// The keys and dashes that begin a line, each with its column: [2, null] for "- ", [4, "name"] for "name:".
function begins(line) {
  const [, lead, key] = /^((?:\s|-(?:\s|$))*)(?:("[^"]*"|'[^']*'|[^\s#"'{[][^:#]*):(?=\s|$))?/.exec(line);
  const found = [...lead.matchAll(/-/g)].map((dash) => [dash.index, null]);
  return key === undefined ? found : [...found, [lead.length, key.replace(/^["']|["']$/g, "")]];
}

// Where the cursor is, from the indentation of the lines above: keys, and null for an entry of a list, outermost first.
// A list may stand as far in as the key that it belongs to.
function pathAt(lines, column) {
  const path = [];
  let under = column, keysUnder = column;
  for (const [at, key] of lines.flatMap(begins).reverse()) {
    if (at >= (key === null ? under : keysUnder)) continue;
    path.unshift(key);
    under = at;
    keysUnder = key === null ? at + 1 : at;
  }
  return path;
}

// What stands before the cursor in its line, brackets included: more of the path, and the word that is begun.
function within(text) {
  const path = [];
  let start = 0, quote = "";
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (quote) {
      if (sign === quote) quote = "";
    } else if (sign === '"' || sign === "'") {
      quote = sign;
    } else if (sign === "{" || sign === "[") {
      path.push(keyOf(text.slice(start, at)), sign === "[" ? null : undefined);
      start = at + 1;
    } else if (sign === "}" || sign === "]") {
      path.splice(-2);
    } else if (sign === ",") {
      start = at + 1;
    }
  }
  return { path: path.filter((step) => step !== undefined), word: text.slice(start).trimStart() };
}

const keyOf = (text) => (/^\s*["']?([^"':]+)["']?:\s*$/.exec(text) || [])[1];

async function complete(context) {
  const line = context.state.doc.lineAt(context.pos);
  const [, lead, before] = /^((?:\s|-\s)*)(.*)$/.exec(line.text.slice(0, context.pos - line.from));
  if (before.startsWith("#")) return null;
  const first = Math.max(1, line.number - 2000);
  const above = [];
  for (let number = first; number < line.number; number++) above.push(context.state.doc.line(number).text);
  const here = within(before);
  const path = [...pathAt([...above, lead], lead.length), ...here.path];
  const value = /^["']?([^"':]+)["']?:\s+(.*)$/.exec(here.word);
  const begun = value ? value[2] : here.word;
  if (!context.explicit && !begun && !value) return null;
  const root = await theSchema();
  let found = shapes(root, root);
  for (const step of value ? [...path, value[1]] : path) found = found.flatMap((shape) => below(root, shape, step));
  const options = value ? valuesOf(found) : keysOf(found);
  return options.length ? { from: context.pos - begun.length, options, validFor: /^[\w -]*$/ } : null;
}

function keysOf(found) {
  const keys = new Map();
  for (const shape of found) {
    for (const [key, one] of Object.entries(shape.properties || {})) {
      const wanted = (shape.required || []).includes(key);
      keys.set(key, { label: key, apply: `${key}: `, type: "property", boost: wanted ? 1 : 0, info: one.description });
    }
  }
  return [...keys.values()];
}

function valuesOf(found) {
  const values = found.flatMap((shape) => ("const" in shape ? [shape.const] : shape.enum || []));
  return [...new Set(values.map(String))].map((label) => ({ label, type: "enum" }));
}

// ---- the look, by the tokens of the page's stylesheet --------------------------------------------------------------

const look = () => CM.EditorView.theme({
  "&": { height: "100%", color: "var(--text)", backgroundColor: "var(--surface)", fontSize: "inherit" },
  "&.cm-focused": { outline: "none", boxShadow: "inset 2px 0 0 var(--accent)" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6" },
  ".cm-content": { caretColor: "var(--text)", paddingBlock: "var(--s3)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { color: "var(--faint)", backgroundColor: "var(--surface)", border: "0" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "var(--accent-line)",
  },
  ".cm-selectionMatch": { backgroundColor: "var(--accent-soft)" },
  ".cm-searchMatch": { backgroundColor: "var(--warn-soft)" },
  ".cm-searchMatch-selected": { backgroundColor: "var(--warn-line)" },
  "&.cm-focused .cm-matchingBracket, .cm-matchingBracket": { backgroundColor: "var(--accent-soft)" },
  ".cm-tooltip, .cm-panels": {
    color: "var(--text)", backgroundColor: "var(--raised)", border: "1px solid var(--line)", fontFamily: "var(--font)",
  },
  ".cm-tooltip": { borderRadius: "var(--r1)", boxShadow: "var(--e2)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { color: "var(--accent-deep)", background: "var(--accent-soft)" },
  ".cm-textfield, .cm-button": {
    color: "var(--text)", background: "var(--surface)", border: "1px solid var(--edge)", borderRadius: "var(--r1)",
  },
  ".cm-diagnostic": { fontFamily: "var(--font)", color: "var(--text)", whiteSpace: "pre-wrap" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--ochre)" },
  ".cm-lintRange-error, .cm-lintRange-warning": {
    backgroundImage: "none", textDecoration: "underline wavy var(--bad)", textUnderlineOffset: ".25em",
  },
  ".cm-lintRange-warning": { textDecorationColor: "var(--ochre)" },
  ".cm-lint-marker-error": { content: '""', borderRadius: "50%", backgroundColor: "var(--bad)" },
  ".cm-lint-marker-warning": { content: '""', borderRadius: "2px", backgroundColor: "var(--ochre)" },
  ".cm-lint-marker": { width: ".55em", height: ".55em", marginBlock: ".5em", marginInline: "auto" },
});

const colours = () => {
  const { tags } = CM;
  return CM.HighlightStyle.define([
    { tag: [tags.definition(tags.propertyName), tags.propertyName], color: "var(--accent)" },
    { tag: [tags.string, tags.special(tags.string)], color: "var(--ok)" },
    { tag: [tags.lineComment, tags.comment], color: "var(--faint)", fontStyle: "italic" },
    { tag: [tags.number, tags.bool, tags.keyword], color: "var(--warn)" },
    { tag: [tags.separator, tags.punctuation, tags.squareBracket, tags.brace], color: "var(--muted)" },
  ]);
};

// ---- what the server found, at its place ---------------------------------------------------------------------------

function diagnostics(doc) {
  return [...document.querySelectorAll("#bot-problems [data-line]")]
    .filter((mark) => Number(mark.dataset.line) <= doc.lines)
    .map((mark) => {
      const line = doc.line(Math.max(1, Number(mark.dataset.line)));
      const from = Math.min(line.from + Number(mark.dataset.column) - 1, line.to);
      const word = /^("[^"]*"|'[^']*'|[^\s,\]}]+)/.exec(line.text.slice(from - line.from));
      const to = word ? from + word[0].length : line.to;
      const severity = mark.dataset.severity === "error" ? "error" : "warning";
      return { from, to, severity, message: mark.textContent.trim() };
    })
    .sort((one, other) => one.from - other.from);
}

function goTo(view, hash) {
  const found = /^#l(?:ine-)?(\d+)$/.exec(hash);
  if (!found) return false;
  const line = view.state.doc.line(Math.min(Math.max(1, Number(found[1])), view.state.doc.lines));
  view.dispatch({ selection: { anchor: line.from }, effects: CM.EditorView.scrollIntoView(line.from, { y: "center" }) });
  view.focus();
  return true;
}

// ---- the editor -----------------------------------------------------------------------------------------------------

function open() {
  const { EditorState, EditorView, keymap } = CM;
  const host = document.createElement("div");
  host.className = "code-host";
  const root = host.attachShadow({ mode: "open" });
  const written = EditorView.updateListener.of((update) => {
    if (!update.docChanged) return;
    field.value = update.state.doc.toString();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  const may = field.readOnly ? [EditorState.readOnly.of(true)] : [CM.autocompletion({ override: [complete] }), written];
  const state = EditorState.create({
    doc: field.value,
    extensions: [
      CM.lineNumbers(), CM.highlightActiveLineGutter(), CM.highlightActiveLine(), CM.drawSelection(), CM.history(),
      CM.indentOnInput(), CM.bracketMatching(), CM.highlightSelectionMatches(), CM.search({ top: true }),
      CM.indentUnit.of("  "), EditorState.tabSize.of(2), CM.yaml(), CM.syntaxHighlighting(colours()), CM.lintGutter(),
      look(), EditorState.phrases.of(JSON.parse(field.dataset.phrases)),
      EditorView.contentAttributes.of({ "aria-label": field.getAttribute("aria-label"), dir: "ltr", tabindex: "0" }),
      keymap.of([
        ...CM.completionKeymap, ...CM.defaultKeymap, ...CM.searchKeymap, ...CM.historyKeymap, ...CM.lintKeymap,
        CM.indentWithTab,
      ]),
      may,
    ],
  });
  const plain = field.closest(".editor");
  plain.before(host);
  const view = new EditorView({ state, parent: root, root });
  plain.hidden = true;
  listen(view);
}

function listen(view) {
  const show = () => view.dispatch(CM.setDiagnostics(view.state, diagnostics(view.state.doc)));
  show();
  new MutationObserver(show).observe(document.getElementById("bot-look"), { childList: true });
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest('a[href^="#l"]');
    if (link && goTo(view, link.getAttribute("href"))) {
      event.preventDefault();
      history.replaceState(null, "", link.getAttribute("href"));
    }
  });
  addEventListener("hashchange", () => goTo(view, location.hash));
  if (location.hash) goTo(view, location.hash);
  for (const button of document.querySelectorAll("[data-editor]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      CM[button.dataset.editor](view);
      view.focus();
    });
  }
}

// ---- the draft keeps itself ---------------------------------------------------------------------------------------

const PAUSE_MS = 1500, AGAIN_MS = 5000;

// One request at a time, so that each carries the revision that the one before returned. Whoever is second is told, and
// from then on nothing is sent: what is written stays in the window, to be compared.
class Keeper {
  constructor(place) {
    this.place = place;
    this.form = field.form;
    this.revision = this.form.elements.revision;
    this.timer = 0;
    this.busy = this.waiting = this.stopped = false;
    field.addEventListener("input", () => this.later(PAUSE_MS));
    document.body.addEventListener(place.dataset.topic, () => this.look());
    addEventListener("beforeunload", (event) => this.leaving && event.preventDefault());
    this.form.addEventListener("submit", () => this.stop());
    document.addEventListener("click", (event) => {
      const link = event.target.closest && event.target.closest(".tabs a");
      const plain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
      if (!link || !plain || !this.leaving) return;
      event.preventDefault();
      this.leaveFor(link.href);
    });
  }

  // The forms beside the editor work on what is stored, so what is written here is stored first.
  async leaveFor(href) {
    clearTimeout(this.timer);
    while (this.busy) await new Promise((done) => setTimeout(done, 50));
    await this.keep();
    if (!this.waiting && !this.stopped) location.assign(href);
  }

  get leaving() {
    return this.waiting && !this.stopped;
  }

  stop() {
    clearTimeout(this.timer);
    this.stopped = true;
  }

  later(pause) {
    if (this.stopped) return;
    this.waiting = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keep(), pause);
  }

  async keep() {
    if (this.busy) return this.later(PAUSE_MS);
    this.busy = true;
    this.waiting = false;
    const body = new URLSearchParams(new FormData(this.form));
    const found = await this.ask(this.place.dataset.keep, { method: "POST", body });
    this.busy = false;
    if (found) this.say(found);
    else if (!this.stopped) {
      this.place.firstElementChild.textContent = this.place.dataset.unkept;
      this.later(AGAIN_MS);
    }
  }

  // Somebody saved: was it we?
  async look() {
    if (this.busy || this.stopped) return;
    const found = await this.ask(`${this.place.dataset.state}?revision=${this.revision.value}`, {});
    if (found && !this.busy && Number(this.revision.value) === found.since) this.say(found);
  }

  async ask(url, how) {
    try {
      const answer = await fetch(url, how);
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    }
  }

  say(found) {
    if (this.stopped) return;
    this.place.firstElementChild.textContent = found.said;
    this.place.classList.toggle("newer", found.newer);
    for (const way of this.place.querySelectorAll("[data-newer]")) way.hidden = !found.newer;
    if (found.newer) this.stop();
    else this.revision.value = found.revision;
  }
}

if (field) {
  const place = document.getElementById("bot-saved");
  if (CM) open();
  if (place && !field.readOnly) new Keeper(place);
}
