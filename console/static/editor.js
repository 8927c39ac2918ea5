// The editor of the drafting page. Without this file the plain box below it is used.
import { Editor } from "./prose-editor.js";
import { bar } from "./editor-bar.js";
import { check } from "./editor-check.js";
import { cover } from "./editor-cover.js";
import { keep } from "./editor-keep.js";
import { counter, finder } from "./editor-find.js";
import { extensions } from "./editor-nodes.js";
import { element, place } from "./editor-picture.js";

const form = document.querySelector("form.draft");
const holder = document.getElementById("editor");
const told = element("p", { className: "ed-said", role: "status" });

const host = {
  form,
  repost: form.elements.kind.value === "转载",
  changed: () => form.dispatchEvent(new Event("input", { bubbles: true })),
  csrf: () => form.elements.csrf.value,
  say: (words, kind = "") => { told.textContent = words; told.dataset.kind = kind; },
};

const pictures = (data) => [...(data?.files ?? [])].filter((file) => file.type.startsWith("image/"));

// What the text cannot hold is named, never dropped without a word.
const lost = (html) => {
  const page = new DOMParser().parseFromString(html, "text/html");
  const images = page.querySelectorAll("img:not([data-media])").length;
  if (images) host.say(`粘贴的内容里有 ${images} 张图片没有带进来：请把图片另存后拖进正文`, "problem");
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
      handlePaste: (_, event) => {
        const files = pictures(event.clipboardData);
        const html = event.clipboardData?.getData("text/html") ?? "";
        if (files.length && !html.replace(/<[^>]*>/g, "").trim()) {
          place(host, editor, files);
          return true;
        }
        if (html) lost(html);
        return false;
      },
      handleDrop: (view, event) => {
        const files = pictures(event.dataTransfer);
        if (!files.length) return false;
        event.preventDefault();
        place(host, editor, files, view.posAtCoords({ left: event.clientX, top: event.clientY })?.pos);
        return true;
      },
    },
  });
  const sent = element("input", { type: "hidden", name: "blocks" });
  form.append(sent);
  const fill = () => { sent.value = JSON.stringify(editor.getJSON()); };
  fill();
  // Setting up puts a line behind the last table; nobody typed that.
  setTimeout(() => editor.on("update", () => { fill(); host.changed(); }));
  // The plain box stays for browsers without scripts; here it would say the same twice.
  box.disabled = true;
  box.hidden = true;
  holder.before(bar(host, editor, finder(editor)));
  holder.after(counter(editor), told);
  cover(host, editor);
  keep(host, fill);
  check(host, editor);
  document.querySelector("label[for=body]").addEventListener("click", () => editor.commands.focus());
  form.elements.kind.addEventListener("change", () => { host.repost = form.elements.kind.value === "转载"; });
  holder.dataset.ready = "yes";
  return editor;
};

if (holder) host.editor = start();
export { host };
