// The cover: one of the pictures of the text, and which part of it is shown above and beside the title.
import { element } from "./editor-picture.js";

const FORMS = [["wide", "头图 2.35:1", 2.35], ["square", "小图 1:1", 1]];
const WHOLE = 1_000_000;

// The part of a picture that a crop of this form shows: as large as fits times `size`, at `x`, `y` of what is left.
const edges = (image, form, { size, x, y }) => {
  const ratio = image.naturalWidth / image.naturalHeight;
  const width = Math.min(1, form / ratio) * size;
  const height = Math.min(1, ratio / form) * size;
  const left = (1 - width) * x;
  const top = (1 - height) * y;
  return [left, top, left + width, top + height].map((part) => Math.min(WHOLE, Math.max(0, Math.round(part * WHOLE))));
};

const slider = (words, value, least, changed) => {
  const input = element("input", { type: "range", min: String(least), max: "100", value: String(Math.round(value * 100)) });
  input.addEventListener("input", () => changed(Number(input.value) / 100));
  return element("label", { className: "cover-slider" }, words, input);
};

const frame = (image, [name, words, form], kept, send) => {
  const chosen = { size: 1, x: 0.5, y: 0.5 };
  const shown = element("img", { src: image.src, alt: "" });
  const window_ = element("div", { className: `cover-frame cover-${name}` }, shown);
  const show = (parts) => {
    const [left, top, right, bottom] = parts.map((part) => part / WHOLE);
    shown.style.width = `${100 / (right - left)}%`;
    shown.style.height = `${100 / (bottom - top)}%`;
    shown.style.left = `${(-left * 100) / (right - left)}%`;
    shown.style.top = `${(-top * 100) / (bottom - top)}%`;
  };
  const set = (key) => (value) => {
    chosen[key] = value;
    const parts = edges(image, form, chosen);
    show(parts);
    send(name, parts.join(","));
  };
  show(kept ?? edges(image, form, chosen));
  return element("details", {}, element("summary", {}, words), window_,
    slider("左右", 0.5, 0, set("x")), slider("上下", 0.5, 0, set("y")), slider("大小", 1, 30, set("size")));
};

/** The choice of a cover, kept in step with the pictures of the text. */
export const cover = (host, editor) => {
  const card = document.getElementById("cover");
  const field = card.querySelector("input[name=cover]");
  const crops = JSON.parse(card.dataset.crops ?? "{}");
  const first = field.value;
  const choices = element("div", { className: "cover-choices", role: "radiogroup", "aria-label": "封面图片" });
  const frames = element("div", { className: "cover-frames" });
  const note = element("p", { className: "fine" });
  card.querySelectorAll(".cover-now, .cover-none").forEach((one) => one.remove());
  card.append(note, choices, frames);

  const send = (name, value) => {
    let input = card.querySelector(`input[name=crop_${name}]`);
    if (!input) card.append(input = element("input", { type: "hidden", name: `crop_${name}` }));
    input.value = value;
    host.changed();
  };
  const cut = () => {
    frames.replaceChildren();
    if (!field.value) return;
    const image = element("img", { src: `/console/media/${field.value.slice(7)}`, alt: "" });
    image.addEventListener("load", () => frames.replaceChildren(
      ...FORMS.map((form) => frame(image, form, field.value === first ? crops[form[0]] : null, send))));
  };
  const choose = (media) => {
    if (media === field.value) return;
    field.value = media;
    card.querySelectorAll("input[name^=crop_]").forEach((input) => input.remove());
    host.changed();
    cut();
  };
  const show = () => {
    const found = new Set();
    editor.state.doc.forEach((node) => { if (node.type.name === "picture") found.add(node.attrs.media); });
    if (first) found.add(first);
    const key = [...found, field.value].join();
    if (key === choices.dataset.key) return;
    choices.dataset.key = key;
    note.textContent = found.size ? "不选就用正文第一张图片。选好以后可以调整两种裁剪。" : "正文里还没有图片：把图片拖进正文，就能在这里选作封面。";
    choices.replaceChildren(...["", ...found].filter(() => found.size).map((media) => {
      const radio = element("input", { type: "radio", name: "cover-choice", checked: media === field.value });
      radio.addEventListener("change", () => choose(media));
      const shown = media ? element("img", { src: `/console/media/${media.slice(7)}`, alt: "" }) : element("span", {}, "自动");
      return element("label", { className: "cover-choice" }, radio, shown);
    }));
  };
  editor.on("update", show);
  show();
  cut();
};
