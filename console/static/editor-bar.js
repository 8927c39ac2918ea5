// The row of tools above the text: words with a small sign, each with its key.
import { isLink } from "./editor-nodes.js";
import { element, place } from "./editor-picture.js";

const SIGNS = {
  h1: "M4 4v12M12 4v12M4 10h8M15 8l2-1v9", h2: "M4 4v12M11 4v12M4 10h7M14 10a2 2 0 1 1 3 2l-3 4h4",
  bold: "M6 4h5a3 3 0 0 1 0 6H6zM6 10h6a3 3 0 0 1 0 6H6z", link: "M8 12l4-4M7 9l-2 2a3 3 0 0 0 4 4l2-2M13 11l2-2a3 3 0 0 0-4-4L9 7",
  ordered: "M8 5h9M8 10h9M8 15h9M3 4l1-1v4M3 13h2l-2 3h2", bullet: "M8 5h9M8 10h9M8 15h9M4 5h.01M4 10h.01M4 15h.01",
  quote: "M4 6h4v4c0 2-1 4-3 4M11 6h4v4c0 2-1 4-3 4", table: "M3 4h14v12H3zM3 8h14M3 12h14M8 4v12",
  picture: "M3 4h14v12H3zM6 8h.01M4 15l4-4 3 3 2-2 4 3", rule: "M3 10h14M6 5h8M6 15h8",
  undo: "M7 5L3 9l4 4M3 9h8a4 4 0 0 1 0 8H8", redo: "M13 5l4 4-4 4M17 9H9a4 4 0 0 0 0 8h3",
  clear: "M5 5h10M10 5L8 15M4 16l12-12", find: "M9 4a5 5 0 1 0 0 10A5 5 0 0 0 9 4zM13 13l4 4",
};

const sign = (name) => {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", SIGNS[name]);
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  svg.append(path);
  return svg;
};

const TOOLS = [
  ["h1", "大标题", "Ctrl+Alt+1", (chain) => chain.toggleHeading({ level: 1 }), (editor) => editor.isActive("heading", { level: 1 })],
  ["h2", "小标题", "Ctrl+Alt+2", (chain) => chain.toggleHeading({ level: 2 }), (editor) => editor.isActive("heading", { level: 2 })],
  ["bold", "加粗", "Ctrl+B", (chain) => chain.toggleBold(), (editor) => editor.isActive("bold")],
  ["link", "链接", "Ctrl+K", null, (editor) => editor.isActive("link")],
  ["ordered", "编号", "Ctrl+Shift+7", (chain) => chain.toggleOrderedList(), (editor) => editor.isActive("orderedList")],
  ["bullet", "列表", "Ctrl+Shift+8", (chain) => chain.toggleBulletList(), (editor) => editor.isActive("bulletList")],
  ["quote", "引用", "Ctrl+Shift+B", (chain) => chain.toggleBlockquote(), (editor) => editor.isActive("blockquote")],
  ["table", "表格", "", (chain) => chain.insertTable({ rows: 3, cols: 3, withHeaderRow: true }), (editor) => editor.isActive("table")],
  ["picture", "图片", "", null, (editor) => editor.isActive("picture")],
  ["rule", "分隔线", "", (chain) => chain.setHorizontalRule(), null],
  ["undo", "撤销", "Ctrl+Z", (chain) => chain.undo(), null],
  ["redo", "重做", "Ctrl+Shift+Z", (chain) => chain.redo(), null],
  ["clear", "清格式", "Ctrl+\\", (chain) => chain.unsetAllMarks().clearNodes(), null],
  ["find", "查找", "Ctrl+F", null, null],
];
const TABLE = [
  ["上方加行", "addRowBefore"], ["下方加行", "addRowAfter"], ["删行", "deleteRow"], ["左边加列", "addColumnBefore"],
  ["右边加列", "addColumnAfter"], ["删列", "deleteColumn"], ["表头行", "toggleHeaderRow"], ["合并", "mergeCells"],
  ["拆分", "splitCell"], ["删表格", "deleteTable"],
];

const linkBox = (editor) => {
  const input = element("input", { id: "link-address", type: "text", inputMode: "url", placeholder: "https://", "aria-label": "链接的网址" });
  const problem = element("span", { className: "ed-lacking is-lacking", role: "alert" });
  const set = element("button", { type: "button", className: "small" }, "确定");
  const unset = element("button", { type: "button", className: "small" }, "去掉链接");
  const box = element("div", { className: "ed-extra", hidden: true }, input, set, unset, problem);
  const close = () => { box.hidden = true; editor.commands.focus(); };
  const apply = () => {
    const href = input.value.trim();
    problem.textContent = isLink(href) ? "" : "链接只能是网址（http、https）、邮箱（mailto:）或电话（tel:）";
    if (!isLink(href)) return;
    const { empty } = editor.state.selection;
    const chain = editor.chain().focus().extendMarkRange("link");
    if (empty && !editor.isActive("link")) chain.insertContent({ type: "text", text: href, marks: [{ type: "link", attrs: { href } }] }).run();
    else chain.setMark("link", { href }).run();
    close();
  };
  set.addEventListener("click", apply);
  unset.addEventListener("click", () => { editor.chain().focus().extendMarkRange("link").unsetMark("link").run(); close(); });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); apply(); }
    if (event.key === "Escape") close();
  });
  const open = () => {
    box.hidden = false;
    problem.textContent = "";
    input.value = editor.getAttributes("link").href ?? "";
    input.focus();
  };
  return { box, open };
};

/** The tools of an editor; `open` of the finder is called for 查找. */
export const bar = (host, editor, finder) => {
  const link = linkBox(editor);
  const chooser = element("input", { type: "file", accept: "image/*", multiple: true, hidden: true });
  chooser.addEventListener("change", () => { host.comes(place(host, editor, [...chooser.files])); chooser.value = ""; });
  const special = { link: link.open, picture: () => chooser.click(), find: finder.open };
  const buttons = TOOLS.map(([name, words, key, act, active]) => {
    const button = element("button", { type: "button", title: key ? `${words}（${key}）` : words, "aria-label": words }, sign(name), words);
    button.addEventListener("mousedown", (event) => event.preventDefault());
    button.addEventListener("click", () => (act ? act(editor.chain().focus()).run() : special[name]()));
    return [button, active, name];
  });
  const table = element("div", { className: "ed-extra", role: "toolbar", "aria-label": "表格", hidden: true });
  TABLE.forEach(([words, command]) => {
    const button = element("button", { type: "button", className: "small" }, words);
    button.addEventListener("mousedown", (event) => event.preventDefault());
    button.addEventListener("click", () => editor.chain().focus()[command]().run());
    table.append(button);
  });
  const show = () => {
    buttons.forEach(([button, active, name]) => {
      if (active) button.setAttribute("aria-pressed", String(active(editor)));
      if (name === "undo") button.disabled = !editor.can().undo();
      if (name === "redo") button.disabled = !editor.can().redo();
    });
    table.hidden = !editor.isActive("table") || !finder.box.hidden; // on a phone both would cover the text
  };
  editor.on("transaction", show);
  show();
  editor.view.dom.addEventListener("keydown", (event) => {
    const held = event.ctrlKey || event.metaKey;
    const name = { k: "link", f: "find" }[event.key.toLowerCase()];
    if (held && name) { event.preventDefault(); special[name](); }
    if (held && event.key === "\\") { event.preventDefault(); editor.chain().unsetAllMarks().clearNodes().run(); }
  });
  const tools = element("div", { className: "ed-tools", role: "toolbar", "aria-label": "正文工具" }, ...buttons.map(([button]) => button));
  return element("div", { className: "ed-bar" }, tools, table, link.box, finder.box, chooser);
};
