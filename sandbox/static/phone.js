"use strict";
// One citizen's chat: polls the control interface and acts through it.
const { platform, account, citizen, channel } = document.body.dataset;
const telegram = platform === "telegram";
const $ = (id) => document.getElementById(id);
let shown = "", menuShown = "", examplesShown = "", busy = 0, openMenu = -1;
let looking = citizen; // the person's own chat, or the channel, which can only be read

function el(tag, props = {}, ...children) {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children.filter((c) => c !== null && c !== undefined));
  return node;
}
const beijing = (at, options) => new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", ...options }).format(at);
const clockTime = (at) => beijing(at, { hour: "2-digit", minute: "2-digit", hour12: false });
const stamp = (at) => beijing(at, { month: "long", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });
const safe = (url) => (/^https?:\/\//.test(url || "") ? url : null);
const link = (url, text) => (safe(url) ? el("a", { href: url, target: "_blank", rel: "noopener", textContent: text }) : text);
const STYLES = { bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre", spoiler: "span", blockquote: "blockquote" };

function withLinks(text) {
  return text.split(/(https?:\/\/[^\s，。；、）】》<]+)/).map((piece) => link(piece, piece));
}
function rich(text, entities, from = 0) {
  // The outer ones first: what lies inside one is drawn inside it. Offsets count from the message's beginning.
  const sorted = [...(entities || [])].sort((a, b) => a.offset - b.offset || b.length - a.length);
  const out = []; let at = 0;
  while (sorted.length) {
    const entity = sorted.shift(), start = entity.offset - from, end = start + entity.length, inside = [];
    while (sorted.length && sorted[0].offset - from < end) inside.push(sorted.shift());
    out.push(...withLinks(text.slice(at, start)));
    const words = rich(text.slice(start, end), inside, from + start);
    if (entity.type === "text_link" && safe(entity.url)) out.push(el("a", { href: entity.url, target: "_blank", rel: "noopener" }, ...words));
    else out.push(...(STYLES[entity.type] ? [el(STYLES[entity.type], {}, ...words)] : words));
    at = end;
    // A block begins and ends its own lines.
    if (["pre", "blockquote"].includes(entity.type)) {
      if (text[at] === "\n") at += 1;
    }
  }
  return [...out, ...withLinks(text.slice(at))];
}
function htmlText(text) {
  // WeChat texts may carry <a href>; everything else is shown as it is.
  const out = []; let at = 0;
  for (const found of text.matchAll(/<a [^>]*href=["']?([^"'>\s]+)["']?[^>]*>(.*?)<\/a>/g)) {
    out.push(...withLinks(text.slice(at, found.index)), link(found[1], found[2]));
    at = found.index + found[0].length;
  }
  return [...out, ...withLinks(text.slice(at))];
}
function keys(message) {
  const rows = message.reply_markup && message.reply_markup.inline_keyboard;
  if (!rows) return null;
  return el("div", { className: "keys" }, ...rows.map((row) => el("div", {}, ...row.map((b) =>
    b.callback_data !== undefined
      ? el("button", { type: "button", textContent: b.text, onclick: () => act("tap", { data: b.callback_data, message_id: message.message_id }) })
      : el("a", { href: safe(b.url) || "#", target: "_blank", rel: "noopener", textContent: b.text })))));
}
function picture(message) {
  if (message.picture) return message.picture;
  const photo = message.photo ? message.photo[0].file_id : message.animation && message.animation.file_id;
  return photo ? safe(photo) || "/telegram/file/bot0/" + photo : null;
}
function card(article) {
  const cover = el("div", { className: "cover" });
  if (safe(article.picture)) cover.style.backgroundImage = `url("${encodeURI(article.picture)}")`;
  const [left, top, right, bottom] = (article.crop || "").split("_").map(Number);
  if (right > left && bottom > top) {
    const share = (start, size) => (size < 1 ? (100 * start) / (1 - size) : 0) + "%";
    cover.style.backgroundSize = `${100 / (right - left)}% ${100 / (bottom - top)}%`;
    cover.style.backgroundPosition = `${share(left, right - left)} ${share(top, bottom - top)}`;
  }
  const more = article.pictures || [];
  const strip = more.length > 1 ? el("ol", { className: "strip", ariaLabel: `共 ${more.length} 张` }, ...more.map((url, at) => (
    el("li", {}, el("img", { src: safe(url) || "", alt: `第 ${at + 1} 张` }), el("span", { textContent: at + 1 }))))) : null;
  return el("a", { className: "card", href: safe(article.url) || "#", target: "_blank", rel: "noopener" }, cover, strip,
    el("div", { className: "words" }, el("b", { textContent: article.title }), el("small", { textContent: article.digest })));
}
function face() { return el("span", { className: "avatar", ariaHidden: "true", textContent: $("name").textContent[0] || "" }); }
function content(message) {
  const parts = [], image = picture(message);
  if (message.album) parts.push(el("div", { className: "album" }, ...message.album.map((one) => el("img", { src: picture(one), alt: "图片" }))));
  else if (image) parts.push(el("img", { src: image, alt: "图片" }));
  else if (message.document) parts.push(el("a", { className: "file", href: "/telegram/file/bot0/" + message.document.file_id, target: "_blank", rel: "noopener", textContent: "文件：" + message.document.file_name }));
  if (message.kind === "notice") {
    const list = el("dl", {}, ...Object.entries(message.data).flatMap(([k, v]) => [el("dt", { textContent: k }), el("dd", { textContent: v })]));
    parts.push(el("b", { textContent: message.title || "订阅通知" }), list);
    if (safe(message.url)) parts.push(link(message.url, "查看详情"));
  } else {
    const text = message.text ?? message.caption ?? "";
    parts.push(...(telegram ? rich(text, message.entities || message.caption_entities) : htmlText(text)));
  }
  if (message.options) parts.push(el("div", { className: "options" }, ...message.options.map((o) =>
    el("button", { type: "button", textContent: o.text, onclick: () => act("say", { text: o.text }) }))));
  return parts;
}
function bubble(message, mine) {
  if (message.kind === "system") return [el("div", { className: "system", textContent: message.text })];
  if (message.articles) return message.articles.map(card);
  const body = el("div", { className: "bubble" + (message.kind === "notice" ? " notice" : "") }, ...content(message));
  const edited = message.edit_date ? "已编辑 " : "";
  if (telegram) body.append(el("span", { className: "time", textContent: edited + clockTime(message.at) }));
  const whole = telegram && !mine ? el("div", { className: "wide" }, body, keys(message)) : body;
  return [el("div", { className: "row" + (mine ? " mine" : "") }, mine ? null : face(), whole)];
}
const moment = (m) => (m.time ? Date.parse(m.time) : Math.floor(1000 * (m.date ?? m.at)));

function grouped(messages) {
  // Pictures of one group are one message, with the words of the one that has some.
  const out = [];
  for (const one of messages) {
    const last = out[out.length - 1];
    if (!one.media_group_id || !one.photo) out.push(one);
    else if (last && last.media_group_id === one.media_group_id) {
      last.album.push(one);
      if (one.caption) Object.assign(last, { caption: one.caption, caption_entities: one.caption_entities });
    } else out.push({ ...one, album: [one] });
  }
  return out;
}
function draw(screen) {
  const all = [...grouped(screen.received).map((m) => [{ ...m, at: moment(m) }, false]), ...screen.said.map((m) => [{ ...m, at: moment(m) }, true])];
  all.sort((a, b) => (telegram ? a[0].message_id - b[0].message_id : a[0].at - b[0].at || b[1] - a[1]));
  const typing = screen.typing || busy > 0, key = JSON.stringify([all, typing]);
  const name = looking === channel ? screen.citizen.name : screen.account.name;
  $("name").textContent = name;
  $("face").textContent = name[0] || "";
  status(screen, typing);
  if (key === shown) return;
  shown = key;
  const chat = $("chat"), nodes = []; let last = 0;
  for (const [message, mine] of all) {
    if (message.at - last > 300000) nodes.push(el("div", { className: "stamp", textContent: stamp(message.at) }));
    last = message.at;
    nodes.push(...bubble(message, mine));
  }
  if (typing) nodes.push(el("div", { className: "row" }, face(), el("div", { className: "bubble typing", ariaLabel: "正在输入" }, el("i"), el("i"), el("i"))));
  if (!all.length && !typing) nodes.push(empty());
  chat.replaceChildren(...nodes);
  chat.scrollTop = chat.scrollHeight;
}
function empty() {
  const words = telegram ? "按“开始”，或在下面输入一个问题。" : "在下面按菜单，或输入一个问题。";
  return el("p", { className: "empty", textContent: looking === channel ? "还没有发布内容。" : words });
}
function status(screen, typing) {
  const off = !screen.citizen.following || screen.citizen.blocked;
  const idle = telegram ? "机器人" : (screen.account.kind === "subscription" ? "公众号" : "服务号");
  const mine = `${idle} · ${screen.citizen.name}${off ? "（未关注）" : ""}`;
  $("status").textContent = looking === channel ? "频道 · 公开发布" : typing ? "正在输入…" : mine;
  const button = $("follow");
  button.hidden = looking === channel;
  button.textContent = off ? (telegram ? "开始" : "关注") : (telegram ? "停用" : "取消关注");
  button.onclick = () => act("tap", { event: off ? "follow" : (telegram ? "block" : "unfollow") });
  const notice = screen.notices[screen.notices.length - 1];
  $("notice").textContent = notice ? `${clockTime(Date.parse(notice.at))} ${notice.text}` : "平台规则照常执行，消息不会发给真实的人";
  $("notice").parentElement.classList.toggle("hot", Boolean(notice) && Date.parse(screen.now) - Date.parse(notice.at) < 15000);
}
function drawExamples(screen) {
  const key = JSON.stringify(screen.account.examples);
  if (key === examplesShown) return;
  examplesShown = key;
  $("examples").replaceChildren(...screen.account.examples.map((text) =>
    el("button", { type: "button", textContent: text, onclick: () => act("say", { text }) })));
}
function look(chat) {
  looking = chat;
  const reading = chat === channel;
  $("talk").ariaCurrent = String(!reading);
  $("read").ariaCurrent = String(reading);
  $("readonly").hidden = !reading;
  $("writing").hidden = reading;
  shown = "";
  refresh();
}
function drawMenu(screen) {
  const entries = telegram ? screen.account.commands : (screen.account.menu.button || []);
  const key = JSON.stringify([entries, openMenu]);
  if (key === menuShown) return;
  menuShown = key;
  const drawn = telegram ? (entries.length ? [commands(entries)] : []) : entries.map(column);
  $("menu").replaceChildren(...drawn);
}
function commands(entries) {
  const rows = entries.map((entry) => {
    const name = "/" + entry.command.replace(/^\//, "");
    const choose = () => { openMenu = -1; act("say", { text: name }); };
    return el("button", { type: "button", onclick: choose }, el("code", { textContent: name }), entry.description);
  });
  const toggle = () => { openMenu = openMenu === 0 ? -1 : 0; refresh(); };
  const top = el("button", { type: "button", textContent: "≡ 菜单", onclick: toggle, ariaExpanded: String(openMenu === 0) });
  return el("div", {}, openMenu === 0 ? el("div", { className: "sub" }, ...rows) : null, top);
}
function choose(entry) {
  openMenu = -1;
  if (entry.type === "view" && safe(entry.url)) window.open(entry.url, "_blank", "noopener");
  act("tap", { key: entry.key || entry.url });
}
function column(entry, n) {
  const subs = entry.sub_button || [];
  const toggle = () => { openMenu = openMenu === n ? -1 : n; refresh(); };
  const top = el("button", { type: "button", textContent: (subs.length ? "≡ " : "") + entry.name, onclick: () => (subs.length ? toggle() : choose(entry)) });
  if (subs.length) top.ariaExpanded = String(openMenu === n);
  const sub = openMenu === n ? el("div", { className: "sub" }, ...subs.map((s) => el("button", { type: "button", textContent: s.name, onclick: () => choose(s) }))) : null;
  return el("div", {}, sub, top);
}
function toast(text) {
  $("toast").textContent = text;
  $("toast").hidden = false;
  setTimeout(() => { $("toast").hidden = true; }, 3000);
}
async function act(name, more) {
  busy += 1;
  refresh();
  try {
    const answer = await fetch("/_control/" + name, { method: "POST", body: JSON.stringify({ account, citizen, ...more }) });
    const body = await answer.json();
    if (body.callback_answer) toast(body.callback_answer);
    else if (body.error) toast(body.status === undefined ? body.error : "对方服务没有应答");
  } catch { toast("沙箱没有应答"); }
  busy -= 1;
  refresh();
}
async function refresh() {
  if (!account || !citizen) {
    $("status").textContent = "用控制接口登记账号和市民之后，这里就能聊天";
    return;
  }
  try {
    const asked = looking;
    const answer = await fetch("/_control/phone?" + new URLSearchParams({ account, citizen: asked }));
    if (!answer.ok || asked !== looking) return; // the tab was changed meanwhile
    const screen = await answer.json();
    drawMenu(screen); // before the chat: what they take away is not scrolled to
    drawExamples(screen);
    draw(screen);
  } catch { $("notice").textContent = "沙箱已停止"; }
}
$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  $("text").value = "";
  act("say", { text });
});
$("tabs").hidden = !channel;
$("talk").addEventListener("click", () => look(citizen));
$("read").addEventListener("click", () => look(channel));
$("examples").addEventListener("wheel", (event) => { $("examples").scrollLeft += event.deltaX || event.deltaY; event.preventDefault(); }, { passive: false });
refresh();
setInterval(() => { if (!document.hidden) refresh(); }, 800);
if (!account || !citizen) setInterval(() => location.reload(), 4000);
