// Find and replace in the text, and the count of characters.
import { Decoration, DecorationSet, Plugin, PluginKey, TextSelection } from "./editor-nodes.js";
import { element } from "./editor-picture.js";

const KEY = new PluginKey("find");

const hits = (doc, words) => {
  const found = [];
  if (!words) return found;
  doc.descendants((node, pos) => {
    if (!node.isTextblock) return true;
    const text = node.textBetween(0, node.content.size, undefined, "\n");
    for (let at = text.indexOf(words); at >= 0; at = text.indexOf(words, at + words.length)) {
      found.push({ from: pos + 1 + at, to: pos + 1 + at + words.length });
    }
    return false;
  });
  return found;
};

const plugin = () => new Plugin({
  key: KEY,
  state: {
    init: () => ({ words: "", marks: DecorationSet.empty }),
    apply: (tr, old) => {
      const words = tr.getMeta(KEY) ?? old.words;
      if (words === old.words && !tr.docChanged) return old;
      return { words, marks: DecorationSet.create(tr.doc, hits(tr.doc, words).map(({ from, to }) => Decoration.inline(from, to, { class: "ed-hit" }))) };
    },
  },
  props: { decorations: (state) => KEY.getState(state).marks },
});

/** A row to find and replace in; hidden until it is opened. */
export const finder = (editor) => {
  editor.registerPlugin(plugin());
  const wanted = element("input", { placeholder: "查找", "aria-label": "查找" });
  const other = element("input", { placeholder: "替换为", "aria-label": "替换为" });
  const told = element("span", { className: "fine", role: "status" });
  const box = element("div", { className: "ed-extra", hidden: true }, wanted, other);
  const look = () => editor.view.dispatch(editor.state.tr.setMeta(KEY, box.hidden ? "" : wanted.value));
  const all = () => hits(editor.state.doc, wanted.value);
  const count = () => { told.textContent = wanted.value ? `${all().length} 处` : ""; };
  const go = (step) => {
    const found = all();
    if (!found.length) return;
    const { from, to } = editor.state.selection;
    const next = step > 0 ? found.find((hit) => hit.from >= to && hit.to !== from) ?? found[0] : found.findLast((hit) => hit.to <= from) ?? found.at(-1);
    editor.view.dispatch(editor.state.tr.setSelection(TextSelection.create(editor.state.doc, next.from, next.to)).scrollIntoView());
  };
  const swap = (places) => {
    const tr = editor.state.tr;
    [...places].reverse().forEach(({ from, to }) => (other.value ? tr.insertText(other.value, from, to) : tr.delete(from, to)));
    editor.view.dispatch(tr);
    count();
  };
  const one = () => {
    const { from, to } = editor.state.selection;
    const hit = all().find((place) => place.from === from && place.to === to);
    if (hit) swap([hit]);
    go(1);
  };
  const button = (words, act) => {
    const made = element("button", { type: "button", className: "small" }, words);
    made.addEventListener("click", act);
    return made;
  };
  const close = () => { box.hidden = true; look(); editor.commands.focus(); };
  box.append(button("上一处", () => go(-1)), button("下一处", () => go(1)), button("替换", one), button("全部替换", () => swap(all())), told, button("关闭", close));
  wanted.addEventListener("input", () => { look(); count(); });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); go(event.shiftKey ? -1 : 1); }
    if (event.key === "Escape") close();
  });
  const open = () => {
    box.hidden = false;
    const { from, to } = editor.state.selection;
    const chosen = editor.state.doc.textBetween(from, to, "\n");
    if (chosen && !chosen.includes("\n")) wanted.value = chosen;
    wanted.focus();
    wanted.select();
    look();
    count();
  };
  return { box, open };
};

/** The number of characters and pictures, kept up to date. */
export const counter = (editor) => {
  const told = element("p", { className: "ed-count fine", role: "status", "aria-live": "off" });
  const show = () => {
    let pictures = 0;
    editor.state.doc.forEach((node) => { pictures += node.type.name === "picture"; });
    const letters = [...editor.state.doc.textContent.replace(/\s/g, "")].length;
    told.textContent = `${letters} 字${pictures ? `，${pictures} 张图片` : ""}`;
  };
  editor.on("update", show);
  show();
  return told;
};
