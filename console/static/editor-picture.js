// A picture in the text: shown as it will go out, with the words that belong to it asked at its place.

const FIELDS = [
  ["caption", "图注", "显示在图片下面"],
  ["alt", "替代文字", "图上有什么，念给看不见图片的人"],
  ["origin", "来源", "谁拍摄或制作"],
  ["licence", "授权", "自有、已获授权、公有领域"],
];
const MADE = [["", "请选择"], ["human", "人拍摄或制作"], ["assisted", "AI 辅助"], ["generated", "AI 生成"]];

export const element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  Object.entries(attributes).forEach(([name, value]) => {
    if (name in made && !name.includes("-")) made[name] = value;
    else made.setAttribute(name, value);
  });
  made.append(...children);
  return made;
};

let count = 0;

const inputs = (attrs, changed) => {
  const rows = FIELDS.map(([name, label, hint]) => {
    const id = `picture-${name}-${count += 1}`;
    const input = element("input", { id, maxLength: 300, value: attrs[name], placeholder: hint });
    input.dataset.name = name;
    return [element("label", { htmlFor: id }, label), input];
  });
  const id = `picture-made-${count += 1}`;
  const made = element("select", { id }, ...MADE.map(([value, words]) => element("option", { value }, words)));
  made.dataset.name = "made";
  made.value = attrs.made;
  const box = element("div", { className: "pairs" }, ...rows.flat(), element("label", { htmlFor: id }, "怎样做出"), made);
  box.addEventListener("input", (event) => changed(event.target.dataset.name, event.target.value));
  return box;
};

const lacking = (attrs) => [["origin", "来源"], ["licence", "授权"]].filter(([name]) => !attrs[name].trim()).map(([, words]) => words);

export const pictureView = (host) => ({ node, view, getPos }) => {
  let attrs = node.attrs;
  const image = element("img", { src: `/console/media/${attrs.media.slice(7)}`, alt: attrs.alt });
  const said = element("p", { className: "ed-lacking" });
  const set = (name, value) => {
    attrs = { ...attrs, [name]: value };
    view.dispatch(view.state.tr.setNodeMarkup(getPos(), null, attrs));
  };
  const box = inputs(attrs, set);
  const details = element("details", {}, element("summary", {}, "图注、来源和授权"), box);
  const remove = element("button", { type: "button", className: "small" }, "去掉图片");
  remove.addEventListener("click", () => view.dispatch(view.state.tr.delete(getPos(), getPos() + 1)));
  const dom = element("figure", { className: "ed-picture" }, image, said, details, remove);
  const show = () => {
    const missing = host.repost ? [] : lacking(attrs);
    image.alt = attrs.alt;
    said.textContent = missing.length ? `请写明图片的${missing.join("和")}` : attrs.caption;
    said.classList.toggle("is-lacking", missing.length > 0);
    box.querySelectorAll("[data-name]").forEach((input) => {
      if (input !== document.activeElement) input.value = attrs[input.dataset.name];
    });
  };
  show();
  details.open = !host.repost && lacking(attrs).length > 0;
  return {
    dom,
    update: (now) => {
      if (now.type.name !== "picture" || now.attrs.media !== attrs.media) return false;
      attrs = now.attrs;
      show();
      return true;
    },
    selectNode: () => dom.classList.add("is-selected"),
    deselectNode: () => dom.classList.remove("is-selected"),
    stopEvent: (event) => event.target instanceof Element && event.target.closest("details, button") !== null,
    ignoreMutation: () => true,
  };
};

/** Send a picture; the answer is its marker, or a text that says why there is none. */
export const send = async (host, file) => {
  const body = new FormData();
  body.append("file", file, file.name || "picture.png");
  try {
    const answer = await fetch("/console/items/pictures", { method: "POST", headers: { "X-CSRF": host.csrf() }, body });
    const told = await answer.json().catch(() => ({}));
    return answer.ok && told.media ? told : { problem: told.problem ?? `${file.name}：没有传上去，请登录后再试。文字都还在` };
  } catch {
    return { problem: `${file.name}：网络不通，没有传上去，请稍后再试。文字都还在` };
  }
};

/** A stretch of the text that stays the same stretch while somebody goes on typing; `put` fills it, once or piece by piece. */
export const spot = (editor, { from, to }) => {
  const at = { from, to };
  let side = -1; // what is typed here meanwhile stands behind what comes
  let moved = false;
  const follow = ({ transaction: { mapping, docChanged, selectionSet } }) => {
    at.to = mapping.map(at.to, side);
    at.from = Math.min(mapping.map(at.from, side), at.to);
    moved ||= side < 0 && (docChanged || selectionSet);
  };
  editor.on("transaction", follow);
  const put = (content) => {
    side = 1;
    editor.chain().insertContentAt({ ...at }, content, { updateSelection: !moved }).run();
    side = -1;
  };
  return { put, end: () => editor.off("transaction", follow) };
};

/** Put pictures where they were dropped, pasted or chosen, in their order. */
export const place = async (host, editor, files, at = null) => {
  const from = Math.min(at ?? editor.state.selection.to, editor.state.doc.content.size);
  const there = spot(editor, { from, to: from });
  const nodes = [];
  const notes = [];
  const problems = [];
  for (const file of files) {
    host.say(`正在上传 ${file.name || "图片"} …`);
    const told = await send(host, file);
    if (told.problem) problems.push(told.problem);
    else nodes.push({ type: "picture", attrs: { media: told.media, alt: "", caption: "", origin: "", licence: "", made: "" } });
    notes.push(...(told.notes ?? []));
  }
  if (nodes.length) there.put(nodes);
  there.end();
  const words = nodes.length ? ["图片已放进正文，请写明来源和授权。", ...notes] : [];
  host.say([...problems.map((one) => `${one}。`), ...words].join(""), problems.length ? "problem" : "");
};
