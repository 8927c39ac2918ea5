// What a text may hold: the same parts as blocks/document.py, so that nothing is lost on the way.
import {
  Blockquote, Bold, BulletList, Document, Dropcursor, Gapcursor, HardBreak, Heading, HorizontalRule, ListItem, Mark,
  Node, OrderedList, Paragraph, Placeholder, Table, TableCell, TableHeader, TableRow, Text, TrailingNode, UndoRedo, pm,
} from "./prose-editor.js";
import { pictureView } from "./editor-picture.js";

const LINK = /^(https?:\/\/[^\s/]|mailto:[^\s]|tel:[^\s])[^\s]*$/i;
export const isLink = (href) => typeof href === "string" && href.length <= 2000 && LINK.test(href);

const Link = Mark.create({
  name: "link",
  inclusive: false,
  addAttributes: () => ({ href: { default: "" } }),
  // An address that the office refuses is not even taken over from a paste.
  parseHTML: () => [{ tag: "a[href]", getAttrs: (a) => isLink(a.getAttribute("href").trim()) && { href: a.getAttribute("href").trim() } }],
  renderHTML: ({ mark }) => ["a", { href: mark.attrs.href, rel: "noreferrer noopener" }, 0],
});

const field = (name) => ({ default: "", parseHTML: (dom) => dom.dataset[name] ?? "", renderHTML: (attrs) => ({ [`data-${name}`]: attrs[name] }) });
const fields = (...names) => Object.fromEntries(names.map((name) => [name, field(name)]));

const picture = (host) => Node.create({
  name: "picture",
  group: "block",
  atom: true,
  draggable: true,
  addAttributes: () => fields("media", "alt", "caption", "origin", "licence", "made"),
  parseHTML: () => [{ tag: "figure[data-media]", getAttrs: (dom) => /^sha256:[0-9a-f]{64}$/.test(dom.dataset.media) && null }],
  renderHTML: ({ HTMLAttributes }) => ["figure", HTMLAttributes],
  addNodeView: () => pictureView(host),
});

const Attachment = Node.create({
  name: "attachment",
  group: "block",
  atom: true,
  draggable: true,
  addAttributes: () => fields("media", "name"),
  parseHTML: () => [{ tag: "p[data-media][data-name]", priority: 60 }],
  renderHTML: ({ node, HTMLAttributes }) => ["p", { ...HTMLAttributes, class: "ed-file" }, `附件：${node.attrs.name}`],
});

// Tables are drawn plainly: the library's own view writes style attributes, which our pages refuse.
const Grid = Table.extend({
  addNodeView: () => null,
  renderHTML: () => ["div", { class: "ed-table" }, ["table", ["tbody", 0]]],
}).configure({ resizable: false });
const span = (name) => ({ default: 1, parseHTML: (dom) => Number(dom.getAttribute(name)) || 1 });
const cell = (base) => base.extend({ content: "paragraph+", addAttributes: () => ({ colspan: span("colspan"), rowspan: span("rowspan"), colwidth: { default: null, rendered: false } }) });

export const extensions = (host) => [
  Document, Text, Paragraph, HardBreak, Bold, Link,
  // Below the page's own h1; what is pasted brings its own levels.
  Heading.extend({
    content: "text*",
    parseHTML: () => [1, 2, 3, 4, 5, 6].map((level) => ({ tag: `h${level}`, attrs: { level: level > 1 ? 2 : 1 } })),
    renderHTML: ({ node }) => [node.attrs.level === 1 ? "h2" : "h3", { "data-level": node.attrs.level }, 0],
  }).configure({ levels: [1, 2] }),
  BulletList,
  OrderedList.extend({ addAttributes: () => ({ start: { default: 1, parseHTML: (dom) => Number(dom.getAttribute("start") ?? 1) } }) }),
  ListItem.extend({ content: "paragraph+ (bulletList | orderedList)*" }),
  Blockquote.extend({ content: "paragraph+" }),
  HorizontalRule, Grid, TableRow, cell(TableHeader), cell(TableCell), picture(host), Attachment,
  UndoRedo, Gapcursor, Dropcursor, TrailingNode,
  Placeholder.configure({ placeholder: "在这里写正文；可以粘贴 Word、WPS、网页的内容，把图片拖进来" }),
];

// The places of a text as the gates count them: each node but empty ones, and in it each field, point or line.
const isEmpty = (node) => ["paragraph", "heading", "blockquote"].includes(node.type.name) && !node.textContent.trim();

const unitsOf = (node, at) => {
  const units = [];
  const visit = (one, pos) => {
    const name = one.type.name;
    const held = [];
    one.forEach((child, offset) => { if (child.type.name === "paragraph") held.push([child, pos + 1 + offset]); });
    if (["paragraph", "heading"].includes(name)) units.push([[one, pos]]);
    else if (["listItem", "tableCell", "tableHeader", "blockquote"].includes(name)) units.push(held);
    if (name !== "blockquote") one.forEach((child, offset) => { if (!child.isTextblock && !child.isAtom) visit(child, pos + 1 + offset); });
  };
  visit(node, at);
  return units;
};

// One entry a character: where it stands in the editor.
const placesOf = (unit) => {
  const places = [];
  unit.forEach(([block, pos], number) => {
    if (number) places.push([pos, pos, "\n"]);
    block.forEach((child, offset) => {
      let at = pos + 1 + offset;
      for (const char of child.isText ? child.text : "\n") {
        places.push([at, at + char.length, char]);
        at += char.length;
      }
    });
  });
  return places;
};

/** Where characters `start` to `end` of part `leaf` of block `block` stand: {from, to}, or {node} for a picture. */
export const placeOf = (doc, { block, leaf, start, end }) => {
  const kept = [];
  doc.forEach((node, at) => { if (!isEmpty(node)) kept.push([node, at]); });
  if (!kept[block]) return null;
  const [node, at] = kept[block];
  if (node.isAtom) return { node: true, from: at, to: at + node.nodeSize };
  const places = placesOf(unitsOf(node, at)[leaf] ?? []).slice(start, end);
  if (!places.length) return null;
  return { from: places[0][0], to: places.at(-1)[1] };
};

export const { Decoration, DecorationSet } = pm.view;
export const { Plugin, PluginKey, TextSelection, NodeSelection } = pm.state;
