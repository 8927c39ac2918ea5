// What the gates say while somebody types: underlined in the text, listed beside it, taken with one press.
import { Decoration, DecorationSet, Plugin, PluginKey, placeOf } from "./editor-nodes.js";
import { element } from "./editor-picture.js";

const KEY = new PluginKey("findings");
const PAUSE = 500;
const SEVERITY = { block: "必须改", warn: "要核对", hint: "供参考" };

const plugin = () => new Plugin({
  key: KEY,
  state: {
    init: () => DecorationSet.empty,
    apply: (tr, old) => tr.getMeta(KEY) ?? old.map(tr.mapping, tr.doc),
  },
  props: { decorations: (state) => KEY.getState(state) },
});

const marked = (doc, findings) => DecorationSet.create(doc, findings.flatMap((one, id) => {
  const place = one.at && placeOf(doc, one.at);
  if (!place) return [];
  const look = { class: `ed-mark ${one.severity}`, title: one.reason };
  return [place.node ? Decoration.node(place.from, place.to, look, { id }) : Decoration.inline(place.from, place.to, look, { id })];
}));

/** Put the suggested words in; false where the text says something else by now. */
const take = (editor, title, one, id, words) => {
  if (one.field === "title") {
    const at = title.value.indexOf(one.text);
    if (at < 0) return false;
    title.setRangeText(words, at, at + one.text.length, "end");
    title.dispatchEvent(new Event("input", { bubbles: true }));
    return true;
  }
  const [mark] = KEY.getState(editor.state).find(undefined, undefined, (spec) => spec.id === id);
  // Only what still says the same: somebody may have typed on.
  if (!mark || editor.state.doc.textBetween(mark.from, mark.to, "\n", "\n") !== one.text) return false;
  editor.chain().focus().command(({ tr }) => { tr.insertText(words, mark.from, mark.to); return true; }).run();
  return true;
};

const offers = (editor, title, one, id) => {
  const offered = one.suggestions.length ? one.suggestions : [one.suggestion];
  return offered.map((words) => {
    const button = element("button", { type: "button", className: "small" }, words ? `改为“${words}”` : "删去");
    button.addEventListener("click", () => {
      if (take(editor, title, one, id, words)) return;
      button.textContent = "文中这处已经不同，请手工修改";
      button.disabled = true;
    });
    return button;
  });
};

const shown = (editor, title, one, id) => {
  const summary = element("summary", {}, element("span", { className: "gate-letter" }, one.letter),
    element("span", { className: "sev" }, SEVERITY[one.severity]), element("span", { className: "finding-text" }, one.text || one.reason));
  const row = element("details", { className: `finding ${one.severity}`, open: one.severity === "block" }, summary, element("p", {}, one.reason));
  if (one.suggestion !== null && one.text) row.append(element("p", { className: "offers" }, ...offers(editor, title, one, id)));
  if (one.basis) row.append(element("p", { className: "fine" }, `依据：${one.basis}`));
  return row;
};

/** Ask the gates a moment after each change and show what they say. */
export const check = (host, editor) => {
  const { form } = host;
  const title = form.elements.title;
  const list = element("div", { className: "live-findings" });
  const told = element("p", { className: "muted fine", role: "status" });
  const old = form.querySelector(".draft-side .findings");
  const card = old ?? element("section", { className: "card findings" }, element("h2", {}, "提示"));
  if (!old) document.getElementById("checks").prepend(card);
  // Their buttons write into the plain box, which is switched off; the gates are asked anew at once.
  card.querySelectorAll("[data-of-text] [data-replace]").forEach((button) => button.remove());
  card.append(told, list);
  editor.registerPlugin(plugin());
  let waiting = 0;
  let asked = null;

  const ask = async () => {
    asked?.abort();
    asked = new AbortController();
    const attribution = Object.fromEntries([...new FormData(form)].filter(([name]) => name.startsWith("from_")).map(([name, value]) => [name.slice(5), value]));
    const body = { title: title.value, kind: form.elements.kind.value, klass: form.elements.klass.value, blocks: editor.getJSON(), attribution };
    const doc = editor.state.doc;
    try {
      const answer = await fetch("/console/items/check", {
        method: "POST", headers: { "X-CSRF": host.csrf(), "Content-Type": "application/json" }, body: JSON.stringify(body), redirect: "manual", signal: asked.signal,
      });
      const said = await answer.json();
      // Somebody typed on while the gates read: the next answer is on its way.
      if (editor.state.doc !== doc) return;
      if (!answer.ok) { told.textContent = said.message ?? ""; return; }
      editor.view.dispatch(editor.state.tr.setMeta(KEY, marked(doc, said.findings)).setMeta("addToHistory", false));
      card.querySelectorAll("[data-of-text]").forEach((row) => row.remove());
      const open = new Set([...list.querySelectorAll("details[open] > summary")].map((one) => one.textContent));
      list.replaceChildren(...said.findings.map((one, id) => shown(editor, title, one, id)));
      list.querySelectorAll("details").forEach((one) => { one.open ||= open.has(one.firstChild.textContent); });
      told.textContent = said.findings.length ? `正在写的文字有 ${said.findings.length} 处提示` : "正在写的文字没有提示。";
      const count = card.querySelector(".count");
      if (count) count.textContent = card.querySelectorAll(".finding").length;
    } catch { /* the next change asks again; what was typed is not touched */ }
  };
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(ask, PAUSE); };
  editor.on("update", soon);
  form.addEventListener("change", soon);
  title.addEventListener("input", soon);
  soon();
};
