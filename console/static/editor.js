// The editor of the drafting page. Without this file the plain box below it is used.
import { Editor } from "./prose-editor.js";
import { bar } from "./editor-bar.js";
import { beside } from "./editor-beside.js";
import { check } from "./editor-check.js";
import { cover } from "./editor-cover.js";
import { files } from "./editor-files.js";
import { keep } from "./editor-keep.js";
import { counter, finder } from "./editor-find.js";
import { extensions } from "./editor-nodes.js";
import { element, place, spot } from "./editor-picture.js";

const form = document.querySelector("form.draft");
const holder = document.getElementById("editor");
const told = element("p", { className: "ed-said", role: "status" });

const host = {
  form,
  repost: form.elements.kind.value === "转载",
  coming: new Set(), // pictures and pastes on their way into the text: a save waits for them
  comes: (work) => { host.coming.add(work); work.finally(() => host.coming.delete(work)); },
  changed: () => form.dispatchEvent(new Event("input", { bubbles: true })),
  csrf: () => form.elements.csrf.value,
  say: (words, kind = "") => { told.textContent = words; told.dataset.kind = kind; },
};

const pictures = (data) => [...(data?.files ?? [])].filter((file) => file.type.startsWith("image/"));

// A document is no picture; left to the browser, it would be opened in place of the page.
const unread = (data) => data?.files.length > 0 && !pictures(data).length;
const refuse = () => host.say("正文里只能放图片。Word、PDF 等文件请在写新稿页下方的“导入文件”里选，或上传为附件。文字都还在", "problem");
const shut = (event) => {
  if (event.defaultPrevented || event.target.type === "file" || !event.dataTransfer?.types.includes("Files")) return;
  const within = holder.contains(event.target);
  if (within && event.type === "dragover") return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "none";
  if (within) refuse();
};

const lines = (text) => text.split(/\r?\n/).filter(Boolean).map((line) => (
  { type: "paragraph", content: [{ type: "text", text: line }] }
));

// Word, WPS, Excel and web pages are read by the server, which also names what it left out.
const paste = async (html, text) => {
  const there = spot(host.editor, host.editor.state.selection);
  host.say("正在整理粘贴的内容……");
  try {
    const headers = { "Content-Type": "application/json", "X-CSRF": host.csrf() };
    const answer = await fetch("/console/items/paste", { method: "POST", headers, body: JSON.stringify({ html }) });
    if (!answer.ok) throw new Error(answer.status);
    const { tree, left_out: left } = await answer.json();
    const within = tree.length === 1 && tree[0].type === "paragraph";
    there.put(within ? tree[0].content ?? [] : tree);
    host.say(left.join("；"), left.length ? "problem" : "");
  } catch {
    there.put(lines(text));
    host.say("粘贴的内容没能整理，只放进了文字：可以撤销，再粘贴一次", "problem");
  }
  there.end();
};

/** Whether what is pasted is taken care of here. */
const pasted = (data) => {
  const files = pictures(data);
  const html = data?.getData("text/html") ?? "";
  if (files.length && !html.replace(/<[^>]*>/g, "").trim()) host.comes(place(host, host.editor, files));
  else if (!html && unread(data)) refuse();
  // What was copied here comes back as it was.
  else if (!html || html.includes("data-pm-slice")) return false;
  else host.comes(paste(html, data.getData("text/plain")));
  return true;
};

const start = () => {
  const box = document.getElementById("body");
  const editor = new Editor({
    element: holder,
    injectCSS: false,
    extensions: extensions(host),
    content: JSON.parse(holder.dataset.blocks),
    editorProps: {
      attributes: { role: "textbox", "aria-multiline": "true", "aria-label": "正文", class: "article ed-text" },
      // Before the library reads it: that takes seconds for a long paste, and trips over its styles.
      handleDOMEvents: { paste: (view, event) => {
        // The browser tells of a moved caret later than it moves: the paste goes where it stands now.
        view.domObserver.forceFlush();
        view.domObserver.flush();
        return pasted(event.clipboardData) && (event.preventDefault(), true);
      } },
      handleDrop: (view, event, _, moved) => {
        const files = pictures(event.dataTransfer);
        const html = event.dataTransfer?.getData("text/html") ?? "";
        const own = moved || html.includes("data-pm-slice");
        if (!files.length && (!html || own)) return false;
        event.preventDefault();
        const at = view.posAtCoords({ left: event.clientX, top: event.clientY })?.pos;
        if (files.length) {
          host.comes(place(host, editor, files, at));
        } else {
          editor.commands.setTextSelection(at ?? view.state.doc.content.size);
          host.comes(paste(html, event.dataTransfer.getData("text/plain")));
        }
        return true;
      },
    },
  });
  const sent = element("input", { type: "hidden", name: "blocks" });
  form.append(sent);
  const fill = () => { sent.value = JSON.stringify(editor.getJSON()); };
  fill();
  // A line behind the last table is put there by the editor; nobody typed that.
  const said = () => JSON.stringify(editor.getJSON().content.filter((node, at, all) => at < all.length - 1 || node.type !== "paragraph" || node.content));
  let last = said();
  editor.on("update", () => {
    fill();
    const words = said();
    if (words !== last) host.changed();
    last = words;
  });
  // The plain box stays for browsers without scripts; here it would say the same twice.
  box.disabled = true;
  box.hidden = true;
  holder.before(bar(host, editor, finder(editor)));
  holder.after(counter(editor), told);
  cover(host, editor);
  keep(host, fill);
  check(host, editor);
  beside(host, fill);
  files(host);
  document.querySelector("label[for=body]").addEventListener("click", () => editor.commands.focus());
  form.elements.kind.addEventListener("change", () => { host.repost = form.elements.kind.value === "转载"; });
  ["dragover", "drop"].forEach((kind) => document.addEventListener(kind, shut));
  holder.dataset.ready = "yes";
  return editor;
};

if (holder) host.editor = start();
export { host };
